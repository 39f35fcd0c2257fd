#include "store/monitor_mode_repository.hpp"

#include "store/conditions.hpp"
#include "store/database_impl.hpp"

namespace varde::store {
namespace {

std::vector<ports::MonitorModeRow> select_modes(Session& session, const Conditions& conditions, const std::string& tail) {
    long long updated_at = 0;
    std::string mode;
    ports::MonitorModeRow row;
    soci::statement statement{session.sql};
    for (std::string* column :
         {&row.scope.org_id, &row.scope.home_id, &row.scope.subject_id, &row.monitor_key, &row.room_id, &mode}) {
        statement.exchange(soci::into(*column));
    }
    statement.exchange(soci::into(updated_at));
    statement.exchange(soci::into(row.updated_by));
    conditions.execute(
        statement, "SELECT org_id, home_id, subject_id, monitor_key, room_id, mode, updated_at, updated_by FROM monitor_modes" +
                       conditions.where() + " ORDER BY org_id, home_id, subject_id, monitor_key, room_id" + tail);
    std::vector<ports::MonitorModeRow> found;
    while (statement.fetch()) {
        row.mode = core::monitor_mode_from(mode).value_or(core::MonitorMode::on);  // the table checks it
        row.updated_at = core::instant_from_us(updated_at);
        found.push_back(row);
    }
    return found;
}

}  // namespace

core::Result<std::vector<ports::MonitorModeRow>> SqlMonitorModeRepository::list(const ports::MonitorModeQuery& query) {
    if (query.limit < 1 || query.limit > 5000) {
        return core::fail(core::Errc::invalid_argument, "monitor modes: limit must be 1 to 5000");
    }
    return database_.impl().run("listing monitor modes", [&](Session& session) {
        Conditions conditions;
        conditions.admitted_by(query.scope);
        if (query.monitor_key) conditions.add("monitor_key", "=", *query.monitor_key);
        if (query.room_id) conditions.add("room_id", "=", *query.room_id);
        return select_modes(session, conditions, " LIMIT " + std::to_string(query.limit));
    });
}

core::Result<std::vector<ports::MonitorModeRow>> SqlMonitorModeRepository::in_force() {
    return database_.impl().run("reading the monitor modes in force", [](Session& session) {
        Conditions conditions;
        conditions.add("room_id", "=", std::string{ports::kWholeHome});
        return select_modes(session, conditions, "");
    });
}

core::Result<core::MonitorMode> SqlMonitorModeRepository::set(const ports::MonitorModeRow& row) {
    return database_.impl().write("setting a monitor mode", [&](Session& session) {
        Conditions key;
        key.equals(row.scope).add("monitor_key", "=", row.monitor_key).add("room_id", "=", row.room_id);
        const std::vector<ports::MonitorModeRow> before = select_modes(session, key, "");
        const std::string mode{core::name_of(row.mode)};
        const long long updated_at = core::to_us(row.updated_at);
        session.sql
            << "INSERT INTO monitor_modes (org_id, home_id, subject_id, monitor_key, room_id, mode, updated_at, updated_by)"
               " VALUES (:org, :home, :subject, :key, :room, :mode, :updated_at, :updated_by)"
               " ON CONFLICT (org_id, home_id, subject_id, monitor_key, room_id) DO UPDATE SET mode = excluded.mode,"
               " updated_at = excluded.updated_at, updated_by = excluded.updated_by",
            soci::use(row.scope.org_id, "org"), soci::use(row.scope.home_id, "home"), soci::use(row.scope.subject_id, "subject"),
            soci::use(row.monitor_key, "key"), soci::use(row.room_id, "room"), soci::use(mode, "mode"),
            soci::use(updated_at, "updated_at"), soci::use(row.updated_by, "updated_by");
        return before.empty() ? core::MonitorMode::on : before.front().mode;
    });
}

}  // namespace varde::store
