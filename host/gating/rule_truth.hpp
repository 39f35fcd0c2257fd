#pragma once
#include "config/settings.hpp"
#include "core/baseline.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace varde::gating {

/// On what basis a rule judges a scope. The last two: it is not asked.
enum class Truth { fully_evaluated, default_profile, weak_basis, not_evaluated };
[[nodiscard]] std::string_view name_of(Truth truth);  ///< "FULLY_EVALUATED" ..

/// Whether a rule may be asked about a scope, and why not. The members are the keys that the API and the evidence show, in their order.
struct RuleTruth {
    std::string evaluation_mode = "independent";
    bool requires_baseline = false;
    bool requires_profile = false;
    Truth truth = Truth::fully_evaluated;
    /// "baseline_status_missing", "baseline_not_ready", "insufficient_history_days" or "default_profile_window"; empty: none. An
    /// interface: log events and the API use it.
    std::string gating_reason{};
    std::string basis_summary{};  ///< the same in Norwegian, for the user; empty with gating_reason
    bool uses_default_profile = false;
    std::string profile_mode = "home_specific";
    // Only for rules that require a baseline:
    std::optional<bool> baseline_ready{};
    std::optional<std::int64_t> days_with_data{};
    /// Supported part of the cells or ways that were seen; nullopt if none was, or nobody counted them. May exceed 1 if the row says so.
    std::optional<double> coverage_room_bucket{};
    std::optional<double> coverage_transition{};

    /// False: the rule is not asked; gating_reason says why.
    [[nodiscard]] bool asks() const { return truth == Truth::fully_evaluated || truth == Truth::default_profile; }
};

/// What requires_baseline says, or else what evaluation_mode implies; likewise requires_profile.
[[nodiscard]] bool requires_baseline(const config::RuleSettings& rule);
[[nodiscard]] bool requires_profile(const config::RuleSettings& rule);

/// The decision, a pure function. `baseline` is the scope's row, nullptr if it has none; looked at only if the rule requires one.
[[nodiscard]] RuleTruth truth_of(const config::RuleSettings& rule, const core::BaselineStatus* baseline);

}  // namespace varde::gating
