#include "app/generator.hpp"

#include "time/utc_text.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <set>

using namespace varde;

namespace {

struct Recording {
    std::vector<core::Event> events;
    std::vector<app::PlantedIncident> incidents;
};

Recording generate(int homes, std::uint64_t seed, const char* since, const char* until) {
    Recording out;
    app::generate_homes(
        {homes, {*time::parse_utc(since), *time::parse_utc(until)}, seed, *time::Zone::find("Europe/Oslo")},
        [&](const core::Event& event) { out.events.push_back(event); },
        [&](const app::PlantedIncident& incident) { out.incidents.push_back(incident); });
    return out;
}

bool same(const core::Event& a, const core::Event& b) {
    return a.event_id == b.event_id && a.time == b.time && a.category == b.category && a.payload == b.payload &&
           a.scope == b.scope;
}

}  // namespace

TEST_CASE("the same seed gives the same homes, another seed gives others") {
    const auto first = generate(2, 7, "2026-03-01T00:00:00Z", "2026-03-04T00:00:00Z");
    const auto again = generate(2, 7, "2026-03-01T00:00:00Z", "2026-03-04T00:00:00Z");
    const auto other = generate(2, 8, "2026-03-01T00:00:00Z", "2026-03-04T00:00:00Z");
    REQUIRE(first.events.size() == again.events.size());
    CHECK(std::equal(first.events.begin(), first.events.end(), again.events.begin(), same));
    CHECK_FALSE(same(first.events.front(), other.events.front()));
}

TEST_CASE("every event lies in the range, ids are unique, and each home's events come in time order") {
    const auto recording = generate(3, 1, "2026-03-28T12:00:00Z", "2026-03-30T12:00:00Z");  // over a DST change
    std::set<std::string> ids;
    for (std::size_t i = 0; i < recording.events.size(); ++i) {
        const auto& event = recording.events[i];
        CHECK(event.time >= *time::parse_utc("2026-03-28T12:00:00Z"));
        CHECK(event.time < *time::parse_utc("2026-03-30T12:00:00Z"));
        CHECK(ids.insert(event.event_id).second);
        if (i > 0 && recording.events[i - 1].scope == event.scope) CHECK(recording.events[i - 1].time <= event.time);
    }
    CHECK(ids.size() > 500);
}

TEST_CASE("nobody moves during a planted silence") {
    const auto recording = generate(5, 3, "2026-02-01T00:00:00Z", "2026-02-15T00:00:00Z");
    int silences = 0;
    for (const auto& incident : recording.incidents) {
        if (incident.kind != "no_motion") continue;
        ++silences;
        // Off edges of a movement that began before may still come within the first minute.
        const auto from = incident.window.since + std::chrono::minutes{1};
        const bool moved = std::ranges::any_of(recording.events, [&](const core::Event& event) {
            return event.scope == incident.scope && event.category == "motion" &&
                   event.payload.find("\"on\"") != std::string::npos && event.time >= from && event.time < incident.window.until;
        });
        CHECK_FALSE(moved);
    }
    CHECK(silences > 0);
}

TEST_CASE("a recording ends with a door that opened and was followed by nothing") {
    const auto recording = generate(1, 1, "2026-02-01T00:00:00Z", "2026-02-02T00:00:00Z");
    const auto last = std::ranges::find_if(recording.incidents, [](const auto& incident) {
        return incident.kind == "door_no_motion" && incident.window.since == *time::parse_utc("2026-02-01T22:25:00Z");
    });
    CHECK(last != recording.incidents.end());
}
