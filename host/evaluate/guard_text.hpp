#pragma once
#include "core/incident.hpp"

#include <cstdint>
#include <string>

/// What an operator reads about a rule that is kept out of service.
namespace varde::evaluate {

/// "deadline: no answer within 50 ms", at most 300 bytes of whole characters.
[[nodiscard]] std::string short_reason(const core::Failed& failed);

/// How to bring a rule back before its time.
[[nodiscard]] std::string clear_hint(const std::string& rule_id);

/// The answer of a rule that is not asked: since when, why, until when, and how to bring it back.
[[nodiscard]] core::Failed out_of_service(const core::BreakerRecord& record);

/// The answer of a rule that was asked on trial and gave a sound answer.
[[nodiscard]] core::Failed dropped_probe(const core::BreakerRecord& record, std::uint32_t sound, std::uint32_t wanted);

/// Fills in what was done about a failure. `refused`: the rule is not in use at all, so there is nothing to be done.
void describe_action(core::Evidence& evidence, const core::BreakerRecord& record, const core::Failed& failed, bool refused);

}  // namespace varde::evaluate
