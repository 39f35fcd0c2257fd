#pragma once
#include "ports/job_kind.hpp"

namespace varde::jobs {

/// Kind "noop", for trying out schedules and for measuring them. Params: {"sleep": duration up to 1 d, "fail": text, "throw": true}, all
/// optional. Sleeps as long as that or until it is stopped; then fails with that text, if there is one, or throws.
class NoopJob final : public ports::JobKind {
  public:
    [[nodiscard]] std::string_view name() const override { return "noop"; }
    [[nodiscard]] std::string_view summary() const override {
        return "does nothing, or sleeps, or fails: for trying out schedules";
    }
    [[nodiscard]] core::Result<void> check(const std::string& params) const override;
    [[nodiscard]] ports::JobAnswer run(const ports::JobCall& call) override;
};

}  // namespace varde::jobs
