#include "gating/rule_truth.hpp"

#include <doctest/doctest.h>

using namespace varde;
using gating::Truth;
using gating::truth_of;

namespace {

config::RuleSettings baseline_rule(std::optional<int> min_days = 3) {
    config::RuleSettings rule;
    rule.evaluation_mode = "baseline_dependent";
    rule.min_days_with_data = min_days;
    return rule;
}

core::BaselineStatus ready(std::int64_t days) {
    core::BaselineStatus status;
    status.ready = true;
    status.days_with_data = days;
    return status;
}

}  // namespace

TEST_CASE("an independent rule is asked whether or not there is a baseline, and says nothing about it") {
    const auto truth = truth_of({}, nullptr);
    CHECK(truth.asks());
    CHECK(truth.truth == Truth::fully_evaluated);
    CHECK(truth.gating_reason.empty());
    CHECK_FALSE(truth.baseline_ready.has_value());
    const auto status = ready(7);
    CHECK_FALSE(truth_of({}, &status).days_with_data.has_value());
}

TEST_CASE("the mode decides what a rule requires unless the rule says so itself") {
    auto rule = baseline_rule();
    CHECK(gating::requires_baseline(rule));
    CHECK_FALSE(gating::requires_profile(rule));
    rule.requires_baseline = false;
    CHECK(truth_of(rule, nullptr).asks());
    config::RuleSettings independent;
    independent.requires_baseline = true;
    CHECK_FALSE(truth_of(independent, nullptr).asks());
    config::RuleSettings profile;
    profile.evaluation_mode = "profile_dependent";
    CHECK(gating::requires_profile(profile));
}

TEST_CASE("a home without a row, one that is not ready and one with too few days are told apart, in this order") {
    auto status = ready(2);
    CHECK(truth_of(baseline_rule(), nullptr).gating_reason == "baseline_status_missing");
    CHECK(truth_of(baseline_rule(), &status).gating_reason == "insufficient_history_days");
    CHECK(truth_of(baseline_rule(), &status).truth == Truth::weak_basis);
    status.ready = false;
    CHECK(truth_of(baseline_rule(), &status).gating_reason == "baseline_not_ready");
    status = ready(3);
    CHECK(truth_of(baseline_rule(), &status).asks());
    CHECK(truth_of(baseline_rule(std::nullopt), &status).asks());
}

TEST_CASE("the standard night window is a basis of its own, but not for a rule that lacks its baseline") {
    auto rule = baseline_rule();
    rule.requires_profile = true;
    rule.profile_mode = "default_window";
    rule.uses_default_profile_when_missing = true;
    CHECK(truth_of(rule, nullptr).truth == Truth::not_evaluated);
    CHECK_FALSE(truth_of(rule, nullptr).uses_default_profile);
    const auto status = ready(3);
    CHECK(truth_of(rule, &status).truth == Truth::default_profile);
    CHECK(truth_of(rule, &status).uses_default_profile);
    CHECK(truth_of(rule, &status).asks());
    rule.uses_default_profile_when_missing = false;
    CHECK(truth_of(rule, &status).truth == Truth::fully_evaluated);
}

TEST_CASE("coverage is the supported part of what was seen, and unknown if nothing was") {
    auto status = ready(7);
    status.room_bucket_rows = 8;
    status.room_bucket_supported = 2;
    status.transition_rows = 0;
    status.transition_supported = 0;
    const auto truth = truth_of(baseline_rule(), &status);
    CHECK(truth.coverage_room_bucket == 0.25);
    CHECK_FALSE(truth.coverage_transition.has_value());
}
