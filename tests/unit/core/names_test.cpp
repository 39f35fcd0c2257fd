#include "core/deviation.hpp"
#include "core/error.hpp"
#include "core/run.hpp"
#include "core/schedule.hpp"
#include "core/verdict.hpp"

#include <doctest/doctest.h>
#include <set>
#include <string>

using namespace varde::core;

TEST_CASE("severities have the numbers and names of the contract, both ways") {
    const std::pair<Severity, const char*> all[] = {
        {Severity::low, "LOW"}, {Severity::medium, "MEDIUM"}, {Severity::high, "HIGH"}, {Severity::critical, "CRITICAL"}};
    int number = 1;
    for (const auto& [severity, name] : all) {
        CHECK(static_cast<int>(severity) == number++);
        CHECK(name_of(severity) == name);
        CHECK(severity_from(name) == severity);
    }
    CHECK_FALSE(severity_from("high").has_value());
    CHECK_FALSE(severity_from("").has_value());
}

TEST_CASE("deviation statuses have the names of the contract, both ways") {
    const std::pair<DeviationStatus, const char*> all[] = {
        {DeviationStatus::open, "OPEN"}, {DeviationStatus::ack, "ACK"}, {DeviationStatus::closed, "CLOSED"}};
    for (const auto& [status, name] : all) {
        CHECK(name_of(status) == name);
        CHECK(deviation_status_from(name) == status);
    }
    CHECK_FALSE(deviation_status_from("open").has_value());
}

TEST_CASE("outcomes and phases have the names of the contract") {
    CHECK(name_of(Outcome::unknown) == "unknown");
    CHECK(name_of(Outcome::met) == "met");
    CHECK(name_of(Outcome::not_met) == "not_met");
    CHECK(name_of(Outcome::no_data) == "no_data");
    CHECK(name_of(Phase::spawn) == "spawn");
    CHECK(name_of(Phase::load) == "load");
    CHECK(name_of(Phase::create) == "create");
    CHECK(name_of(Phase::evaluate) == "evaluate");
    CHECK(name_of(Phase::destroy) == "destroy");
}

TEST_CASE("every failure reason has a name of its own") {
    std::set<std::string_view> names;
    for (int i = 0; i <= static_cast<int>(FailureReason::not_loaded); ++i) names.insert(name_of(static_cast<FailureReason>(i)));
    CHECK(names.size() == 20);
    CHECK(names.contains("segmentation_fault"));
    CHECK(names.contains("deadline"));
    CHECK_FALSE(names.contains("unknown"));
}

TEST_CASE("every error code has a name of its own") {
    std::set<std::string_view> names;
    for (int i = 1; i <= static_cast<int>(Errc::forbidden); ++i) names.insert(name_of(static_cast<Errc>(i)));
    CHECK(names.size() == static_cast<std::size_t>(Errc::forbidden));
    CHECK_FALSE(names.contains("unknown"));
}

TEST_CASE("an error remembers where it was made") {
    const Result<int> failed = fail(Errc::conflict, "deviation 17");
    REQUIRE_FALSE(failed.has_value());
    CHECK(failed.error().context == "deviation 17");
    CHECK(std::string{failed.error().where.file_name()}.ends_with("names_test.cpp"));
}

TEST_CASE("the names of schedules and runs are those that the database and the API keep, both ways") {
    int number = 0;
    for (const auto* name : {"manual", "cron", "interval", "once", "event", "after"}) {
        CHECK(trigger_kind_from(name) == static_cast<TriggerKind>(number));
        CHECK(name_of(static_cast<TriggerKind>(number++)) == name);
    }
    number = 0;
    for (const auto* name :
         {"waiting", "pending", "running", "success", "failed", "cancelled", "skipped", "timed_out", "abandoned"}) {
        CHECK(run_state_from(name) == static_cast<RunState>(number));
        CHECK(is_terminal(static_cast<RunState>(number)) == (number >= 3));
        CHECK(name_of(static_cast<RunState>(number++)) == name);
    }
    number = 0;
    for (const auto* name : {"active", "paused", "disabled", "completed"}) {
        CHECK(schedule_state_from(name) == static_cast<ScheduleState>(number));
        CHECK(name_of(static_cast<ScheduleState>(number++)) == name);
    }
    CHECK(name_of(CatchUp::all) == "all");
    CHECK(catch_up_from("last") == CatchUp::last);
    CHECK(name_of(Overlap::cancel_other) == "cancel_other");
    CHECK(overlap_from("queue_one") == Overlap::queue_one);
    CHECK(name_of(SlotKind::after) == "after");
    CHECK(slot_kind_from("scheduled") == SlotKind::scheduled);
    CHECK_FALSE(run_state_from("RUNNING").has_value());
}

TEST_CASE("every reason has a name of its own and a sentence") {
    std::set<std::string_view> names;
    std::set<std::string_view> sentences;
    for (int number = 0; number <= static_cast<int>(SlotReason::retry); ++number) {
        const auto reason = static_cast<SlotReason>(number);
        names.insert(name_of(reason));
        sentences.insert(sentence_of(reason));
        CHECK(slot_reason_from(name_of(reason)) == reason);
        CHECK_FALSE(sentence_of(reason).empty());
    }
    CHECK(names.size() == static_cast<std::size_t>(SlotReason::retry) + 1);
    CHECK(sentences.size() == names.size());
    CHECK(name_of(SlotReason::misfire) == "misfire");
    CHECK_FALSE(slot_reason_from("unknown").has_value());
}
