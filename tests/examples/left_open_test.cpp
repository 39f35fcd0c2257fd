// A "door left open" rule in process: until when its answers hold, which `varde eval` does not print. By default that of
// examples/rule-in-c, compiled in with the sanitizers of the build; VARDE_EXAMPLE=FILE.so names another one.
#include <dlfcn.h>
#include <doctest/doctest.h>

#include <cstdlib>

#include <varde/test.hpp>

namespace {

using varde::test::Window;

constexpr auto kOpen = R"({"door": "fridge", "state": "open"})";
constexpr auto kClosed = R"({"door": "fridge", "state": "closed"})";

const varde_rule_entry& entry() {
    const char* file = std::getenv("VARDE_EXAMPLE");
    if (file == nullptr) return varde_rule_v1;
    void* library = dlopen(file, RTLD_NOW | RTLD_LOCAL);
    REQUIRE_MESSAGE(library != nullptr, dlerror());
    const auto* found = static_cast<const varde_rule_entry*>(dlsym(library, "varde_rule_v1"));
    REQUIRE(found != nullptr);
    return *found;
}

struct Rule : varde::test::Rule {
    explicit Rule(std::string_view params = "{}") : varde::test::Rule{params, entry()} {}
};

Window afternoon() { return {"2026-01-15T16:00:00Z", "2026-01-15T18:00:00Z"}; }

}  // namespace

TEST_CASE("an open door is looked at again one microsecond after its time is up") {
    const auto answer = Rule().evaluate(afternoon().event("o", "2026-01-15T17:55:00Z", "door", kOpen));
    CHECK(answer.not_met());
    CHECK(answer.valid_until == "2026-01-15T18:05:00.000001Z");
    CHECK(answer.violations.empty());
}

TEST_CASE("a finding holds until the window has lost the event that opened the door") {
    const auto answer = Rule().evaluate(
        afternoon().event("o", "2026-01-15T16:30:00Z", "door", kOpen).event("p", "2026-01-15T17:00:00Z", "door", kOpen));
    REQUIRE(answer.met());
    CHECK(answer.valid_until == "2026-01-15T18:30:00.000001Z");
    CHECK(answer.violations.empty());
}

TEST_CASE("a closed door is fine until the window has lost its last event, and no event is no data until one comes") {
    const auto closed = Rule().evaluate(
        afternoon().event("o", "2026-01-15T16:30:00Z", "door", kOpen).event("c", "2026-01-15T17:00:00Z", "door", kClosed));
    CHECK(closed.not_met());
    CHECK(closed.valid_until == "2026-01-15T19:00:00.000001Z");
    const auto nothing = Rule().evaluate(afternoon());
    CHECK(nothing.outcome == VARDE_OUTCOME_NO_DATA);
    CHECK(nothing.valid_until == "never");
}

TEST_CASE("an instance that is refused leaves nothing behind, and two of them do not know each other") {
    const Rule refused(R"({"door": "front", "minutes": 0})");
    CHECK(refused.refused_param == "minutes");
    CHECK(refused.refusal == "must be a whole number from 1 to 1440");
    Rule patient(R"({"minutes": 90})");
    Rule hasty(R"({"minutes": 1})");
    const auto window = afternoon().event("o", "2026-01-15T17:00:00Z", "door", kOpen);
    CHECK(hasty.evaluate(window).met());
    CHECK(patient.evaluate(window).not_met());
}
