// misfire.jsonl: what other schedulers do, or should have done, with slots that are late. Each line that names slots is decided by
// schedule/slot_decision with the policy that means the same here.
#include "due_fixture.hpp"

#include <doctest/doctest.h>
#include <fstream>
#include <set>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

using namespace varde;
using namespace std::chrono_literals;
using nlohmann::json;

namespace {

std::vector<json> vectors() {
    std::ifstream file{std::string{VARDE_SOURCE_DIR} + "/../shared/conformance/misfire.jsonl"};
    std::vector<json> all;
    for (std::string line; std::getline(file, line);) all.push_back(json::parse(line));
    if (all.empty()) MESSAGE("SKIPPED: ../shared/conformance/misfire.jsonl is not here");
    return all;
}

std::optional<json> vector(const std::string& id) {
    for (auto& one : vectors()) {
        if (one.at("id") == id) return one;
    }
    return std::nullopt;
}

std::vector<core::Instant> instants(const json& list) {
    std::vector<core::Instant> all;
    for (const auto& text : list) all.push_back(due::at(text.get<std::string>()));
    return all;
}

/// What a schedule with this cursor does at `now`.
ports::DueDecision decided(core::Schedule schedule, core::Instant now) {
    if (!schedule.next_at || *schedule.next_at > now) return {schedule.next_at, schedule.last_nominal, false, false, {}};
    return schedule::decide({std::move(schedule), 0, 0, {}}, now, false);
}

/// A minute schedule whose cursor is 185 s back, as the vectors 16 to 18 have it.
core::Schedule three_minutes_late(core::Instant now) {
    auto schedule = due::every(60s, now - 185s);
    schedule.next_at = now - 185s;
    schedule.policy.catch_up_max = 10;
    return schedule;
}

/// An hourly schedule after a time in which nobody ran it, as 32 to 34 have it.
core::Schedule down_for_five_hours(core::Instant now) {
    auto schedule = due::cron("0 0 * * * ?");
    schedule.next_at = now - 5h;
    schedule.policy.misfire_grace = 60s;
    return schedule;
}

const core::Instant noon = due::at("2026-01-15T12:30:00Z");

}  // namespace

TEST_CASE("Kubernetes: at most one run, the latest unmet time, however irregular the schedule") {
    int asked = 0;
    for (const auto& line : vectors()) {
        if (line.value("policy", "") != "run at most one: the latest unmet time") continue;
        const auto id = line.at("id").get<std::string>();
        CAPTURE(id);
        const auto text = line.at("schedule").get<std::string>();
        const auto created = due::at(line.at("created").get<std::string>());
        const auto last = line.contains("last_fire") ? due::at(line.at("last_fire").get<std::string>()) : created;
        const auto now = due::at(line.at("now").get<std::string>());
        auto schedule = text.starts_with("@every") ? due::every(1h, last) : due::cron(text);
        const auto times = schedule::TriggerTimes::of(schedule);
        ++asked;
        if (line.value("error", false)) {
            CHECK_FALSE(times.has_value());
            continue;
        }
        schedule.next_at = times->next(last);
        const auto decision = decided(schedule, now);
        CHECK(due::fires(decision) == instants(line.at("expect_fire")));
        CHECK(decision.next_at > now);
    }
    if (asked > 0) CHECK(asked == 16);
}

TEST_CASE("APScheduler: coalesce all, earliest and latest are the catch-up policies all, first and last") {
    for (const auto& [id, policy] :
         {std::pair{"m16", core::CatchUp::all}, std::pair{"m17", core::CatchUp::first}, std::pair{"m18", core::CatchUp::last}}) {
        const auto line = vector(id);
        if (!line) return;
        CAPTURE(id);
        auto schedule = three_minutes_late(noon);
        schedule.policy.catch_up = policy;
        schedule.policy.max_instances = 10;
        const auto decision = decided(schedule, noon);
        const auto fires = due::fires(decision);
        CHECK(static_cast<int>(fires.size()) == line->at("expect_count").get<int>());
        CHECK(fmt::format("N{}s", (fires.front() - noon) / 1s) == line->at("expect_first_nominal").get<std::string>());
        CHECK(decision.next_at == noon + 55s);
    }
}

TEST_CASE("APScheduler: slots up to now are due, each once, and none before it") {
    for (const auto* id : {"m19", "m20", "m21"}) {
        const auto line = vector(id);
        if (!line) return;
        CAPTURE(id);
        auto schedule = due::every(1s, due::at(line->at("next").get<std::string>()));
        schedule.next_at = schedule.trigger.anchor;
        schedule.policy.coalesce = false;
        schedule.policy.max_instances = 10;
        CHECK(due::fires(decided(schedule, due::at(line->at("now").get<std::string>()))) == instants(line->at("expect_fire")));
    }
}

TEST_CASE("APScheduler: a plain time in the hour that comes twice fires in the first pass only") {
    const auto line = vector("m22");
    if (!line) return;
    auto schedule = due::cron("10 0 1 * * *", "America/New_York");
    schedule.next_at = due::at(line->at("next").get<std::string>());
    CHECK(due::fires(decided(schedule, due::at(line->at("now").get<std::string>()))) ==
          std::vector{due::at("2025-11-02T05:00:10Z")});
    CHECK(line->at("note").get<std::string>().find("our promise is the first pass only") != std::string::npos);
}

TEST_CASE("a grace of one second without catch-up drops what is 1.8 s late, with a record") {
    const auto line = vector("m23");
    if (!line) return;
    auto schedule = due::every(60s, noon);
    schedule.next_at = noon;
    schedule.policy.misfire_grace = 1s;
    schedule.policy.catch_up = core::CatchUp::none;
    const auto decision = decided(schedule, noon + 1800ms);
    CHECK(due::fires(decision) == instants(line->at("expect_fire")));
    CHECK(due::left_out(decision, core::SlotReason::misfire).size() == 1);
}

TEST_CASE("graphile-worker: a clock that goes back or trembles fires no slot twice and loses none") {
    for (const auto* id : {"m24", "m25", "m26", "m27"}) {
        const auto line = vector(id);
        if (!line) return;
        CAPTURE(id);
        auto schedule = due::cron(line->at("schedule").get<std::string>());
        std::vector<core::Instant> fired;
        bool begun = false;
        for (const auto now : instants(line->at("clock"))) {
            if (!std::exchange(begun, true)) schedule.next_at = schedule::TriggerTimes::of(schedule)->next(now);
            const auto decision = decided(schedule, now);
            schedule.next_at = decision.next_at;
            schedule.last_nominal = decision.last_nominal;
            for (const auto slot : due::fires(decision)) fired.push_back(slot);
        }
        CHECK(fired == instants(line->at("expect_fire")));
    }
}

TEST_CASE("a catch-up window makes up for every missed slot in it, and for none before") {
    if (!vector("m28")) return;
    auto schedule = due::cron("30 4 * * *");
    schedule.next_at = due::at("2026-01-05T04:30:00Z");
    schedule.policy.catch_up = core::CatchUp::all;
    schedule.policy.catch_up_window = std::chrono::days{2};
    schedule.policy.max_instances = 10;
    const auto decision = decided(schedule, noon);
    CHECK(due::fires(decision) == instants({"2026-01-14T04:30:00Z", "2026-01-15T04:30:00Z"}));
    const auto lost = due::left_out(decision, core::SlotReason::misfire);
    REQUIRE(lost.size() == 1);
    CHECK(lost.front().slots == 9);
    CHECK(lost.front().nominal_from == due::at("2026-01-05T04:30:00Z"));
    CHECK(lost.front().nominal_at == due::at("2026-01-13T04:30:00Z"));
}

TEST_CASE("Oban: with a grace of a minute and no catch-up a slot is lost when everybody was down over it, and the row says so") {
    if (!vector("m29")) return;
    auto schedule = due::cron("0 * * * *");
    schedule.next_at = due::at("2026-01-15T12:00:00Z");
    schedule.policy.misfire_grace = 60s;
    schedule.policy.catch_up = core::CatchUp::none;
    CHECK(due::fires(decided(schedule, due::at("2026-01-15T12:00:30Z"))).size() == 1);
    const auto late = decided(schedule, due::at("2026-01-15T12:01:01Z"));
    CHECK(due::fires(late).empty());
    CHECK(due::left_out(late, core::SlotReason::misfire).front().nominal_at == due::at("2026-01-15T12:00:00Z"));
}

TEST_CASE("Prometheus: slots that pass during a run are counted, and the next one is on the grid") {
    const auto line = vector("m30");
    if (!line) return;
    const auto start = noon;
    auto schedule = due::every(60s, start);
    schedule.last_nominal = start;
    std::int64_t missed = 0;
    for (schedule.next_at = start + 60s; *schedule.next_at <= start + 150s;) {
        const auto decision = schedule::decide({schedule, 1, 0, {}}, *schedule.next_at, false);
        CHECK(due::fires(decision).empty());
        missed += due::left_out(decision, core::SlotReason::overlap).front().slots;
        schedule.next_at = decision.next_at;
    }
    CHECK(missed == line->at("expect_missed").get<int>());
    CHECK(*schedule.next_at == start + 180s);
}

TEST_CASE("Temporal: after an outage skip starts one, and a queue keeps at most as many as it may") {
    if (!vector("m31")) return;
    auto schedule = due::every(60s, noon - 24h);
    schedule.next_at = noon - 24h;
    schedule.policy.catch_up = core::CatchUp::all;
    schedule.policy.catch_up_max = 10'000;
    CHECK(due::fires(decided(schedule, noon)).size() == 1);
    schedule.policy.overlap = core::Overlap::queue_all;
    schedule.policy.max_queued = 1'000;
    CHECK(due::fires(decided(schedule, noon)).size() == 1'000);
}

TEST_CASE("Quartz: fire once now, do nothing, and ignore the misfires") {
    const auto once = vector("m32");
    if (!once) return;
    auto schedule = down_for_five_hours(noon);
    CHECK(static_cast<int>(due::fires(decided(schedule, noon)).size()) == once->at("expect_count").get<int>());
    schedule.policy.catch_up = core::CatchUp::none;
    CHECK(static_cast<int>(due::fires(decided(schedule, noon)).size()) == vector("m33")->at("expect_count").get<int>());
    schedule.policy.catch_up = core::CatchUp::all;
    schedule.policy.max_instances = 100;
    CHECK(vector("m34")->at("expect_count") == "all missed");
    CHECK(due::fires(decided(schedule, noon)).size() == 6);
}

TEST_CASE("Hangfire, River: a long outage can be made up for once, or not at all") {
    if (!vector("m35") || !vector("m36")) return;
    auto ten_minutes = due::cron("*/10 * * * *");
    ten_minutes.next_at = noon - 24h;
    CHECK(due::fires(decided(ten_minutes, noon)) == std::vector{noon});
    auto five_seconds = due::every(5s, noon - std::chrono::days{14});
    five_seconds.next_at = noon - std::chrono::days{14};
    five_seconds.policy.catch_up = core::CatchUp::none;
    const auto decision = decided(five_seconds, noon + 1s);
    CHECK(due::fires(decision) == std::vector{noon});  // timely: the grace is a minute
    const auto lost = due::left_out(decision, core::SlotReason::misfire);
    REQUIRE(lost.size() == 1);
    CHECK(lost.front().nominal_from == noon - std::chrono::days{14});
    CHECK(lost.front().more_slots);  // 241,920 of them: more than are counted one by one
    CHECK(decision.next_at == noon + 5s);
}

TEST_CASE("a slot at a change of hosts is late, not lost: its cursor is a row, not a leader's memory") {
    const auto line = vector("m37");
    if (!line || !vector("m38")) return;
    auto schedule = due::cron("0 10 * * *");
    schedule.next_at = due::at("2026-01-15T10:00:00Z");
    CHECK(line->at("expect_fire") == json::array({"10:00"}));
    CHECK(due::fires(decided(schedule, due::at("2026-01-15T10:00:00.7Z"))) == instants({"2026-01-15T10:00:00Z"}));
}

TEST_CASE("every line of misfire.jsonl is reproduced above") {
    const auto all = vectors();
    if (all.empty()) return;
    std::set<std::string> ids;
    for (const auto& line : all) ids.insert(line.at("id").get<std::string>());
    CHECK(ids.size() == 39);
    CHECK(*ids.begin() == "m00");
    CHECK(*ids.rbegin() == "m38");
}
