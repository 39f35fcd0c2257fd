#include "store/schedule_repository.hpp"

#include "schedule_fixture.hpp"

#include <thread>

using namespace varde;
using namespace varde::store::testing;
using core::Errc;
using core::ScheduleState;
using Names = std::vector<std::string>;

namespace {

core::Schedule dependent(const std::string& id, std::vector<std::string> on) {
    auto schedule = schedule_of(id);
    schedule.trigger = {};
    schedule.trigger.kind = core::TriggerKind::after;
    schedule.next_at.reset();
    schedule.policy.depends_on = std::move(on);
    return schedule;
}

/// An edit that changes what `change` changes.
template <class Change>
ports::ScheduleRepository::Edit edit_by(Change change) {
    return [change](const core::Schedule& current, const auto&) -> core::Result<ports::ScheduleRepository::Edited> {
        ports::ScheduleRepository::Edited edited{current, {}, {}};
        change(edited);
        return edited;
    };
}

core::Schedule odd_schedule() {
    core::Schedule schedule = schedule_of("A.z_9:-x");
    schedule.org_id = "org ' \" ; -- $1 ?1 :v0";
    schedule.name = "Blåbær 'n \"soup\" \\ \n\t 😀 %_";
    schedule.owner = "ø";
    schedule.labels = R"({"team":"a=b","it's":"x\"y"})";
    schedule.kind = "http";
    schedule.params = R"({"url":"https://example.org/?a=:b&c=$1","n":[1,2,{"x":null}]})";
    schedule.trigger = {};
    schedule.trigger.kind = core::TriggerKind::cron;
    schedule.trigger.expression = "0 30 9 ? * MON-FRI";
    schedule.trigger.zone = "Europe/Oslo";
    schedule.trigger.day_match = core::DayMatch::both;
    schedule.trigger.gap = core::GapPolicy::skip;
    schedule.trigger.overlap = core::OverlapPolicy::second;
    schedule.policy.misfire_grace = std::chrono::minutes{7};
    schedule.policy.coalesce = false;
    schedule.policy.catch_up = core::CatchUp::all;
    schedule.policy.catch_up_max = 17;
    schedule.policy.catch_up_window = std::chrono::hours{5};
    schedule.policy.overlap = core::Overlap::queue_all;
    schedule.policy.max_instances = 3;
    schedule.policy.max_queued = 9;
    schedule.policy.retry = {4, std::chrono::seconds{2}, std::chrono::minutes{3}, false};
    schedule.policy.run_timeout = std::chrono::minutes{2};
    schedule.policy.jitter = std::chrono::milliseconds{250};
    schedule.policy.priority = -5;
    schedule.policy.queue = "slow";
    schedule.policy.starts_at = at_second(-100);
    schedule.policy.ends_at = at_second(1'000'000);
    schedule.policy.window_since = at_second(10);
    schedule.policy.window_until = at_second(20);
    schedule.policy.dependency_timeout = std::chrono::minutes{11};
    schedule.state = ScheduleState::paused;
    schedule.source = "sync:nattlig";
    schedule.updated_at = at_second(5);
    schedule.next_at = core::instant_from_us(-1);
    schedule.last_nominal = at_second(-7);
    return schedule;
}

}  // namespace

TEST_CASE_TEMPLATE("a schedule is found as it was created, with its first version and generation", On, ON_EACH_ENGINE) {
    Schedules<On> fixture;
    if (!fixture.ready()) return;
    auto odd = odd_schedule();
    odd.version = 99;
    odd.generation = 99;
    odd.last_run_id = 99;
    const auto created = fixture.create(odd);
    odd.version = odd.generation = 1;
    odd.last_run_id = 0;
    CHECK(created == odd);
    CHECK(fixture.find(odd.schedule_id) == odd);
    CHECK(value_of(fixture.schedules().find(odd.schedule_id, odd.org_id)) == odd);
    const auto plain = fixture.create(schedule_of("plain"));
    CHECK(fixture.find("plain") == plain);
}

TEST_CASE_TEMPLATE("every kind of trigger comes back", On, ON_EACH_ENGINE) {
    Schedules<On> fixture;
    if (!fixture.ready()) return;
    core::Trigger manual, interval, once, event, after;
    interval.kind = core::TriggerKind::interval;
    interval.period = std::chrono::milliseconds{1500};
    interval.anchor = at_second(3);
    interval.after_completion = true;
    once.kind = core::TriggerKind::once;
    once.at = at_second(77);
    event.kind = core::TriggerKind::event;
    event.event.category = "dør";
    event.debounce = std::chrono::seconds{3};
    after.kind = core::TriggerKind::after;
    for (const auto& trigger : {manual, interval, once, event, after}) {
        auto schedule = schedule_of(std::string{core::name_of(trigger.kind)});
        schedule.trigger = trigger;
        fixture.create(schedule);
        CHECK(fixture.find(schedule.schedule_id).trigger == trigger);
    }
}

TEST_CASE_TEMPLATE("an id is taken once, whatever the org; another org does not see it", On, ON_EACH_ENGINE) {
    Schedules<On> fixture;
    if (!fixture.ready()) return;
    fixture.create(schedule_of("a"));
    auto again = schedule_of("a");
    again.org_id = "other";
    const auto refused = fixture.schedules().create(again);
    REQUIRE_FALSE(refused.has_value());
    CHECK(refused.error().code == Errc::conflict);
    CHECK(refused.error().context == "there is a schedule a already");
    auto& schedules = fixture.schedules();
    CHECK(schedules.find("a", "other").error().code == Errc::not_found);
    CHECK(schedules.find("b", "").error().code == Errc::not_found);
    CHECK(schedules.edit("a", "other", edit_by([](auto&) {})).error().code == Errc::not_found);
    CHECK(schedules.remove("a", "other", true, true, at_second(1)).error().code == Errc::not_found);
    CHECK(fixture.find("a").org_id == "default");
}

TEST_CASE_TEMPLATE("an edit keeps who it is, raises the version and stores the rest, with its rows", On, ON_EACH_ENGINE) {
    Schedules<On> fixture;
    if (!fixture.ready()) return;
    fixture.create(schedule_of("a"));
    const auto pending = fixture.insert("a", {run_of(fixture.find("a"), at_second(30))}).at(0);
    const auto edited = value_of(fixture.schedules().edit("a", "default", edit_by([&](auto& to) {
                                                              CHECK(to.schedule.version == 1);
                                                              to.schedule = odd_schedule();
                                                              to.schedule.generation = 2;
                                                              to.schedule.updated_at = at_second(50);
                                                              auto row =
                                                                  run_of(to.schedule, at_second(40), core::RunState::skipped);
                                                              row.schedule_id = "a";
                                                              row.reason = core::SlotReason::paused;
                                                              to.runs.push_back(row);
                                                              to.cancel_queued = core::SlotReason::paused;
                                                          })));
    auto expected = odd_schedule();
    expected.schedule_id = "a";
    expected.org_id = "default";
    expected.created_at = at_second(0);
    expected.updated_at = at_second(50);
    expected.version = 2;
    expected.generation = 2;
    CHECK(edited == expected);
    CHECK(fixture.find("a") == expected);
    const auto cancelled = fixture.run(pending.run_id);
    CHECK(cancelled.state == core::RunState::cancelled);
    CHECK(cancelled.reason == core::SlotReason::paused);
    CHECK(cancelled.finished_at == at_second(50));
    const auto rows = value_of(fixture.runs().list({}));
    REQUIRE(rows.size() == 2);
    CHECK(rows[0].reason == core::SlotReason::paused);
    CHECK(rows[0].org_id == "default");
    CHECK(rows[0].finished_at == rows[0].created_at);
}

TEST_CASE_TEMPLATE("an edit that is refused changes nothing, and its error is handed on as it is", On, ON_EACH_ENGINE) {
    Schedules<On> fixture;
    if (!fixture.ready()) return;
    const auto created = fixture.create(schedule_of("a"));
    const auto refused =
        fixture.schedules().edit("a", "", [](const auto&, const auto&) -> core::Result<ports::ScheduleRepository::Edited> {
            return core::fail(Errc::invalid_argument, "trigger.cron: no");
        });
    REQUIRE_FALSE(refused.has_value());
    CHECK(refused.error().code == Errc::invalid_argument);
    CHECK(refused.error().context == "trigger.cron: no");
    const auto unknown = fixture.schedules().edit("a", "", edit_by([](auto& to) {
                                                      to.schedule.name = "new";
                                                      to.schedule.policy.depends_on = {"nobody"};
                                                  }));
    REQUIRE_FALSE(unknown.has_value());
    CHECK(unknown.error().code == Errc::not_found);
    CHECK(fixture.find("a") == created);
}

TEST_CASE_TEMPLATE("two edits at once both happen, one after the other", On, ON_EACH_ENGINE) {
    Schedules<On> fixture;
    if (!fixture.ready()) return;
    fixture.create(schedule_of("a"));
    const auto work = [&](char letter) {
        const auto own = fixture.connect();
        store::SqlScheduleRepository schedules{*own};
        for (int i = 0; i < 20; ++i) {
            value_of(schedules.edit("a", "", edit_by([&](auto& to) { to.schedule.name += letter; })));
        }
    };
    std::thread other{work, 'x'};
    work('y');
    other.join();
    const auto edited = fixture.find("a");
    CHECK(edited.version == 41);
    CHECK(std::ranges::count(edited.name, 'x') == 20);
    CHECK(std::ranges::count(edited.name, 'y') == 20);
}

TEST_CASE_TEMPLATE("schedules are listed newest first, page by page, and counted", On, ON_EACH_ENGINE) {
    Schedules<On> fixture;
    if (!fixture.ready()) return;
    for (int i = 0; i < 7; ++i) {
        auto schedule = schedule_of("s" + std::to_string(i));
        schedule.created_at = at_second(i / 2);  // two and two of the same age: by their ids
        fixture.create(schedule);
    }
    ports::ScheduleQuery query;
    query.limit = 3;
    Names seen;
    for (;;) {
        const auto page = value_of(fixture.schedules().list(query));
        if (page.empty()) break;
        for (const auto& one : page) seen.push_back(one.schedule_id);
        query.after = {page.back().created_at, page.back().schedule_id};
    }
    CHECK(seen == Names{"s6", "s5", "s4", "s3", "s2", "s1", "s0"});
    CHECK(value_of(fixture.schedules().count(query)) == 7);
    for (const int limit : {0, 1001}) {
        query.limit = limit;
        CHECK(fixture.schedules().list(query).error().code == Errc::invalid_argument);
    }
}

TEST_CASE_TEMPLATE("lists are filtered by what a schedule is, by parts of its name and by labels", On, ON_EACH_ENGINE) {
    Schedules<On> fixture;
    if (!fixture.ready()) return;
    const auto odd = fixture.create(odd_schedule());
    auto plain = schedule_of("plain");
    plain.labels = R"({"team":"b"})";
    fixture.create(plain);
    fixture.create(schedule_of("Other"));
    const auto found = [&](auto set) {
        ports::ScheduleQuery query;
        set(query);
        const auto ids = ids_of(value_of(fixture.schedules().list(query)));
        CHECK(value_of(fixture.schedules().count(query)) == static_cast<std::int64_t>(ids.size()));
        return ids;
    };
    const Names only_odd{odd.schedule_id};
    CHECK(found([&](auto& query) { query.org_id = odd.org_id; }) == only_odd);
    CHECK(found([](auto& query) { query.kind = "http"; }) == only_odd);
    CHECK(found([](auto& query) { query.state = ScheduleState::paused; }) == only_odd);
    CHECK(found([](auto& query) { query.source = "sync:nattlig"; }) == only_odd);
    CHECK(found([](auto& query) { query.name_contains = "BLåB"; }) == only_odd);
    CHECK(found([](auto& query) { query.name_contains = "a.Z_"; }) == only_odd);
    CHECK(found([](auto& query) { query.name_contains = "%_"; }) == only_odd);
    CHECK(found([](auto& query) { query.name_contains = "p%n"; }).empty());
    CHECK(found([](auto& query) { query.name_contains = "OTH"; }) == Names{"Other"});
    CHECK(found([](auto& query) { query.label = "team=a=b"; }) == only_odd);
    CHECK(found([](auto& query) { query.label = "it's=x\"y"; }) == only_odd);
    CHECK(found([](auto& query) { query.label = "team=b"; }) == Names{"plain"});
    CHECK(found([](auto& query) { query.label = "team="; }).empty());
    ports::ScheduleQuery wrong;
    wrong.label = "team";
    CHECK(fixture.schedules().list(wrong).error().code == Errc::invalid_argument);
}

TEST_CASE_TEMPLATE("the last run is the newest that has started, its status how it ended", On, ON_EACH_ENGINE) {
    Schedules<On> fixture;
    if (!fixture.ready()) return;
    fixture.create(schedule_of("a"));
    const auto host = fixture.host();
    const auto first = fixture.ended("a", at_second(10), core::RunState::failed, at_second(12), host);
    auto found = fixture.find("a");
    CHECK(found.last_run_id == first.run_id);
    CHECK(found.last_status == "failed");
    CHECK(found.last_run_at == at_second(10));
    const auto second = fixture.running("a", at_second(20), host);
    fixture.insert("a", {run_of(found, at_second(30), core::RunState::skipped), run_of(found, at_second(40))});
    found = value_of(fixture.schedules().list({})).at(0);
    CHECK(found.last_run_id == second.run_id);
    CHECK(found.last_status.empty());
    CHECK(found.last_run_at == at_second(20));
}

TEST_CASE_TEMPLATE("a deleted schedule's queued runs are cancelled and its history stays, unless it is purged", On,
                   ON_EACH_ENGINE) {
    Schedules<On> fixture;
    if (!fixture.ready()) return;
    fixture.create(schedule_of("a"));
    const auto host = fixture.host();
    const auto done = fixture.ended("a", at_second(10), core::RunState::success, at_second(12), host);
    const auto running = fixture.running("a", at_second(20), host);
    const auto queued = fixture.insert(
        "a", {run_of(fixture.find("a"), at_second(30)), run_of(fixture.find("a"), at_second(40), core::RunState::waiting)});
    value_of(fixture.schedules().remove("a", "default", false, false, at_second(50)));
    CHECK(fixture.schedules().find("a", "").error().code == Errc::not_found);
    CHECK(fixture.run(done.run_id) == done);
    CHECK(fixture.run(running.run_id).state == core::RunState::running);
    CHECK(fixture.run(running.run_id).cancel_requested);
    for (const auto& run : queued) {
        CHECK(fixture.run(run.run_id).state == core::RunState::cancelled);
        CHECK(fixture.run(run.run_id).reason == core::SlotReason::deleted);
        CHECK(fixture.run(run.run_id).finished_at == at_second(50));
    }
    const std::vector ends{finished(running, core::RunState::cancelled, at_second(51))};
    CHECK(value_of(fixture.runs().finish(host.host_id, host.epoch, ends)).size() == 1);

    auto again = fixture.create(schedule_of("a"));
    CHECK(again.generation == 2);
    CHECK(fixture.insert("a", {run_of(again, at_second(10))}).size() == 1);
    value_of(fixture.schedules().remove("a", "", true, false, at_second(60)));
    CHECK(value_of(fixture.runs().list({})).empty());
    CHECK(fixture.create(schedule_of("a")).generation == 1);
}

TEST_CASE_TEMPLATE("dependencies must exist in the same org and may not close a circle", On, ON_EACH_ENGINE) {
    Schedules<On> fixture;
    if (!fixture.ready()) return;
    auto& schedules = fixture.schedules();
    CHECK(schedules.create(dependent("b", {"a"})).error().code == Errc::not_found);
    CHECK(schedules.find("b", "").error().code == Errc::not_found);
    auto foreign = schedule_of("foreign");
    foreign.org_id = "other";
    fixture.create(foreign);
    CHECK(schedules.create(dependent("b", {"foreign"})).error().context == "depends_on: there is no schedule foreign");
    CHECK(schedules.create(dependent("self", {"self"})).error().context == "cycle: self -> self");
    fixture.create(schedule_of("a"));
    fixture.create(dependent("b", {"a"}));
    fixture.create(dependent("c", {"a", "b"}));
    const auto close = edit_by([](auto& to) { to.schedule.policy.depends_on = {"c"}; });
    const auto refused = schedules.edit("a", "", close);
    REQUIRE_FALSE(refused.has_value());
    CHECK(refused.error().code == Errc::conflict);
    CHECK(refused.error().context == "cycle: a -> c -> a");
    CHECK(schedules.edit("a", "", edit_by([](auto& to) { to.schedule.policy.depends_on = {"b"}; })).error().context ==
          "cycle: a -> b -> a");
    CHECK(fixture.find("a").policy.depends_on.empty());
    value_of(schedules.edit("c", "", edit_by([](auto& to) { to.schedule.policy.depends_on.clear(); })));
    CHECK(value_of(schedules.edit("a", "", close)).policy.depends_on == Names{"c"});
}

TEST_CASE_TEMPLATE("two edits at once cannot close a circle that neither of them sees", On, ON_EACH_ENGINE) {
    Schedules<On> fixture;
    if (!fixture.ready()) return;
    for (int round = 0; round < 10; ++round) {
        const std::string a = "a" + std::to_string(round), b = "b" + std::to_string(round);
        fixture.create(dependent(a, {}));
        fixture.create(dependent(b, {}));
        int refusals[2] = {0, 0};
        const auto work = [&](const std::string& from, const std::string& to, int& refused) {
            const auto own = fixture.connect();
            const auto done = store::SqlScheduleRepository{*own}.edit(
                from, "", edit_by([&](auto& edited) { edited.schedule.policy.depends_on = {to}; }));
            if (!done) refused = done.error().code == Errc::conflict ? 1 : 100;
        };
        std::thread other{work, a, b, std::ref(refusals[0])};
        work(b, a, refusals[1]);
        other.join();
        CHECK(refusals[0] + refusals[1] == 1);
    }
}

TEST_CASE_TEMPLATE("dependents are named by distance, and keep what they depend on unless it is forced", On, ON_EACH_ENGINE) {
    Schedules<On> fixture;
    if (!fixture.ready()) return;
    fixture.create(schedule_of("a"));
    fixture.create(dependent("z", {"a"}));
    fixture.create(dependent("m", {"a", "z"}));
    fixture.create(dependent("b", {"m"}));
    auto& schedules = fixture.schedules();
    CHECK(value_of(schedules.dependents("a", false)) == Names{"m", "z"});
    CHECK(value_of(schedules.dependents("a", true)) == Names{"m", "z", "b"});
    CHECK(value_of(schedules.dependents("b", true)).empty());
    const auto refused = schedules.remove("a", "", false, false, at_second(1));
    REQUIRE_FALSE(refused.has_value());
    CHECK(refused.error().code == Errc::conflict);
    CHECK(refused.error().context == "schedule a cannot be deleted: m, z depend on it");
    value_of(schedules.remove("a", "", false, true, at_second(1)));
    CHECK(value_of(schedules.dependents("a", true)).empty());
    // What it depended on is gone; other changes go on.
    CHECK(value_of(schedules.edit("m", "", edit_by([](auto& to) { to.schedule.name = "n"; }))).version == 2);
    CHECK(value_of(schedules.dependents("z", false)) == Names{"m"});
}
