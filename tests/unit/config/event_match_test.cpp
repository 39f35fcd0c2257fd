#include "config/schedule_definition.hpp"
#include "time/utc_text.hpp"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

using namespace varde;
using nlohmann::json;

namespace {

std::string refusal_of(const json& trigger) {
    const auto read = config::read_trigger(trigger);
    REQUIRE_FALSE(read.has_value());
    return read.error().context;
}

core::Trigger trigger_of(const json& trigger) {
    const auto read = config::read_trigger(trigger);
    if (!read) FAIL(read.error().context);
    return *read;
}

}  // namespace

TEST_CASE("an event trigger may ask for members of the payload") {
    const auto trigger = trigger_of({{"event", "door"}, {"where", {{"state", "open"}, {"user.id", 7}}}, {"debounce", "200ms"}});
    CHECK(trigger.event.category == "door");
    CHECK(trigger.event.where == R"({"state":"open","user.id":7})");
    CHECK(trigger.debounce == std::chrono::milliseconds{200});
    CHECK(trigger_of({{"event", "door"}}).event.where == "{}");
    CHECK(trigger_of({{"event", "door"}, {"where", nullptr}}).event.where == "{}");
}

TEST_CASE("a one-off may be cancelled and moved by events") {
    const auto trigger = trigger_of(json::parse(
        R"({"at":"2026-05-01T12:00:00Z","cancel_on":[{"event":"user_reactivated","where":{"user_id":"42"}},{"event":"off"}],)"
        R"("move_on":[{"event":"user_delayed","time":"to.run_at"}]})"));
    CHECK(trigger.at == time::parse_utc("2026-05-01T12:00:00Z").value());
    CHECK(trigger.cancel_on == std::vector<core::EventMatch>{{"user_reactivated", R"({"user_id":"42"})"}, {"off", "{}"}});
    CHECK(trigger.move_on == std::vector<core::EventMove>{{{"user_delayed", "{}"}, "to.run_at"}});
}

TEST_CASE("what a trigger says of events is written as it is read, and only if it says something") {
    for (const char* const text :
         {R"({"event":"door","debounce":"0s"})", R"({"event":"door","where":{"n":1.5,"on":true},"debounce":"200ms"})",
          R"({"at":"2026-05-01T12:00:00Z"})",
          R"({"at":"2026-05-01T12:00:00Z","cancel_on":[{"event":"a"},{"event":"b","where":{"id":"4\u0000"}}],)"
          R"("move_on":[{"event":"c","where":{"id":-1},"time":"x"}]})"}) {
        CAPTURE(text);
        const auto trigger = trigger_of(json::parse(text));
        CHECK(json::parse(config::trigger_json(trigger).dump()) == json::parse(text));
        CHECK(trigger_of(json::parse(config::trigger_json(trigger).dump())) == trigger);
    }
}

TEST_CASE("what is wrong with a filter is told with its place") {
    CHECK(refusal_of({{"event", "door"}, {"where", 5}}) == "trigger.where: must be an object");
    CHECK(refusal_of({{"event", "door"}, {"where", {{"a", nullptr}}}}) ==
          "trigger.where.a: must be a text, a number, true or false");
    CHECK(refusal_of({{"event", "door"}, {"where", {{"a", json::array()}}}}) ==
          "trigger.where.a: must be a text, a number, true or false");
    CHECK(refusal_of({{"event", "door"}, {"where", {{"a", std::string(501, 'x')}}}}) ==
          "trigger.where.a: must have at most 500 characters");
    CHECK(refusal_of({{"event", "door"}, {"where", {{"", 1}}}}) == "trigger.where.: its name must have 1 to 200 characters");
    CHECK(refusal_of({{"event", "door"}, {"where", {{"a..b", 1}}}}) ==
          "trigger.where.a..b: its name must be a member of the payload, or a way to one such as user.id");
    json many;
    for (int i = 0; i < 21; ++i) many["k" + std::to_string(i)] = i;
    CHECK(refusal_of({{"event", "door"}, {"where", many}}) == "trigger.where: must have at most 20 members");
    CHECK(refusal_of({{"event", ""}}) == "trigger.event: must have 1 to 100 characters");
}

TEST_CASE("what is wrong with a list of events is told with its place") {
    const auto refused = [](const std::string& more) {
        return refusal_of(json::parse(R"({"at":"2026-05-01T12:00:00Z",)" + more + "}"));
    };
    CHECK(refused(R"("cancel_on":"off")") == "trigger.cancel_on: must be a list of at most 20 objects with the key event");
    const json many = std::vector<json>(21, json::parse(R"({"event":"a"})"));
    CHECK(refused(R"("cancel_on":)" + many.dump()) ==
          "trigger.cancel_on: must be a list of at most 20 objects with the key event");
    CHECK(refused(R"("cancel_on":["off"])") == "trigger.cancel_on[0]: must be an object");
    CHECK(refused(R"("cancel_on":[{"event":"a"},{"where":{}}])") ==
          "trigger.cancel_on[1].event: is missing: the category of the event");
    CHECK(refused(R"("cancel_on":[{"event":"a","time":"x"}])") == "trigger.cancel_on[0].time: unknown key");
    CHECK(refused(R"("cancel_on":[{"event":"a","where":{"x":null}}])") ==
          "trigger.cancel_on[0].where.x: must be a text, a number, true or false");
    CHECK(refused(R"("move_on":[{"event":"a"}])") ==
          "trigger.move_on[0].time: is missing: the member of the payload that holds the new time");
    CHECK(refused(R"("move_on":[{"event":"a","time":".x"}])") ==
          "trigger.move_on[0].time: must be a member of the payload, or a way to one such as user.id");
    CHECK(refused(R"("where":{})").find("trigger.where: unknown key") == 0);
    CHECK(refusal_of(json::parse(R"({"every":"5m","cancel_on":[]})")).find("trigger.cancel_on: unknown key") == 0);
}
