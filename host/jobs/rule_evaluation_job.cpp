#include "jobs/rule_evaluation_job.hpp"

#include "config/json_section.hpp"

#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace varde::jobs {
namespace {

using core::Errc;
using core::Result;

constexpr std::size_t kMostRules = 1'000;

Result<std::vector<std::string>> rules_of(const std::string& text) {
    const auto params = nlohmann::json::parse(text, nullptr, false);
    std::vector<std::string> problems;
    std::vector<std::string> rules;
    config::JsonSection section{params, "params", problems};
    section.texts("rules", kMostRules, rules);
    section.finish();
    if (!problems.empty()) return core::fail(Errc::invalid_argument, fmt::format("{}", fmt::join(problems, "; ")));
    return rules;
}

/// Where the run thread leaves its answer; it may come after nobody waits any more.
struct Letterbox {
    std::mutex mutex;
    std::condition_variable_any came;
    std::optional<Result<ports::RunSummary>> answer;
};

std::string result_of(const ports::RunSummary& summary) {
    const auto& counts = summary.counts;
    const nlohmann::ordered_json result{{"run_id", summary.run_id},
                                        {"scopes", summary.scopes},
                                        {"rules_total", counts.rules_total},
                                        {"rules_ok", counts.rules_ok},
                                        {"rules_failed", counts.rules_failed},
                                        {"rules_gated", counts.rules_gated},
                                        {"deviations_upserted", counts.deviations_upserted},
                                        {"deviations_closed", counts.deviations_closed}};
    return result.dump();
}

}  // namespace

Result<void> RuleEvaluationJob::check(const std::string& params) const {
    if (const auto rules = rules_of(params); !rules) return tl::unexpected{rules.error()};
    return {};
}

ports::JobAnswer RuleEvaluationJob::run(const ports::JobCall& call) {
    auto rules = rules_of(call.params);
    if (!rules) return {false, rules.error().context, {}, false};
    const auto box = std::make_shared<Letterbox>();
    runs_.run(std::move(*rules), [box](Result<ports::RunSummary> answer) {
        const std::lock_guard lock{box->mutex};
        box->answer = std::move(answer);
        box->came.notify_all();
    });
    std::unique_lock lock{box->mutex};
    if (!box->came.wait(lock, call.stop, [&] { return box->answer.has_value(); }))
        return {false, "stopped while it waited", {}, true};
    const auto& answer = *box->answer;
    if (!answer) return {false, answer.error().context, {}, answer.error().code != Errc::not_found};
    if (!answer->error.empty()) return {false, answer->error, {}, true};
    return {true, {}, result_of(*answer), true};
}

}  // namespace varde::jobs
