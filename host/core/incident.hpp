#pragma once
#include "core/scope.hpp"
#include "core/verdict.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace varde::core {

/// A failure that is kept. Further failures of the same kind (rule, plugin bytes, reason, phase, place) within a while are counted in
/// `repeats` instead of being stored again.
struct Incident {
    std::string incident_id;  ///< lower-case UUID
    Instant at{};
    Instant last_at{};  ///< of the newest repeat; at if there was none
    std::string rule_id;
    Scope scope;
    Failed failure;  ///< with evidence
    std::uint64_t repeats = 0;
};

/// States of the circuit breaker of one (rule, plugin bytes).
enum class BreakerState {
    healthy,      ///< nothing happened lately
    suspect,      ///< failed; asked again at the next run
    backing_off,  ///< failed again; not asked before `until`
    quarantined,  ///< out of service until `until`, then probed
    probing,      ///< asked, but its answers are dropped until enough of them were sound
};
[[nodiscard]] std::string_view name_of(BreakerState state);
/// healthy for a name that is none.
[[nodiscard]] BreakerState breaker_state_from(std::string_view name);

/// What must survive a restart of a rule's circuit breaker.
struct BreakerRecord {
    std::string rule_id;
    std::string sha256;  ///< of the plugin it is about; another file starts healthy
    BreakerState state = BreakerState::healthy;
    Instant until{};                ///< not asked before
    std::uint32_t level = 0;        ///< back-off doubles with each
    std::uint32_t consecutive = 0;  ///< failures without a success between them
    std::uint32_t clean = 0;        ///< successes since the last failure; probing: sound probes
    std::vector<Instant> recent;    ///< failures within the counting window, oldest first
    std::string reason;             ///< of the last failure, as "deadline: no answer within ..."
    std::string incident_id;
    Instant changed_at{};
    friend bool operator==(const BreakerRecord&, const BreakerRecord&) = default;
};

}  // namespace varde::core
