#include "ingest/group_commit.hpp"

#include "fakes/event_log.hpp"
#include "fakes/log_sink.hpp"
#include "time/utc_text.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <future>
#include <memory>
#include <string>
#include <thread>
#include <vector>

using namespace varde;
using namespace std::chrono_literals;
using ingest::GroupCommit;
using ports::BodyFormat;

namespace {

using Items = core::Result<std::vector<ports::IntakeItem>>;

std::string event(const std::string& id) {
    return R"({"id":")" + id + R"(","timestamp":"2026-01-15T11:59:00Z","category":"motion"})";
}

struct Bench {
    time::ManualClock clock{time::parse_utc("2026-01-15T12:00:00Z").value()};
    fakes::EventLog log;
    fakes::LogSink sink;
    config::HostConfig::Ingest settings;
    std::optional<GroupCommit> intake;

    GroupCommit& start() { return intake.emplace(log, clock, settings, sink); }

    std::future<Items> submit(const std::string& body, BodyFormat format = BodyFormat::single) {
        auto promise = std::make_shared<std::promise<Items>>();
        ports::IntakeContext context;
        context.received_at = clock.now();
        intake->submit(body, format, context, [promise](Items items) { promise->set_value(std::move(items)); });
        return promise->get_future();
    }
    /// Submits an event whose commit then waits at the gate.
    std::future<Items> submit_held(const std::string& id) {
        log.append_gate.close();
        auto answer = submit(event(id));
        log.append_gate.wait_for_arrivals(++arrivals);
        return answer;
    }
    int arrivals = 0;
};

}  // namespace

TEST_SUITE("group commit") {
    TEST_CASE("an event is durable when its answer comes") {
        Bench bench;
        bench.start();
        const auto items = bench.submit(event("a")).get();
        REQUIRE(items.has_value());
        CHECK(items->at(0).stored);
        CHECK_FALSE(items->at(0).deduped);
        CHECK(bench.log.stored().at(0).event_id == "a");
        CHECK(bench.submit(event("a")).get()->at(0).deduped);
        CHECK(bench.log.stored().size() == 1);
        const auto state = bench.intake->state();
        CHECK(state.stored == 1);
        CHECK(state.deduped == 1);
        CHECK(state.commits == 2);
        CHECK(state.database_ok);
    }

    TEST_CASE("each item of a batch gets its own answer") {
        Bench bench;
        bench.start();
        const auto items = bench.submit(event("a") + "\n{}\n" + event("b") + "\n" + event("a"), BodyFormat::ndjson).get();
        REQUIRE(items.has_value());
        REQUIRE(items->size() == 4);
        CHECK(items->at(0).stored);
        CHECK(items->at(1).problem == "id is missing");
        CHECK_FALSE(items->at(1).stored);
        CHECK(items->at(2).stored);
        CHECK(items->at(3).deduped);
        CHECK(bench.intake->state().refused == 1);
    }

    TEST_CASE("what needs no storing is answered at once, without the database") {
        Bench bench;
        bench.log.fail_with(core::Errc::database_unavailable);
        bench.start();
        CHECK(bench.submit("{}").get()->at(0).problem == "id is missing");
        CHECK(bench.submit("[]", BodyFormat::array).get()->empty());
        CHECK(bench.submit("{").get().error().code == core::Errc::invalid_argument);
        CHECK(bench.log.append_sizes().empty());
    }

    TEST_CASE("submissions that arrive during a commit share the next one") {
        Bench bench;
        bench.start();
        std::vector<std::future<Items>> answers;
        answers.push_back(bench.submit_held("first"));
        for (int i = 0; i < 10; ++i) answers.push_back(bench.submit(event("e-" + std::to_string(i))));
        CHECK(bench.intake->state().queued_events == 11);
        bench.log.append_gate.open();
        for (auto& answer : answers) CHECK(answer.get()->at(0).stored);
        CHECK(bench.log.append_sizes() == std::vector<std::size_t>{1, 10});
        CHECK(bench.log.stored().at(10).event_id == "e-9");
    }

    TEST_CASE("a group has at most max_commit_events, but never splits a submission") {
        Bench bench;
        bench.settings.max_commit_events = 3;
        bench.start();
        std::vector<std::future<Items>> answers;
        answers.push_back(bench.submit_held("first"));
        answers.push_back(bench.submit(event("a") + "\n" + event("b"), BodyFormat::ndjson));
        answers.push_back(bench.submit(event("c") + "\n" + event("d"), BodyFormat::ndjson));
        answers.push_back(bench.submit(event("e")));
        answers.push_back(
            bench.submit(event("f") + "\n" + event("g") + "\n" + event("h") + "\n" + event("i"), BodyFormat::ndjson));
        bench.log.append_gate.open();
        for (auto& answer : answers) CHECK(answer.get()->at(0).stored);
        CHECK(bench.log.append_sizes() == std::vector<std::size_t>{1, 2, 3, 4});
    }

    TEST_CASE("a full queue refuses at once") {
        Bench bench;
        bench.settings.max_queued_events = 3;
        bench.start();
        auto first = bench.submit_held("first");
        auto second = bench.submit(event("a") + "\n" + event("b"), BodyFormat::ndjson);
        CHECK(bench.submit(event("c")).get().error().code == core::Errc::overloaded);
        bench.log.append_gate.open();
        CHECK(first.get().has_value());
        CHECK(second.get().has_value());
        CHECK(bench.submit(event("c")).get().has_value());
    }

    TEST_CASE("a submission larger than the queue is taken when the queue is empty") {
        Bench bench;
        bench.settings.max_queued_events = 1;
        bench.start();
        CHECK(bench.submit(event("a") + "\n" + event("b"), BodyFormat::ndjson).get().has_value());
    }

    TEST_CASE("an event that the database refuses fails its own submission only") {
        Bench bench;
        bench.log.refuse_event("bad");
        bench.start();
        auto first = bench.submit_held("first");
        auto good = bench.submit(event("good"));
        auto bad = bench.submit(event("bad"));
        auto better = bench.submit(event("better"));
        bench.log.append_gate.open();
        CHECK(first.get().has_value());
        CHECK(good.get().has_value());
        CHECK(bad.get().error().code == core::Errc::database_failed);
        CHECK(better.get().has_value());
        CHECK(bench.intake->state().database_ok);
    }

    TEST_CASE("while the database is away everything fails fast, and it is noticed when it is back") {
        Bench bench;
        bench.start();
        bench.log.fail_with(core::Errc::database_unavailable);
        auto first = bench.submit_held("first");
        auto waiting = bench.submit(event("waiting"));
        bench.log.append_gate.open();
        CHECK(first.get().error().code == core::Errc::database_unavailable);
        CHECK(waiting.get().error().code == core::Errc::database_unavailable);
        CHECK(bench.log.append_sizes().size() == 1);  // the second did not wait for an attempt of its own
        CHECK_FALSE(bench.intake->state().database_ok);

        auto attempt = bench.submit_held("attempt");
        CHECK(bench.submit(event("meanwhile")).get().error().code == core::Errc::database_unavailable);
        bench.log.fail_with(std::nullopt);
        bench.log.append_gate.open();
        CHECK(attempt.get().has_value());
        CHECK(bench.submit(event("after")).get().has_value());
        CHECK(bench.intake->state().database_ok);
        CHECK(bench.sink.count("ingest_database_unavailable") == 1);
        CHECK(bench.sink.count("ingest_database_available") == 1);
    }

    TEST_CASE("nobody waits longer than commit_timeout") {
        Bench bench;
        bench.settings.commit_timeout = 30ms;
        bench.start();
        auto stuck = bench.submit_held("stuck");
        auto behind = bench.submit(event("behind"));
        CHECK(stuck.get().error().code == core::Errc::database_unavailable);
        CHECK(behind.get().error().code == core::Errc::database_unavailable);
        bench.log.append_gate.open();
        // The stuck one became durable after all, its repetition says so; the one behind it was never tried.
        CHECK(bench.submit(event("stuck")).get()->at(0).deduped);
        CHECK_FALSE(bench.submit(event("behind")).get()->at(0).deduped);
    }

    TEST_CASE("stop waits for what is queued and refuses what comes later") {
        Bench bench;
        bench.start();
        auto first = bench.submit_held("first");
        auto second = bench.submit(event("second"));
        std::thread stopper{[&] { bench.intake->stop(10s); }};
        bench.log.append_gate.open();
        stopper.join();
        CHECK(first.get().has_value());
        CHECK(second.get().has_value());
        CHECK(bench.submit(event("late")).get().error().code == core::Errc::stopping);
        CHECK(bench.intake->store({core::Event{}}).error().code == core::Errc::stopping);
        bench.intake->stop(0ms);
    }

    TEST_CASE("stop answers what it cannot wait for") {
        Bench bench;
        bench.start();
        auto stuck = bench.submit_held("stuck");
        auto queued = bench.submit(event("queued"));
        bench.intake->stop(0ms);
        CHECK(stuck.get().error().code == core::Errc::stopping);
        CHECK(queued.get().error().code == core::Errc::stopping);
        bench.log.append_gate.open();
        bench.intake.reset();
        CHECK(bench.log.append_sizes() == std::vector<std::size_t>{1});
    }

    TEST_CASE("a callback is let go once it has answered, long before commit_timeout") {
        // It may hold a connection. The watch, which looks at the oldest submission until its deadline, must not keep it.
        Bench bench;
        bench.settings.commit_timeout = 1h;
        bench.start();
        std::vector<std::weak_ptr<int>> connections;
        for (int i = 0; i < 100; ++i) {  // the watch picks up any one of them
            auto connection = std::make_shared<int>(i);
            connections.emplace_back(connection);
            std::promise<int> answered;
            ports::IntakeContext context;
            context.received_at = bench.clock.now();
            bench.intake->submit(event("e" + std::to_string(i)), BodyFormat::single, context,
                                 [&answered, held = std::move(connection)](const Items&) { answered.set_value(*held); });
            CHECK(answered.get_future().get() == i);
        }
        bench.intake->stop(10s);  // every callback has returned
        CHECK(std::ranges::count_if(connections, [](const auto& open) { return !open.expired(); }) == 0);
    }

    TEST_CASE("store is the same for events that are read already") {
        Bench bench;
        bench.start();
        core::Event one;
        one.event_id = "one";
        const auto appended = bench.intake->store({one, one});
        REQUIRE(appended.has_value());
        CHECK_FALSE(appended->at(0).deduped);
        CHECK(appended->at(1).deduped);
        CHECK(bench.intake->store({})->empty());
        bench.log.fail_with(core::Errc::database_unavailable);
        CHECK(bench.intake->store({one}).error().code == core::Errc::database_unavailable);
    }

    TEST_CASE("every one of many concurrent submissions gets exactly one answer") {
        Bench bench;
        bench.settings.max_commit_events = 50;
        bench.start();
        constexpr int kThreads = 4;
        constexpr int kEach = 500;
        std::atomic<int> answers{0};
        std::atomic<int> stored{0};
        std::vector<std::thread> senders;
        for (int t = 0; t < kThreads; ++t) {
            senders.emplace_back([&, t] {
                ports::IntakeContext context;
                context.received_at = bench.clock.now();
                for (int i = 0; i < kEach; ++i) {
                    bench.intake->submit(event(std::to_string(t) + "-" + std::to_string(i % 400)), BodyFormat::single, context,
                                         [&](Items items) {
                                             if (items && items->at(0).stored && !items->at(0).deduped) ++stored;
                                             ++answers;
                                         });
                }
            });
        }
        for (auto& sender : senders) sender.join();
        bench.intake->stop(30s);
        CHECK(answers == kThreads * kEach);
        CHECK(stored == kThreads * 400);
        CHECK(bench.intake->state().queued_events == 0);
    }
}
