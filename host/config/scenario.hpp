#pragma once
#include "core/error.hpp"
#include "core/event.hpp"
#include "core/finding.hpp"

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace varde::config {

/// One entry of `expect.deviations`. It matches a deviation if everything that is given is equal.
struct ExpectedDeviation {
    std::string rule_id;
    std::optional<std::string> severity;
    std::optional<std::string> title;
    std::optional<std::string> explanation_contains;
    std::vector<std::string> evidence_contains;  ///< each must be one of the evidence's event_ids
    std::optional<std::string> window_since;     ///< compared as text, as the reference does: 2026-01-15T12:00:00Z
    std::optional<std::string> window_until;
};

/// A scenario in the AgingOS dialect: events, one evaluation, what it must find.
struct Scenario {
    std::string id;
    std::string description;
    std::vector<core::Event> events;  ///< in file order
    core::Window evaluate{};
    bool exact = false;  ///< pass_condition: exact; else contains
    std::vector<std::string> ignore_extra_rule_ids;
    std::vector<ExpectedDeviation> expected;
};

/// Errc::config_invalid: "file:line:column: ..." for the first thing that is wrong. Unknown keys are errors.
[[nodiscard]] core::Result<Scenario> load_scenario(const std::filesystem::path& file);

}  // namespace varde::config
