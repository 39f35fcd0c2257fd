#include "gating/baseline_count.hpp"

#include "time/utc_text.hpp"

#include <doctest/doctest.h>

using namespace varde;
using gating::BaselineCount;

namespace {

core::Instant at(std::string_view text) { return time::parse_utc(text).value(); }
const time::Zone kOslo = time::Zone::find("Europe/Oslo").value();

core::Event event(std::string_view when, const std::string& room, const std::string& state = "on",
                  const std::string& category = "motion") {
    core::Event event;
    event.time = at(when);
    event.room_id = room;
    event.category = category;
    event.payload = R"({"state":")" + state + R"("})";
    return event;
}

core::BaselineStatus count(const std::vector<core::Event>& events, const config::BaselineSettings& settings = {}) {
    BaselineCount counted{settings, kOslo};
    for (const auto& one : events) counted.add(one);
    return counted.status({}, {at("2026-01-01T00:00:00Z"), at("2026-01-02T00:00:00Z")}, at("2026-01-15T12:00:00Z"));
}

}  // namespace

TEST_CASE("the days are whole local days before today, also where the clock is changed") {
    config::BaselineSettings settings;
    settings.window_days = 2;
    auto days = gating::baseline_days(settings, kOslo, at("2026-01-15T23:30:00Z"));  // the 16th, 00:30 in Oslo
    REQUIRE(days.size() == 2);
    CHECK(days[0].since == at("2026-01-13T23:00:00Z"));
    CHECK(days[0].until == days[1].since);
    CHECK(days[1].until == at("2026-01-15T23:00:00Z"));
    days = gating::baseline_days(settings, kOslo, at("2026-03-30T12:00:00Z"));
    CHECK(days[1].until - days[1].since == std::chrono::hours{23});
    days = gating::baseline_days(settings, kOslo, at("2025-10-27T12:00:00Z"));
    CHECK(days[1].until - days[1].since == std::chrono::hours{25});
}

TEST_CASE("a day with data is a local day with an event of the categories, whatever its state and room") {
    CHECK(count({}).days_with_data == 0);
    CHECK(count({event("2026-01-10T12:00:00Z", "", "off"), event("2026-01-10T22:30:00Z", ""), event("2026-01-10T23:30:00Z", "")})
              .days_with_data == 2);
    CHECK(count({event("2026-01-10T12:00:00Z", "stue", "on", "heartbeat")}).days_with_data == 0);
}

TEST_CASE("a cell is a room and a local hour, and is supported when it was seen on enough days") {
    const auto status = count({event("2026-01-10T07:05:00Z", "stue"), event("2026-01-10T07:50:00Z", "stue"),
                               event("2026-01-10T08:10:00Z", "stue"), event("2026-01-11T07:30:00Z", "stue")});
    CHECK(status.room_bucket_rows == 2);
    CHECK(status.room_bucket_supported == 1);  // 8 o'clock in Oslo, on two days; twice on one day is one day
}

TEST_CASE("what ended, or has no room, is no sign of life in a room") {
    const auto status = count({event("2026-01-10T07:00:00Z", "stue", "OFF"), event("2026-01-10T07:00:00Z", "stue", "unavailable"),
                               event("2026-01-10T07:00:00Z", "")});
    CHECK(status.days_with_data == 1);
    CHECK(status.room_bucket_rows == 0);
}

TEST_CASE("a way leads from the room of the sign of life before, if that is not too long ago") {
    const auto status = count({
        event("2026-01-10T07:00:00Z", "soverom"),
        event("2026-01-10T07:01:00Z", "soverom", "off"),
        event("2026-01-10T07:30:00Z", "baderom"),  // 30 minutes after the last sign
        event("2026-01-10T07:31:00Z", "baderom"),
        event("2026-01-10T08:01:01Z", "stue"),  // 30 minutes and a second
        event("2026-01-11T07:00:00Z", "soverom"),
        event("2026-01-11T07:02:00Z", "baderom"),
        event("2026-01-11T07:03:00Z", "soverom"),
    });
    CHECK(status.transition_rows == 2);  // soverom -> baderom on two days, baderom -> soverom on one
    CHECK(status.transition_supported == 1);
}

TEST_CASE("ready needs days, and enough of the cells seen again") {
    config::BaselineSettings settings;
    settings.ready_days = 2;
    settings.ready_room_percent = 50;
    const auto first = event("2026-01-10T07:00:00Z", "stue");
    const auto same_hour = event("2026-01-11T07:00:00Z", "stue");
    CHECK_FALSE(count({first}, settings).ready);
    CHECK(count({first, same_hour}, settings).ready);
    const auto other = event("2026-01-11T09:00:00Z", "stue");
    CHECK(count({first, same_hour, other}, settings).ready);  // one of two
    const auto third = event("2026-01-11T10:00:00Z", "stue");
    CHECK_FALSE(count({first, same_hour, other, third}, settings).ready);  // one of three
}

TEST_CASE("a home whose sensors name no room is ready by its days alone") {
    CHECK(count({event("2026-01-10T07:00:00Z", ""), event("2026-01-11T07:00:00Z", ""), event("2026-01-12T07:00:00Z", "")}).ready);
}

TEST_CASE("rooms beyond the limit are not counted, so that invented ones cannot fill the memory") {
    config::BaselineSettings settings;
    settings.max_rooms = 2;
    const auto status = count({event("2026-01-10T07:00:00Z", "a"), event("2026-01-10T07:01:00Z", "b"),
                               event("2026-01-10T07:02:00Z", "c"), event("2026-01-10T07:03:00Z", "a")},
                              settings);
    CHECK(status.room_bucket_rows == 2);
    CHECK(status.transition_rows == 2);  // a -> b, b -> a
}

TEST_CASE("the state is the payload's state, else its value; without either something happened") {
    const std::vector<std::string> idle{"off", "false", "0"};
    CHECK(gating::is_idle(R"({"state":"Off"})", idle));
    CHECK(gating::is_idle(R"({"state":null,"value":false})", idle));
    CHECK(gating::is_idle(R"({"value":0})", idle));
    CHECK_FALSE(gating::is_idle(R"({"state":"on","value":"off"})", idle));
    CHECK_FALSE(gating::is_idle(R"({"value":0.0})", idle));
    CHECK_FALSE(gating::is_idle("{}", idle));
    CHECK_FALSE(gating::is_idle("[1]", idle));
    CHECK_FALSE(gating::is_idle("no JSON", idle));
}

TEST_CASE("a home is counted again when a day has passed, when the settings changed, and until it is ready") {
    const core::Window model{at("2026-01-01T00:00:00Z"), at("2026-01-15T00:00:00Z")};
    core::BaselineStatus row;
    row.ready = true;
    row.model = model;
    row.definition = gating::definition_of({});
    CHECK_FALSE(gating::is_due(&row, gating::definition_of({}), model));
    CHECK(gating::is_due(nullptr, row.definition, model));
    CHECK(gating::is_due(&row, row.definition, {model.since, at("2026-01-16T00:00:00Z")}));
    config::BaselineSettings other;
    other.support_days = 4;
    CHECK(gating::is_due(&row, gating::definition_of(other), model));
    row.ready = false;
    CHECK(gating::is_due(&row, row.definition, model));
}
