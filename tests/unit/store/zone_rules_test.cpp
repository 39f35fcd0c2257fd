#include "schedule_fixture.hpp"

using namespace varde;
using namespace varde::store::testing;
using Names = std::vector<std::string>;

TEST_CASE_TEMPLATE("cursors of wall clocks follow other time zone rules, once, and nothing else does", On, ON_EACH_ENGINE) {
    Schedules<On> fixture;
    if (!fixture.ready()) return;
    auto wall = schedule_of("wall");
    wall.trigger = {};
    wall.trigger.kind = core::TriggerKind::cron;
    wall.trigger.expression = "0 3 * * *";
    wall.next_at = at_second(100);
    auto same = wall;
    same.schedule_id = "same";
    auto interval = schedule_of("interval");
    for (const auto& schedule : {wall, same, interval}) fixture.create(schedule);

    Names asked;
    const auto move = [&](core::Schedule& schedule, const core::Calendars&) {
        asked.push_back(schedule.schedule_id);
        if (schedule.schedule_id == "wall") schedule.next_at = at_second(160);
    };
    auto& repository = fixture.schedules();
    const auto first = repository.follow_zones("2026a", move).value();
    CHECK(first.before.empty());
    CHECK(repository.follow_zones("2026a", move).value().before == "2026a");
    CHECK(asked.empty());

    const auto changed = repository.follow_zones("2026b", move).value();
    CHECK(asked == Names{"same", "wall"});
    CHECK(changed.before == "2026a");
    REQUIRE(changed.moved.size() == 1);
    CHECK(changed.moved.front().schedule_id == "wall");
    CHECK(changed.moved.front().from == at_second(100));
    CHECK(changed.moved.front().to == at_second(160));
    CHECK(fixture.find("wall").next_at == at_second(160));
    CHECK(fixture.find("wall").version == 1);
    CHECK(fixture.find("same").next_at == at_second(100));
    CHECK(repository.follow_zones("2026b", move).value().moved.empty());
}
