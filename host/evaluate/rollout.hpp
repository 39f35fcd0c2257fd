#pragma once
#include "core/verdict.hpp"
#include "evaluate/evaluation_batch.hpp"
#include "ports/evaluator.hpp"

#include <cstdint>
#include <optional>

namespace varde::evaluate {

/// A new version of a rule on its way into use: tried out on made-up windows, then shown live windows beside the version in use, then
/// ready to take its place between two runs. No I/O.
struct Candidate {
    enum class Stage { trial, shadow, ready, refused };
    ports::RuleSpec spec;
    Stage stage = Stage::trial;
    BoundRule bound;       ///< from Stage::shadow on
    int windows_left = 0;  ///< Stage::shadow: live windows that it is still to see
    std::optional<core::Failed> failure;
    bool asked = false;                 ///< in this run
    std::vector<BoundRule> variants{};  ///< as spec.variants, from Stage::shadow on

    void refuse(core::Failed why);
    /// The trial went well. `beside` is whether there is a version in use that works.
    void passed_trial(BoundRule made, bool beside, int shadow_windows);
    [[nodiscard]] BoundRule& bound_for(const ports::Evaluation& question) {
        return question.variant == 0 || question.variant > variants.size() ? bound : variants[question.variant - 1];
    }
    /// Whether it is to see the next live window; counts it.
    bool takes_window();
    /// What it said to a live window that the version in use was asked about as well.
    void saw(const core::Verdict& verdict);
    /// A run went by. One that had no window for it counts as one: a rule that is switched off is replaced all the same.
    void run_passed();
};

/// The first evaluations of a version that replaced another one.
struct Probation {
    ports::Plugin previous;
    std::uint64_t left = 0;
    std::optional<core::Failed> failure;  ///< set: the previous version is to come back

    void saw(const core::Verdict& verdict);
    [[nodiscard]] bool is_over() const { return left == 0 && !failure; }
};

/// Whether a verdict speaks against the version that gave it: not what the machine did to it, and not an error it reports itself, which
/// may be the data's.
[[nodiscard]] const core::Failed* fault_of_version(const core::Verdict& verdict);

}  // namespace varde::evaluate
