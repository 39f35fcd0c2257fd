#include "made_up_home.hpp"
#include "rule_bench.hpp"

using namespace varde;
using namespace varde::property;

namespace {

/// 100,000 events within the last half hour, which is in the reach of every rule. 26 h: Tuesday, three in the morning in Oslo.
std::vector<core::Event> crowd(const std::vector<Act>& acts, core::Instant until) {
    constexpr std::size_t kWanted = 100'000;
    std::vector<core::Event> events;
    for (int round = 0; events.size() < kWanted; ++round) {
        Home home{until, {}};
        for (int i = 0; i < 100; ++i) {
            const Act act = acts.at(static_cast<std::size_t>(i) % acts.size());
            const int count = act == Act::stay ? 0 : 100;  // a stay ends at once; the others last for at most 100 seconds
            home.scenes.push_back(
                {.act = act, .ago = std::chrono::minutes{2 + i % 28}, .room = i % 6, .count = count, .gap = 1s * (i % 2)});
        }
        for (core::Event& event : events_of(home)) {
            event.event_id = "e" + std::to_string(events.size());
            events.push_back(std::move(event));
        }
    }
    events.resize(kWanted);
    return events;
}

void expect_in_time(RuleBench& bench, core::Instant until, std::span<const core::Event> events) {
    for (const auto& [rule, spec] : bench.rules()) {
        const auto verdict = bench.judge_given(rule, until, events);
        INFO(rule << " with " << events.size() << " events: " << answer_text(verdict).substr(0, 2000));
        REQUIRE(std::holds_alternative<core::Completed>(verdict));
        CHECK(std::get<core::Completed>(verdict).duration <= spec.timeout);
    }
}

}  // namespace

TEST_CASE("windows of no event are answered within the deadline at any hour") {
    RuleBench defaults{Params::defaults, Deadline::configured}, shipped{Params::shipped, Deadline::configured};
    for (core::Instant until = kMonday; until < kMonday + std::chrono::days{7}; until += 239min) {
        expect_in_time(defaults, until, {});
        expect_in_time(shipped, until, {});
    }
}

TEST_CASE("windows of one event are answered within the deadline, whatever it is") {
    RuleBench defaults{Params::defaults, Deadline::configured}, shipped{Params::shipped, Deadline::configured};
    CHECK(rc::check("one event", [&] {
        const Home home{*any_until(), {*rc::gen::resize(rc::kNominalSize, any_scene())}};
        const auto events = events_of(home);
        const auto one = *rc::gen::inRange<std::size_t>(0, events.size());
        for (RuleBench* bench : {&defaults, &shipped}) {
            for (const auto& [rule, spec] : bench->rules()) {
                const auto verdict = bench->judge_given(rule, home.until, {&events[one], 1});
                RC_LOG() << rule << ", event " << one << ": " << answer_text(verdict) << "\n";
                RC_ASSERT(std::holds_alternative<core::Completed>(verdict));
                RC_ASSERT(std::get<core::Completed>(verdict).duration <= spec.timeout);
            }
        }
    }));
}

TEST_CASE("windows of 100,000 events are answered within the deadline, of one kind or of all, by day and at night") {
    RuleBench defaults{Params::defaults, Deadline::configured}, shipped{Params::shipped, Deadline::configured};
    const core::Instant night = kMonday + 26h, day = kMonday + 36h;
    struct Crowd {
        const char* name;
        std::vector<Act> acts;
        core::Instant until;
    };
    const std::vector<Crowd> crowds{{"everything", {Act::walk, Act::stay, Act::door_burst, Act::odd}, day},
                                    {"doors and rooms", {Act::door_burst, Act::walk}, night},
                                    {"stays", {Act::stay}, day}};
    for (const Crowd& one : crowds) {
        CAPTURE(one.name);
        const auto events = crowd(one.acts, one.until);
        expect_in_time(defaults, one.until, events);
        expect_in_time(shipped, one.until, events);
    }
}
