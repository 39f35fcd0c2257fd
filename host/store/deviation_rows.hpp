#pragma once
#include "core/deviation.hpp"
#include "store/conditions.hpp"
#include "store/session.hpp"

#include <string>
#include <vector>

namespace varde::store {

/// A deviation in the types that SOCI binds: what is read into, and what statements are bound to.
struct DeviationColumns {
    long long deviation_id = 0;
    long long started_at = 0, last_seen_at = 0, closed_at = 0, ack_until = 0;
    long long window_since = 0, window_until = 0, found_at = 0;
    int severity = 2, episode = 1, test_mode = 0;
    std::string rule_id, org_id, home_id, subject_id, subject_key, status;
    std::string close_reason, ack_by, ack_comment, title, explanation, evidence;
    soci::indicator has_closed_at = soci::i_null, has_ack_until = soci::i_null;

    void set(const core::Deviation& deviation);
    [[nodiscard]] core::Deviation get() const;
    /// Binds every column but deviation_id, by name.
    void bind_values(soci::statement& statement);
};

extern const char* const insert_deviation_sql;  ///< gives no row if an active row of the key exists
extern const char* const update_deviation_sql;  ///< of :deviation_id, if its status is :expected_status

/// The rows under `conditions`, with `tail` (ORDER BY, LIMIT) after them. Throws SqlFailure and soci::soci_error.
[[nodiscard]] std::vector<core::Deviation> select_deviations(Session& session, const Conditions& conditions,
                                                             const std::string& tail);

}  // namespace varde::store
