// What is kept for each home beside its events: baseline_model_status and monitor_modes.
#include "fixture.hpp"
#include "store/baseline_repository.hpp"
#include "store/database_impl.hpp"
#include "store/monitor_mode_repository.hpp"

#include <algorithm>

using namespace varde;
using namespace varde::store::testing;
using core::MonitorMode;

namespace {

core::BaselineStatus status_of(const core::Scope& scope, bool ready) {
    core::BaselineStatus status;
    status.scope = scope;
    status.computed_at = at_second(10);
    status.ready = ready;
    status.days_with_data = 7;
    status.room_bucket_rows = 40;
    status.room_bucket_supported = 12;
    status.model = {at_second(1), at_second(9)};
    status.definition = "zone=Europe/Oslo";
    return status;
}

ports::MonitorModeRow mode_of(const core::Scope& scope, const std::string& key, MonitorMode mode) {
    ports::MonitorModeRow row;
    row.scope = scope;
    row.monitor_key = key;
    row.mode = mode;
    row.updated_at = at_second(3);
    row.updated_by = "kari's phone";
    return row;
}

const core::Scope kHere{"org", "home-1", "anna"};
const core::Scope kThere{"org", "home-2", "bent"};

}  // namespace

TEST_CASE_TEMPLATE("a baseline comes back as it was stored, what was not counted included", On, ON_EACH_ENGINE) {
    Fixture<On> fixture;
    if (!fixture.ready()) return;
    store::SqlBaselineRepository repository{fixture.database()};
    const auto stored = status_of(kHere, true);
    value_of(repository.save(stored));
    CHECK(value_of(repository.find(kHere)) == stored);
    CHECK_FALSE(value_of(repository.find(kHere))->transition_rows.has_value());
    CHECK_FALSE(value_of(repository.find(kThere)).has_value());
    CHECK_FALSE(value_of(repository.find({"org", "home-1", "somebody"})).has_value());
}

TEST_CASE_TEMPLATE("a scope has one baseline: the last one stored", On, ON_EACH_ENGINE) {
    Fixture<On> fixture;
    if (!fixture.ready()) return;
    store::SqlBaselineRepository repository{fixture.database()};
    value_of(repository.save(status_of(kHere, true)));
    auto later = status_of(kHere, false);
    later.computed_at = at_second(20);
    later.room_bucket_rows.reset();
    later.transition_rows = 4;
    later.transition_supported = 0;
    value_of(repository.save(later));
    CHECK(value_of(repository.list({})) == std::vector{later});
}

TEST_CASE_TEMPLATE("baselines are listed by scope, and only those a filter admits", On, ON_EACH_ENGINE) {
    Fixture<On> fixture;
    if (!fixture.ready()) return;
    store::SqlBaselineRepository repository{fixture.database()};
    const auto here = status_of(kHere, true);
    const auto there = status_of(kThere, false);
    value_of(repository.save(there));
    value_of(repository.save(here));
    CHECK(value_of(repository.list({})) == std::vector{here, there});
    CHECK(value_of(repository.list({"org", "home-2", ""})) == std::vector{there});
    CHECK(value_of(repository.list({"other", "", ""})).empty());
}

TEST_CASE_TEMPLATE("another program may write a baseline with the reference's columns alone", On, ON_EACH_ENGINE) {
    Fixture<On> fixture;
    if (!fixture.ready()) return;
    const std::string row =
        "INSERT INTO baseline_model_status (org_id, home_id, subject_id, baseline_ready, days_with_data,"
        " computed_at) VALUES ('org', 'home-1', 'anna', 1, 7, 10000000)";
    value_of(fixture.database().impl().write("a test", [&](store::Session& session) { session.exec(row.c_str()); }));
    store::SqlBaselineRepository repository{fixture.database()};
    const auto found = value_of(repository.find(kHere));
    REQUIRE(found.has_value());
    CHECK(found->ready);
    CHECK(found->days_with_data == 7);
    CHECK(found->definition.empty());
    CHECK_FALSE(found->room_bucket_rows.has_value());
}

TEST_CASE_TEMPLATE("a monitor mode is set for one rule in one home, and says what was before", On, ON_EACH_ENGINE) {
    Fixture<On> fixture;
    if (!fixture.ready()) return;
    store::SqlMonitorModeRepository repository{fixture.database()};
    const auto off = mode_of(kHere, "R-002", MonitorMode::off);
    CHECK(value_of(repository.set(off)) == MonitorMode::on);
    CHECK(value_of(repository.set(mode_of(kThere, "R-002", MonitorMode::test))) == MonitorMode::on);
    CHECK(value_of(repository.set(off)) == MonitorMode::off);
    CHECK(value_of(repository.list({{"org", "home-1", ""}, {}, {}})) == std::vector{off});
}

TEST_CASE_TEMPLATE("runs look at whole homes, also where a mode was set to ON", On, ON_EACH_ENGINE) {
    Fixture<On> fixture;
    if (!fixture.ready()) return;
    store::SqlMonitorModeRepository repository{fixture.database()};
    auto room = mode_of(kHere, "R-002", MonitorMode::off);
    room.room_id = "stue";
    const auto test = mode_of(kThere, "R-001", MonitorMode::test);
    value_of(repository.set(room));
    value_of(repository.set(test));
    value_of(repository.set(mode_of(kHere, "R-003", MonitorMode::off)));
    const auto on = mode_of(kHere, "R-003", MonitorMode::on);
    value_of(repository.set(on));
    auto rows = value_of(repository.in_force());
    std::ranges::sort(rows, {}, &ports::MonitorModeRow::monitor_key);
    CHECK(rows == std::vector{test, on});
    CHECK(value_of(repository.list({})).size() == 3);
}

TEST_CASE_TEMPLATE("modes are listed by scope, key and room, narrowed and limited", On, ON_EACH_ENGINE) {
    Fixture<On> fixture;
    if (!fixture.ready()) return;
    store::SqlMonitorModeRepository repository{fixture.database()};
    for (const char* key : {"R-003", "R-001", "R-002"}) value_of(repository.set(mode_of(kHere, key, MonitorMode::test)));
    ports::MonitorModeQuery query;
    query.limit = 2;
    const auto rows = value_of(repository.list(query));
    REQUIRE(rows.size() == 2);
    CHECK(rows[0].monitor_key == "R-001");
    CHECK(rows[1].monitor_key == "R-002");
    query.monitor_key = "R-003";
    CHECK(value_of(repository.list(query)).size() == 1);
    query.room_id = "stue";
    CHECK(value_of(repository.list(query)).empty());
    for (const int limit : {0, 5001}) {
        query.limit = limit;
        CHECK(repository.list(query).error().code == core::Errc::invalid_argument);
    }
}

TEST_CASE_TEMPLATE("a mode survives the process that set it", On, ON_EACH_ENGINE) {
    Fixture<On> fixture;
    if (!fixture.ready()) return;
    const auto off = mode_of(kHere, "R-002", MonitorMode::off);
    value_of(store::SqlMonitorModeRepository{fixture.database()}.set(off));
    const auto other = fixture.connect();
    CHECK(value_of(store::SqlMonitorModeRepository{*other}.in_force()) == std::vector{off});
}
