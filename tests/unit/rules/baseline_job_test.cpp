#include "rules/baseline_job.hpp"

#include "fakes/baseline_repository.hpp"
#include "fakes/event_log.hpp"
#include "fakes/log_sink.hpp"
#include "time/utc_text.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

using namespace varde;
using rules::BaselineJob;

namespace {

core::Instant at(std::string_view text) { return time::parse_utc(text).value(); }

const core::Scope kHome{"o", "home", "anna"};
const core::Scope kNew{"o", "new", "bent"};

struct Fixture {
    time::ManualClock clock{at("2026-01-15T12:00:00Z")};
    fakes::EventLog events;
    fakes::BaselineRepository baselines;
    fakes::LogSink log;
    config::BaselineSettings settings;

    Fixture() { settings.window_days = 7; }
    /// Somebody in the living room at eight, on so many days of January up to the 14th.
    void live(const core::Scope& scope, int days) {
        for (int day = 15 - days; day < 15; ++day) add(scope, day, "07:30:00");
    }
    void add(const core::Scope& scope, int day, std::string_view time) {
        core::Event event;
        event.event_id = fmt::format("{}-{}-{}", scope.home_id, day, time);
        event.scope = scope;
        event.category = "motion";
        event.room_id = "stue";
        event.time = at(fmt::format("2026-01-{:02}T{}Z", day, time));
        REQUIRE(events.append({&event, 1}));
    }
    [[nodiscard]] BaselineJob job() { return BaselineJob{settings, {events, baselines, clock, log}}; }
    core::BaselineStatus of(const core::Scope& scope) { return baselines.find(scope).value().value(); }
};

}  // namespace

TEST_CASE("every home with events gets a row by what is stored of it") {
    Fixture f;
    f.live(kHome, 4);
    f.live(kNew, 2);
    auto job = f.job();
    const auto round = job.compute(BaselineJob::Which::due);
    CHECK(round.scopes == 2);
    CHECK(round.computed == 2);
    CHECK(round.ready == 1);
    CHECK(f.of(kHome).ready);
    CHECK(f.of(kHome).days_with_data == 4);
    CHECK(f.of(kHome).computed_at == at("2026-01-15T12:00:00Z"));
    CHECK(f.of(kHome).model == core::Window{at("2026-01-07T23:00:00Z"), at("2026-01-14T23:00:00Z")});
    CHECK_FALSE(f.of(kNew).ready);
    CHECK(f.of(kNew).days_with_data == 2);
    CHECK(f.log.count("baseline_changed") == 2);
    CHECK(f.log.count("baseline_computed") == 1);
}

TEST_CASE("today, and what lies before the window, is not counted") {
    Fixture f;
    f.add(kHome, 15, "07:30:00");
    f.add(kHome, 7, "22:59:59");  // the last second of the 7th in Oslo
    f.add(kHome, 7, "23:00:00");
    auto job = f.job();
    job.compute(BaselineJob::Which::due);
    CHECK(f.of(kHome).days_with_data == 1);
}

TEST_CASE("a home that is ready is left alone until a day has passed; one that is not is looked at again") {
    Fixture f;
    f.live(kHome, 4);
    f.live(kNew, 2);
    auto job = f.job();
    job.compute(BaselineJob::Which::due);
    f.add(kNew, 10, "07:30:00");  // late
    CHECK(job.compute(BaselineJob::Which::due).computed == 1);
    CHECK(f.of(kNew).ready);
    CHECK(job.compute(BaselineJob::Which::due).computed == 0);
    CHECK(f.log.count("baseline_computed") == 2);  // a round without work is no news
    f.clock.set(at("2026-01-15T23:00:00Z"));       // midnight in Oslo
    CHECK(job.compute(BaselineJob::Which::due).computed == 2);
    CHECK(job.compute(BaselineJob::Which::all).computed == 2);
    CHECK(job.compute(BaselineJob::Which::all, {"o", "new", ""}).computed == 1);
}

TEST_CASE("a home that falls silent is not ready any more, and that is told") {
    Fixture f;
    f.live(kHome, 3);
    auto job = f.job();
    job.compute(BaselineJob::Which::due);
    f.clock.set(at("2026-01-20T12:00:00Z"));
    job.compute(BaselineJob::Which::due);
    CHECK_FALSE(f.of(kHome).ready);
    CHECK(f.of(kHome).days_with_data == 2);
    CHECK(f.log.count("baseline_changed") == 2);
}

TEST_CASE("steps come when the period has passed, by the clock that was passed in") {
    Fixture f;
    f.live(kHome, 2);
    auto job = f.job();
    CHECK(job.step().has_value());
    f.clock.set(at("2026-01-15T12:59:59Z"));
    CHECK_FALSE(job.step().has_value());
    f.clock.set(at("2026-01-15T13:00:00Z"));
    CHECK(job.step().has_value());
    f.clock.set(at("2026-01-15T09:00:00Z"));  // set back
    CHECK(job.step().has_value());
    f.settings.every = std::chrono::minutes{0};
    auto none = f.job();
    CHECK_FALSE(none.step().has_value());
}

TEST_CASE("what cannot be read or stored ends the round, is told, and the homes before keep their rows") {
    Fixture f;
    f.live(kHome, 4);
    auto job = f.job();
    f.baselines.fail_with(core::Errc::database_unavailable);
    CHECK(job.compute(BaselineJob::Which::due).error == "fake baselines: list");
    f.baselines.fail_with({});
    f.events.fail_with(core::Errc::database_unavailable);
    CHECK(job.compute(BaselineJob::Which::due).error == "fake event log: scopes");
    CHECK(f.log.count("baseline_failed") == 2);
    CHECK(f.log.count("baseline_computed") == 0);
}

TEST_CASE("the thread makes a round at once and ends when it is told to") {
    Fixture f;
    f.live(kHome, 4);
    fakes::Gate& gate = f.events.read_gate;
    gate.close();
    auto job = f.job();
    job.start();
    gate.wait_for_arrivals(1);
    gate.open();
    job.stop();
    job.stop();
    CHECK(f.log.count("baseline_failed") == 0);
    CHECK(f.baselines.list({}).value().size() <= 1);  // given up between two days, or finished before it heard
}
