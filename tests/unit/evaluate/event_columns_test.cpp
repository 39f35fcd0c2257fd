#include "evaluate/event_columns.hpp"
#include "evaluate/scope_view.hpp"
#include "fakes/event_log.hpp"
#include "unit/evaluate/columns_fixture.hpp"

#include <doctest/doctest.h>

using namespace columns;
using evaluate::EventColumns;
using evaluate::ScopeView;
using std::chrono::hours;
using std::chrono::minutes;

namespace {

core::Event unstored(std::string id, int seconds, std::string category = "motion", core::Scope scope = {}) {
    core::Event one = event(0, seconds, std::move(category));
    one.event_id = std::move(id);
    one.scope = std::move(scope);
    return one;
}

struct Columns {
    fakes::EventLog log;
    EventColumns events{&log};
    Columns() { events.set_plan(plan({"k"}, {"door"}), hours{1}); }
    void store(const std::vector<core::Event>& all) { REQUIRE(log.append(all).has_value()); }
    [[nodiscard]] std::string latest(const core::Scope& scope, std::uint32_t kind, int before = 0) {
        ScopeView view = ScopeView::live(events, scope);
        wire::Declarations rule;
        rule.literals = {"door"};
        wire::ReadDeclaration read;
        read.kind = kind;
        read.categories = {0};
        const auto row = view.latest(read, rule, {at(before), at(before)});
        REQUIRE(row.has_value());
        if (!*row) return {};
        return std::string{((*row)->older ? view.columns().older() : view.columns().rows()).id((*row)->row)};
    }
};

const core::Scope kOther{"org", "home", "other"};

}  // namespace

TEST_CASE("at start the recent events are read, and every scope that ever had one is known") {
    Columns columns;
    columns.store({unstored("old", -9000, "door", kOther), unstored("new", -10)});
    REQUIRE(columns.events.catch_up(kNoon).has_value());
    CHECK(columns.events.scopes() == std::vector<core::Scope>{{}, kOther});
    REQUIRE(columns.events.find({}) != nullptr);
    CHECK(columns.events.find({})->end() == 1);
    CHECK(columns.events.find(kOther) == nullptr);
}

TEST_CASE("catching up takes each event once, late ones included") {
    Columns columns;
    columns.store({unstored("a", -10)});
    REQUIRE(columns.events.catch_up(kNoon).has_value());
    columns.store({unstored("b", -20), unstored("c", -5)});
    REQUIRE(columns.events.catch_up(kNoon).has_value());
    REQUIRE(columns.events.catch_up(kNoon).has_value());
    const auto* live = columns.events.find({});
    REQUIRE(live->end() == 3);
    CHECK(live->rows().id(0) == "b");
    CHECK(live->rows().id(2) == "c");
}

TEST_CASE("a failing event log is reported, and the next call makes up for it") {
    Columns columns;
    columns.store({unstored("a", -10)});
    columns.log.fail_with(core::Errc::database_unavailable);
    CHECK_FALSE(columns.events.catch_up(kNoon).has_value());
    columns.log.fail_with(std::nullopt);
    REQUIRE(columns.events.catch_up(kNoon).has_value());
    CHECK(columns.events.find({})->end() == 1);
}

TEST_CASE("events older than the horizon are forgotten as time goes on") {
    Columns columns;
    columns.store({unstored("a", -3000), unstored("b", -10)});
    REQUIRE(columns.events.catch_up(kNoon).has_value());
    CHECK(columns.events.find({})->end() - columns.events.find({})->begin() == 2);
    REQUIRE(columns.events.catch_up(kNoon + minutes{30}).has_value());
    CHECK(columns.events.find({})->end() - columns.events.find({})->begin() == 1);
    CHECK(columns.events.live_since() == kNoon - minutes{30});
}

TEST_CASE("another plan empties the columns and the next catch-up fills them for it") {
    Columns columns;
    columns.store({unstored("a", -10)});
    REQUIRE(columns.events.catch_up(kNoon).has_value());
    columns.events.set_plan(plan({"k"}, {"door"}), hours{1});  // the same: nothing happens
    CHECK(columns.events.find({}) != nullptr);
    columns.events.set_plan(plan({"k", "l"}, {"door"}), hours{1});
    CHECK(columns.events.find({}) == nullptr);
    REQUIRE(columns.events.catch_up(kNoon).has_value());
    CHECK(columns.events.find({})->rows().keys.size() == 2);
}

TEST_CASE("the latest event is found at any age, and a later older one replaces it") {
    Columns columns;
    columns.store({unstored("ancient", -90'000, "door"), unstored("new", -10)});
    REQUIRE(columns.events.catch_up(kNoon).has_value());
    CHECK(columns.latest({}, VARDE_READ_LATEST) == "ancient");
    columns.store({unstored("less ancient", -80'000, "door")});
    REQUIRE(columns.events.catch_up(kNoon).has_value());
    CHECK(columns.latest({}, VARDE_READ_LATEST) == "less ancient");
    columns.store({unstored("live", -100, "door")});
    REQUIRE(columns.events.catch_up(kNoon).has_value());
    CHECK(columns.latest({}, VARDE_READ_LATEST) == "live");
    CHECK(columns.latest({}, VARDE_READ_LATEST_BEFORE, -100) == "less ancient");
    CHECK(columns.latest({}, VARDE_READ_LATEST_BEFORE, -85'000) == "ancient");
    CHECK(columns.latest({}, VARDE_READ_LATEST_BEFORE, -99'000) == "");
    CHECK(columns.latest(kOther, VARDE_READ_LATEST) == "");
}

TEST_CASE("a live event that is evicted is still the latest of its kind") {
    Columns columns;
    columns.store({unstored("ancient", -90'000, "door"), unstored("leaving", -3000, "door"), unstored("new", -10)});
    REQUIRE(columns.events.catch_up(kNoon).has_value());
    CHECK(columns.latest({}, VARDE_READ_LATEST_BEFORE, -3000) == "ancient");
    REQUIRE(columns.events.catch_up(kNoon + minutes{30}).has_value());
    CHECK(columns.latest({}, VARDE_READ_LATEST) == "leaving");
}

TEST_CASE("the latest event of a range read from the log may be one of its rows") {
    Columns columns;
    columns.store({unstored("a", -90'000, "door"), unstored("b", -80'000, "motion")});
    REQUIRE(columns.events.catch_up(kNoon).has_value());
    auto range = columns.events.read_range({}, {at(-100'000), at(-70'000)});
    REQUIRE(range.has_value());
    ScopeView view = ScopeView::ranged(columns.events, {}, *range);
    wire::Declarations rule;
    wire::ReadDeclaration read;
    read.kind = VARDE_READ_LATEST_BEFORE;
    const auto row = view.latest(read, rule, {at(-90'000), at(-85'000)});
    REQUIRE(row.has_value());
    REQUIRE(row->has_value());
    CHECK_FALSE((**row).older);
    CHECK(view.columns().rows().id((**row).row) == "a");
}
