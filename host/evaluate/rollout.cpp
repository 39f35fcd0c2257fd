#include "evaluate/rollout.hpp"

#include <utility>

namespace varde::evaluate {

void Candidate::refuse(core::Failed why) {
    stage = Stage::refused;
    failure = std::move(why);
    bound = {};
    variants.clear();
}

void Candidate::passed_trial(BoundRule made, bool beside, int shadow_windows) {
    bound = std::move(made);
    windows_left = shadow_windows;
    stage = beside && shadow_windows > 0 ? Stage::shadow : Stage::ready;
}

bool Candidate::takes_window() {
    if (stage != Stage::shadow || windows_left <= 0) return false;
    --windows_left;
    asked = true;
    return true;
}

void Candidate::saw(const core::Verdict& verdict) {
    if (stage != Stage::shadow) return;
    if (const auto* why = fault_of_version(verdict)) refuse(*why);
}

void Candidate::run_passed() {
    if (stage != Stage::shadow) return;
    if (!std::exchange(asked, false)) --windows_left;
    if (windows_left <= 0) stage = Stage::ready;
}

void Probation::saw(const core::Verdict& verdict) {
    if (failure || left == 0) return;
    if (const auto* why = fault_of_version(verdict))
        failure = *why;
    else
        --left;
}

const core::Failed* fault_of_version(const core::Verdict& verdict) {
    using enum core::FailureReason;
    const auto* failed = std::get_if<core::Failed>(&verdict);
    if (failed == nullptr) return nullptr;
    switch (failed->reason) {
        case starved:
        case spawn_failed:
        case input_too_large:
        case not_loaded:
        case quarantined:
        case rule_error: return nullptr;
        default: return failed;
    }
}

}  // namespace varde::evaluate
