#include "store/decision_repository.hpp"

#include "fixture.hpp"
#include "store/database_impl.hpp"
#include "store/deviation_repository.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

using namespace varde;
using namespace varde::store::testing;
using core::DecisionOutcome;

namespace {

const core::Scope kHere{"org", "home-1", "anna"};
const core::Scope kThere{"org", "home-2", "bent"};

/// A change at that second, with one run.
core::Decision decided(const std::string& rule_id, const core::Scope& scope, DecisionOutcome outcome, std::int64_t second) {
    core::Decision decision;
    decision.rule_id = rule_id;
    decision.scope = scope;
    decision.outcome = outcome;
    decision.reason = "kari's door: 'open' for 12 minutes; 10 are allowed (æøå)";
    decision.since = decision.first_at = decision.last_at = decision.asked_at = at_second(second);
    decision.run_id = "run-1";
    return decision;
}
core::Decision unchanged(core::Decision decision) {
    decision.since -= std::chrono::hours{24};
    return decision;
}

template <class On>
struct Rows {
    Fixture<On> fixture;
    [[nodiscard]] bool ready() const { return fixture.ready(); }
    void keep(const std::vector<core::Decision>& decisions) {
        store::SqlDeviationRepository deviations{fixture.database()};
        auto transaction = value_of(deviations.begin());
        value_of(transaction->keep_decisions(decisions));
        value_of(transaction->commit());
    }
    [[nodiscard]] store::SqlDecisionRepository repository() { return store::SqlDecisionRepository{fixture.database()}; }
    /// "rule home outcome", newest first.
    std::vector<std::string> list(const ports::DecisionQuery& query = {}) {
        std::vector<std::string> lines;
        for (const auto& row : value_of(repository().list(query)))
            lines.push_back(row.rule_id + " " + row.scope.home_id + " " + std::string{core::name_of(row.outcome)});
        return lines;
    }
};
using Lines = std::vector<std::string>;

}  // namespace

TEST_CASE_TEMPLATE("a decision comes back as it was stored", On, ON_EACH_ENGINE) {
    Rows<On> rows;
    if (!rows.ready()) return;
    auto stored = decided("R-001", kHere, DecisionOutcome::no_data, 10);
    stored.since = at_second(1);
    stored.last_at = at_second(30);
    stored.asked_at = at_second(20);
    stored.runs = 3'000'000'000;
    rows.keep({stored});
    auto found = value_of(rows.repository().find("R-001", kHere, at_second(10)));
    REQUIRE(found.has_value());
    CHECK(found->decision_id > 0);
    found->decision_id = 0;
    CHECK(*found == stored);
}

TEST_CASE_TEMPLATE("every outcome has its word in the table", On, ON_EACH_ENGINE) {
    Rows<On> rows;
    if (!rows.ready()) return;
    std::vector<core::Decision> decisions;
    for (int outcome = 0; outcome < 7; ++outcome)
        decisions.push_back(decided("R-001", kHere, static_cast<DecisionOutcome>(outcome), outcome));
    rows.keep(decisions);
    CHECK(rows.list() == Lines{"R-001 home-1 error", "R-001 home-1 skipped", "R-001 home-1 gated", "R-001 home-1 unknown",
                               "R-001 home-1 no_data", "R-001 home-1 not_met", "R-001 home-1 met"});
}

TEST_CASE_TEMPLATE("a record that goes on is the same row with another end", On, ON_EACH_ENGINE) {
    Rows<On> rows;
    if (!rows.ready()) return;
    auto record = decided("R-001", kHere, DecisionOutcome::not_met, 10);
    rows.keep({record, decided("R-002", kHere, DecisionOutcome::met, 10)});
    const auto id = value_of(rows.repository().find("R-001", kHere, at_second(10)))->decision_id;
    record.last_at = record.asked_at = at_second(99);
    record.runs = 8;
    record.reason = "nothing in 20 minutes";
    record.run_id = "run-8";
    rows.keep({record});
    auto found = *value_of(rows.repository().find("R-001", kHere, at_second(500)));
    CHECK(std::exchange(found.decision_id, 0) == id);
    CHECK(found == record);
    CHECK(rows.list().size() == 2);
}

TEST_CASE_TEMPLATE("decisions are stored with their run, or not at all", On, ON_EACH_ENGINE) {
    Rows<On> rows;
    if (!rows.ready()) return;
    {
        store::SqlDeviationRepository deviations{rows.fixture.database()};
        auto transaction = value_of(deviations.begin());
        value_of(transaction->keep_decisions(std::vector{decided("R-001", kHere, DecisionOutcome::met, 1)}));
    }
    CHECK(rows.list().empty());
    rows.keep({});
    CHECK(rows.list().empty());
}

TEST_CASE_TEMPLATE("what was in force at an instant is the newest record that had begun", On, ON_EACH_ENGINE) {
    Rows<On> rows;
    if (!rows.ready()) return;
    rows.keep({decided("R-001", kHere, DecisionOutcome::gated, 10), decided("R-001", kHere, DecisionOutcome::met, 20),
               decided("R-001", kThere, DecisionOutcome::error, 15), decided("R-002", kHere, DecisionOutcome::error, 15)});
    auto repository = rows.repository();
    const auto in_force = [&](std::int64_t second) { return value_of(repository.find("R-001", kHere, at_second(second))); };
    CHECK_FALSE(in_force(9).has_value());
    CHECK(in_force(10)->outcome == DecisionOutcome::gated);
    CHECK(in_force(19)->outcome == DecisionOutcome::gated);
    CHECK(in_force(20)->outcome == DecisionOutcome::met);
    CHECK(in_force(9'000)->outcome == DecisionOutcome::met);
}

TEST_CASE_TEMPLATE("a host that starts finds the newest record of each rule and home, of those that began lately", On,
                   ON_EACH_ENGINE) {
    Rows<On> rows;
    if (!rows.ready()) return;
    rows.keep({decided("R-001", kHere, DecisionOutcome::gated, 10), decided("R-001", kHere, DecisionOutcome::met, 20),
               decided("R-001", kThere, DecisionOutcome::not_met, 15), decided("R-002", kHere, DecisionOutcome::error, 12),
               decided("R-003", kHere, DecisionOutcome::error, 9)});
    const auto newest = value_of(rows.repository().newest(at_second(10)));
    REQUIRE(newest.size() == 3);
    CHECK(newest[0].rule_id == "R-001");
    CHECK(newest[0].scope == kHere);
    CHECK(newest[0].outcome == DecisionOutcome::met);
    CHECK(newest[1].scope == kThere);
    CHECK(newest[2].rule_id == "R-002");
}

TEST_CASE_TEMPLATE("lists are narrowed, limited and paged", On, ON_EACH_ENGINE) {
    Rows<On> rows;
    if (!rows.ready()) return;
    auto long_one = decided("R-002", kThere, DecisionOutcome::not_met, 0);
    long_one.last_at = at_second(100);
    rows.keep({long_one});
    rows.keep({decided("R-001", kHere, DecisionOutcome::gated, 10)});
    rows.keep({decided("R-001", kHere, DecisionOutcome::met, 20)});
    CHECK(rows.list({.scope = {"org", "home-1", ""}}) == Lines{"R-001 home-1 met", "R-001 home-1 gated"});
    CHECK(rows.list({.scope = {"other", "", ""}}).empty());
    CHECK(rows.list({.rule_id = "R-002"}) == Lines{"R-002 home-2 not_met"});
    CHECK(rows.list({.outcome = DecisionOutcome::met}) == Lines{"R-001 home-1 met"});
    CHECK(rows.list({.since = at_second(11)}) == Lines{"R-001 home-1 met", "R-002 home-2 not_met"});
    CHECK(rows.list({.until = at_second(20)}) == Lines{"R-001 home-1 gated", "R-002 home-2 not_met"});
    const auto first = value_of(rows.repository().list({.limit = 1}));
    REQUIRE(first.size() == 1);
    CHECK(rows.list({.before = first[0].decision_id, .limit = 1}) == Lines{"R-001 home-1 gated"});
    for (const int limit : {0, 1001}) {
        ports::DecisionQuery query;
        query.limit = limit;
        CHECK(rows.repository().list(query).error().code == core::Errc::invalid_argument);
    }
}

TEST_CASE_TEMPLATE("changes are kept longer than records of no change, and go in steps, the oldest first", On, ON_EACH_ENGINE) {
    Rows<On> rows;
    if (!rows.ready()) return;
    rows.keep({decided("R-001", kHere, DecisionOutcome::met, 10), decided("R-001", kHere, DecisionOutcome::not_met, 20),
               unchanged(decided("R-002", kHere, DecisionOutcome::not_met, 30)),
               unchanged(decided("R-003", kHere, DecisionOutcome::not_met, 40)),
               unchanged(decided("R-004", kHere, DecisionOutcome::not_met, 50))});
    auto repository = rows.repository();
    CHECK(value_of(repository.prune(at_second(10), at_second(50), 1)) == 1);
    CHECK(rows.list({.rule_id = "R-002"}).empty());
    CHECK(value_of(repository.prune(at_second(10), at_second(50), 100)) == 1);
    CHECK(rows.list() == Lines{"R-004 home-1 not_met", "R-001 home-1 not_met", "R-001 home-1 met"});
    CHECK(value_of(repository.prune(at_second(20), at_second(50), 100)) == 1);
    CHECK(value_of(repository.prune(at_second(20), at_second(50), 100)) == 0);
    CHECK(rows.list() == Lines{"R-004 home-1 not_met", "R-001 home-1 not_met"});
}

TEST_CASE_TEMPLATE("as many records as a large host has go through one transaction", On, ON_EACH_ENGINE) {
    Rows<On> rows;
    if (!rows.ready()) return;
    std::vector<core::Decision> decisions;
    for (int home = 0; home < 100; ++home)
        for (int rule = 0; rule < 10; ++rule)
            decisions.push_back(
                decided("R-" + std::to_string(rule), {"org", "home-" + std::to_string(home), "s"}, DecisionOutcome::not_met, 1));
    rows.keep(decisions);
    for (auto& decision : decisions) decision.runs = 2;
    const auto start = std::chrono::steady_clock::now();
    rows.keep(decisions);
    const std::chrono::duration<double, std::milli> took = std::chrono::steady_clock::now() - start;
    MESSAGE("1,000 records that went on: " << took.count() << " ms");
    const auto newest = value_of(rows.repository().newest(at_second(0)));
    REQUIRE(newest.size() == 1'000);
    CHECK(std::ranges::all_of(newest, [](const core::Decision& row) { return row.runs == 2; }));
}
