#include "store/schedule_rows.hpp"

#include "config/schedule_definition.hpp"
#include "store/refusal.hpp"

#include <map>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace varde::store {
namespace {

/// Columns that others ask for, made from the definition.
constexpr std::string_view derived_names = ", trigger_kind, event_category, debounce, completion_delay";

const std::string& all_types() {
    static const std::string types = std::string{schedule_columns.types} + "ttnn";
    return types;
}

const std::string& all_names() {
    static const std::string names = std::string{schedule_columns.names} + std::string{derived_names};
    return names;
}

SqlTexts insert_texts() {
    static const std::string start = "INSERT INTO schedules (" + all_names() + ") ";
    static const std::string postgres =
        start + "SELECT * FROM " + unnest_of(all_types()) + " ON CONFLICT DO NOTHING RETURNING version";
    static const std::string sqlite = start + "VALUES (" + places_of(all_types()) + ") ON CONFLICT DO NOTHING RETURNING version";
    return {postgres.c_str(), sqlite.c_str()};
}

SqlTexts update_texts() {
    static const std::string start = "UPDATE schedules SET (" + all_names() + ") = ";
    static const std::string postgres = start + "ROW (" + SqlColumns{all_names(), all_types()}.of("f") + ") FROM " +
                                        unnest_of(all_types()) + " AS f (" + all_names() +
                                        ") WHERE schedules.schedule_id = f.schedule_id";
    static const std::string sqlite = start + "(" + places_of(all_types()) + ") WHERE schedule_id = ?1";
    return {postgres.c_str(), sqlite.c_str()};
}

RowBatch batch_of(const core::Schedule& from) {
    const core::Trigger& trigger = from.trigger;
    const bool delayed = trigger.kind == core::TriggerKind::interval && trigger.after_completion;
    RowBatch batch{all_types()};
    batch.add({from.schedule_id,
               from.org_id,
               from.version,
               from.generation,
               from.name,
               from.owner,
               from.labels,
               from.kind,
               from.params,
               config::trigger_json(trigger).dump(),
               config::policy_json(from.policy).dump(),
               std::string{core::name_of(from.state)},
               from.source,
               sql_value(from.created_at),
               sql_value(from.updated_at),
               sql_value(from.next_at),
               sql_value(from.last_nominal),
               std::string{core::name_of(trigger.kind)},
               trigger.event.category,
               std::int64_t{trigger.debounce.count()},
               delayed ? SqlValue{std::int64_t{trigger.period.count()}} : SqlValue{}});
    return batch;
}

core::Result<core::Schedule> broken(const std::string& schedule_id, std::string_view what, const std::string& why) {
    return core::fail(core::Errc::database_failed,
                      fmt::format("schedule {}: its {} in the database cannot be read ({}); delete it", schedule_id, what, why));
}

/// Adds last_run_id, last_status and last_run_at; `ids` are the runs, 0 for none.
void add_last_runs(Session& session, const std::vector<std::int64_t>& ids, std::vector<core::Schedule>& schedules) {
    static constexpr SqlTexts last_runs{
        "SELECT r.run_id, r.state, r.started_at FROM runs AS r WHERE r.run_id = ANY ($1::bigint[])",
        "SELECT run_id, state, started_at FROM runs WHERE run_id = ?1"};
    RowBatch batch{"n"};
    std::map<std::int64_t, core::Schedule*> of_run;
    for (std::size_t i = 0; i < ids.size(); ++i) {
        if (ids[i] == 0) continue;
        batch.add({ids[i]});
        of_run[ids[i]] = &schedules[i];
    }
    batch.execute(session, last_runs, {}, [&](const SqlRow& row) {
        core::Schedule& schedule = *of_run.at(row.number(0));
        const auto state = core::run_state_from(row.text(1)).value_or(core::RunState::pending);  // the table checks it
        schedule.last_run_id = row.number(0);
        if (core::is_terminal(state)) schedule.last_status = row.string(1);
        schedule.last_run_at = row.maybe_instant(2);
    });
}

}  // namespace

core::Result<core::Schedule> read_schedule(const SqlRow& row, int first) {
    core::Schedule to;
    int at = first;
    to.schedule_id = row.string(at++);
    to.org_id = row.string(at++);
    to.version = row.number(at++);
    to.generation = row.number(at++);
    for (std::string* text : {&to.name, &to.owner, &to.labels, &to.kind, &to.params}) *text = row.string(at++);
    auto trigger = config::read_trigger(nlohmann::json::parse(row.text(at++), nullptr, false));
    if (!trigger) return broken(to.schedule_id, "trigger", trigger.error().context);
    to.trigger = std::move(*trigger);
    auto policy = config::read_policy(nlohmann::json::parse(row.text(at++), nullptr, false));
    if (!policy) return broken(to.schedule_id, "policy", policy.error().context);
    to.policy = std::move(*policy);
    to.state = core::schedule_state_from(row.text(at++)).value_or(core::ScheduleState::disabled);  // the table checks it
    to.source = row.string(at++);
    to.created_at = row.instant(at++);
    to.updated_at = row.instant(at++);
    to.next_at = row.maybe_instant(at++);
    to.last_nominal = row.maybe_instant(at);
    return to;
}

std::vector<core::Schedule> select_schedules(Session& session, const Conditions& conditions, const std::string& tail) {
    soci::statement statement{session.sql};
    const SociRow row{statement, std::string{schedule_columns.types} + "n"};
    conditions.execute(statement, "SELECT " + schedule_columns.of("s") +
                                      ", (SELECT max(r.run_id) FROM runs AS r WHERE r.schedule_id = s.schedule_id AND"
                                      " r.started_at IS NOT NULL) FROM schedules AS s" +
                                      conditions.where() + tail);
    std::vector<core::Schedule> found;
    std::vector<std::int64_t> last_runs;
    while (statement.fetch()) {
        auto schedule = read_schedule(row, 0);
        if (!schedule) throw SqlFailure{std::move(schedule.error())};
        found.push_back(std::move(*schedule));
        last_runs.push_back(row.number(schedule_columns.count()));
    }
    add_last_runs(session, last_runs, found);
    return found;
}

bool insert_schedule(Session& session, const core::Schedule& schedule) {
    bool inserted = false;
    batch_of(schedule).execute(session, insert_texts(), {}, [&](const SqlRow&) { inserted = true; });
    return inserted;
}

void update_schedule(Session& session, const core::Schedule& schedule) { batch_of(schedule).execute(session, update_texts()); }

core::Schedule lock_schedule(Session& session, const std::string& schedule_id, const std::string& org_id) {
    Conditions conditions;
    conditions.add("s.schedule_id", "=", schedule_id);
    if (!org_id.empty()) conditions.add("s.org_id", "=", org_id);
    auto found = select_schedules(session, conditions, session.engine() == Engine::postgresql ? " FOR UPDATE OF s" : "");
    if (found.empty()) refuse(core::Errc::not_found, fmt::format("there is no schedule {}", schedule_id));
    return std::move(found.front());
}

}  // namespace varde::store
