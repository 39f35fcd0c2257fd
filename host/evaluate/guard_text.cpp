#include "evaluate/guard_text.hpp"

#include "evaluate/breaker.hpp"
#include "time/utc_text.hpp"

#include <fmt/format.h>

namespace varde::evaluate {
namespace {

using core::BreakerState;

constexpr std::size_t kMaxReason = 300;

std::string failures(std::uint32_t consecutive) {
    return consecutive > 1 ? fmt::format("{} failures in a row, the last one", consecutive) : "a failure";
}

std::string utc(core::Instant at) { return time::format_utc(std::chrono::floor<std::chrono::seconds>(at)); }

core::Failed not_used(std::string message, const std::string& incident_id) {
    core::Failed failed;
    failed.reason = core::FailureReason::quarantined;
    failed.phase = core::Phase::evaluate;
    failed.message = std::move(message);
    failed.incident_id = incident_id;
    return failed;
}

}  // namespace

std::string short_reason(const core::Failed& failed) {
    auto text = fmt::format("{}: {}", core::name_of(failed.reason), failed.message);
    if (text.size() <= kMaxReason) return text;
    std::size_t end = kMaxReason;
    while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U) --end;
    text.resize(end);
    return text;
}

std::string clear_hint(const std::string& rule_id) {
    return fmt::format("varde rules release {}, a new plugin file, or switching the rule off and on", rule_id);
}

core::Failed out_of_service(const core::BreakerRecord& record) {
    std::string state;
    switch (record.state) {
        case BreakerState::backing_off: state = fmt::format("not asked until {}", utc(record.until)); break;
        case BreakerState::probing:
            state = fmt::format("out of service since {} and being tried with a few evaluations", utc(record.changed_at));
            break;
        default:
            state = fmt::format("out of service since {} until {}, then it is tried with a few evaluations",
                                utc(record.changed_at), utc(record.until));
    }
    // The failure's name alone: this is said of every home, and the rule's own words can quote the one it failed on.
    const auto name = std::string_view{record.reason}.substr(0, record.reason.find(':'));
    return not_used(fmt::format("{} is {}, after {}: {}. To bring it back now: {}", record.rule_id, state,
                                failures(record.consecutive), name, clear_hint(record.rule_id)),
                    record.incident_id);
}

core::Failed dropped_probe(const core::BreakerRecord& record, std::uint32_t sound, std::uint32_t wanted) {
    return not_used(
        fmt::format("{} was asked on trial; its answer was sound ({} of {}) and is dropped", record.rule_id, sound, wanted),
        record.incident_id);
}

void describe_action(core::Evidence& evidence, const core::BreakerRecord& record, const core::Failed& failed, bool refused) {
    evidence.consecutive_failures = record.consecutive;
    evidence.breaker = core::name_of(record.state);
    if (refused) {
        evidence.action = "rule not in use";
        return;
    }
    const auto weight = weight_of(failed);
    const bool lost = weight == FailureWeight::lost_worker || weight == FailureWeight::violation;
    evidence.action = lost ? "worker replaced" : weight == FailureWeight::none ? "not counted against the rule" : "worker kept";
    if (!is_out(record.state)) return;
    evidence.action += record.state == BreakerState::backing_off ? ", rule backs off" : ", rule quarantined";
    evidence.out_until = record.until;
    evidence.clear_hint = clear_hint(record.rule_id);
}

}  // namespace varde::evaluate
