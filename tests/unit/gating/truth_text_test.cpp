#include "gating/truth_text.hpp"

#include <doctest/doctest.h>

using namespace varde;
using core::MonitorMode;

TEST_CASE("the truth's keys stand behind the rule's own; those without a value are left out") {
    CHECK(gating::evidence_with(R"({"event_ids":["e1"],"minutes":10,"share":1.0})", {}) ==
          R"({"event_ids":["e1"],"minutes":10,"share":1.0,"evaluation_mode":"independent","requires_baseline":false,)"
          R"("requires_profile":false,"evaluation_truth":"FULLY_EVALUATED","uses_default_profile":false,)"
          R"("profile_mode":"home_specific"})");
}

TEST_CASE("a rule cannot say of itself on which basis it was asked") {
    const auto evidence = gating::evidence_with(R"({"evaluation_truth":"FULLY_EVALUATED","baseline_ready":"mine"})",
                                                {.evaluation_mode = "baseline_dependent",
                                                 .requires_baseline = true,
                                                 .truth = gating::Truth::default_profile,
                                                 .baseline_ready = true});
    CHECK(evidence.starts_with(R"({"evaluation_truth":"DEFAULT_PROFILE","baseline_ready":true,)"));
    CHECK(evidence.find("mine") == std::string::npos);
}

TEST_CASE("what is kept names its events first, also if the rule named none, and only TEST leaves a mark") {
    const auto marked = gating::kept_evidence(R"({"minutes":10,"event_ids":["e1"]})", {}, MonitorMode::test);
    CHECK(marked.starts_with(R"({"event_ids":["e1"],"minutes":10,"evaluation_mode":)"));
    CHECK(marked.ends_with(R"(,"_monitor_mode":"TEST"})"));
    const auto plain = gating::kept_evidence("{}", {}, MonitorMode::on);
    CHECK(plain.starts_with(R"({"event_ids":[],"evaluation_mode":)"));
    CHECK(plain.find("_monitor_mode") == std::string::npos);
    CHECK(gating::kept_evidence("no object", {}, MonitorMode::on) == plain);
    CHECK(gating::kept_evidence("[1]", {}, MonitorMode::on) == plain);
}

TEST_CASE("as JSON every key is there, null where there is nothing to say") {
    CHECK(gating::truth_json({.evaluation_mode = "baseline_dependent",
                              .requires_baseline = true,
                              .truth = gating::Truth::weak_basis,
                              .gating_reason = "baseline_not_ready",
                              .basis_summary = "Svak vurdering: baseline ikke READY",
                              .baseline_ready = false,
                              .days_with_data = 2,
                              .coverage_room_bucket = 0.5}) ==
          R"({"evaluation_mode":"baseline_dependent","requires_baseline":true,"requires_profile":false,)"
          R"("evaluation_truth":"WEAK_BASIS","gating_reason":"baseline_not_ready",)"
          R"("basis_summary":"Svak vurdering: baseline ikke READY","uses_default_profile":false,)"
          R"("profile_mode":"home_specific","baseline_ready":false,"days_with_data":2,"min_days_required":null,)"
          R"("coverage_room_bucket":0.5,"coverage_transition":null})");
}
