#include "store/calendar_repository.hpp"

#include "config/calendar_definition.hpp"
#include "schedule_fixture.hpp"

#include <nlohmann/json.hpp>

using namespace varde;
using namespace varde::store::testing;
using core::Calendar;
using core::Errc;

namespace {

template <class On>
struct CalendarRows : Schedules<On> {
    ports::CalendarRepository& calendars() {
        if (!calendars_) calendars_ = std::make_unique<store::SqlCalendarRepository>(this->database());
        return *calendars_;
    }
    void by_hand(const char* sql) {
        value_of(this->database().impl().write("a test", [&](store::Session& session) { session.exec(sql); }));
    }
    Calendar put(const Calendar& calendar) {
        return value_of(calendars().put(calendar, {}, [](auto&, const auto&) {}));
    }

  private:
    std::unique_ptr<ports::CalendarRepository> calendars_;
};

Calendar calendar_of(const std::string& id, const std::string& dates = R"(["2026-12-24"])", const std::string& org = "default") {
    auto calendar = config::read_calendar(
        nlohmann::json::parse(R"({"id":")" + id + R"(","name":"It's ø","weekdays":["sat"],"dates":)" + dates + "}"));
    REQUIRE(calendar.has_value());
    calendar->org_id = org;
    calendar->created_at = calendar->updated_at = at_second(10);
    return *calendar;
}

core::Schedule user_of(const std::string& id, std::vector<std::string> calendars) {
    auto schedule = schedule_of(id);
    schedule.policy.calendars.exclude = std::move(calendars);
    return schedule;
}

std::vector<std::string> ids_of(const core::Calendars& calendars) {
    std::vector<std::string> ids;
    for (const auto& calendar : calendars) ids.push_back(calendar->calendar_id);
    return ids;
}

using Ids = std::vector<std::string>;

}  // namespace

TEST_CASE_TEMPLATE("a calendar comes back as it was put, and putting it again raises its version", On, ON_EACH_ENGINE) {
    CalendarRows<On> fixture;
    if (!fixture.ready()) return;
    CHECK(fixture.calendars().find("no", "default").error().code == Errc::not_found);
    const auto first = fixture.put(calendar_of("no"));
    CHECK(first.version == 1);
    CHECK(value_of(fixture.calendars().find("no", "default")) == first);
    auto wanted = calendar_of("no", R"(["2026-12-25",{"first":"2027-01-01","last":"2027-01-03"}])");
    wanted.created_at = wanted.updated_at = at_second(20);
    const auto second = fixture.put(wanted);
    CHECK(second.version == 2);
    CHECK(second.created_at == at_second(10));
    CHECK(second.updated_at == at_second(20));
    CHECK(value_of(fixture.calendars().find("no", "default")) == second);
}

TEST_CASE_TEMPLATE("a calendar is changed and removed at one version only, if that is asked for", On, ON_EACH_ENGINE) {
    CalendarRows<On> fixture;
    if (!fixture.ready()) return;
    auto& calendars = fixture.calendars();
    const auto nothing = [](auto&, const auto&) {};
    CHECK(calendars.put(calendar_of("no"), 1, nothing).error().code == Errc::conflict);
    fixture.put(calendar_of("no"));
    CHECK(value_of(calendars.put(calendar_of("no"), 1, nothing)).version == 2);
    const auto stale = calendars.put(calendar_of("no", "[]"), 1, nothing);
    CHECK(stale.error().code == Errc::conflict);
    CHECK(stale.error().context == "calendar no has version 2: read it again");
    CHECK(calendars.remove("no", "default", 1).error().code == Errc::conflict);
    CHECK(calendars.remove("no", "default", 2).has_value());
    CHECK(calendars.remove("no", "default", {}).error().code == Errc::not_found);
}

TEST_CASE_TEMPLATE("an id is of its organisation; lists are in order", On, ON_EACH_ENGINE) {
    CalendarRows<On> fixture;
    if (!fixture.ready()) return;
    fixture.put(calendar_of("no", "[]", "south"));
    fixture.put(calendar_of("no"));
    fixture.put(calendar_of("am"));
    const auto all = value_of(fixture.calendars().list(""));
    REQUIRE(all.size() == 3);
    CHECK(all[0].calendar_id == "am");
    CHECK(all[1].org_id == "default");
    CHECK(all[2].org_id == "south");
    CHECK(value_of(fixture.calendars().list("south")).size() == 1);
    CHECK(value_of(fixture.calendars().list("north")).empty());
    CHECK(fixture.calendars().remove("am", "south", {}).error().code == Errc::not_found);
}

TEST_CASE_TEMPLATE("an organisation has at most a thousand; those that are there can be changed", On, ON_EACH_ENGINE) {
    CalendarRows<On> fixture;
    if (!fixture.ready()) return;
    fixture.by_hand(
        "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000)"
        " INSERT INTO calendars (org_id, calendar_id, version, definition, created_at, updated_at)"
        " SELECT 'default', 'c' || i, 1, '{}', 0, 0 FROM n");
    const auto more = fixture.calendars().put(calendar_of("no"), {}, [](auto&, const auto&) {});
    CHECK(more.error().code == Errc::too_large);
    CHECK(more.error().context == "organisation default has 1000 calendars: no more are kept");
    CHECK(fixture.put(calendar_of("c1000")).version == 2);
    CHECK(fixture.put(calendar_of("no", "[]", "south")).version == 1);
}

TEST_CASE_TEMPLATE("a calendar that schedules use is not removed, and they are named", On, ON_EACH_ENGINE) {
    CalendarRows<On> fixture;
    if (!fixture.ready()) return;
    fixture.put(calendar_of("no"));
    fixture.put(calendar_of("se"));
    fixture.create(user_of("a", {"no"}));
    auto included = user_of("b", {"se"});
    included.policy.calendars.include = {"no"};
    fixture.create(included);
    const auto refused = fixture.calendars().remove("no", "default", {});
    CHECK(refused.error().code == Errc::conflict);
    CHECK(refused.error().context == "calendar no cannot be removed: a, b use it");
    value_of(fixture.schedules().edit("a", "", [](const core::Schedule& current, const auto&) {
        ports::ScheduleRepository::Edited edited{current, {}, {}};
        edited.schedule.policy.calendars = {};
        return core::Result<ports::ScheduleRepository::Edited>{edited};
    }));
    CHECK(fixture.calendars().remove("no", "default", {}).error().context == "calendar no cannot be removed: b uses it");
    CHECK(fixture.schedules().remove("b", "", false, false, at_second(30)).has_value());
    CHECK(fixture.calendars().remove("no", "default", {}).has_value());
}

TEST_CASE_TEMPLATE("a schedule cannot name a calendar that its organisation does not have", On, ON_EACH_ENGINE) {
    CalendarRows<On> fixture;
    if (!fixture.ready()) return;
    fixture.put(calendar_of("no", "[]", "south"));
    const auto refused = fixture.schedules().create(user_of("a", {"no"}));
    CHECK(refused.error().code == Errc::not_found);
    CHECK(refused.error().context == "policy.calendars: there is no calendar no");
    CHECK(fixture.schedules().find("a", "").error().code == Errc::not_found);
    fixture.put(calendar_of("no"));
    fixture.create(user_of("a", {"no"}));
    const auto added = fixture.schedules().edit("a", "", [](const core::Schedule& current, const auto&) {
        ports::ScheduleRepository::Edited edited{current, {}, {}};
        edited.schedule.policy.calendars.include = {"nobody"};
        return core::Result<ports::ScheduleRepository::Edited>{edited};
    });
    CHECK(added.error().context == "policy.calendars: there is no calendar nobody");
    CHECK(fixture.find("a").policy.calendars.include.empty());
}

TEST_CASE_TEMPLATE("a decision and an edit see the calendars of the schedule, in the order of its policy", On, ON_EACH_ENGINE) {
    CalendarRows<On> fixture;
    if (!fixture.ready()) return;
    fixture.put(calendar_of("no"));
    fixture.put(calendar_of("se", "[]"));
    fixture.put(calendar_of("other"));
    fixture.create(user_of("a", {"se", "no"}));
    fixture.create(schedule_of("b"));
    std::map<std::string, Ids> seen;
    const auto fired = fixture.schedules().fire_due(at_second(60), 10, [&](const ports::DueSchedule& due) {
        seen[due.schedule.schedule_id] = ids_of(due.calendars);
        if (due.schedule.schedule_id == "a") CHECK(due.calendars.at(1)->days == calendar_of("no").days);
        return fire_once(due);
    });
    CHECK(value_of(fired).schedules == 2);
    CHECK(seen["a"] == Ids{"se", "no"});
    CHECK(seen["b"].empty());
    Ids in_edit;
    value_of(fixture.schedules().edit("a", "", [&](const core::Schedule& current, const ports::CalendarsOf& calendars_of) {
        auto wanted = current;
        wanted.policy.calendars = {{"other"}, {"nobody"}, {}};
        in_edit = ids_of(calendars_of(wanted).value());
        return core::Result<ports::ScheduleRepository::Edited>{ports::ScheduleRepository::Edited{current, {}, {}}};
    }));
    CHECK(in_edit == Ids{"other"});
    CHECK(ids_of(value_of(fixture.calendars().of(fixture.find("a")))) == Ids{"se", "no"});
}

TEST_CASE_TEMPLATE("a changed calendar moves the cursors of its schedules in the same step, and their versions stay", On,
                   ON_EACH_ENGINE) {
    CalendarRows<On> fixture;
    if (!fixture.ready()) return;
    fixture.put(calendar_of("no"));
    fixture.put(calendar_of("se"));
    fixture.put(calendar_of("no", "[]", "south"));
    const auto a = fixture.create(user_of("a", {"no"}));
    fixture.create(user_of("b", {"se"}));
    auto foreign = user_of("c", {"no"});
    foreign.org_id = "south";
    fixture.create(foreign);
    fixture.create(user_of("d", {"se", "no"}));
    Ids asked;
    const auto recompute = [&](core::Schedule& schedule, const core::Calendars& calendars) {
        asked.push_back(schedule.schedule_id);
        CHECK(calendars.back()->days == calendar_of("no", R"(["2026-12-31"])").days);
        schedule.next_at = at_second(600);
        if (schedule.schedule_id == "d") {
            schedule.next_at.reset();
            schedule.state = core::ScheduleState::completed;
        }
    };
    value_of(fixture.calendars().put(calendar_of("no", R"(["2026-12-31"])"), {}, recompute));
    CHECK(asked == Ids{"a", "d"});
    CHECK(fixture.find("a").next_at == at_second(600));
    CHECK(fixture.find("a").version == a.version);
    CHECK(fixture.find("b").next_at == at_second(60));
    CHECK(fixture.find("c").next_at == at_second(60));
    CHECK_FALSE(fixture.find("d").next_at.has_value());
    CHECK(fixture.find("d").state == core::ScheduleState::completed);
}

TEST_CASE_TEMPLATE("a calendar that was removed or broken by hand keeps no schedule from being decided about", On,
                   ON_EACH_ENGINE) {
    CalendarRows<On> fixture;
    if (!fixture.ready()) return;
    fixture.put(calendar_of("no"));
    fixture.put(calendar_of("se"));
    fixture.create(user_of("a", {"no", "se"}));
    fixture.by_hand("UPDATE calendars SET definition = 'x' WHERE calendar_id = 'no'");
    fixture.by_hand("DELETE FROM calendars WHERE calendar_id = 'se'");
    int given = -1;
    value_of(fixture.schedules().fire_due(at_second(60), 10, [&](const ports::DueSchedule& due) {
        given = static_cast<int>(due.calendars.size());
        return fire_once(due);
    }));
    CHECK(given == 0);
    CHECK(fixture.calendars().find("no", "default").error().code == Errc::database_failed);
    CHECK(fixture.put(calendar_of("no")).version == 2);  // that mends it
    CHECK(value_of(fixture.calendars().find("no", "default")).days.size() == 1);
}
