#include "deviation/life_cycle.hpp"

#include <fmt/format.h>

namespace varde::deviation {

using core::Deviation;
using core::DeviationStatus;

Deviation open(const std::string& rule_id, const core::Scope& scope, const std::string& subject_key, const core::Finding& finding,
               std::int32_t episode, core::Instant now) {
    Deviation row;
    row.rule_id = rule_id;
    row.scope = scope;
    row.subject_key = subject_key;
    row.finding = finding;
    row.started_at = now;
    row.last_seen_at = now;
    row.episode = episode;
    return row;
}

Deviation seen_again(Deviation active, const core::Finding& finding, core::Instant now) {
    active.finding = finding;
    active.last_seen_at = now;
    if (active.status == DeviationStatus::ack && active.ack_until && *active.ack_until <= now) {
        active.status = DeviationStatus::open;
        active.ack_until.reset();
    }
    return active;
}

bool is_stale(const Deviation& active, std::chrono::microseconds expire_after, core::Instant now) {
    return active.last_seen_at < now - expire_after;
}

Deviation close(Deviation active, const std::string& reason, core::Instant now) {
    active.status = DeviationStatus::closed;
    active.closed_at = now;
    active.close_reason = reason;
    return active;
}

core::Result<Deviation> acknowledge(Deviation row, const Acknowledgement& ack) {
    if (row.status != DeviationStatus::open) {
        return core::fail(core::Errc::conflict, fmt::format("deviation {} is {} and cannot be acknowledged; only OPEN ones can",
                                                            row.deviation_id, core::name_of(row.status)));
    }
    row.status = DeviationStatus::ack;
    row.ack_by = ack.by;
    row.ack_comment = ack.comment;
    row.ack_until = ack.until;
    return row;
}

core::Result<Deviation> change_status(Deviation row, DeviationStatus to, const Acknowledgement& who, core::Instant now) {
    if (row.status == to) return row;
    if (to == DeviationStatus::ack) return acknowledge(std::move(row), who);
    if (to == DeviationStatus::closed) return close(std::move(row), "operator", now);
    return core::fail(core::Errc::conflict,
                      fmt::format("deviation {} is {}; it cannot become OPEN again: a new episode is opened "
                                  "when the rule sees it again",
                                  row.deviation_id, core::name_of(row.status)));
}

}  // namespace varde::deviation
