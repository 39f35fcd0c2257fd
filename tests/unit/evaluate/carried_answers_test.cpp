#include "evaluate/carried_answers.hpp"
#include "fakes/event_log.hpp"
#include "unit/evaluate/columns_fixture.hpp"

#include <doctest/doctest.h>

using namespace columns;
using evaluate::CarriedAnswers;
using std::chrono::minutes;
using std::chrono::seconds;

namespace {

const core::Scope kOther{"org", "home", "other"};

/// A rule that reads doors of the last hour, unless the test says otherwise; asked about [now - 1 h, now).
struct Carrying {
    fakes::EventLog log;
    evaluate::EventColumns events{&log};
    CarriedAnswers carried;
    wire::Declarations rule;
    CarriedAnswers::Reads reads;

    Carrying() {
        rule.literals = {"door", "motion"};
        reading({});
    }
    void reading(wire::ReadDeclaration read, bool doors_only = true) {
        if (doors_only) read.categories = {0};
        rule.reads = {read};
        const auto shared = std::make_shared<evaluate::ColumnPlan>(std::vector<const wire::Declarations*>{&rule});
        events.set_plan(shared, std::chrono::hours{3});
        REQUIRE(events.catch_up(kNoon).has_value());
        reads = CarriedAnswers::reads_of(rule, shared->bind(rule, {}), *shared);
        carried.forget_all();
    }
    void arrives(std::string id, int at_second, std::string category, const core::Scope& scope = {}) {
        core::Event one = event(0, at_second, std::move(category));
        one.event_id = std::move(id);
        one.scope = scope;
        REQUIRE(log.append(std::vector{one}).has_value());
        REQUIRE(events.catch_up(kNoon).has_value());
    }
    static ports::Evaluation asked(int second) { return {"R", {}, {at(second) - std::chrono::hours{1}, at(second)}, at(second)}; }
    void said(int second, core::Instant valid_until) {
        core::Completed answer;
        answer.reason = "said";
        answer.valid_until = valid_until;
        carried.put(0, asked(second), answer, events);
    }
    [[nodiscard]] bool holds(int second) { return carried.find(0, reads, asked(second), events).has_value(); }
};

}  // namespace

TEST_CASE("an answer holds until the instant that the rule named, and not at it") {
    Carrying rule;
    rule.said(0, at(600));
    CHECK(rule.holds(0));
    CHECK(rule.holds(599));
    CHECK_FALSE(rule.holds(600));
    CHECK(rule.carried.find(0, rule.reads, rule.asked(60), rule.events)->carried);
    CHECK_FALSE(rule.carried.find(1, rule.reads, rule.asked(60), rule.events).has_value());
}

TEST_CASE("an answer without a word about how long it holds is not carried, and ends the one before") {
    Carrying rule;
    rule.said(0, core::Instant::max());
    CHECK(rule.holds(100'000));
    rule.said(60, core::Instant{});
    CHECK_FALSE(rule.holds(120));
}

TEST_CASE("an event that the rule reads ends it, one that it does not read or of another home does not") {
    Carrying rule;
    rule.said(0, core::Instant::max());
    rule.arrives("a", -30, "motion");
    rule.arrives("b", -30, "door", kOther);
    CHECK(rule.holds(60));
    rule.arrives("c", -30, "door");
    CHECK_FALSE(rule.holds(60));
    rule.said(60, core::Instant::max());
    CHECK(rule.holds(120));
}

TEST_CASE("an event that the rule does not read does not end it when its window moves over that event") {
    Carrying rule;
    rule.arrives("ahead", 45, "motion");
    rule.said(0, core::Instant::max());
    rule.arrives("since", 30, "motion");
    CHECK(rule.holds(60));
    SUBCASE("one that it reads does, between others") {
        rule.arrives("door ahead", 130, "door");
        rule.arrives("motion ahead", 125, "motion");
        rule.said(60, core::Instant::max());
        CHECK(rule.holds(130));
        CHECK_FALSE(rule.holds(131));
    }
    SUBCASE("and every event does for a rule that reads every category") {
        rule.reading({}, false);
        rule.said(0, core::Instant::max());
        CHECK(rule.holds(30));
        CHECK_FALSE(rule.holds(31));
    }
}

TEST_CASE("an event from before everything that is kept ends it too: it may be the latest of its kind") {
    Carrying rule;
    wire::ReadDeclaration latest;
    latest.kind = VARDE_READ_LATEST;
    rule.reading(latest);
    rule.said(0, core::Instant::max());
    rule.arrives("old", -86'400, "door");
    CHECK_FALSE(rule.holds(60));
}

TEST_CASE("a rule that reads every category hears every event") {
    Carrying rule;
    rule.reading({}, false);
    rule.said(0, core::Instant::max());
    rule.arrives("a", -30, "sauna");
    CHECK_FALSE(rule.holds(60));
}

TEST_CASE("an event stored ahead of its time ends it when the read reaches it") {
    Carrying rule;
    rule.arrives("ahead", 120, "door");
    rule.said(0, core::Instant::max());
    CHECK(rule.holds(120));  // the read ends before its end
    CHECK_FALSE(rule.holds(121));
    SUBCASE("also where the read looks beyond the window") {
        wire::ReadDeclaration follow_up;
        follow_up.end_offset_us = 60'000'000;
        rule.reading(follow_up);
        rule.said(0, core::Instant::max());
        CHECK(rule.holds(60));
        CHECK_FALSE(rule.holds(61));
    }
    SUBCASE("and where it looks for the latest before an edge") {
        wire::ReadDeclaration latest;
        latest.kind = VARDE_READ_LATEST_BEFORE;
        latest.end_anchor = VARDE_AT_UNTIL;
        rule.reading(latest);
        rule.said(0, core::Instant::max());
        CHECK(rule.holds(120));
        CHECK_FALSE(rule.holds(121));
    }
    SUBCASE("but not where it sees all there is") {
        wire::ReadDeclaration latest;
        latest.kind = VARDE_READ_LATEST;
        rule.reading(latest);
        rule.said(0, core::Instant::max());
        CHECK(rule.holds(3'000));
    }
}

TEST_CASE("it is the answer to the same question later, to no other") {
    Carrying rule;
    rule.said(0, core::Instant::max());
    auto shorter = rule.asked(60);
    shorter.window.since += minutes{5};
    CHECK_FALSE(rule.carried.find(0, rule.reads, shorter, rule.events).has_value());
    auto historical = rule.asked(60);
    historical.now += minutes{5};
    CHECK_FALSE(rule.carried.find(0, rule.reads, historical, rule.events).has_value());
    CHECK_FALSE(rule.holds(-1));  // the clock was set back
}

TEST_CASE("what a finding says of the window it was asked about moves with it, what it says of its own stays") {
    Carrying rule;
    core::Completed answer;
    answer.outcome = core::Outcome::met;
    answer.valid_until = core::Instant::max();
    answer.findings.resize(2);
    answer.findings[0].window = rule.asked(0).window;
    answer.findings[0].timestamp = at(0);
    answer.findings[1].window = {at(-500), at(-400)};
    answer.findings[1].timestamp = at(-400);
    answer.state = "kept";
    answer.steps = {{core::Step::Kind::note, "a step"}};
    rule.carried.put(0, rule.asked(0), answer, rule.events);
    const auto later = rule.carried.find(0, rule.reads, rule.asked(90), rule.events);
    REQUIRE(later.has_value());
    CHECK(later->findings[0].window == rule.asked(90).window);
    CHECK(later->findings[0].timestamp == at(90));
    CHECK(later->findings[1].window == core::Window{at(-500), at(-400)});
    CHECK(later->findings[1].timestamp == at(-400));
    CHECK_FALSE(later->state.has_value());
    CHECK(later->steps.empty());
}

TEST_CASE("a rule can be forgotten alone") {
    Carrying rule;
    rule.said(0, core::Instant::max());
    rule.carried.put(3, rule.asked(0), *rule.carried.find(0, rule.reads, rule.asked(0), rule.events), rule.events);
    rule.carried.forget(0);
    CHECK_FALSE(rule.holds(60));
    CHECK(rule.carried.find(3, rule.reads, rule.asked(60), rule.events).has_value());
}

TEST_CASE("columns that are read anew end every answer") {
    Carrying rule;
    rule.arrives("a", -30, "motion");
    rule.said(0, core::Instant::max());
    rule.log.fail_with(core::Errc::database_unavailable);
    CHECK_FALSE(rule.events.catch_up(kNoon).has_value());
    rule.log.fail_with(std::nullopt);
    REQUIRE(rule.events.catch_up(kNoon).has_value());
    CHECK_FALSE(rule.holds(60));
}

TEST_CASE("a home with more categories than are told apart asks too often rather than too seldom") {
    Carrying rule;
    for (int i = 0; i < 200; ++i) rule.arrives("e" + std::to_string(i), -30, "category-" + std::to_string(i));
    rule.said(0, core::Instant::max());
    CHECK(rule.holds(60));
    rule.arrives("door", -20, "door");
    CHECK_FALSE(rule.holds(60));
}
