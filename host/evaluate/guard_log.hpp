#pragma once
#include "core/incident.hpp"
#include "ports/log_sink.hpp"

#include <cstdint>
#include <string_view>

/// What the guard tells the log: component "plugins", docs/log-events.md.
namespace varde::evaluate {

/// rule_backing_off, rule_quarantined, rule_probing or rule_back_in_service, for a rule whose state or `until` is another than before.
void log_breaker_change(ports::LogSink& log, const core::BreakerRecord& before, const core::BreakerRecord& now,
                        std::uint32_t probes);

/// rule_back_in_service; `why` in words.
void log_back_in_service(ports::LogSink& log, const core::BreakerRecord& record, std::string_view why);

}  // namespace varde::evaluate
