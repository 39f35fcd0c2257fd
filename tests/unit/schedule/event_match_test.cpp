#include "schedule/event_match.hpp"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

using namespace varde;

namespace {

core::Event event_with(std::string payload) {
    core::Event event;
    event.category = "door";
    event.payload = std::move(payload);
    return event;
}

bool matches(std::string where, std::string payload) {
    return schedule::means({"door", std::move(where)}, "default", event_with(std::move(payload)));
}

}  // namespace

TEST_CASE("an event is meant if its category, its organisation and all that is asked of its payload are right") {
    const auto event = event_with(R"({"state":"open","side":"north"})");
    CHECK(schedule::means({"door", "{}"}, "default", event));
    CHECK(schedule::means({"door", R"({"state":"open"})"}, "default", event));
    CHECK(schedule::means({"door", R"({"state":"open","side":"north"})"}, "default", event));
    CHECK_FALSE(schedule::means({"door", R"({"state":"open","side":"south"})"}, "default", event));
    CHECK_FALSE(schedule::means({"door", R"({"state":"closed"})"}, "default", event));
    CHECK_FALSE(schedule::means({"door", R"({"missing":"open"})"}, "default", event));
    CHECK_FALSE(schedule::means({"window", "{}"}, "default", event));
    CHECK_FALSE(schedule::means({"door", "{}"}, "acme", event));
}

TEST_CASE("numbers equal numbers, and nothing equals what is of another type") {
    CHECK(matches(R"({"n":1})", R"({"n":1.0})"));
    CHECK(matches(R"({"n":-2.5})", R"({"n":-25e-1})"));
    CHECK(matches(R"({"on":true})", R"({"on":true})"));
    CHECK_FALSE(matches(R"({"n":1})", R"({"n":2})"));
    CHECK_FALSE(matches(R"({"n":1})", R"({"n":"1"})"));
    CHECK_FALSE(matches(R"({"n":"1"})", R"({"n":1})"));
    CHECK_FALSE(matches(R"({"on":true})", R"({"on":1})"));
    CHECK_FALSE(matches(R"({"on":false})", R"({"on":null})"));
    CHECK_FALSE(matches(R"({"s":"open"})", R"({"s":["open"]})"));
}

TEST_CASE("a key is a member of that name, or else a way through objects") {
    CHECK(matches(R"({"user.id":"42"})", R"({"user":{"id":"42"}})"));
    CHECK(matches(R"({"user.id":"42"})", R"({"user.id":"42"})"));
    CHECK(matches(R"({"a.b.c":1})", R"({"a":{"b.c":1}})"));
    CHECK_FALSE(matches(R"({"user.id":"42"})", R"({"user.id":"7","user":{"id":"42"}})"));
    CHECK_FALSE(matches(R"({"user.id":"42"})", R"({"user":"42"})"));
    CHECK_FALSE(matches(R"({"user.id":"42"})", R"({"user":[{"id":"42"}]})"));
}

TEST_CASE("a payload that is no object has only what nobody asks for") {
    for (const char* const payload : {"[1]", "7", "null", R"("state")", "", "{broken"}) {
        CAPTURE(payload);
        CHECK(matches("{}", payload));
        CHECK_FALSE(matches(R"({"state":"open"})", payload));
    }
    CHECK_FALSE(matches("{broken", R"({"state":"open"})"));
}

TEST_CASE("values that are equal have one key, and others another") {
    using nlohmann::json;
    const auto key = [](const char* text) { return schedule::value_key(json::parse(text)); };
    CHECK(key("1") == key("1.0"));
    CHECK(key("-0.0") == key("0"));
    CHECK(key("9007199254740993") == key("9007199254740993"));
    CHECK(key("1") != key("1.5"));
    CHECK(key("1") != key(R"("1")"));
    CHECK(key("true") != key(R"("true")"));
    CHECK(key("null").empty());
    CHECK(key("[1]").empty());
    CHECK_FALSE(key(R"("")").empty());
}

TEST_CASE("a member is found for who wants its value") {
    const auto event = event_with(R"({"run_at":"2026-05-01T08:00:00Z","to":{"at":5}})");
    const schedule::EventPayload payload{event};
    REQUIRE(payload.member("run_at") != nullptr);
    CHECK(*payload.member("run_at") == "2026-05-01T08:00:00Z");
    REQUIRE(payload.member("to.at") != nullptr);
    CHECK(*payload.member("to.at") == 5);
    CHECK(payload.member("to.when") == nullptr);
}
