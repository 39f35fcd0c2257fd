#include "jobs/rule_evaluation_job.hpp"

#include "config/json_section.hpp"

#include <algorithm>
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

Result<ports::RunWish> wish_of(const std::string& text) {
    const auto params = nlohmann::json::parse(text, nullptr, false);
    std::vector<std::string> problems;
    ports::RunWish wish;
    config::JsonSection section{params, "params", problems};
    section.texts("rules", kMostRules, wish.rules);
    section.boolean("without_scheduled", wish.without_scheduled);
    if (!wish.rules.empty() && wish.without_scheduled) {
        section.problem("without_scheduled", "must not stand beside rules: one of the two");
    }
    section.finish();
    if (!problems.empty()) return core::fail(Errc::invalid_argument, fmt::format("{}", fmt::join(problems, "; ")));
    return wish;
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
                                        {"evaluations", summary.evaluations},
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
    if (const auto wish = wish_of(params); !wish) return tl::unexpected{wish.error()};
    return {};
}

bool RuleEvaluationJob::others_ran(const core::Run& run) {
    if (history_ == nullptr) return false;
    constexpr int kLooked = 20;
    ports::RunQuery query;
    query.job_kind.emplace(name());
    query.limit = kLooked;
    const auto rows = history_->list(query);
    const std::lock_guard lock{mutex_};
    const auto since = std::exchange(last_start_, run.started_at);
    if (!rows || !since) return true;
    const bool any = std::ranges::any_of(*rows, [&](const core::Run& row) {
        return !row.owner.empty() && row.owner != run.owner && (!row.finished_at || *row.finished_at >= *since);
    });
    // So many since then that what lies before is not seen.
    const bool unknown = std::ssize(*rows) == kLooked && rows->back().created_at > *since;
    return any || unknown;
}

ports::JobAnswer RuleEvaluationJob::run(const ports::JobCall& call) {
    auto wish = wish_of(call.params);
    if (!wish) return {false, wish.error().context, {}, false};
    wish->after_others = others_ran(call.run);
    const auto box = std::make_shared<Letterbox>();
    runs_.run(std::move(*wish), [box](Result<ports::RunSummary> answer) {
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
