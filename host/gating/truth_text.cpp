#include "gating/truth_text.hpp"

#include <nlohmann/json.hpp>

namespace varde::gating {
namespace {

using nlohmann::ordered_json;

template <class T>
ordered_json or_null(const std::optional<T>& value) {
    return value ? ordered_json(*value) : ordered_json(nullptr);
}

ordered_json or_null(const std::string& text) { return text.empty() ? ordered_json(nullptr) : ordered_json(text); }

ordered_json json_of(const RuleTruth& truth) {
    return {{"evaluation_mode", truth.evaluation_mode},
            {"requires_baseline", truth.requires_baseline},
            {"requires_profile", truth.requires_profile},
            {"evaluation_truth", name_of(truth.truth)},
            {"gating_reason", or_null(truth.gating_reason)},
            {"basis_summary", or_null(truth.basis_summary)},
            {"uses_default_profile", truth.uses_default_profile},
            {"profile_mode", truth.profile_mode},
            {"baseline_ready", or_null(truth.baseline_ready)},
            {"days_with_data", or_null(truth.days_with_data)},
            {"min_days_required", nullptr},
            {"coverage_room_bucket", or_null(truth.coverage_room_bucket)},
            {"coverage_transition", or_null(truth.coverage_transition)}};
}

std::string dump(const ordered_json& json) { return json.dump(-1, ' ', false, ordered_json::error_handler_t::replace); }

ordered_json object_of(const std::string& evidence) {
    auto json = ordered_json::parse(evidence, nullptr, false);
    return json.is_object() ? json : ordered_json::object();
}

void add_truth(ordered_json& evidence, const RuleTruth& truth) {
    const auto keys = json_of(truth);
    for (const auto& [key, value] : keys.items()) {
        if (!value.is_null()) evidence[key] = value;
    }
}

}  // namespace

std::string truth_json(const RuleTruth& truth) { return dump(json_of(truth)); }

std::string evidence_with(const std::string& evidence, const RuleTruth& truth) {
    auto merged = object_of(evidence);
    add_truth(merged, truth);
    return dump(merged);
}

std::string kept_evidence(const std::string& evidence, const RuleTruth& truth, core::MonitorMode mode) {
    const auto own = object_of(evidence);
    ordered_json kept{{"event_ids", own.contains("event_ids") ? own.at("event_ids") : ordered_json::array()}};
    kept.update(own);
    add_truth(kept, truth);
    if (mode == core::MonitorMode::test) kept["_monitor_mode"] = core::name_of(mode);
    return dump(kept);
}

}  // namespace varde::gating
