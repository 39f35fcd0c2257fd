#include "gating/rule_truth.hpp"

namespace varde::gating {
namespace {

std::optional<double> coverage(const std::optional<std::int64_t>& supported, const std::optional<std::int64_t>& rows) {
    if (!supported || !rows || *rows <= 0) return std::nullopt;
    return static_cast<double>(*supported) / static_cast<double>(*rows);
}

void gate(RuleTruth& result, Truth truth, const char* reason, const char* summary) {
    result.truth = truth;
    result.gating_reason = reason;
    result.basis_summary = summary;
}

/// The texts are the first user's, word for word; WEAK_BASIS keeps a rule from being asked just as NOT_EVALUATED does.
void judge_baseline(RuleTruth& result, const config::RuleSettings& rule, const core::BaselineStatus* baseline) {
    result.baseline_ready = baseline != nullptr && baseline->ready;
    result.days_with_data = baseline == nullptr ? 0 : baseline->days_with_data;
    if (baseline == nullptr) {
        return gate(result, Truth::not_evaluated, "baseline_status_missing", "Ikke vurdert: mangler baseline-status");
    }
    result.coverage_room_bucket = coverage(baseline->room_bucket_supported, baseline->room_bucket_rows);
    result.coverage_transition = coverage(baseline->transition_supported, baseline->transition_rows);
    if (!baseline->ready) return gate(result, Truth::weak_basis, "baseline_not_ready", "Svak vurdering: baseline ikke READY");
    if (rule.min_days_with_data && baseline->days_with_data < *rule.min_days_with_data) {
        gate(result, Truth::weak_basis, "insufficient_history_days", "Ikke vurdert: mangler nok historikk");
    }
}

}  // namespace

std::string_view name_of(Truth truth) {
    switch (truth) {
        case Truth::fully_evaluated: return "FULLY_EVALUATED";
        case Truth::default_profile: return "DEFAULT_PROFILE";
        case Truth::weak_basis: return "WEAK_BASIS";
        case Truth::not_evaluated: return "NOT_EVALUATED";
    }
    return "NOT_EVALUATED";
}

bool requires_baseline(const config::RuleSettings& rule) {
    return rule.requires_baseline.value_or(rule.evaluation_mode == "baseline_dependent");
}

bool requires_profile(const config::RuleSettings& rule) {
    return rule.requires_profile.value_or(rule.evaluation_mode == "profile_dependent");
}

RuleTruth truth_of(const config::RuleSettings& rule, const core::BaselineStatus* baseline) {
    RuleTruth result;
    result.evaluation_mode = rule.evaluation_mode;
    result.requires_baseline = requires_baseline(rule);
    result.requires_profile = requires_profile(rule);
    result.profile_mode = rule.profile_mode;
    if (result.requires_baseline) judge_baseline(result, rule, baseline);
    if (!result.asks()) return result;
    if (result.requires_profile && rule.profile_mode == "default_window" && rule.uses_default_profile_when_missing) {
        gate(result, Truth::default_profile, "default_profile_window", "Bruker standard nattvindu, ikke personlig boligprofil");
        result.uses_default_profile = true;
    }
    return result;
}

}  // namespace varde::gating
