#pragma once
#include "core/evidence.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace varde::core {

/// One thing that is known of a failure, as people and programs are told: the log, the HTTP API and the command line say the same.
struct EvidenceFact {
    std::string_view part;  ///< "plugin", "process", "fault", "resources", "window" or "breaker"; empty: stands by itself
    std::string_view
        name;  ///< an interface (docs/log-events.md), with its unit where there is one: "path", "uptime_ms", "frames"
    std::variant<std::int64_t, std::string, Instant, std::vector<std::string>> value;
};

/// What is known, in a fixed order, the facts of one part together. What is not known is left out.
[[nodiscard]] std::vector<EvidenceFact> facts_of(const Evidence& evidence);

/// "R-001.so+0x1139", and the function's name after it if it is known.
[[nodiscard]] std::string text_of(const StackFrame& frame);

/// A failure's message without what the worker wrote to its log, which stands at its end ("; stderr: ...") and can be about any home that
/// the worker judged.
[[nodiscard]] std::string_view without_worker_log(std::string_view message);

}  // namespace varde::core
