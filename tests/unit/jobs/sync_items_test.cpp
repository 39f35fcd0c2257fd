#include "jobs/sync_items.hpp"

#include "jobs/http_job.hpp"

#include <doctest/doctest.h>

using namespace varde;
using nlohmann::json;

namespace {

jobs::SyncTarget target() {
    jobs::SyncTarget target;
    target.sync_id = "sites";
    target.org_id = "acme";
    target.kind = "scan";
    return target;
}

/// The example of seed 003.
json example() {
    return json::parse(R"({"domain_config_id": "abc-123", "data": {"domain": "example.com", "description": "Example domain",
        "allow_deep_scan": true, "maxPages": 50, "scanDepth": 5, "maxRetries": 3,
        "customPages": ["/page1", "/page2"], "accept_selector": "button[data-role='accept']",
        "schedule": {"frequency": "daily", "time": {"hour": 2, "minute": 0}}}})");
}

jobs::SyncItems read(const json& item, const jobs::SyncTarget& into = target()) {
    auto items = jobs::read_sync_items({{"data", {item}}}, into);
    REQUIRE(items.has_value());
    return std::move(*items);
}

core::Schedule schedule_of(const json& item, const jobs::SyncTarget& into = target()) {
    auto items = read(item, into);
    REQUIRE_MESSAGE(items.schedules.size() == 1, (items.skipped.empty() ? "" : items.skipped[0].reason));
    return items.schedules[0];
}

std::string reason(const std::string& key, const json& value) {
    auto item = example();
    item["data"][key] = value;
    const auto items = read(item);
    CHECK(items.present.size() == 1);
    return items.skipped.empty() ? "" : items.skipped[0].reason;
}

json params_of(const core::Schedule& schedule) { return json::parse(schedule.params); }

}  // namespace

TEST_CASE("an item of seed 003 becomes a schedule with all that it says") {
    const auto schedule = schedule_of(example());
    CHECK(schedule.schedule_id == "sync:sites:abc-123");
    CHECK(schedule.source == "sync:sites");
    CHECK(schedule.org_id == "acme");
    CHECK(schedule.name == "example.com");
    CHECK(schedule.kind == "scan");
    CHECK(schedule.state == core::ScheduleState::active);
    CHECK(schedule.trigger.kind == core::TriggerKind::cron);
    CHECK(schedule.trigger.expression == "0 2 * * *");
    CHECK(schedule.trigger.zone == "UTC");
    CHECK(json::parse(schedule.labels) == json{{"domain", "example.com"}, {"domain_config_id", "abc-123"}});
    CHECK(params_of(schedule) == json{{"domain", "example.com"},
                                      {"domain_config_id", "abc-123"},
                                      {"description", "Example domain"},
                                      {"allow_deep_scan", true},
                                      {"scan_type", "deep"},
                                      {"max_pages", 50},
                                      {"scan_depth", 5},
                                      {"max_retries", 3},
                                      {"custom_pages", {"/page1", "/page2"}},
                                      {"accept_selector", "button[data-role='accept']"}});
}

TEST_CASE("what an item does not say is not in its params") {
    const auto item = json::parse(
        R"({"domain_config_id": 17, "data": {"domain": "a.no", "maxPages": null, "schedule": {"frequency": "weekly",
            "time": {"day": "friday", "hour": 3, "minute": 30}}}})");
    const auto schedule = schedule_of(item);
    CHECK(schedule.schedule_id == "sync:sites:17");
    CHECK(schedule.trigger.expression == "30 3 * * FRI");
    CHECK(params_of(schedule) == json{{"domain", "a.no"}, {"domain_config_id", "17"}});
}

TEST_CASE("a deep scan is allowed or not by a boolean or its text; without it the scan is quick") {
    for (const json& no : {json(false), json("false")}) {
        auto item = example();
        item["data"]["allow_deep_scan"] = no;
        const auto params = params_of(schedule_of(item));
        CHECK(params["allow_deep_scan"] == false);
        CHECK(params["scan_type"] == "quick");
    }
    auto item = example();
    item["data"]["allow_deep_scan"] = "true";
    CHECK(params_of(schedule_of(item))["scan_type"] == "deep");
    CHECK(reason("allow_deep_scan", "no") == "data.allow_deep_scan: must be true or false");
    CHECK(reason("allow_deep_scan", 1) == "data.allow_deep_scan: must be true or false");
}

TEST_CASE("what an item says goes over the params of the target, or over a key of them") {
    auto into = target();
    into.params = {{"max_pages", 7}, {"queue", "slow"}, {"body", {{"trace", true}}}};
    into.timezone = "Europe/Oslo";
    into.policy = {{"run_timeout", "1h"}};
    const auto over = schedule_of(example(), into);
    CHECK(params_of(over)["max_pages"] == 50);
    CHECK(params_of(over)["queue"] == "slow");
    CHECK(over.trigger.zone == "Europe/Oslo");
    CHECK(over.policy.run_timeout == std::chrono::hours{1});
    into.item_key = "body";
    const auto params = params_of(schedule_of(example(), into));
    CHECK(params["max_pages"] == 7);
    CHECK(params["body"]["max_pages"] == 50);
    CHECK(params["body"]["trace"] == true);
    CHECK_FALSE(params.contains("domain"));
}

TEST_CASE("the kind http can send what an item says as its body") {
    auto into = target();
    into.kind = "http";
    into.params = {{"url", "http://scanner/scans"}, {"method", "POST"}};
    into.item_key = "body";
    const auto schedule = schedule_of(example(), into);
    CHECK(jobs::HttpJob{}.check(schedule.params).has_value());
    CHECK(params_of(schedule)["body"]["domain"] == "example.com");
}

TEST_CASE("an item that cannot be used is skipped, and the reason names the place") {
    CHECK(reason("domain", nullptr) == "data.domain: is missing");
    CHECK(reason("domain", "") == "data.domain: must have 1 to 200 characters");
    CHECK(reason("maxPages", 20'001) == "data.maxPages: must be a whole number from 0 to 20000");
    CHECK(reason("maxPages", "50") == "data.maxPages: must be a whole number from 0 to 20000");
    CHECK(reason("maxRetries", -1) == "data.maxRetries: must be a whole number from 0 to 100");
    CHECK(reason("customPages", "/a") == "data.customPages: must be a list of at most 1000 texts of at most 2000 bytes");
    CHECK(reason("customPages", {1}) == "data.customPages: must be a list of at most 1000 texts of at most 2000 bytes");
    CHECK(reason("schedule", nullptr) == "data.schedule: is missing");
    CHECK(reason("schedule", json::object()).starts_with("frequency: is missing"));
    CHECK(
        reason("schedule", {{"frequency", "yearly"}, {"time", json::object()}}).starts_with("frequency: must be one of hourly"));
    CHECK(
        reason("schedule", {{"frequency", "daily"}, {"time", {{"hour", 24}, {"minute", 0}}}}).starts_with("time_config.hour: "));
    CHECK(reason("extra", "is not looked at").empty());
    CHECK(read(json{{"domain_config_id", "x"}}).skipped[0].reason == "data: is missing");
    CHECK(read(json{{"domain_config_id", "x"}, {"data", 7}}).skipped[0].reason.starts_with("data: must be an object"));
    CHECK(reason("description", std::string(2'001, 'x')).size() <= 300);
}

TEST_CASE("an item without an id is named by its place, and makes the list incomplete") {
    for (const json& item :
         {json{{"data", {}}}, json(7), json(nullptr), json{{"domain_config_id", ""}}, json{{"domain_config_id", {1}}}}) {
        auto items = jobs::read_sync_items({{"data", {example(), item}}}, target());
        REQUIRE(items.has_value());
        CHECK(items->schedules.size() == 1);
        CHECK_FALSE(items->complete);
        REQUIRE(items->skipped.size() == 1);
        CHECK(items->skipped[0].id == "#2");
        CHECK(items->skipped[0].reason.starts_with("domain_config_id: is missing"));
    }
}

TEST_CASE("of two items with one id the first one counts") {
    auto second = example();
    second["data"]["domain"] = "other.com";
    const auto items = jobs::read_sync_items({{"data", {example(), second}}}, target());
    REQUIRE(items->schedules.size() == 1);
    CHECK(items->schedules[0].name == "example.com");
    CHECK(items->skipped[0].reason == "domain_config_id: is in the list twice; the first one counts");
    CHECK(items->complete);
}

TEST_CASE("what is no list, an empty one and a huge one are errors") {
    const auto error = [](const json& document) { return jobs::read_sync_items(document, target()).error().context; };
    for (const json& document :
         {json(7), json::array(), json::object(), json{{"data", json::object()}}, json{{"data", nullptr}}}) {
        CHECK(error(document) == R"(the answer is no {"data": [...]})");
    }
    CHECK(error({{"data", json::array()}}) == "the list is empty");
    CHECK(error({{"data", json(10'001, 7)}}) == "the list has 10001 items; at most 10000");
}

TEST_CASE("ids of schedules can be stored, and different items have different ones") {
    const std::vector<std::string> ids{
        "abc-123",           "abc:123", "abc 123", "abc/123", "ABC-123", "\xc3\xb8", std::string(54, 'x'), std::string(55, 'x'),
        std::string(56, 'x')};
    std::set<std::string> made;
    for (const auto& id : ids) {
        const auto schedule_id = jobs::sync_schedule_id("sites", id);
        CHECK(schedule_id.size() <= 100);
        CHECK(schedule_id.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-:") ==
              std::string::npos);
        made.insert(schedule_id);
    }
    CHECK(made.size() == ids.size());
    CHECK(jobs::sync_schedule_id("sites", "abc 123").starts_with("sync:sites:abc-123:"));
    CHECK(jobs::sync_schedule_id(std::string(100, 's'), std::string(200, 'x')).size() == 100);
    CHECK(jobs::sync_schedule_id(std::string(100, 's'), "x") != jobs::sync_schedule_id(std::string(99, 's'), "x"));
}

TEST_CASE("a schedule is unchanged if its definition is, whatever people switched") {
    const auto wanted = schedule_of(example());
    auto stored = wanted;
    stored.version = 7;
    stored.owner = "ada";
    stored.state = core::ScheduleState::disabled;
    stored.params = json::parse(stored.params).dump(2);  // as a database may give it back
    CHECK(jobs::is_unchanged(stored, wanted));
    auto changed = example();
    changed["data"]["maxPages"] = 51;
    CHECK_FALSE(jobs::is_unchanged(stored, schedule_of(changed)));
    changed = example();
    changed["data"]["schedule"]["time"]["hour"] = 3;
    CHECK_FALSE(jobs::is_unchanged(stored, schedule_of(changed)));
}

TEST_CASE("an update takes over the definition and nothing else") {
    auto stored = schedule_of(example());
    stored.version = 7;
    stored.owner = "ada";
    stored.state = core::ScheduleState::paused;
    auto changed = example();
    changed["data"]["domain"] = "new.com";
    changed["data"]["schedule"]["time"]["hour"] = 3;
    const auto next = jobs::updated(stored, schedule_of(changed));
    CHECK(next.name == "new.com");
    CHECK(next.trigger.expression == "0 3 * * *");
    CHECK(next.version == 7);
    CHECK(next.owner == "ada");
    CHECK(next.state == core::ScheduleState::paused);
}

TEST_CASE("what a sync disabled comes back with its item; what somebody disabled does not") {
    const auto wanted = schedule_of(example());
    const auto aside = jobs::set_aside(wanted);
    CHECK(aside.state == core::ScheduleState::disabled);
    CHECK_FALSE(jobs::is_unchanged(aside, wanted));
    CHECK(jobs::updated(aside, wanted).state == core::ScheduleState::active);
    CHECK(jobs::is_unchanged(jobs::updated(aside, wanted), wanted));
    auto by_hand = wanted;
    by_hand.state = core::ScheduleState::disabled;
    CHECK(jobs::set_aside(by_hand) == by_hand);
    CHECK(jobs::updated(by_hand, wanted).state == core::ScheduleState::disabled);
}
