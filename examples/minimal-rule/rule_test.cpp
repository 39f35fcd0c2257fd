#include <cstdio>

#include <varde/test.hpp>

int main() {
    varde::test::Rule rule(R"({"rings": 2})");
    varde::test::Window window("2026-01-15T08:00:00Z", "2026-01-15T12:00:00Z");
    window.event("a", "2026-01-15T09:00:00Z", "doorbell").event("b", "2026-01-15T09:01:00Z", "doorbell");
    const auto unanswered = rule.evaluate(window);
    window.event("c", "2026-01-15T09:02:00Z", "door", R"({"state": "open"})");
    const auto answered = rule.evaluate(window);

    const bool good = unanswered.met() && unanswered.findings[0].evidence == R"({"event_ids":["a","b"]})" && answered.not_met() &&
                      !varde::test::Rule(R"({"rings": 0})").created();
    std::puts(good ? "X-001 behaves" : "X-001 does not behave");
    return good ? 0 : 1;
}
