#include "rules/decision_book.hpp"

#include "time/utc_text.hpp"

#include <doctest/doctest.h>

using namespace varde;
using namespace std::chrono_literals;
using core::DecisionOutcome;
using rules::DecisionBook;
using rules::RunDecision;
using rules::RunStamp;

namespace {

core::Instant at(std::string_view text) { return time::parse_utc(text).value(); }

RunDecision said(DecisionOutcome outcome, std::string reason = "why", const std::string& rule_id = "R-001") {
    return {rule_id, {}, outcome, std::move(reason), false};
}
RunDecision carried(DecisionOutcome outcome, std::string reason) {
    auto decision = said(outcome, std::move(reason));
    decision.carried = true;
    return decision;
}

/// A book with what it has stored.
struct Kept {
    DecisionBook book;
    std::vector<core::Decision> rows;

    explicit Kept(std::chrono::microseconds flush_every = 5min, std::vector<core::Decision> newest = {})
        : book{std::move(newest), flush_every} {}
    /// What the run writes.
    std::vector<core::Decision> run(std::string_view now, const std::vector<RunDecision>& decisions) {
        const RunStamp stamp{"run-" + std::string{now}, at(now), 1min};
        auto due = book.due(decisions, stamp);
        book.adopt(decisions, stamp);
        rows.insert(rows.end(), due.begin(), due.end());
        return due;
    }
};

}  // namespace

TEST_CASE("the first decision about a rule and home is a record of one run, and a change") {
    Kept kept;
    const auto due = kept.run("2026-01-15T12:00:00Z", {said(DecisionOutcome::not_met, "0 openings")});
    REQUIRE(due.size() == 1);
    CHECK(due[0].rule_id == "R-001");
    CHECK(due[0].outcome == DecisionOutcome::not_met);
    CHECK(due[0].reason == "0 openings");
    CHECK(due[0].since == at("2026-01-15T12:00:00Z"));
    CHECK(due[0].asked_at == due[0].since);
    CHECK(due[0].runs == 1);
    CHECK(due[0].run_id == "run-2026-01-15T12:00:00Z");
    CHECK(due[0].is_change());
}

TEST_CASE("runs that decide the same are one record, whose end is written once in a while") {
    Kept kept;
    kept.run("2026-01-15T12:00:00Z", {said(DecisionOutcome::not_met)});
    for (const auto* now : {"2026-01-15T12:01:00Z", "2026-01-15T12:02:00Z", "2026-01-15T12:03:00Z", "2026-01-15T12:04:00Z"})
        CHECK(kept.run(now, {said(DecisionOutcome::not_met, "newest words")}).empty());
    const auto due = kept.run("2026-01-15T12:05:00Z", {said(DecisionOutcome::not_met, "newest words")});
    REQUIRE(due.size() == 1);
    CHECK(due[0].first_at == at("2026-01-15T12:00:00Z"));
    CHECK(due[0].last_at == at("2026-01-15T12:05:00Z"));
    CHECK(due[0].runs == 6);
    CHECK(due[0].reason == "newest words");
    CHECK(due[0].run_id == "run-2026-01-15T12:05:00Z");
    CHECK(kept.book.unwritten().empty());
}

TEST_CASE("a change is written by the run itself, with the true end of the record before") {
    Kept kept;
    kept.run("2026-01-15T12:00:00Z", {said(DecisionOutcome::not_met)});
    kept.run("2026-01-15T12:01:00Z", {said(DecisionOutcome::not_met)});
    const auto due = kept.run("2026-01-15T12:02:00Z", {said(DecisionOutcome::met, "180 minutes without motion")});
    REQUIRE(due.size() == 2);
    CHECK(due[0].outcome == DecisionOutcome::not_met);
    CHECK(due[0].last_at == at("2026-01-15T12:01:00Z"));
    CHECK(due[0].runs == 2);
    CHECK(due[1].outcome == DecisionOutcome::met);
    CHECK(due[1].first_at == at("2026-01-15T12:02:00Z"));
    CHECK(due[1].is_change());
    CHECK(kept.run("2026-01-15T12:03:00Z", {said(DecisionOutcome::met)}).empty());
}

TEST_CASE("every pair of different outcomes is a change") {
    for (int from = 0; from < 7; ++from) {
        for (int to = 0; to < 7; ++to) {
            Kept kept;
            kept.run("2026-01-15T12:00:00Z", {said(static_cast<DecisionOutcome>(from))});
            const auto due = kept.run("2026-01-15T12:01:00Z", {said(static_cast<DecisionOutcome>(to))});
            CHECK(due.empty() == (from == to));
        }
    }
}

TEST_CASE("one rule's change does not end another rule's record") {
    Kept kept;
    kept.run("2026-01-15T12:00:00Z", {said(DecisionOutcome::met), said(DecisionOutcome::met, "b", "R-002")});
    const auto due = kept.run("2026-01-15T12:01:00Z", {said(DecisionOutcome::not_met), said(DecisionOutcome::met, "b", "R-002")});
    REQUIRE(due.size() == 1);
    CHECK(due[0].rule_id == "R-001");
}

TEST_CASE("the same rule in two homes has two records") {
    Kept kept;
    auto there = said(DecisionOutcome::met);
    there.scope.home_id = "home-2";
    CHECK(kept.run("2026-01-15T12:00:00Z", {said(DecisionOutcome::not_met), there}).size() == 2);
    there.outcome = DecisionOutcome::gated;
    const auto due = kept.run("2026-01-15T12:01:00Z", {said(DecisionOutcome::not_met), there});
    REQUIRE(due.size() == 1);
    CHECK(due[0].scope.home_id == "home-2");
}

TEST_CASE("a record is a day long at most; the next one is no change and knows since when") {
    Kept kept;
    kept.run("2026-01-15T12:00:00Z", {said(DecisionOutcome::not_met)});
    for (auto now = at("2026-01-15T12:10:00Z"); now < at("2026-01-16T12:00:00Z"); now += 10min)
        kept.run(time::format_utc(now), {said(DecisionOutcome::not_met)});
    const auto due = kept.run("2026-01-16T12:00:00Z", {said(DecisionOutcome::not_met)});
    REQUIRE(due.size() == 1);
    CHECK(due[0].first_at == at("2026-01-16T12:00:00Z"));
    CHECK(due[0].since == at("2026-01-15T12:00:00Z"));
    CHECK(due[0].runs == 1);
    CHECK_FALSE(due[0].is_change());
}

TEST_CASE("a time in which nobody looked ends the record; a short one does not") {
    Kept kept;
    kept.run("2026-01-15T12:00:00Z", {said(DecisionOutcome::not_met)});
    CHECK(kept.run("2026-01-15T12:15:00Z", {said(DecisionOutcome::not_met)}).at(0).runs == 2);
    const auto due = kept.run("2026-01-15T12:30:00.000001Z", {said(DecisionOutcome::not_met)});
    REQUIRE(due.size() == 1);
    CHECK(due[0].runs == 1);
    CHECK(due[0].since == at("2026-01-15T12:00:00Z"));
    CHECK_FALSE(due[0].is_change());
}

TEST_CASE("the reason of a carried answer stays that of the run that asked") {
    Kept kept{0min};
    kept.run("2026-01-15T12:00:00Z", {said(DecisionOutcome::not_met, "the newest activity is 2 minutes old")});
    const auto due =
        kept.run("2026-01-15T12:01:00Z", {carried(DecisionOutcome::not_met, "the newest activity is 2 minutes old")});
    REQUIRE(due.size() == 1);
    CHECK(due[0].asked_at == at("2026-01-15T12:00:00Z"));
    CHECK(due[0].last_at == at("2026-01-15T12:01:00Z"));
    const auto next_day = kept.run("2026-01-16T12:01:00Z", {carried(DecisionOutcome::not_met, "other")});
    CHECK(next_day.at(0).asked_at == at("2026-01-15T12:00:00Z"));
    CHECK(next_day.at(0).reason == "the newest activity is 2 minutes old");
}

TEST_CASE("without a pause between flushes every run writes everything") {
    Kept kept{0min};
    kept.run("2026-01-15T12:00:00Z", {said(DecisionOutcome::not_met)});
    CHECK(kept.run("2026-01-15T12:01:00Z", {said(DecisionOutcome::not_met)}).size() == 1);
}

TEST_CASE("a run that was not committed changed nothing") {
    Kept kept;
    kept.run("2026-01-15T12:00:00Z", {said(DecisionOutcome::not_met)});
    const std::vector lost{said(DecisionOutcome::met)};
    CHECK(kept.book.due(lost, {"lost", at("2026-01-15T12:01:00Z"), 1min}).size() == 1);
    CHECK(kept.run("2026-01-15T12:02:00Z", {said(DecisionOutcome::not_met)}).empty());
    CHECK(kept.book.unwritten().at(0).runs == 2);
}

TEST_CASE("after a restart a record goes on where the stored one ended") {
    Kept before;
    before.run("2026-01-15T12:00:00Z", {said(DecisionOutcome::met)});
    before.run("2026-01-15T12:01:00Z", {said(DecisionOutcome::met)});
    auto stored = before.book.unwritten();
    REQUIRE(stored.size() == 1);
    before.book.written();
    CHECK(before.book.unwritten().empty());
    Kept after{5min, stored};
    const auto due = after.run("2026-01-15T12:03:00Z", {said(DecisionOutcome::met)});
    REQUIRE(due.size() == 1);  // the first run of a book writes all
    CHECK(due[0].first_at == at("2026-01-15T12:00:00Z"));
    CHECK(due[0].runs == 3);
    CHECK(Kept{5min, stored}.run("2026-01-15T12:03:00Z", {said(DecisionOutcome::error)}).at(0).is_change());
}

TEST_CASE("after kill -9 a change still ends the record, though its last runs were never written") {
    Kept before;
    before.run("2026-01-15T12:00:00Z", {said(DecisionOutcome::met)});
    before.run("2026-01-15T12:04:00Z", {said(DecisionOutcome::met)});
    Kept after{5min, before.rows};
    const auto due = after.run("2026-01-15T12:05:00Z", {said(DecisionOutcome::met)});
    REQUIRE(due.size() == 1);
    CHECK(due[0].first_at == at("2026-01-15T12:00:00Z"));
    CHECK(due[0].runs == 2);  // one was lost
}

TEST_CASE("the end of a record that no run looks at any more is written by the next flush") {
    Kept kept;
    kept.run("2026-01-15T12:00:00Z", {said(DecisionOutcome::met), said(DecisionOutcome::met, "b", "R-002")});
    kept.run("2026-01-15T12:01:00Z", {said(DecisionOutcome::met), said(DecisionOutcome::met, "b", "R-002")});
    const auto due = kept.run("2026-01-15T12:05:00Z", {said(DecisionOutcome::met)});
    REQUIRE(due.size() == 2);
    CHECK(due[1].rule_id == "R-002");
    CHECK(due[1].last_at == at("2026-01-15T12:01:00Z"));
}

TEST_CASE("two runs at one instant leave one record, that of the second") {
    Kept kept;
    kept.run("2026-01-15T12:00:00Z", {said(DecisionOutcome::not_met)});
    kept.run("2026-01-15T12:00:00Z", {said(DecisionOutcome::not_met)});
    const auto due = kept.run("2026-01-15T12:00:00Z", {said(DecisionOutcome::met)});
    REQUIRE(due.size() == 1);
    CHECK(due[0].outcome == DecisionOutcome::met);
}

TEST_CASE("a clock that was set back begins a new record and holds nothing back") {
    Kept kept;
    kept.run("2026-01-15T12:00:00Z", {said(DecisionOutcome::not_met)});
    const auto due = kept.run("2026-01-15T11:00:00Z", {said(DecisionOutcome::not_met)});
    REQUIRE(due.size() == 1);
    CHECK(due[0].first_at == at("2026-01-15T11:00:00Z"));
    CHECK(due[0].since == at("2026-01-15T11:00:00Z"));
}

TEST_CASE("a rule that comes back after days begins anew") {
    Kept kept;
    kept.run("2026-01-15T12:00:00Z", {said(DecisionOutcome::met)});
    kept.run("2026-01-18T12:00:00Z", {said(DecisionOutcome::met, "b", "R-002")});
    const auto due = kept.run("2026-01-18T12:01:00Z", {said(DecisionOutcome::met)});
    REQUIRE(due.size() == 1);
    CHECK(due[0].since == at("2026-01-18T12:01:00Z"));
}
