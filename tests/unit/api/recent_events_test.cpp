#include "api/recent_events.hpp"

#include "fakes/event_log.hpp"
#include "time/utc_text.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <vector>

using namespace varde;
using namespace std::chrono_literals;
using api::RecentEvents;

namespace {

const core::Instant kNow = time::parse_utc("2026-01-15T12:00:00Z").value();

struct Bench {
    fakes::EventLog log;
    RecentEvents recent{log};
    int stored = 0;

    void store(const std::string& category, core::Instant time, const core::Scope& scope = {}, int count = 1) {
        std::vector<core::Event> events(static_cast<std::size_t>(count));
        for (auto& event : events) {
            event.event_id = std::to_string(++stored);
            event.category = category;
            event.time = time;
            event.scope = scope;
        }
        REQUIRE(log.append(events).has_value());
    }
    RecentEvents::View look(core::Instant now, const core::ScopeFilter& visible = {}) {
        auto view = recent.look(now, visible);
        REQUIRE(view.has_value());
        return std::move(*view);
    }
    /// "motion 3, door 1"
    std::string text(core::Instant now, const core::ScopeFilter& visible = {}) {
        std::string out;
        for (const auto& one : look(now, visible).categories)
            out += (out.empty() ? "" : ", ") + one.category + " " + std::to_string(one.events);
        return out;
    }
};

}  // namespace

TEST_SUITE("recent events") {
    TEST_CASE("each look counts what was stored since the last one, once") {
        Bench bench;
        bench.store("motion", kNow - 1h);
        CHECK(bench.text(kNow) == "motion 1");
        CHECK(bench.text(kNow) == "motion 1");
        bench.store("motion", kNow - 3h);  // late
        bench.store("door", kNow);
        CHECK(bench.text(kNow) == "door 1, motion 2");
        CHECK(bench.look(kNow).categories.at(1).newest == kNow - 1h);
    }

    TEST_CASE("a fresh one, as after a restart, counts the same") {
        Bench bench;
        bench.store("old", kNow - 25h);
        bench.store("motion", kNow - 23h);
        bench.store("door", kNow - 1h);
        const auto before = bench.text(kNow);
        RecentEvents fresh{bench.log};
        CHECK(before == "door 1, motion 1");
        CHECK(fresh.look(kNow, {})->categories.size() == 2);
        CHECK(fresh.look(kNow, {})->complete);
    }

    TEST_CASE("what is a day old is forgotten, by steps of ten minutes") {
        Bench bench;
        bench.store("motion", kNow);
        bench.store("door", kNow + 5min);
        bench.store("bed", kNow + 10min);
        CHECK(bench.text(kNow + 1h) == "bed 1, door 1, motion 1");
        CHECK(bench.text(kNow + 24h + 9min) == "bed 1, door 1, motion 1");
        CHECK(bench.text(kNow + 24h + 10min) == "bed 1");
        CHECK(bench.text(kNow + 24h + 20min) == "");
    }

    TEST_CASE("an event stamped ahead counts when its time has come") {
        Bench bench;
        bench.store("motion", kNow + 5min);
        CHECK(bench.text(kNow) == "");
        CHECK(bench.text(kNow + 5min - 1us) == "");
        CHECK(bench.text(kNow + 5min) == "motion 1");
        CHECK(bench.text(kNow + 6min) == "motion 1");
    }

    TEST_CASE("only homes that are admitted are counted, and their categories are added up") {
        Bench bench;
        bench.store("motion", kNow - 2h, {"o", "h1", "s"});
        bench.store("motion", kNow - 1h, {"o", "h2", "s"});
        bench.store("bed", kNow - 3h, {"p", "h1", "s"});
        CHECK(bench.text(kNow) == "motion 2, bed 1");
        CHECK(bench.text(kNow, {"o", "", ""}) == "motion 2");
        CHECK(bench.text(kNow, {"o", "h1", ""}) == "motion 1");
        CHECK(bench.text(kNow, {"", "h1", ""}) == "motion 1, bed 1");
        CHECK(bench.text(kNow, {"q", "", ""}) == "");
    }

    TEST_CASE("a home that invents categories gets no more than its share, and others are as before") {
        Bench bench;
        for (int i = 0; i < 120; ++i) bench.store("c" + std::to_string(i), kNow - 1h, {"o", "h1", "s"});
        bench.store("c0", kNow - 1h, {"o", "h1", "s"});
        bench.store("motion", kNow - 1h, {"o", "h2", "s"});
        const auto view = bench.look(kNow, {"o", "h1", ""});
        CHECK(view.complete);
        REQUIRE(view.categories.size() == RecentEvents::kMaxCategories + 1);
        const auto count_of = [&](std::string_view name) {
            return std::ranges::find(view.categories, name, &api::CategoryCount::category)->events;
        };
        CHECK(count_of(RecentEvents::kMore) == 20);
        CHECK(count_of("c0") == 2);
        CHECK(bench.text(kNow, {"o", "h2", ""}) == "motion 1");
    }

    TEST_CASE("a look reads so much and no more; later ones go on") {
        Bench bench;
        RecentEvents slow{bench.log, 10};
        bench.store("import", kNow - 1h, {}, 25);
        bench.store("motion", kNow - 1min);
        auto view = slow.look(kNow, {}).value();
        CHECK_FALSE(view.complete);
        CHECK(view.categories.at(0).events == 10);
        CHECK_FALSE(slow.look(kNow, {})->complete);
        view = slow.look(kNow, {}).value();
        CHECK(view.complete);
        CHECK(view.categories.at(0).category == "motion");
        CHECK(view.categories.at(1).events == 25);
    }

    TEST_CASE("who looks again after days does not read what has grown old") {
        Bench bench;
        RecentEvents slow{bench.log, 10};
        bench.store("motion", kNow);
        CHECK(slow.look(kNow, {})->complete);
        bench.store("motion", kNow + 1h, {}, 30);
        bench.store("motion", kNow + 72h);
        const auto view = slow.look(kNow + 72h, {}).value();
        CHECK(view.complete);
        CHECK(view.categories.at(0).events == 1);
    }

    TEST_CASE("a database that is away is an error, and the look after it goes on") {
        Bench bench;
        bench.store("motion", kNow - 1h);
        CHECK(bench.text(kNow) == "motion 1");
        bench.log.fail_with(core::Errc::database_unavailable);
        CHECK(bench.recent.look(kNow, {}).error().code == core::Errc::database_unavailable);
        bench.log.fail_with(std::nullopt);
        bench.store("motion", kNow);
        CHECK(bench.text(kNow) == "motion 2");
    }
}
