#pragma once
#include "ports/job_kind.hpp"

#include <string>

namespace varde::testing {

/// What a job is called with.
struct Call {
    core::Run run;
    core::Schedule schedule;
    std::stop_source source;
    [[nodiscard]] ports::JobCall with(const std::string& params) const {
        return {run, schedule, params, "nightly/1/2026-01-15T03:00:00Z/scheduled", "7.2", source.get_token()};
    }
};

}  // namespace varde::testing
