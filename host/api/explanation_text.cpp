#include "api/explanation_text.hpp"

#include "api/decision_text.hpp"
#include "api/verdict_text.hpp"
#include "gating/truth_text.hpp"
#include "time/utc_text.hpp"

#include <fmt/format.h>
#include <algorithm>
#include <iterator>
#include <utility>

namespace varde::api {
namespace {

using nlohmann::ordered_json;
using time::format_utc;

ordered_json deviation_json(const core::Deviation& row) {
    return {{"deviation_id", row.deviation_id},
            {"status", core::name_of(row.status)},
            {"severity", core::name_of(row.finding.severity)},
            {"title", row.finding.title},
            {"started_at", format_utc(row.started_at)},
            {"last_seen_at", format_utc(row.last_seen_at)},
            {"episode", row.episode}};
}

ordered_json asked_again_json(const Explanation& explanation) {
    const auto& asked = explanation.rule.asked;
    ordered_json out{{"since", format_utc(asked.window.since)},
                     {"until", format_utc(asked.window.until)},
                     {"now", format_utc(asked.now)},
                     {"state_bytes", asked.state ? asked.state->size() : 0}};
    out.update(verdict_json(asked.rule_id, explanation.rule.answer));
    out["steps"] = ordered_json::array();
    if (const auto* completed = std::get_if<core::Completed>(&explanation.rule.answer)) {
        for (const auto& [kind, words] : completed->steps)
            out["steps"].push_back({{"kind", core::name_of(kind)}, {"text", words}});
    }
    return out;
}

std::string said(const std::string& reason) { return reason.empty() ? "the rule gave no reason" : reason; }

std::string decision_text(const Explanation& explanation) {
    if (!explanation.decision) {
        return "no decision is recorded: no run looked at it by then, records of that time are not kept any more, or they are "
               "switched off (host.yaml: decisions)\n";
    }
    const auto& decision = *explanation.decision;
    std::string text = fmt::format("{} since {}, in {} runs of this record up to {}\n", core::name_of(decision.outcome),
                                   format_utc(decision.since), decision.runs, format_utc(decision.last_at));
    text += fmt::format("  reason      {}{}\n", said(decision.reason),
                        decision.asked_at == decision.last_at ? "" : "  (of " + format_utc(decision.asked_at) + ")");
    return text;
}

std::string gating_text(const gating::RuleTruth& truth) {
    if (truth.asks()) return fmt::format("runs ask it about this home ({})", gating::name_of(truth.truth));
    return fmt::format("runs do not ask it about this home: {} ({})", truth.gating_reason, gating::name_of(truth.truth));
}

std::string deviations_text(const std::vector<core::Deviation>& rows) {
    std::string text;
    for (const auto& row : rows) {
        text += fmt::format("  deviation   {}: {} {} since {}, last seen {}: {}\n", row.deviation_id, core::name_of(row.status),
                            core::name_of(row.finding.severity), format_utc(row.started_at), format_utc(row.last_seen_at),
                            row.finding.title);
    }
    return text.empty() ? "  deviation   none was active\n" : text;
}

std::string answer_text(const core::Verdict& verdict) {
    if (const auto* failed = std::get_if<core::Failed>(&verdict)) {
        return fmt::format("  no answer   {}: {}\n", core::name_of(failed->reason), failed->message);
    }
    const auto& completed = std::get<core::Completed>(verdict);
    auto text = fmt::format("  outcome     {}\n", core::name_of(completed.outcome));
    text += fmt::format("  reason      {}\n", said(completed.reason));
    for (const auto& finding : completed.findings) {
        text += fmt::format("  finding     {} {}\n              {}\n              {}\n", core::name_of(finding.severity),
                            finding.title, finding.explanation, finding.evidence);
    }
    for (const auto& step : completed.steps) text += fmt::format("  {:<11} {}\n", core::name_of(step.kind), step.text);
    if (completed.steps.empty()) text += "  steps       the rule gives none\n";
    return text;
}

}  // namespace

bool was_active(const core::Deviation& row, core::Instant at) {
    if (row.started_at > at) return false;
    return row.status != core::DeviationStatus::closed || (row.closed_at && *row.closed_at > at);
}

core::Result<void> look_up(ports::DecisionRepository& decisions, ports::DeviationRepository& deviations,
                           Explanation& explanation) {
    const auto& asked = explanation.rule.asked;
    auto decision = decisions.find(asked.rule_id, asked.scope, asked.now);
    if (!decision) return tl::unexpected{decision.error()};
    explanation.decision = std::move(*decision);
    ports::DeviationQuery query;
    query.scope = {asked.scope.org_id, asked.scope.home_id, asked.scope.subject_id};
    query.rule_id = asked.rule_id;
    query.limit = 500;
    auto rows = deviations.list(query);
    if (!rows) return tl::unexpected{rows.error()};
    std::ranges::copy_if(*rows, std::back_inserter(explanation.deviations),
                         [&](const core::Deviation& row) { return was_active(row, asked.now); });
    return {};
}

ordered_json explanation_json(const Explanation& explanation) {
    const auto& scope = explanation.rule.asked.scope;
    ordered_json out{{"rule_id", explanation.rule.asked.rule_id},
                     {"at", format_utc(explanation.rule.asked.now)},
                     {"scope", {{"org_id", scope.org_id}, {"home_id", scope.home_id}, {"subject_id", scope.subject_id}}}};
    out["decision"] = explanation.decision ? ordered_json::parse(decision_json(*explanation.decision)) : ordered_json(nullptr);
    out["enabled_in_scheduler"] = explanation.rule.enabled;
    out["gating"] = ordered_json::parse(gating::truth_json(explanation.truth));
    out["monitor_mode"] = core::name_of(explanation.rule.mode);
    out["params"] = ordered_json::parse(explanation.rule.params);
    out["deviations"] = ordered_json::array();
    for (const auto& row : explanation.deviations) out["deviations"].push_back(deviation_json(row));
    out["asked_again"] = asked_again_json(explanation);
    return out;
}

std::string explanation_text(const Explanation& explanation) {
    const auto& asked = explanation.rule.asked;
    std::string text = fmt::format("{} in {}/{}/{} at {}: ", asked.rule_id, asked.scope.org_id, asked.scope.home_id,
                                   asked.scope.subject_id, format_utc(asked.now));
    text += decision_text(explanation);
    if (!explanation.rule.enabled) text += "  switch      off for this home in rules.yaml\n";
    text += fmt::format("  gating      {}\n", gating_text(explanation.truth));
    if (explanation.rule.mode != core::MonitorMode::on)
        text += fmt::format("  mode        {} in this home\n", core::name_of(explanation.rule.mode));
    text += fmt::format("  params      {}\n", explanation.rule.params);
    text += deviations_text(explanation.deviations);
    text += fmt::format("asked again over the stored events of {} to {}, with today's parameters{}:\n",
                        format_utc(asked.window.since), format_utc(asked.window.until),
                        asked.state ? fmt::format(" and the {} bytes it keeps today", asked.state->size()) : "");
    return text + answer_text(explanation.rule.answer);
}

}  // namespace varde::api
