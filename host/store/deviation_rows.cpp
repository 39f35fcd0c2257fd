#include "store/deviation_rows.hpp"

namespace varde::store {
namespace {

constexpr const char* select_columns =
    "SELECT deviation_id, started_at, last_seen_at, closed_at, ack_until, window_since, window_until, found_at, severity,"
    " episode,"
    " test_mode, rule_id, org_id, home_id, subject_id, subject_key, status, close_reason, ack_by, ack_comment, title,"
    " explanation,"
    " evidence FROM deviations";

void set_time(const std::optional<core::Instant>& at, long long& value, soci::indicator& has) {
    value = at ? core::to_us(*at) : 0;
    has = at ? soci::i_ok : soci::i_null;
}

std::optional<core::Instant> get_time(long long value, soci::indicator has) {
    if (has == soci::i_null) return std::nullopt;
    return core::instant_from_us(value);
}

}  // namespace

const char* const insert_deviation_sql =
    "INSERT INTO deviations (started_at, last_seen_at, closed_at, ack_until, window_since, window_until, found_at, severity,"
    " episode,"
    " test_mode, rule_id, org_id, home_id, subject_id, subject_key, status, close_reason, ack_by, ack_comment, title,"
    " explanation,"
    " evidence) VALUES (:started_at, :last_seen_at, :closed_at, :ack_until, :window_since, :window_until, :found_at, :severity,"
    " :episode, :test_mode, :rule_id, :org_id, :home_id, :subject_id, :subject_key, :status, :close_reason, :ack_by,"
    " :ack_comment,"
    " :title, :explanation, :evidence)"
    // Rather no row than an error: on PostgreSQL an error would end the transaction.
    " ON CONFLICT DO NOTHING RETURNING deviation_id";

const char* const update_deviation_sql =
    "UPDATE deviations SET started_at = :started_at, last_seen_at = :last_seen_at, closed_at = :closed_at, ack_until ="
    " :ack_until,"
    " window_since = :window_since, window_until = :window_until, found_at = :found_at, severity = :severity, episode = :episode,"
    " test_mode = :test_mode, rule_id = :rule_id, org_id = :org_id, home_id = :home_id, subject_id = :subject_id,"
    " subject_key = :subject_key, status = :status, close_reason = :close_reason, ack_by = :ack_by, ack_comment = :ack_comment,"
    " title = :title, explanation = :explanation, evidence = :evidence"
    " WHERE deviation_id = :deviation_id AND status = :expected_status";

void DeviationColumns::set(const core::Deviation& from) {
    deviation_id = from.deviation_id;
    started_at = core::to_us(from.started_at);
    last_seen_at = core::to_us(from.last_seen_at);
    set_time(from.closed_at, closed_at, has_closed_at);
    set_time(from.ack_until, ack_until, has_ack_until);
    window_since = core::to_us(from.finding.window.since);
    window_until = core::to_us(from.finding.window.until);
    found_at = core::to_us(from.finding.timestamp);
    severity = static_cast<int>(from.finding.severity);
    episode = from.episode;
    test_mode = from.test_mode ? 1 : 0;
    rule_id = from.rule_id;
    org_id = from.scope.org_id;
    home_id = from.scope.home_id;
    subject_id = from.scope.subject_id;
    subject_key = from.subject_key;
    status = core::name_of(from.status);
    close_reason = from.close_reason;
    ack_by = from.ack_by;
    ack_comment = from.ack_comment;
    title = from.finding.title;
    explanation = from.finding.explanation;
    evidence = from.finding.evidence;
}

core::Deviation DeviationColumns::get() const {
    core::Deviation to;
    to.deviation_id = deviation_id;
    to.rule_id = rule_id;
    to.scope = {org_id, home_id, subject_id};
    to.subject_key = subject_key;
    to.status = core::deviation_status_from(status).value_or(core::DeviationStatus::closed);  // the table checks it
    to.finding.severity = static_cast<core::Severity>(severity);
    to.finding.title = title;
    to.finding.explanation = explanation;
    to.finding.evidence = evidence;
    to.finding.window = {core::instant_from_us(window_since), core::instant_from_us(window_until)};
    to.finding.timestamp = core::instant_from_us(found_at);
    to.started_at = core::instant_from_us(started_at);
    to.last_seen_at = core::instant_from_us(last_seen_at);
    to.closed_at = get_time(closed_at, has_closed_at);
    to.close_reason = close_reason;
    to.ack_by = ack_by;
    to.ack_comment = ack_comment;
    to.ack_until = get_time(ack_until, has_ack_until);
    to.episode = episode;
    to.test_mode = test_mode != 0;
    return to;
}

void DeviationColumns::bind_values(soci::statement& statement) {
    statement.exchange(soci::use(started_at, "started_at"));
    statement.exchange(soci::use(last_seen_at, "last_seen_at"));
    statement.exchange(soci::use(closed_at, has_closed_at, "closed_at"));
    statement.exchange(soci::use(ack_until, has_ack_until, "ack_until"));
    statement.exchange(soci::use(window_since, "window_since"));
    statement.exchange(soci::use(window_until, "window_until"));
    statement.exchange(soci::use(found_at, "found_at"));
    statement.exchange(soci::use(severity, "severity"));
    statement.exchange(soci::use(episode, "episode"));
    statement.exchange(soci::use(test_mode, "test_mode"));
    statement.exchange(soci::use(rule_id, "rule_id"));
    statement.exchange(soci::use(org_id, "org_id"));
    statement.exchange(soci::use(home_id, "home_id"));
    statement.exchange(soci::use(subject_id, "subject_id"));
    statement.exchange(soci::use(subject_key, "subject_key"));
    statement.exchange(soci::use(status, "status"));
    statement.exchange(soci::use(close_reason, "close_reason"));
    statement.exchange(soci::use(ack_by, "ack_by"));
    statement.exchange(soci::use(ack_comment, "ack_comment"));
    statement.exchange(soci::use(title, "title"));
    statement.exchange(soci::use(explanation, "explanation"));
    statement.exchange(soci::use(evidence, "evidence"));
}

std::vector<core::Deviation> select_deviations(Session& session, const Conditions& conditions, const std::string& tail) {
    DeviationColumns row;
    soci::statement statement{session.sql};
    statement.exchange(soci::into(row.deviation_id));
    statement.exchange(soci::into(row.started_at));
    statement.exchange(soci::into(row.last_seen_at));
    statement.exchange(soci::into(row.closed_at, row.has_closed_at));
    statement.exchange(soci::into(row.ack_until, row.has_ack_until));
    for (long long* column : {&row.window_since, &row.window_until, &row.found_at}) statement.exchange(soci::into(*column));
    for (int* column : {&row.severity, &row.episode, &row.test_mode}) statement.exchange(soci::into(*column));
    for (std::string* column : {&row.rule_id, &row.org_id, &row.home_id, &row.subject_id, &row.subject_key, &row.status,
                                &row.close_reason, &row.ack_by, &row.ack_comment, &row.title, &row.explanation, &row.evidence}) {
        statement.exchange(soci::into(*column));
    }
    conditions.execute(statement, select_columns + conditions.where() + tail);
    std::vector<core::Deviation> found;
    while (statement.fetch()) found.push_back(row.get());
    return found;
}

}  // namespace varde::store
