#include "config/schedule_definition.hpp"
#include "time/cron.hpp"
#include "time/utc_text.hpp"

#include <string>
#include <vector>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

using namespace varde;
using nlohmann::json;

namespace {

core::Result<core::Schedule> read(const char* frequency, const char* time_config) {
    return config::read_schedule(json{{"kind", "http"}, {"frequency", frequency}, {"time_config", json::parse(time_config)}});
}

std::string expression(const char* frequency, const char* time_config) {
    const auto schedule = read(frequency, time_config);
    return schedule ? schedule->trigger.expression : schedule.error().context;
}

std::string fault(const char* frequency, const char* time_config) {
    const auto schedule = read(frequency, time_config);
    return schedule ? "accepted" : schedule.error().context;
}

/// All fires from 2024 (a leap year) to 2027, UTC: "2024-02-29T09:30:00Z".
std::vector<std::string> four_years(const core::Trigger& trigger) {
    const auto zone = time::ZoneOffsets::find(trigger.zone);
    const auto spec = time::CronSpec::parse(trigger.expression).value();
    std::vector<std::string> fires;
    auto at = time::parse_utc("2023-12-31T23:59:59Z").value();
    const auto end = time::parse_utc("2028-01-01T00:00:00Z").value();
    while (const auto next = spec.next(at, *zone)) {
        if (*next >= end) break;
        at = *next;
        fires.push_back(time::format_utc(at));
    }
    return fires;
}

}  // namespace

TEST_CASE("hourly, daily, weekly, monthly and custom become cron expressions") {
    CHECK(expression("hourly", R"({"minute": 0})") == "0 * * * *");
    CHECK(expression("daily", R"({"hour": 9, "minute": 30})") == "30 9 * * *");
    CHECK(expression("weekly", R"({"day": "friday", "hour": 0, "minute": 59})") == "59 0 * * FRI");
    CHECK(expression("monthly", R"({"day": 1, "hour": 23, "minute": 5})") == "5 23 1 * *");
    CHECK(expression("custom", R"({"cron": "0 */6 * * *"})") == "0 */6 * * *");
    const auto trigger = read("daily", R"({"hour": 9, "minute": 30})").value().trigger;
    CHECK(trigger.kind == core::TriggerKind::cron);
    CHECK(trigger.zone == "UTC");
}

TEST_CASE("a weekday is a long or a short name in any case, or a number that counts from Monday, under either key") {
    for (const char* day : {R"("friday")", R"("FRIDAY")", R"("Fri")", R"("fri")", "4"}) {
        for (const char* key : {"day", "day_of_week"}) {
            const auto text = std::string{R"({"hour":9,"minute":0,")"} + key + "\":" + day + "}";
            CHECK(expression("weekly", text.c_str()) == "0 9 * * FRI");
        }
    }
    CHECK(expression("weekly", R"({"day": 0, "hour": 9, "minute": 0})") == "0 9 * * MON");
    CHECK(expression("weekly", R"({"day": 6, "hour": 9, "minute": 0})") == "0 9 * * SUN");
    CHECK(expression("weekly", R"({"day": "Mon", "day_of_week": "monday", "hour": 9, "minute": 0})") == "0 9 * * MON");
    CHECK(expression("weekly", R"({"day": 0, "day_of_week": "tue", "hour": 9, "minute": 0})") ==
          "time_config.day_of_week: names another weekday than time_config.day");
}

TEST_CASE("a weekly schedule of fridays fires on Fridays") {
    const auto fires = four_years(read("weekly", R"({"day_of_week": "friday", "hour": 9, "minute": 0})").value().trigger);
    CHECK(fires.size() == 209);
    CHECK(fires.front() == "2024-01-05T09:00:00Z");  // a Friday
    CHECK(fires.back() == "2027-12-31T09:00:00Z");   // a Friday
}

TEST_CASE("a day that a month does not have is its last day: one fire a month, over four years") {
    constexpr std::array<int, 12> kLengths{31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    for (int day = 1; day <= 31; ++day) {
        const json definition{
            {"kind", "http"}, {"frequency", "monthly"}, {"time_config", {{"day", day}, {"hour", 9}, {"minute", 30}}}};
        const auto fires = four_years(config::read_schedule(definition).value().trigger);
        REQUIRE(fires.size() == 48);
        for (int month = 0; month < 48; ++month) {
            const auto length = kLengths.at(static_cast<std::size_t>(month % 12)) + (month == 1 ? 1 : 0);
            char wanted[64];
            std::snprintf(wanted, sizeof wanted, "%d-%02d-%02dT09:30:00Z", 2024 + month / 12, month % 12 + 1,
                          std::min(day, length));
            CHECK(fires[static_cast<std::size_t>(month)] == wanted);
        }
    }
}

TEST_CASE("a key that is missing, out of range or of another type is an error that names it") {
    CHECK(fault("hourly", "{}") == "time_config.minute: is missing: a whole number from 0 to 59");
    CHECK(fault("hourly", R"({"minute": null})") == "time_config.minute: is missing: a whole number from 0 to 59");
    CHECK(fault("hourly", R"({"minute": 60})") == "time_config.minute: must be a whole number from 0 to 59");
    CHECK(fault("hourly", R"({"minute": "5"})") == "time_config.minute: must be a whole number from 0 to 59");
    CHECK(fault("daily", R"({"hour": 24, "minute": -1})") ==
          "time_config.minute: must be a whole number from 0 to 59; time_config.hour: must be a whole number from 0 to 23");
    CHECK(fault("daily", R"({"minute": 0})") == "time_config.hour: is missing: a whole number from 0 to 23");
    CHECK(fault("daily", R"({"hour": 9.5, "minute": 0})") == "time_config.hour: must be a whole number from 0 to 23");
    CHECK(fault("weekly", R"({"hour": 9, "minute": 0})") ==
          "time_config.day: is missing: a weekday, such as monday; day_of_week is the same");
    const std::string no_weekday = "must be a weekday: monday to sunday, mon to sun, or a number from 0 (Monday) to 6 (Sunday)";
    for (const char* day : {"7", "-1", R"("frida")", R"("")", "true", "1.5", "[]"}) {
        const auto text = std::string{R"({"hour":9,"minute":0,"day":)"} + day + "}";
        CHECK(fault("weekly", text.c_str()) == "time_config.day: " + no_weekday);
    }
    CHECK(fault("weekly", R"({"hour": 9, "minute": 0, "day_of_week": "someday"})") == "time_config.day_of_week: " + no_weekday);
    CHECK(fault("monthly", R"({"day": 0, "hour": 9, "minute": 0})") == "time_config.day: must be a whole number from 1 to 31");
    CHECK(fault("monthly", R"({"day": 32, "hour": 9, "minute": 0})") == "time_config.day: must be a whole number from 1 to 31");
    CHECK(fault("monthly", R"({"day": "first", "hour": 9, "minute": 0})") ==
          "time_config.day: must be a whole number from 1 to 31");
    CHECK(fault("custom", "{}") == "time_config.cron: is missing: a cron expression, such as 0 */6 * * *");
    CHECK(fault("custom", R"({"cron": 5})") == "time_config.cron: must be a text");
    CHECK(fault("custom", R"({"cron": "invalid"})").starts_with("time_config.cron: "));
    CHECK(fault("custom", R"({"cron": "0 0 31 4 *"})") ==
          "time_config.cron: '0 0 31 4 *' never fires: no day of any year has it");
    CHECK(fault("daily", "[]") == "time_config: must be an object");
}

TEST_CASE("what belongs to another frequency is not taken and then ignored") {
    CHECK(fault("weekly", R"({"day": 1, "hour": 9, "minute": 0, "cron": "0 9 * * 1"})") ==
          "time_config.cron: is no part of a schedule that is weekly");
    CHECK(fault("daily", R"({"day": 1, "hour": 9, "minute": 0})") == "time_config.day: is no part of a schedule that is daily");
    CHECK(fault("hourly", R"({"hour": 9, "minute": 0})") == "time_config.hour: is no part of a schedule that is hourly");
    CHECK(fault("monthly", R"({"day": 1, "day_of_week": 1, "hour": 9, "minute": 0})") ==
          "time_config.day_of_week: is no part of a schedule that is monthly");
    CHECK(fault("custom", R"({"cron": "0 9 * * *", "hour": 9})") == "time_config.hour: is no part of a schedule that is custom");
    CHECK(fault("daily", R"({"hour": 9, "minute": 0, "minutes": 5})") ==
          "time_config.minutes: unknown key; did you mean 'minute'?");
}

TEST_CASE("an unknown frequency, or one without its times, is an error") {
    const std::string names = "hourly, daily, weekly, monthly, custom";
    CHECK(fault("yearly", "{}") == "frequency: must be one of " + names);
    CHECK(fault("Daily", "{}") == "frequency: must be one of " + names);
    CHECK(fault("DELETED", "{}") == "frequency: must be one of " + names);
    const auto told = [](const char* text) { return config::read_schedule(json::parse(text)).error().context; };
    CHECK(told(R"({"kind":"http","time_config":{"minute":5}})") == "frequency: is missing: one of " + names);
    CHECK(told(R"({"kind":"http","frequency":5,"time_config":{"minute":5}})") == "frequency: must be a text");
    CHECK(told(R"({"kind":"http","frequency":"daily"})") ==
          R"(time_config: is missing: such as {"hour": 9, "minute": 0} of a daily schedule)");
    CHECK(told(R"({"kind":"http","frequency":"hourly","time_config":{"minute":5},"trigger":{"manual":true}})") ==
          "trigger: must not stand beside frequency and time_config: one of the two");
    CHECK(told(R"({"kind":"http","frequency":"hourly","time_config":{"minute":5},"timezone":"Mars/Base"})") ==
          "timezone: there is no IANA time zone 'Mars/Base'");
    CHECK(told(R"({"kind":"http","trigger":{"manual":true},"timezone":"UTC"})") == "timezone: unknown key");
}

TEST_CASE("what the form says about the job is found in its params") {
    const auto schedule = config::read_schedule(json::parse(R"({
        "kind": "http", "name": "nightly scan", "enabled": false, "timezone": "Europe/Oslo",
        "frequency": "daily", "time_config": {"hour": 9, "minute": 0}, "params": {"url": "http://127.0.0.1/", "domain": "a.example"},
        "domain": "a.example", "domain_config_id": "abc-123", "profile_id": null, "scan_type": "deep",
        "scan_params": {"max_pages": 5000}})"));
    REQUIRE(schedule.has_value());
    CHECK(schedule->name == "nightly scan");
    CHECK(schedule->state == core::ScheduleState::disabled);
    CHECK(schedule->trigger.zone == "Europe/Oslo");
    CHECK(json::parse(schedule->params) == json::parse(R"({"url": "http://127.0.0.1/", "domain": "a.example",
        "domain_config_id": "abc-123", "scan_type": "deep", "scan_params": {"max_pages": 5000}})"));
}

TEST_CASE("what the form says about the job is checked") {
    const auto told = [](const char* key, const json& value) {
        json definition{
            {"kind", "http"}, {"frequency", "hourly"}, {"time_config", {{"minute", 5}}}, {"params", {{"domain", "a"}}}};
        definition[key] = value;
        return config::read_schedule(definition).error().context;
    };
    CHECK(told("domain", "b") == "domain: is not the same as params.domain");
    CHECK(told("domain", 5) == "domain: must be a text");
    CHECK(told("scan_params", "x") == "scan_params: must be an object");
    CHECK(told("scan_params", {{"x", std::string(70'000, 'x')}}) ==
          "params: must have at most 65536 bytes, together with domain, scan_params and the like");
    CHECK(told("scan_typ", "deep") == "scan_typ: unknown key; did you mean 'scan_type'?");
}
