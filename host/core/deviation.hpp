#pragma once
#include "core/finding.hpp"
#include "core/scope.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace varde::core {

enum class DeviationStatus { open, ack, closed };
[[nodiscard]] std::string_view name_of(DeviationStatus status);  ///< "OPEN", "ACK", "CLOSED"
[[nodiscard]] std::optional<DeviationStatus> deviation_status_from(std::string_view name);

/// A finding with a life. At most one row is OPEN or ACK per (rule_id, scope, subject_key); the database enforces it.
struct Deviation {
    std::int64_t deviation_id = 0;
    std::string rule_id;
    Scope scope;
    std::string subject_key = "default";
    DeviationStatus status = DeviationStatus::open;
    Finding finding;
    Instant started_at{};
    Instant last_seen_at{};
    std::optional<Instant> closed_at;
    std::string close_reason;  ///< "stale", "rule_disabled", "operator" ...; empty while active
    std::string ack_by;
    std::string ack_comment;
    std::optional<Instant> ack_until;
    /// 1 for the first row of its key, then one more for each reopening.
    std::int32_t episode = 1;
    bool test_mode = false;
};

}  // namespace varde::core
