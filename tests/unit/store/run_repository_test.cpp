// Who carries out which run: hosts, claims, ends, leases. The history is in run_history_test.cpp.
#include "store/run_repository.hpp"

#include "schedule_fixture.hpp"

#include <set>
#include <thread>

using namespace varde;
using namespace varde::store::testing;
using core::Errc;
using core::RunState;
using core::SlotReason;
using std::chrono::seconds;
using Ids = std::vector<std::int64_t>;

TEST_CASE_TEMPLATE("each start of a host has a higher epoch, also after others were forgotten", On, ON_EACH_ENGINE) {
    Schedules<On> fixture;
    if (!fixture.ready()) return;
    const auto a = fixture.host("a"), b = fixture.host("b");
    CHECK(a == ports::JobHost{"a", a.epoch, "a host", at_second(0), at_second(0)});
    CHECK(b.epoch > a.epoch);
    CHECK(value_of(fixture.runs().hosts()) == std::vector{a, b});
    value_of(fixture.runs().forget_host("b"));
    CHECK(value_of(fixture.runs().hosts()) == std::vector{a});
    CHECK(fixture.host("c").epoch > b.epoch);
    CHECK(fixture.host("a").epoch > b.epoch);
    CHECK(value_of(fixture.runs().hosts()).size() == 2);
}

TEST_CASE("PostgreSQL has a clock of its own, SQLite has none") {
    Schedules<OnSqlite> file;
    CHECK_FALSE(value_of(file.runs().database_now()).has_value());
    Schedules<OnPostgres> server;
    if (!server.ready()) return;
    const auto first = value_of(server.runs().database_now());
    REQUIRE(first.has_value());
    CHECK(*first > at_second(0));
    CHECK(value_of(server.runs().database_now()) > first);
}

TEST_CASE_TEMPLATE("the most urgent run is claimed first, then the oldest, none before its time or after it", On,
                   ON_EACH_ENGINE) {
    Schedules<On> fixture;
    if (!fixture.ready()) return;
    const auto schedule = fixture.create(schedule_of("a"));
    const auto host = fixture.host();
    std::vector<core::Run> rows;
    for (const int second : {1, 2, 3, 4, 5, 6}) rows.push_back(run_of(schedule, at_second(second)));
    rows[0].run_at = at_second(30);  // the latest of those that may
    rows[1].priority = 5;
    rows[2].run_at = at_second(31);    // not yet
    rows[3].start_by = at_second(29);  // too late
    rows[4].start_by = at_second(30);  // just in time
    rows[5].state = RunState::waiting;
    rows = fixture.insert("a", rows);
    CHECK(value_of(fixture.runs().next_pending()) == at_second(2));
    CHECK(value_of(fixture.runs().count_pending()) == 5);
    auto request = claim_by(host, at_second(30));
    request.lease = seconds{7};
    const auto claimed = value_of(fixture.runs().claim(request));
    REQUIRE(claimed.size() == 3);
    CHECK(claimed[0].run.run_id == rows[1].run_id);
    CHECK(claimed[1].run.run_id == rows[4].run_id);
    CHECK(claimed[2].run.run_id == rows[0].run_id);
    CHECK(claimed[2].schedule == schedule);
    auto expected = rows[0];
    expected.state = RunState::running;
    expected.owner = "host-a";
    expected.epoch = host.epoch;
    expected.attempt = 1;
    expected.started_at = at_second(30);
    expected.lease_until = at_second(37);
    CHECK(claimed[2].run == expected);
    CHECK(fixture.run(expected.run_id) == expected);
    CHECK(value_of(fixture.runs().claim(request)).empty());
}

TEST_CASE_TEMPLATE("a claim takes as many as its limit, from queues that are not excluded", On, ON_EACH_ENGINE) {
    Schedules<On> fixture;
    if (!fixture.ready()) return;
    const auto schedule = fixture.create(schedule_of("a"));
    const auto host = fixture.host();
    std::vector<core::Run> rows;
    for (const auto& [second, queue] : {std::pair{1, "x"}, std::pair{2, "y"}, std::pair{3, "it's \"z\""}, std::pair{4, "x"}}) {
        rows.push_back(run_of(schedule, at_second(second)));
        rows.back().queue = queue;
    }
    rows = fixture.insert("a", rows);
    const auto claim = [&](int limit, std::vector<std::string> only, std::vector<std::string> without) {
        auto request = claim_by(host, at_second(10), limit);
        request.only_queues = std::move(only);
        request.not_queues = std::move(without);
        Ids ids;
        for (const auto& one : value_of(fixture.runs().claim(request))) ids.push_back(one.run.run_id);
        return ids;
    };
    CHECK(claim(0, {}, {}).empty());
    CHECK(claim(10, {"nobody"}, {}).empty());
    CHECK(claim(10, {}, {"x", "y", "it's \"z\""}).empty());
    CHECK(claim(10, {"it's \"z\"", "y"}, {"y"}) == Ids{rows[2].run_id});
    CHECK(claim(1, {}, {"y"}) == Ids{rows[0].run_id});
    CHECK(claim(10, {}, {}) == Ids{rows[1].run_id, rows[3].run_id});
}

TEST_CASE_TEMPLATE("two hosts never get the same run", On, ON_EACH_ENGINE) {
    Schedules<On> fixture;
    if (!fixture.ready()) return;
    constexpr int total = 300;
    const auto schedule = fixture.create(schedule_of("a"));
    std::vector<core::Run> rows;
    for (int i = 0; i < total; ++i) rows.push_back(run_of(schedule, at_second(i)));
    fixture.insert("a", rows);
    const ports::JobHost hosts[2] = {fixture.host("a"), fixture.host("b")};
    Ids claimed[2];
    const auto work = [&](const ports::JobHost& host, Ids& ids) {
        const auto own = fixture.connect();
        store::SqlRunRepository runs{*own};
        while (value_of(runs.count_pending()) > 0) {
            for (const auto& one : value_of(runs.claim(claim_by(host, at_second(total), 7)))) ids.push_back(one.run.run_id);
        }
    };
    std::thread other{work, std::cref(hosts[0]), std::ref(claimed[0])};
    work(hosts[1], claimed[1]);
    other.join();
    std::set<std::int64_t> all(claimed[0].begin(), claimed[0].end());
    all.insert(claimed[1].begin(), claimed[1].end());
    CHECK(claimed[0].size() + claimed[1].size() == total);
    CHECK(all.size() == total);
}

TEST_CASE_TEMPLATE("the end of a run is stored once, and only for who holds it", On, ON_EACH_ENGINE) {
    Schedules<On> fixture;
    if (!fixture.ready()) return;
    fixture.create(schedule_of("a"));
    const auto host = fixture.host();
    auto expected = fixture.running("a", at_second(10), host);
    auto end = finished(expected, RunState::timed_out, at_second(20));
    end.reason = SlotReason::timed_out;
    end.detail = "it's over";
    end.error = "Blåbær 😀";
    end.result = R"({"n":1})";
    end.started_at = at_second(11);
    auto wrong_attempt = end;
    wrong_attempt.attempt = 2;
    auto& runs = fixture.runs();
    CHECK(value_of(runs.finish(host.host_id, host.epoch - 1, std::vector{end})).empty());
    CHECK(value_of(runs.finish(host.host_id, host.epoch + 1, std::vector{end})).empty());
    CHECK(value_of(runs.finish("host-b", host.epoch, std::vector{end})).empty());
    CHECK(value_of(runs.finish(host.host_id, host.epoch, std::vector{wrong_attempt})).empty());
    CHECK(fixture.run(expected.run_id) == expected);
    CHECK(value_of(runs.finish(host.host_id, host.epoch, std::vector{wrong_attempt, end})) == Ids{expected.run_id});
    expected.state = RunState::timed_out;
    expected.reason = SlotReason::timed_out;
    expected.detail = end.detail;
    expected.error = end.error;
    expected.result = end.result;
    expected.started_at = at_second(11);
    expected.finished_at = at_second(20);
    expected.lease_until.reset();
    CHECK(fixture.run(expected.run_id) == expected);
    CHECK(value_of(runs.finish(host.host_id, host.epoch, {})).empty());
}

TEST_CASE_TEMPLATE("a row that has ended never changes again, whoever tries", On, ON_EACH_ENGINE) {
    Schedules<On> fixture;
    if (!fixture.ready()) return;
    const auto schedule = fixture.create(schedule_of("a"));
    const auto host = fixture.host();
    const auto ended = fixture.ended("a", at_second(10), RunState::failed, at_second(20), host);
    auto& runs = fixture.runs();
    auto running = ended;
    CHECK(value_of(runs.finish(host.host_id, host.epoch, std::vector{finished(running, RunState::success, at_second(30))}))
              .empty());
    value_of(runs.give_back(host.host_id, host.epoch, Ids{ended.run_id}));
    value_of(runs.renew(host.host_id, host.epoch, at_second(30), seconds{10}));
    CHECK(value_of(runs.reap(at_second(99), 10, true, [](const auto&) { return ports::FinishedRun{}; })).empty());
    CHECK(value_of(runs.expire(at_second(99), 10)).empty());
    CHECK(value_of(runs.claim(claim_by(host, at_second(99)))).empty());
    const auto refused = runs.cancel(ended.run_id, "", "anna", at_second(99));
    REQUIRE_FALSE(refused.has_value());
    CHECK(refused.error().code == Errc::conflict);
    CHECK(refused.error().context == "run " + std::to_string(ended.run_id) + " is over: failed");
    value_of(fixture.schedules().fire_due(at_second(60), 1, [](const ports::DueSchedule& due) {
        return ports::DueDecision{due.schedule.next_at, {}, false, true, {}};
    }));
    CHECK(fixture.run(ended.run_id) == ended);
}

TEST_CASE_TEMPLATE("a failed attempt goes back to pending and is claimed again when it is time", On, ON_EACH_ENGINE) {
    Schedules<On> fixture;
    if (!fixture.ready()) return;
    const auto schedule = fixture.create(schedule_of("a"));
    const auto host = fixture.host();
    auto row = run_of(schedule, at_second(10));
    row.start_by = at_second(15);
    row = fixture.insert("a", {row}).at(0);
    const auto first = value_of(fixture.runs().claim(claim_by(host, at_second(12)))).at(0).run;
    auto end = finished(first, RunState::pending, at_second(20));
    end.reason = SlotReason::retry;
    end.error = "no answer";
    end.run_at = at_second(40);
    CHECK(value_of(fixture.runs().finish(host.host_id, host.epoch, std::vector{end})) == Ids{row.run_id});
    auto expected = first;
    expected.state = RunState::pending;
    expected.reason = SlotReason::retry;
    expected.error = "no answer";
    expected.run_at = at_second(40);
    expected.start_by.reset();
    expected.owner.clear();
    expected.epoch = 0;
    expected.lease_until.reset();
    CHECK(fixture.run(row.run_id) == expected);
    CHECK(value_of(fixture.runs().expire(at_second(50), 10)).empty());
    CHECK(value_of(fixture.runs().claim(claim_by(host, at_second(39)))).empty());
    CHECK(value_of(fixture.runs().claim(claim_by(host, at_second(40)))).at(0).run.attempt == 2);
    CHECK(value_of(fixture.runs().finish(host.host_id, host.epoch, std::vector{end})).empty());  // of attempt 1
}

TEST_CASE_TEMPLATE("what was claimed and not started is given back, the attempt not counted", On, ON_EACH_ENGINE) {
    Schedules<On> fixture;
    if (!fixture.ready()) return;
    const auto schedule = fixture.create(schedule_of("a"));
    const auto host = fixture.host();
    const auto rows = fixture.insert("a", {run_of(schedule, at_second(1)), run_of(schedule, at_second(2))});
    value_of(fixture.runs().claim(claim_by(host, at_second(5))));
    value_of(fixture.runs().give_back(host.host_id, host.epoch + 1, ids_of(rows)));
    CHECK(value_of(fixture.runs().count_pending()) == 0);
    value_of(fixture.runs().cancel(rows[1].run_id, "", "anna", at_second(6)));
    value_of(fixture.runs().give_back(host.host_id, host.epoch, ids_of(rows)));
    CHECK(fixture.run(rows[0].run_id) == rows[0]);
    CHECK(fixture.run(rows[1].run_id).state == RunState::cancelled);
    CHECK(fixture.run(rows[1].run_id).finished_at == at_second(5));
}

TEST_CASE_TEMPLATE("a renewal proves that a host is alive, and tells it what to stop", On, ON_EACH_ENGINE) {
    Schedules<On> fixture;
    if (!fixture.ready()) return;
    fixture.create(schedule_of("a"));
    const auto host = fixture.host(), other = fixture.host("host-b");
    const auto first = fixture.running("a", at_second(1), host), second = fixture.running("a", at_second(2), host);
    const auto others = fixture.running("a", at_second(3), other);
    value_of(fixture.runs().cancel(second.run_id, "", "anna", at_second(4)));
    const auto renewal = value_of(fixture.runs().renew(host.host_id, host.epoch, at_second(20), seconds{10}));
    CHECK(renewal.known);
    CHECK(renewal.cancel_requested == Ids{second.run_id});
    CHECK(fixture.run(first.run_id).lease_until == at_second(30));
    CHECK(fixture.run(second.run_id).lease_until == at_second(30));
    CHECK(fixture.run(others.run_id).lease_until == others.lease_until);
    CHECK(value_of(fixture.runs().hosts())[0].beat_at == at_second(20));
    CHECK(value_of(fixture.runs().hosts())[1].beat_at == at_second(0));
    CHECK_FALSE(value_of(fixture.runs().renew(host.host_id, host.epoch + 9, at_second(40), seconds{10})).known);
    value_of(fixture.runs().forget_host(host.host_id));
    CHECK_FALSE(value_of(fixture.runs().renew(host.host_id, host.epoch, at_second(40), seconds{10})).known);
    CHECK(fixture.run(first.run_id).lease_until == at_second(30));
}

TEST_CASE_TEMPLATE("runs of a host that went away end as it is decided, when their lease is over", On, ON_EACH_ENGINE) {
    Schedules<On> fixture;
    if (!fixture.ready()) return;
    const auto schedule = fixture.create(schedule_of("a"));
    const auto host = fixture.host();
    const auto first = fixture.running("a", at_second(1), host);   // leased until 11
    const auto second = fixture.running("a", at_second(2), host);  // until 12
    std::vector<ports::ClaimedRun> asked;
    const auto decide = [&](const ports::ClaimedRun& lost) {
        asked.push_back(lost);
        auto end = finished(lost.run, asked.size() == 1 ? RunState::abandoned : RunState::pending, at_second(13));
        end.run_id = 0;  // what is meant is known
        end.reason = SlotReason::owner_lost;
        end.run_at = at_second(14);
        return end;
    };
    CHECK(value_of(fixture.runs().reap(at_second(11), 10, false, decide)).empty());
    auto rows = value_of(fixture.runs().reap(at_second(12), 10, false, decide));
    REQUIRE(rows.size() == 1);
    CHECK(asked.at(0).run == first);
    CHECK(asked.at(0).schedule.schedule_id == schedule.schedule_id);
    CHECK(rows[0] == fixture.run(first.run_id));
    CHECK(rows[0].state == RunState::abandoned);
    CHECK(rows[0].reason == SlotReason::owner_lost);
    CHECK(rows[0].owner == "host-a");
    rows = value_of(fixture.runs().reap(at_second(3), 10, true, decide));
    REQUIRE(rows.size() == 1);
    CHECK(rows[0].run_id == second.run_id);
    CHECK(rows[0].state == RunState::pending);
    CHECK(rows[0].run_at == at_second(14));
    CHECK(
        value_of(fixture.runs().finish(host.host_id, host.epoch, std::vector{finished(second, RunState::success, at_second(15))}))
            .empty());
}

TEST_CASE_TEMPLATE("a lost run whose schedule was deleted is ended too", On, ON_EACH_ENGINE) {
    Schedules<On> fixture;
    if (!fixture.ready()) return;
    fixture.create(schedule_of("a"));
    const auto run = fixture.running("a", at_second(1), fixture.host());
    value_of(fixture.schedules().remove("a", "", true, false, at_second(2)));
    const auto rows = value_of(fixture.runs().reap(at_second(99), 10, false, [&](const ports::ClaimedRun& lost) {
        CHECK(lost.schedule.schedule_id == "a");
        return finished(lost.run, RunState::cancelled, at_second(99));
    }));
    REQUIRE(rows.size() == 1);
    CHECK(rows[0].run_id == run.run_id);
    CHECK(rows[0].state == RunState::cancelled);
}

TEST_CASE_TEMPLATE("what nobody started in time is left out, with the reason", On, ON_EACH_ENGINE) {
    Schedules<On> fixture;
    if (!fixture.ready()) return;
    const auto schedule = fixture.create(schedule_of("a"));
    std::vector<core::Run> rows;
    for (const int second : {1, 2, 3, 4}) {
        rows.push_back(run_of(schedule, at_second(second), second == 2 ? RunState::waiting : RunState::pending));
        if (second != 4) rows.back().start_by = at_second(10 + second);
    }
    rows = fixture.insert("a", rows);
    CHECK(value_of(fixture.runs().expire(at_second(11), 10)).empty());
    const auto expired = value_of(fixture.runs().expire(at_second(13), 10));
    REQUIRE(expired.size() == 2);
    CHECK(expired[0] == fixture.run(rows[0].run_id));
    CHECK(expired[0].state == RunState::skipped);
    CHECK(expired[0].reason == SlotReason::misfire);
    CHECK(expired[0].finished_at == at_second(13));
    CHECK(expired[1].run_id == rows[1].run_id);
    CHECK(expired[1].reason == SlotReason::dependency_not_met);
    CHECK(ids_of(value_of(fixture.runs().expire(at_second(99), 10))) == Ids{rows[2].run_id});
    CHECK(fixture.run(rows[3].run_id).state == RunState::pending);
}
