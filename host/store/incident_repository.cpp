#include "store/incident_repository.hpp"

#include "store/conditions.hpp"
#include "store/database_impl.hpp"
#include "store/incident_json.hpp"

#include <algorithm>

namespace varde::store {
namespace {

constexpr std::size_t kShortestId = 8;
constexpr std::size_t kUuid = 36;

std::vector<core::Incident> select_incidents(Session& session, const Conditions& conditions, const std::string& tail) {
    core::Incident row;
    long long at = 0, last_at = 0, repeats = 0;
    std::string reason, phase, failure;
    soci::statement statement{session.sql};
    statement.exchange(soci::into(row.incident_id));
    for (long long* column : {&at, &last_at, &repeats}) statement.exchange(soci::into(*column));
    for (std::string* column :
         {&row.rule_id, &row.scope.org_id, &row.scope.home_id, &row.scope.subject_id, &reason, &phase, &failure})
        statement.exchange(soci::into(*column));
    conditions.execute(statement,
                       "SELECT incident_id, at, last_at, repeats, rule_id, org_id, home_id, subject_id, reason, phase, failure"
                       " FROM plugin_incidents" +
                           conditions.where() + tail);
    std::vector<core::Incident> found;
    while (statement.fetch()) {
        row.at = core::instant_from_us(at);
        row.last_at = core::instant_from_us(last_at);
        row.repeats = static_cast<std::uint64_t>(repeats);
        row.failure = failure_from_json(failure, reason, phase);
        row.failure.incident_id = row.incident_id;
        found.push_back(row);
    }
    return found;
}

void insert_incident(Session& session, const core::Incident& incident) {
    const long long at = core::to_us(incident.at), last_at = core::to_us(std::max(incident.at, incident.last_at));
    const auto repeats = static_cast<long long>(incident.repeats);
    const std::string reason{core::name_of(incident.failure.reason)}, phase{core::name_of(incident.failure.phase)};
    const std::string failure = failure_json(incident.failure);
    session.sql
        << "INSERT INTO plugin_incidents (incident_id, at, last_at, repeats, rule_id, org_id, home_id, subject_id, reason,"
           " phase, failure) VALUES (:incident_id, :at, :last_at, :repeats, :rule_id, :org, :home, :subject, :reason, :phase,"
           " :failure) ON CONFLICT DO NOTHING",
        soci::use(incident.incident_id, "incident_id"), soci::use(at, "at"), soci::use(last_at, "last_at"),
        soci::use(repeats, "repeats"), soci::use(incident.rule_id, "rule_id"), soci::use(incident.scope.org_id, "org"),
        soci::use(incident.scope.home_id, "home"), soci::use(incident.scope.subject_id, "subject"), soci::use(reason, "reason"),
        soci::use(phase, "phase"), soci::use(failure, "failure");
}

void delete_beyond(Session& session, std::uint32_t keep) {
    const long long kept = keep;
    // By last_at: what still happens must not be deleted under the host that counts it. SQLite has no OFFSET without a LIMIT.
    session.sql << "DELETE FROM plugin_incidents WHERE incident_id IN (SELECT incident_id FROM plugin_incidents"
                   " ORDER BY last_at DESC, incident_id DESC LIMIT 1000000000 OFFSET :kept)",
        soci::use(kept, "kept");
}

/// Lower-case hex and dashes, long enough to be looked for.
bool is_start_of_id(const std::string& text) {
    return text.size() >= kShortestId && text.size() <= kUuid && text.find_first_not_of("0123456789abcdef-") == std::string::npos;
}

}  // namespace

core::Result<void> SqlIncidentRepository::add(const core::Incident& incident, std::uint32_t keep) {
    return database_.impl().write("storing an incident", [&](Session& session) {
        insert_incident(session, incident);
        delete_beyond(session, keep);
    });
}

core::Result<void> SqlIncidentRepository::repeat(const std::string& incident_id, core::Instant last_at, std::uint64_t more) {
    return database_.impl().write("counting an incident", [&](Session& session) {
        const long long at = core::to_us(last_at);
        const auto count = static_cast<long long>(more);
        session.sql << "UPDATE plugin_incidents SET repeats = repeats + :more, last_at = :last_at WHERE incident_id = :id",
            soci::use(count, "more"), soci::use(at, "last_at"), soci::use(incident_id, "id");
    });
}

core::Result<void> SqlIncidentRepository::symbolise(const std::string& incident_id, const std::vector<core::StackFrame>& frames) {
    return database_.impl().write("naming an incident's frames", [&](Session& session) {
        Conditions conditions;
        conditions.add("incident_id", "=", incident_id);
        const auto rows = select_incidents(session, conditions, "");
        if (rows.empty() || !rows.front().failure.evidence) return;
        core::Failed failed = rows.front().failure;
        core::Evidence evidence = *failed.evidence;
        if (evidence.frames.size() != frames.size()) return;
        evidence.frames = frames;
        failed.evidence = std::make_shared<const core::Evidence>(std::move(evidence));
        const std::string failure = failure_json(failed);
        session.sql << "UPDATE plugin_incidents SET failure = :failure WHERE incident_id = :id", soci::use(failure, "failure"),
            soci::use(incident_id, "id");
    });
}

core::Result<std::vector<core::Incident>> SqlIncidentRepository::list(const Query& query) {
    if (query.limit < 1 || query.limit > 500) {
        return core::fail(core::Errc::invalid_argument, "incidents: limit must be 1 to 500");
    }
    return database_.impl().run("listing incidents", [&](Session& session) {
        Conditions conditions;
        conditions.admitted_by(query.scope);
        if (!query.rule_id.empty()) conditions.add("rule_id", "=", query.rule_id);
        if (query.before != core::Instant{}) {
            conditions.before("(at, incident_id)", query.before, query.before_id);
        }
        const std::string limit = conditions.value(static_cast<long long>(query.limit));
        return select_incidents(session, conditions, " ORDER BY at DESC, incident_id DESC LIMIT " + limit);
    });
}

core::Result<std::optional<core::Incident>> SqlIncidentRepository::find(const std::string& incident_id) {
    if (!is_start_of_id(incident_id)) return std::nullopt;
    return database_.impl().run("reading an incident", [&](Session& session) -> std::optional<core::Incident> {
        Conditions conditions;
        // 'g' comes after every character of an id: a range of the primary key.
        conditions.add("incident_id", ">=", incident_id).add("incident_id", "<", incident_id + "g");
        auto rows = select_incidents(session, conditions, " ORDER BY incident_id LIMIT 2");
        if (rows.size() != 1) return std::nullopt;
        return std::move(rows.front());
    });
}

core::Result<std::vector<core::BreakerRecord>> SqlIncidentRepository::breakers() {
    return database_.impl().run("reading circuit breakers", [](Session& session) {
        core::BreakerRecord row;
        long long until = 0, level = 0, consecutive = 0, clean = 0, changed_at = 0;
        std::string state, recent;
        soci::statement statement{session.sql};
        for (std::string* column : {&row.rule_id, &row.sha256, &state, &recent, &row.reason, &row.incident_id})
            statement.exchange(soci::into(*column));
        for (long long* column : {&until, &level, &consecutive, &clean, &changed_at}) statement.exchange(soci::into(*column));
        Conditions{}.execute(statement,
                             "SELECT rule_id, sha256, state, recent, reason, incident_id, out_until, level, consecutive, clean,"
                             " changed_at FROM plugin_breakers ORDER BY rule_id");
        std::vector<core::BreakerRecord> found;
        while (statement.fetch()) {
            row.state = core::breaker_state_from(state);
            row.until = core::instant_from_us(until);
            row.level = static_cast<std::uint32_t>(level);
            row.consecutive = static_cast<std::uint32_t>(consecutive);
            row.clean = static_cast<std::uint32_t>(clean);
            row.recent = instants_from_json(recent);
            row.changed_at = core::instant_from_us(changed_at);
            found.push_back(row);
        }
        return found;
    });
}

core::Result<void> SqlIncidentRepository::save(const core::BreakerRecord& breaker) {
    return database_.impl().write("storing a circuit breaker", [&](Session& session) {
        const std::string state{core::name_of(breaker.state)}, recent = instants_json(breaker.recent);
        const long long until = core::to_us(breaker.until), changed_at = core::to_us(breaker.changed_at);
        const long long level = breaker.level, consecutive = breaker.consecutive, clean = breaker.clean;
        session.sql
            << "INSERT INTO plugin_breakers (rule_id, sha256, state, out_until, level, consecutive, clean, recent, reason,"
               " incident_id, changed_at) VALUES (:rule_id, :sha256, :state, :out_until, :level, :consecutive, :clean, :recent,"
               " :reason, :incident_id, :changed_at) ON CONFLICT (rule_id) DO UPDATE SET sha256 = excluded.sha256,"
               " state = excluded.state, out_until = excluded.out_until, level = excluded.level,"
               " consecutive = excluded.consecutive, clean = excluded.clean, recent = excluded.recent,"
               " reason = excluded.reason, incident_id = excluded.incident_id, changed_at = excluded.changed_at",
            soci::use(breaker.rule_id, "rule_id"), soci::use(breaker.sha256, "sha256"), soci::use(state, "state"),
            soci::use(until, "out_until"), soci::use(level, "level"), soci::use(consecutive, "consecutive"),
            soci::use(clean, "clean"), soci::use(recent, "recent"), soci::use(breaker.reason, "reason"),
            soci::use(breaker.incident_id, "incident_id"), soci::use(changed_at, "changed_at");
    });
}

core::Result<bool> SqlIncidentRepository::release(const std::string& rule_id) {
    return database_.impl().write("releasing a rule", [&](Session& session) {
        std::string state;
        soci::indicator had_row = soci::i_null;
        session.sql << "DELETE FROM plugin_breakers WHERE rule_id = :rule_id RETURNING state", soci::use(rule_id, "rule_id"),
            soci::into(state, had_row);
        return !state.empty() && core::breaker_state_from(state) != core::BreakerState::healthy;
    });
}

}  // namespace varde::store
