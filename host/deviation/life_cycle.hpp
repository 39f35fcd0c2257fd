#pragma once
#include "core/deviation.hpp"
#include "core/error.hpp"

#include <chrono>
#include <optional>
#include <string>

/// The life of a deviation, OPEN -> ACK -> CLOSED, as pure functions. Nothing here reads a clock or a database.
namespace varde::deviation {

/// The row for a finding that was not active before: OPEN, started and last seen `now`.
[[nodiscard]] core::Deviation open(const std::string& rule_id, const core::Scope& scope, const std::string& subject_key,
                                   const core::Finding& finding, std::int32_t episode, core::Instant now);

/// The active row after its finding was seen again: last_seen_at, finding and severity are new; status and started_at stay.
/// An ACK whose ack_until has passed becomes OPEN again.
[[nodiscard]] core::Deviation seen_again(core::Deviation active, const core::Finding& finding, core::Instant now);

/// True if an active row was last seen before now - expire_after (strictly).
[[nodiscard]] bool is_stale(const core::Deviation& active, std::chrono::microseconds expire_after, core::Instant now);

[[nodiscard]] core::Deviation close(core::Deviation active, const std::string& reason, core::Instant now);

struct Acknowledgement {
    std::string by;
    std::string comment;
    std::optional<core::Instant> until;
};

/// OPEN -> ACK. Errc::conflict for any other status.
[[nodiscard]] core::Result<core::Deviation> acknowledge(core::Deviation row, const Acknowledgement& ack);

/// An operator's change of status: OPEN -> ACK, OPEN/ACK -> CLOSED; the same status again changes nothing; anything else is
/// Errc::conflict.
[[nodiscard]] core::Result<core::Deviation> change_status(core::Deviation row, core::DeviationStatus to,
                                                          const Acknowledgement& who, core::Instant now);

}  // namespace varde::deviation
