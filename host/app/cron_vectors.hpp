#pragma once
#include "core/error.hpp"

#include <nlohmann/json.hpp>

#include <cstdint>
#include <map>
#include <string>

/// `varde cron next --vectors FILE`: questions of other cron engines' tests, with the answer that Varde promises.
namespace varde::app {

struct CronScore {
    std::int64_t equal = 0;
    std::int64_t different = 0;
    std::map<std::string, std::int64_t> unsupported;  ///< why a line was not asked -> how many
};

struct CronVerdict {
    nlohmann::ordered_json answer;  ///< {id, next|none|error} or {id, unsupported}
    std::string difference;         ///< empty: as promised, or not asked
};

/// Answers one line {id, expr, tz?, after?, dialect, domdow?, promise?, expect_next|none|error} and counts it. Errc::invalid_argument if
/// the line cannot be read.
[[nodiscard]] core::Result<CronVerdict> judge_cron_vector(const std::string& line, CronScore& score);

/// "N equal, N different" and what was left out, each on a line.
[[nodiscard]] std::string summary_of(const CronScore& score);

}  // namespace varde::app
