#pragma once
#include "wire/control_layout.hpp"

#include <array>
#include <cmath>
#include <cstdint>
#include <string_view>

#include <varde/rule.h>

namespace varde::wire {

// What varde/rule.h allows a rule to answer. The worker checks to tell the rule at once, the host checks again because a worker is not
// believed. Each returns nullptr if all is well, else what is wrong, for the message of a bad_result.

[[nodiscard]] inline const char* problem_of_outcome(std::int32_t outcome, std::size_t findings) {
    if (outcome < VARDE_OUTCOME_UNKNOWN || outcome > VARDE_OUTCOME_NO_DATA) return "outcome is not one of VARDE_OUTCOME_*";
    if (outcome == VARDE_OUTCOME_MET && findings == 0) return "the outcome is met, but there is no finding";
    if (outcome != VARDE_OUTCOME_MET && findings > 0) return "there are findings, but the outcome is not met";
    return nullptr;
}

[[nodiscard]] inline const char* problem_of_finding(std::int32_t severity, std::size_t title, std::size_t explanation) {
    if (severity < VARDE_LOW || severity > VARDE_CRITICAL) return "severity is not one of VARDE_LOW .. VARDE_CRITICAL";
    if (title < 1 || title > max_title_bytes) return "title is not 1 .. 200 bytes long";
    if (explanation > max_explanation_bytes) return "explanation is longer than 4000 bytes";
    return nullptr;
}

/// The shape of one finding's evidence: which lists and objects are open.
class EvidenceShape {
  public:
    [[nodiscard]] const char* accept(std::uint32_t kind, std::size_t key_bytes, std::int64_t integer, double real,
                                     std::uint32_t n_rows) {
        if (kind < VARDE_NULL || kind > VARDE_END) return "evidence: kind is not one of VARDE_NULL .. VARDE_END";
        if (kind == VARDE_END) {
            if (depth_ == 0) return "evidence: VARDE_END without an open list or object";
            --depth_;
            return nullptr;
        }
        if (!in_list() && (key_bytes < 1 || key_bytes > max_field_key_bytes)) return "evidence: a key is not 1 .. 200 bytes long";
        if (kind == VARDE_REAL && !std::isfinite(real)) return "evidence: a real is not finite";
        if (kind == VARDE_EVENT && (integer < 0 || integer >= std::int64_t{n_rows}))
            return "evidence: an event is not a row of the window";
        if (kind == VARDE_LIST || kind == VARDE_OBJECT) {
            if (depth_ == max_nesting) return "evidence: nested more than 8 deep";
            open_[depth_++] = kind == VARDE_LIST;
        }
        return nullptr;
    }
    [[nodiscard]] bool in_list() const { return depth_ > 0 && open_[depth_ - 1]; }
    [[nodiscard]] bool closed() const { return depth_ == 0; }
    [[nodiscard]] std::size_t depth() const { return depth_; }

  private:
    std::array<bool, max_nesting> open_{};  ///< true: a list
    std::size_t depth_ = 0;
};

}  // namespace varde::wire
