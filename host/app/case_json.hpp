#pragma once
#include "core/error.hpp"
#include "core/verdict.hpp"
#include "ports/evaluator.hpp"

#include <nlohmann/json.hpp>

#include <string>
#include <string_view>
#include <vector>

/// The lines of `varde eval`: cases in, answers out (docs/eval.md).
namespace varde::app {

struct EvalCase {
    nlohmann::ordered_json vector_id;  ///< null if the line has none; handed back as it is
    ports::Evaluation evaluation;
    std::string params = "{}";
    std::vector<core::Event> events;  ///< in insertion order
    nlohmann::ordered_json expected;  ///< null if the line has none
};

/// Errc::invalid_argument names the key that is missing or wrong.
[[nodiscard]] core::Result<EvalCase> read_case(std::string_view line);

[[nodiscard]] nlohmann::ordered_json answer(const EvalCase& asked, const core::Verdict& verdict);

/// Empty if the verdict's findings equal the case's expected ones, evidence lists compared as `event_ids`; else what differs.
[[nodiscard]] std::string difference(const EvalCase& asked, const core::Verdict& verdict);

}  // namespace varde::app
