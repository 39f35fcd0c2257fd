#include "config/schedule_definition.hpp"
#include "time/utc_text.hpp"

#include <string>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

using namespace varde;
using config::duration_text;
using config::read_duration;
using config::read_schedule;
using core::Instant;
using core::Microseconds;
using nlohmann::json;
using std::chrono::days;
using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

namespace {

Instant at(const char* text) { return time::parse_utc(text).value(); }

/// What is wrong with it; "" if nothing.
std::string fault(const json& definition) {
    const auto schedule = read_schedule(definition);
    if (schedule) return {};
    CHECK(schedule.error().code == core::Errc::invalid_argument);
    return schedule.error().context;
}

/// The smallest definition, and one member more, or another one.
json with(const char* key, json value) {
    json definition{{"kind", "noop"}, {"trigger", {{"manual", true}}}};
    definition[key] = std::move(value);
    return definition;
}

std::string trigger_fault(const char* text) { return fault(with("trigger", json::parse(text))); }
std::string policy_fault(const char* text) { return fault(with("policy", json::parse(text))); }

core::Trigger trigger_of(const char* text) { return read_schedule(with("trigger", json::parse(text))).value().trigger; }

core::Schedule full() {
    core::Schedule schedule;
    schedule.schedule_id = "nightly:home-1";
    schedule.name = "Nattlig opprydding";
    schedule.owner = "kari";
    schedule.labels = R"({"team":"care"})";
    schedule.kind = "http";
    schedule.params = R"({"body":{"n":1.5},"url":"http://127.0.0.1/x"})";
    auto& trigger = schedule.trigger;
    trigger.kind = core::TriggerKind::cron;
    trigger.expression = "30 2 * * MON-FRI";
    trigger.zone = "Europe/Oslo";
    trigger.day_match = core::DayMatch::both;
    trigger.gap = core::GapPolicy::skip;
    trigger.overlap = core::OverlapPolicy::second;
    auto& policy = schedule.policy;
    policy.misfire_grace = minutes{5};
    policy.coalesce = false;
    policy.catch_up = core::CatchUp::all;
    policy.catch_up_max = 7;
    policy.catch_up_window = days{2};
    policy.overlap = core::Overlap::queue_all;
    policy.max_instances = 3;
    policy.max_queued = 9;
    policy.retry = {4, milliseconds{1500}, minutes{2}, false};
    policy.run_timeout = hours{2};
    policy.jitter = seconds{40};
    policy.priority = -5;
    policy.queue = "slow";
    policy.starts_at = at("2026-01-01T00:00:00Z");
    policy.ends_at = at("2027-01-01T00:00:00Z");
    policy.window_since = at("2026-02-01T00:00:00Z");
    policy.window_until = at("2026-03-01T00:00:00Z");
    policy.depends_on = {"a", "b"};
    policy.dependency_timeout = minutes{90};
    schedule.state = core::ScheduleState::disabled;
    return schedule;
}

}  // namespace

TEST_CASE("a definition with every field is read back as it was written") {
    const auto schedule = full();
    const auto text = config::definition_json(schedule).dump();
    CHECK(read_schedule(json::parse(text)).value() == schedule);
}

TEST_CASE("the defaults of a definition are those of core/schedule.hpp, and are written in full") {
    const auto schedule = read_schedule(with("name", "x")).value();
    CHECK(schedule.policy == core::SchedulePolicy{});
    CHECK(schedule.state == core::ScheduleState::active);
    CHECK(schedule.labels == "{}");
    CHECK(schedule.params == "{}");
    CHECK(schedule.schedule_id.empty());
    CHECK(config::definition_json(schedule).dump() ==
          R"({"id":"","name":"x","owner":"","labels":{},"kind":"noop","params":{},"trigger":{"manual":true},)"
          R"("policy":{"coalesce":true,"catch_up":"last","catch_up_max":100,"overlap":"skip","max_instances":1,"max_queued":100,)"
          R"("retry":{"max_attempts":1,"backoff":"1s","max_backoff":"5m","exponential":true},"run_timeout":"10m","jitter":"0s",)"
          R"("priority":0,"queue":"default","depends_on":[],"dependency_timeout":"1h"},"enabled":true})");
}

TEST_CASE("each kind of trigger is read, and written as it is read") {
    for (const char* text :
         {R"({"manual":true})", R"({"every":"15m"})", R"({"every":"1h30m","anchor":"2026-01-01T00:05:00Z"})",
          R"({"every":"250ms","after_completion":true})", R"({"at":"2026-05-01T08:00:00.250000Z"})",
          R"({"event":"door","debounce":"2s"})",
          R"({"cron":"0 3 * * *","timezone":"Europe/Oslo","day_match":"either","gap":"run_once","repeated_hour":"auto"})"}) {
        CHECK(config::trigger_json(trigger_of(text)).dump() == text);
        CHECK(config::read_trigger(json::parse(text)).value() == trigger_of(text));
    }
    CHECK(trigger_of(R"({"cron":"0 3 * * *"})").zone == "UTC");
    CHECK(trigger_of(R"({"every":90})").period == seconds{90});
    const auto after = config::read_trigger(json::parse(R"({"after_success":true})")).value();
    CHECK(after.kind == core::TriggerKind::after);
    CHECK(config::trigger_json(after).dump() == R"({"after_success":true})");
}

TEST_CASE("the policy alone is read back as it was written") {
    const auto policy = full().policy;
    CHECK(config::read_policy(json::parse(config::policy_json(policy).dump())).value() == policy);
    CHECK(config::read_policy(json::parse(R"({"jitter":"2d"})")).error().context == "policy.jitter: must be from 0s to 1d");
}

TEST_CASE("a fault names its place and what is allowed") {
    CHECK(fault(json::array()) == "must be an object");
    CHECK(fault(with("id", "")) == "id: must have 1 to 100 characters");
    CHECK(fault(with("id", "a b")) == "id: may have letters, digits and . _ - : only");
    CHECK(fault(with("name", 5)) == "name: must be a text");
    CHECK(fault(with("owner", std::string(201, 'x'))) == "owner: must have 0 to 200 characters");
    CHECK(fault(with("labels", {{"a", 1}})) == "labels: must be an object of texts");
    CHECK(fault(with("params", json::array())) == "params: must be an object");
    CHECK(fault(with("params", {{"x", std::string(70'000, 'x')}})) == "params: must have at most 65536 bytes");
    CHECK(fault(with("enabled", "yes")) == "enabled: must be true or false");
    CHECK(fault(with("policy", 1)) == "policy: must be an object");
    CHECK(fault(with("trigger", 1)) == "trigger: must be an object");
}

TEST_CASE("what is nested too deep is refused") {
    json deep = 1;
    for (int i = 0; i < 30; ++i) deep = json::array({std::move(deep)});
    CHECK(fault(with("params", {{"a", deep}})).empty());
    CHECK(fault(with("params", {{"a", json::array({deep})}})) == "must not be nested deeper than 32 levels");
}

TEST_CASE("what must be there is missing if it is null, too") {
    const std::string no_kind = "kind: is missing: what is to be run";
    const std::string no_trigger = R"(trigger: is missing: such as {"cron": "0 3 * * *"}, {"every": "15m"} or {"manual": true})";
    CHECK(fault({{"trigger", {{"manual", true}}}}) == no_kind);
    CHECK(fault(with("kind", nullptr)) == no_kind);
    CHECK(fault({{"kind", "noop"}}) == no_trigger);
    CHECK(fault(with("trigger", nullptr)) == no_trigger);
    CHECK(trigger_fault(R"({"cron":null})") == "trigger: must have one of cron, every, at, event, after_success and manual");
    CHECK(fault(with("policy", {{"misfire_grace", nullptr}, {"ends_at", nullptr}})).empty());
}

TEST_CASE("the faults of a trigger") {
    CHECK(trigger_fault("{}") == "trigger: must have one of cron, every, at, event, after_success and manual");
    CHECK(trigger_fault(R"({"every":"5m","manual":true})") ==
          "trigger: must have one of cron, every, at, event, after_success and manual");
    CHECK(trigger_fault(R"({"every":"5x"})") == "trigger.every: '5x' is no duration such as 30s, 5m, 1h30m or 1d");
    CHECK(trigger_fault(R"({"every":"0s"})") == "trigger.every: must be from 1ms to 400d");
    CHECK(trigger_fault(R"({"every":"5m","anchor":"noon"})").starts_with("trigger.anchor: "));
    CHECK(trigger_fault(R"({"every":"5m","timezone":"UTC"})") == "trigger.timezone: unknown key");
    CHECK(trigger_fault(R"({"cron":"0 3 * * *","timezone":"Europe/Olso"})") ==
          "trigger.timezone: there is no IANA time zone 'Europe/Olso'");
    CHECK(trigger_fault(R"({"cron":"0 3 * * *","gap":"fill"})") == "trigger.gap: must be one of run_once, skip");
    CHECK(trigger_fault(R"({"cron":"0 3 * * *","repeated_hour":"never"})") ==
          "trigger.repeated_hour: must be one of auto, first, second, both");
    CHECK(trigger_fault(R"({"cron":"0 3 * * *","day_match":"or"})") == "trigger.day_match: must be one of either, both");
    CHECK(trigger_fault(R"({"cron":"61 * * * *"})").starts_with("trigger.cron: cron field minute: \"61\" is not allowed"));
    CHECK(trigger_fault(R"({"cron":"0 0 30 2 *"})") == "trigger.cron: '0 0 30 2 *' never fires: no day of any year has it");
    CHECK(trigger_fault(R"({"cron":""})") == "trigger.cron: must have 1 to 200 characters");
    CHECK(trigger_fault(R"({"at":5})") == "trigger.at: must be a text");
    CHECK(trigger_fault(R"({"event":""})") == "trigger.event: must have 1 to 100 characters");
    CHECK(trigger_fault(R"({"event":"door","debounce":"2h"})") == "trigger.debounce: must be from 0s to 1h");
    CHECK(trigger_fault(R"({"manual":false})") == "trigger.manual: must be true, or another kind of trigger");
    CHECK(trigger_fault(R"({"after_success":false})") ==
          "trigger.after_success: must be true; policy.depends_on names the schedules; "
          "policy.depends_on: must name the schedules that trigger.after_success waits for");
    CHECK(trigger_fault(R"({"after_success":true})") ==
          "policy.depends_on: must name the schedules that trigger.after_success waits for");
}

TEST_CASE("the faults of a policy, each at the ends of its range") {
    CHECK(policy_fault(R"({"misfire_grace":"999ms"})") == "policy.misfire_grace: must be from 1s to 400d");
    CHECK(policy_fault(R"({"misfire_grace":"401d"})") == "policy.misfire_grace: must be from 1s to 400d");
    CHECK(policy_fault(R"({"catch_up":"newest"})") == "policy.catch_up: must be one of none, last, first, all");
    CHECK(policy_fault(R"({"catch_up_max":0})") == "policy.catch_up_max: must be a whole number from 1 to 10000");
    CHECK(policy_fault(R"({"catch_up_max":1.5})") == "policy.catch_up_max: must be a whole number from 1 to 10000");
    CHECK(policy_fault(R"({"catch_up_window":"0s"})") == "policy.catch_up_window: must be from 1s to 400d");
    CHECK(policy_fault(R"({"overlap":"wait"})") == "policy.overlap: must be one of skip, queue_one, queue_all, cancel_other");
    CHECK(policy_fault(R"({"max_instances":1001})") == "policy.max_instances: must be a whole number from 1 to 1000");
    CHECK(policy_fault(R"({"max_queued":18446744073709551615})") == "policy.max_queued: must be a whole number from 1 to 10000");
    CHECK(policy_fault(R"({"retry":[]})") == "policy.retry: must be an object");
    CHECK(policy_fault(R"({"retry":{"max_attempts":101}})") == "policy.retry.max_attempts: must be a whole number from 1 to 100");
    CHECK(policy_fault(R"({"retry":{"backoff":"25h"}})") == "policy.retry.backoff: must be from 0s to 1d");
    CHECK(policy_fault(R"({"retry":{"max_backoff":"-1s"}})").starts_with("policy.retry.max_backoff: '-1s' is no duration"));
    CHECK(policy_fault(R"({"retry":{"exponential":1}})") == "policy.retry.exponential: must be true or false");
    CHECK(policy_fault(R"({"run_timeout":0})") == "policy.run_timeout: must be from 1s to 7d");
    CHECK(policy_fault(R"({"jitter":"2d"})") == "policy.jitter: must be from 0s to 1d");
    CHECK(policy_fault(R"({"priority":101})") == "policy.priority: must be a whole number from -100 to 100");
    CHECK(policy_fault(R"({"queue":""})") == "policy.queue: must have 1 to 100 characters");
    CHECK(policy_fault(R"({"starts_at":"2026-01-01T00:00:00Z","ends_at":"2026-01-01T00:00:00Z"})") ==
          "policy.ends_at: must be later than starts_at");
    CHECK(policy_fault(R"({"window":{"start":1}})") == "policy.window.start: must be a text");
    CHECK(policy_fault(R"({"depends_on":["a","a"]})") ==
          "policy.depends_on: must be a list of at most 100 different texts of 1 to 100 characters");
    CHECK(policy_fault(R"({"depends_on":"a"})") ==
          "policy.depends_on: must be a list of at most 100 different texts of 1 to 100 characters");
    CHECK(policy_fault(R"({"dependency_timeout":"0s"})") == "policy.dependency_timeout: must be from 1s to 400d");
    CHECK(policy_fault(R"({"priority":-100,"max_instances":1000,"jitter":"1d","run_timeout":"7d"})").empty());
}

TEST_CASE("an unknown key is an error, with the one that was probably meant") {
    CHECK(fault(with("polcy", json::object())) == "polcy: unknown key; did you mean 'policy'?");
    CHECK(policy_fault(R"({"max_instance":2})") == "policy.max_instance: unknown key; did you mean 'max_instances'?");
    CHECK(policy_fault(R"({"retry":{"back_off":"1s"}})") == "policy.retry.back_off: unknown key; did you mean 'backoff'?");
    CHECK(policy_fault(R"({"window":{"until":"2026-01-01T00:00:00Z"}})") == "policy.window.until: unknown key");
}

TEST_CASE("all faults are told at once") {
    const auto told = fault(json::parse(R"({"id":"a b","kind":"","trigger":{"every":"x"},"policy":{"priority":500},"extra":1})"));
    CHECK(told ==
          "id: may have letters, digits and . _ - : only; kind: must have 1 to 100 characters; "
          "trigger.every: 'x' is no duration such as 30s, 5m, 1h30m or 1d; "
          "policy.priority: must be a whole number from -100 to 100; extra: unknown key");
}

TEST_CASE("durations are sums of whole numbers with units, largest first, or seconds") {
    CHECK(read_duration("90s").value() == seconds{90});
    CHECK(read_duration("1d2h3m4s5ms6us").value() ==
          days{1} + hours{2} + minutes{3} + seconds{4} + milliseconds{5} + Microseconds{6});
    CHECK(read_duration("0s").value() == seconds{0});
    CHECK(read_duration(2.5).value() == milliseconds{2500});
    CHECK(read_duration(0).value() == seconds{0});
    for (const json& wrong : {json{""}, json{"5"}, json{"s"}, json{"5 m"}, json{"5m "}, json{"1m1h"}, json{"1m1m"}, json{"1.5h"},
                              json{"-5m"}, json{"5M"}, json{"99999999999999999999s"}, json{"9999999d"}, json{-1}, json{1e300},
                              json(nullptr), json{true}, json::array(), json::object()}) {
        CHECK_MESSAGE(!read_duration(wrong).has_value(), wrong.dump());
    }
}

TEST_CASE("a duration is written as it is read") {
    for (const char* text : {"0s", "1us", "250ms", "30s", "1m30s", "1h", "1d", "400d", "2d3h4m5s6ms7us"}) {
        CHECK(duration_text(read_duration(text).value()) == text);
    }
    CHECK(duration_text(seconds{3600}) == "1h");
}
