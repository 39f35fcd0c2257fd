// A rule written in C, judged through the test kit without a framework.
#include <cstdio>

#include <varde/test.hpp>

int main() {
    varde::test::Rule rule;
    varde::test::Window window("2026-01-15T08:00:00Z", "2026-01-15T12:00:00Z");
    window.event("m", "2026-01-15T09:00:00Z", "motion").event("d", "2026-01-15T10:00:00Z", "door");
    const auto answer = rule.evaluate(window);
    const bool good = answer.met() && answer.findings.size() == 1 && answer.findings[0].evidence == R"({"event":"d"})";
    const varde::test::Rule refused(R"({"a": 1})");
    const bool refuses = refused.status == VARDE_E_PARAM && refused.refusal == "takes no parameters";
    std::printf("c rule: %s, %s\n", good ? "answers" : "FAILED", refuses ? "refuses" : "FAILED");
    return good && refuses ? 0 : 1;
}
