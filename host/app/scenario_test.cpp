#include "app/scenario_test.hpp"

#include "time/utc_text.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace varde::app {
namespace {

using config::ExpectedDeviation;

std::vector<std::string> event_ids_of(const core::Finding& finding) {
    std::vector<std::string> ids;
    const auto evidence = nlohmann::json::parse(finding.evidence, nullptr, false);
    if (!evidence.is_object() || !evidence.contains("event_ids") || !evidence["event_ids"].is_array()) return ids;
    for (const auto& id : evidence["event_ids"]) ids.push_back(id.is_string() ? id.get<std::string>() : id.dump());
    return ids;
}

/// The first field that differs, as "severity: expected HIGH, got MEDIUM"; empty if everything that is given is equal.
std::string difference(const ExpectedDeviation& want, const JudgedFinding& got) {
    const auto differs = [](std::string_view field, const std::optional<std::string>& expected, std::string_view value) {
        return expected && *expected != value ? fmt::format("{}: expected '{}', got '{}'", field, *expected, value)
                                              : std::string{};
    };
    const auto& finding = got.finding;
    for (auto text :
         {differs("rule_id", want.rule_id, got.rule_id), differs("severity", want.severity, core::name_of(finding.severity)),
          differs("title", want.title, finding.title),
          differs("window.since", want.window_since, time::format_utc(finding.window.since)),
          differs("window.until", want.window_until, time::format_utc(finding.window.until))}) {
        if (!text.empty()) return text;
    }
    if (want.explanation_contains && finding.explanation.find(*want.explanation_contains) == std::string::npos) {
        return fmt::format("explanation: '{}' does not contain '{}'", finding.explanation, *want.explanation_contains);
    }
    const auto ids = event_ids_of(finding);
    for (const auto& id : want.evidence_contains) {
        if (std::ranges::find(ids, id) == ids.end())
            return fmt::format("evidence.event_ids: '{}' is not in [{}]", id, fmt::join(ids, ", "));
    }
    return {};
}

}  // namespace

std::vector<std::string> mismatches(const config::Scenario& scenario, const std::vector<JudgedFinding>& findings) {
    std::vector<std::string> problems;
    std::vector<bool> used(findings.size(), false);
    for (const auto& want : scenario.expected) {
        bool matched = false;
        std::string nearest = "there is no deviation of this rule";
        for (std::size_t i = 0; i < findings.size() && !matched; ++i) {
            if (used[i]) continue;
            const auto differs = difference(want, findings[i]);
            matched = used[i] = differs.empty();
            if (!matched && findings[i].rule_id == want.rule_id) nearest = differs;
        }
        if (!matched) problems.push_back(fmt::format("expected a deviation of {}: {}", want.rule_id, nearest));
    }
    for (std::size_t i = 0; i < findings.size(); ++i) {
        const bool ignored =
            std::ranges::find(scenario.ignore_extra_rule_ids, findings[i].rule_id) != scenario.ignore_extra_rule_ids.end();
        if (scenario.exact && !used[i] && !ignored) {
            problems.push_back(fmt::format("not expected: {} '{}'", findings[i].rule_id, findings[i].finding.title));
        }
    }
    return problems;
}

}  // namespace varde::app
