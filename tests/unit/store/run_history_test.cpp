// Runs that people ask for, and what became of runs.
#include "schedule_fixture.hpp"

#include <thread>

using namespace varde;
using namespace varde::store::testing;
using core::Errc;
using core::Microseconds;
using core::RunState;
using core::SlotReason;
using Ids = std::vector<std::int64_t>;

namespace {

/// What adds a manual run at that second.
ports::RunRepository::Allow allow_at(core::Instant at) {
    return [at](const core::Schedule& schedule, int, int) -> core::Result<core::Run> {
        auto run = run_of(schedule, at);
        run.kind = core::SlotKind::manual;
        run.requested_by = "anna";
        run.input = R"({"x":1})";
        return run;
    };
}

/// A row that ended in `state` after `duration`; terminal rows are stored as they are.
core::Run ended_row(const core::Schedule& schedule, int number, RunState state, Microseconds duration) {
    auto row = run_of(schedule, at_second(number), state);
    row.attempt = 1;
    row.started_at = at_second(number);
    row.finished_at = at_second(number) + duration;
    return row;
}

}  // namespace

TEST_CASE_TEMPLATE("a run that somebody asks for is added once for each key", On, ON_EACH_ENGINE) {
    Schedules<On> fixture;
    if (!fixture.ready()) return;
    auto schedule = schedule_of("a");
    schedule.org_id = "org";
    schedule = fixture.create(schedule);
    fixture.running("a", at_second(1), fixture.host());
    fixture.insert("a", {run_of(schedule, at_second(2))});
    auto& runs = fixture.runs();
    const auto first = value_of(runs.add("a", "org", "key", [&](const core::Schedule& given, int live, int queued) {
        CHECK(given.schedule_id == "a");
        CHECK(live == 2);
        CHECK(queued == 1);
        return allow_at(at_second(5))(given, live, queued);
    }));
    CHECK(first.created);
    CHECK(first.run.org_id == "org");
    CHECK(first.run.idempotency_key == "key");
    CHECK(fixture.run(first.run.run_id) == first.run);
    const auto never = [](const core::Schedule&, int, int) -> core::Result<core::Run> {
        FAIL("asked again");
        return core::Run{};
    };
    const auto again = value_of(runs.add("a", "", "key", never));
    CHECK_FALSE(again.created);
    CHECK(again.run == first.run);
    // Without a key each is a run of its own, also in the same microsecond.
    const auto second = value_of(runs.add("a", "", "", allow_at(at_second(5))));
    const auto third = value_of(runs.add("a", "", "", allow_at(at_second(5))));
    CHECK(second.run.nominal_at == at_second(5) + Microseconds{1});
    CHECK(third.run.nominal_at == at_second(5) + Microseconds{2});
    CHECK(fixture.find("a").next_at == at_second(60));
}

TEST_CASE_TEMPLATE("a run is not added to a schedule that is not there or if it is not allowed", On, ON_EACH_ENGINE) {
    Schedules<On> fixture;
    if (!fixture.ready()) return;
    fixture.create(schedule_of("a"));
    auto& runs = fixture.runs();
    CHECK(runs.add("b", "", "", allow_at(at_second(1))).error().code == Errc::not_found);
    CHECK(runs.add("a", "other", "", allow_at(at_second(1))).error().code == Errc::not_found);
    const auto refused = runs.add("a", "", "key", [](const auto&, int, int) -> core::Result<core::Run> {
        return core::fail(Errc::conflict, "run 17 is not over");
    });
    REQUIRE_FALSE(refused.has_value());
    CHECK(refused.error().code == Errc::conflict);
    CHECK(refused.error().context == "run 17 is not over");
    CHECK(value_of(runs.list({})).empty());
    CHECK(value_of(runs.add("a", "", "key", allow_at(at_second(1)))).created);
}

TEST_CASE_TEMPLATE("two who ask with the same key at once get the same run", On, ON_EACH_ENGINE) {
    Schedules<On> fixture;
    if (!fixture.ready()) return;
    fixture.create(schedule_of("a"));
    for (int round = 0; round < 10; ++round) {
        ports::RunRepository::Added added[2];
        const auto work = [&](ports::RunRepository::Added& to, int second) {
            const auto own = fixture.connect();
            to = value_of(store::SqlRunRepository{*own}.add("a", "", "key" + std::to_string(round), allow_at(at_second(second))));
        };
        std::thread other{work, std::ref(added[0]), 2 * round};
        work(added[1], 2 * round + 1);
        other.join();
        CHECK(added[0].run == added[1].run);
        CHECK(added[0].created != added[1].created);
    }
}

TEST_CASE_TEMPLATE("a queued run is cancelled at once, a running one is asked to stop", On, ON_EACH_ENGINE) {
    Schedules<On> fixture;
    if (!fixture.ready()) return;
    const auto schedule = fixture.create(schedule_of("a"));
    const auto host = fixture.host();
    auto& runs = fixture.runs();
    const auto running = fixture.running("a", at_second(1), host);
    const auto retried = fixture.running("a", at_second(2), host);
    const auto rows = fixture.insert("a", {run_of(schedule, at_second(3)), run_of(schedule, at_second(4), RunState::waiting)});
    for (const auto& row : rows) {
        const auto cancelled = value_of(runs.cancel(row.run_id, "default", "it's anna", at_second(9)));
        CHECK(cancelled == fixture.run(row.run_id));
        CHECK(cancelled.state == RunState::cancelled);
        CHECK(cancelled.reason == SlotReason::cancelled);
        CHECK(cancelled.detail == "cancelled by it's anna");
        CHECK(cancelled.finished_at == at_second(9));
        CHECK(runs.cancel(row.run_id, "", "anna", at_second(9)).error().code == Errc::conflict);
    }
    for (const auto& run : {running, retried}) {
        const auto asked = value_of(runs.cancel(run.run_id, "", "anna", at_second(9)));
        CHECK(asked == fixture.run(run.run_id));
        CHECK(asked.state == RunState::running);
        CHECK(asked.cancel_requested);
    }
    CHECK(runs.cancel(running.run_id, "other", "anna", at_second(9)).error().code == Errc::not_found);
    CHECK(runs.cancel(999'999, "", "anna", at_second(9)).error().code == Errc::not_found);

    // It may have come to its end before it heard of that. It is not tried again.
    const std::vector ends{finished(running, RunState::success, at_second(10)),
                           finished(retried, RunState::pending, at_second(10))};
    CHECK(value_of(runs.finish(host.host_id, host.epoch, ends)).size() == 2);
    CHECK(fixture.run(running.run_id).state == RunState::success);
    CHECK(fixture.run(retried.run_id).state == RunState::cancelled);
    CHECK(fixture.run(retried.run_id).reason == SlotReason::cancelled);
    CHECK(fixture.run(retried.run_id).detail == "cancelled by anna");
    CHECK(fixture.run(retried.run_id).finished_at == at_second(10));
}

TEST_CASE_TEMPLATE("runs are listed newest first, page by page, by what they are", On, ON_EACH_ENGINE) {
    Schedules<On> fixture;
    if (!fixture.ready()) return;
    const auto a = fixture.create(schedule_of("a"));
    auto b = schedule_of("b");
    b.org_id = "other";
    b.kind = "http";
    b = fixture.create(b);
    std::vector<core::Run> rows;
    for (int i = 0; i < 5; ++i) rows.push_back(run_of(a, at_second(i)));
    rows[1].state = RunState::skipped;
    rows[1].reason = SlotReason::overlap;
    rows[2].state = RunState::waiting;
    rows[3].kind = core::SlotKind::event;
    rows = fixture.insert("a", rows);
    rows.push_back(fixture.insert("b", {run_of(b, at_second(7))}).at(0));
    auto& runs = fixture.runs();
    ports::RunQuery query;
    query.limit = 4;
    auto page = value_of(runs.list(query));
    CHECK(page == std::vector{rows[5], rows[4], rows[3], rows[2]});
    query.before = page.back().run_id;
    CHECK(value_of(runs.list(query)) == std::vector{rows[1], rows[0]});
    const auto found = [&](auto set) {
        ports::RunQuery wanted;
        set(wanted);
        return ids_of(value_of(runs.list(wanted)));
    };
    CHECK(found([](auto& wanted) { wanted.org_id = "other"; }) == Ids{rows[5].run_id});
    CHECK(found([](auto& wanted) { wanted.schedule_id = "b"; }) == Ids{rows[5].run_id});
    CHECK(found([](auto& wanted) { wanted.job_kind = "http"; }) == Ids{rows[5].run_id});
    CHECK(found([](auto& wanted) {
              wanted.states = {RunState::waiting, RunState::skipped};
          }) == Ids{rows[2].run_id, rows[1].run_id});
    CHECK(found([](auto& wanted) { wanted.reason = SlotReason::overlap; }) == Ids{rows[1].run_id});
    CHECK(found([](auto& wanted) { wanted.kind = core::SlotKind::event; }) == Ids{rows[3].run_id});
    CHECK(found([](auto& wanted) {
              wanted.since = at_second(1);
              wanted.until = at_second(3);
          }) == Ids{rows[2].run_id, rows[1].run_id});
    for (const int limit : {0, 1001}) {
        query.limit = limit;
        CHECK(runs.list(query).error().code == Errc::invalid_argument);
    }
    CHECK(runs.find(rows[0].run_id, "other").error().code == Errc::not_found);
    CHECK(runs.find(999'999, "").error().code == Errc::not_found);
}

TEST_CASE_TEMPLATE("the slots around an instant are found, also in a row that stands for many", On, ON_EACH_ENGINE) {
    Schedules<On> fixture;
    if (!fixture.ready()) return;
    const auto schedule = fixture.create(schedule_of("a"));
    const auto other = fixture.create(schedule_of("b"));
    auto many = run_of(schedule, at_second(50), RunState::skipped);
    many.nominal_from = at_second(20);
    many.slots = 4;
    auto manual = run_of(schedule, at_second(10));
    manual.kind = core::SlotKind::manual;
    const auto rows = fixture.insert("a", {run_of(schedule, at_second(60)), many, run_of(schedule, at_second(10)), manual});
    fixture.insert("b", {run_of(other, at_second(30))});
    const auto around = [&](int second) {
        const auto found = value_of(fixture.runs().around("a", at_second(second)));
        return std::pair{found.at_or_before ? found.at_or_before->run_id : 0, found.after ? found.after->run_id : 0};
    };
    const auto sixty = rows[0].run_id, span = rows[1].run_id, ten = rows[2].run_id, by_hand = rows[3].run_id;
    CHECK(around(9) == std::pair{std::int64_t{0}, ten});
    CHECK(around(10) == std::pair{by_hand, span});
    CHECK(around(19) == std::pair{by_hand, span});
    CHECK(around(20) == std::pair{span, sixty});
    CHECK(around(49) == std::pair{span, sixty});
    CHECK(around(59) == std::pair{span, sixty});
    CHECK(around(60) == std::pair{sixty, std::int64_t{0}});
    CHECK_FALSE(value_of(fixture.runs().around("nobody", at_second(60))).at_or_before.has_value());
}

TEST_CASE_TEMPLATE("statistics of 95 successes, 5 failures and 2 that still run are exact", On, ON_EACH_ENGINE) {
    Schedules<On> fixture;
    if (!fixture.ready()) return;
    const auto schedule = fixture.create(schedule_of("a"));
    std::vector<core::Run> rows;
    for (int i = 0; i < 95; ++i) rows.push_back(ended_row(schedule, i, RunState::success, std::chrono::seconds{60}));
    rows[0].finished_at = *rows[0].started_at + std::chrono::milliseconds{30'100};
    rows[1].finished_at = *rows[1].started_at + std::chrono::milliseconds{120'500};
    for (int i = 95; i < 100; ++i) rows.push_back(ended_row(schedule, i, RunState::failed, std::chrono::seconds{90}));
    for (int i = 100; i < 102; ++i) {
        rows.push_back(run_of(schedule, at_second(i), RunState::running));
        rows.back().started_at = at_second(i);
    }
    REQUIRE(fixture.insert("a", rows).size() == 102);
    const auto statistics = value_of(fixture.runs().statistics({}));
    CHECK(statistics.total == 102);
    CHECK(statistics.by_state ==
          std::map<RunState, std::int64_t>{{RunState::success, 95}, {RunState::failed, 5}, {RunState::running, 2}});
    CHECK(statistics.success_rate == doctest::Approx(95.0 / 102 * 100).epsilon(1e-12));
    CHECK(statistics.success_rate_finished == 95.0);
    CHECK(statistics.minimum_s == 30.1);
    CHECK(statistics.maximum_s == 120.5);
    CHECK(*statistics.average_s == doctest::Approx((93 * 60.0 + 30.1 + 120.5 + 5 * 90.0) / 100).epsilon(1e-12));
    CHECK(statistics.median_s == 60.0);
    CHECK(statistics.p95_s == 90.0);  // the 95th of 100: 30.1, 93 times 60, then five times 90
    CHECK(statistics.skipped_slots == 0);
}

TEST_CASE_TEMPLATE("statistics are of the runs created within the times, of that schedule; of none they are nothing", On,
                   ON_EACH_ENGINE) {
    Schedules<On> fixture;
    if (!fixture.ready()) return;
    const auto schedule = fixture.create(schedule_of("a"));
    auto skipped = run_of(schedule, at_second(3), RunState::skipped);
    skipped.slots = 40;
    auto old = ended_row(schedule, 1, RunState::success, std::chrono::seconds{1});
    auto made_late = ended_row(schedule, 2, RunState::timed_out, std::chrono::seconds{8});
    made_late.created_at = at_second(100);
    fixture.insert("a", {skipped, old, made_late, ended_row(schedule, 101, RunState::abandoned, std::chrono::seconds{2})});
    ports::RunQuery query;
    query.schedule_id = "a";
    query.since = at_second(3);
    query.until = at_second(101);
    query.limit = 0;
    query.before = 1;  // neither is looked at
    const auto statistics = value_of(fixture.runs().statistics(query));
    CHECK(statistics.total == 2);
    CHECK(statistics.skipped_slots == 40);
    CHECK(statistics.success_rate == 0);
    CHECK(statistics.success_rate_finished == 0.0);
    CHECK(statistics.median_s == 8.0);
    query.schedule_id = "b";
    const auto nothing = value_of(fixture.runs().statistics(query));
    CHECK(nothing.total == 0);
    CHECK(nothing.by_state.empty());
    CHECK(nothing.success_rate == 0);
    for (const auto& value : {nothing.success_rate_finished, nothing.average_s, nothing.minimum_s, nothing.maximum_s,
                              nothing.median_s, nothing.p95_s}) {
        CHECK_FALSE(value.has_value());
    }
}

TEST_CASE_TEMPLATE("a cleanup deletes what is over and old, the oldest first, and tells how much", On, ON_EACH_ENGINE) {
    Schedules<On> fixture;
    if (!fixture.ready()) return;
    const auto a = fixture.create(schedule_of("a"));
    auto b = schedule_of("b");
    b.org_id = "other";
    b = fixture.create(b);
    std::vector<core::Run> rows;
    for (int i = 0; i < 10; ++i) rows.push_back(ended_row(a, i, RunState::success, std::chrono::seconds{1}));
    rows.push_back(ended_row(a, 10, RunState::failed, std::chrono::seconds{100}));
    rows.push_back(run_of(a, at_second(-5), RunState::running));
    rows.push_back(run_of(a, at_second(-6)));
    rows = fixture.insert("a", rows);
    const auto others = fixture.insert("b", {ended_row(b, 0, RunState::cancelled, std::chrono::seconds{1})});
    auto& runs = fixture.runs();
    CHECK(value_of(runs.cleanup(at_second(50), "default", 4)) == 4);
    CHECK(ids_of(value_of(runs.list({}))).size() == 10);
    CHECK(runs.find(rows[3].run_id, "").error().code == Errc::not_found);
    CHECK(value_of(runs.cleanup(at_second(50), "default", 100)) == 6);
    CHECK(value_of(runs.cleanup(at_second(50), "default", 100)) == 0);
    CHECK(value_of(runs.cleanup(at_second(50), "", 100)) == 1);
    CHECK(ids_of(value_of(runs.list({}))) == Ids{rows[12].run_id, rows[11].run_id, rows[10].run_id});
    CHECK(value_of(runs.cleanup(at_second(110), "", 100)) == 0);
    CHECK(value_of(runs.cleanup(at_second(111), "", 100)) == 1);
    // Ids are never given twice.
    CHECK(fixture.insert("a", {run_of(a, at_second(200))}).at(0).run_id > others[0].run_id);
}
