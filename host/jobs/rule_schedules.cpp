#include "jobs/rule_schedules.hpp"

#include "jobs/stored_schedules.hpp"
#include "jobs/sync_items.hpp"

#include <algorithm>
#include <ranges>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace varde::jobs {
namespace {

using core::Errc;
using core::Result;
using core::Schedule;
using core::TriggerKind;
using nlohmann::json;

constexpr const char* kSource = "config";
constexpr std::chrono::hours kLongestRun{1};
constexpr int kPriority = 100;  // a missed alarm matters more than anything else that waits

Schedule of_rules(std::string id, std::string name, const json& params) {
    Schedule schedule;
    schedule.schedule_id = std::move(id);
    schedule.org_id.clear();
    schedule.name = std::move(name);
    schedule.owner = "rules.yaml";
    schedule.kind = "rule_evaluation";
    schedule.params = params.dump();
    schedule.source = kSource;
    schedule.policy.queue = "rules";
    schedule.policy.priority = kPriority;
    schedule.policy.run_timeout = kLongestRun;
    return schedule;
}

bool enabled_somewhere(const config::RulesConfig& config, const std::string& rule_id, const config::RuleSettings& rule) {
    return rule.enabled_in_scheduler || std::ranges::any_of(config.homes, [&](const config::HomeSettings& home) {
               const auto found = home.rules.find(rule_id);
               return found != home.rules.end() && found->second.enabled_in_scheduler.value_or(false);
           });
}

ports::RunSummary summary_of(const core::Run& run) {
    ports::RunSummary summary;
    summary.started_at = run.started_at.value_or(run.created_at);
    summary.finished_at = run.finished_at.value_or(core::Instant{});
    if (run.state != core::RunState::success) summary.error = run.error.empty() ? core::name_of(run.state) : run.error;
    const auto result = json::parse(run.result, nullptr, false);
    if (!result.is_object()) return summary;
    summary.run_id = result.value("run_id", "");
    summary.scopes = result.value("scopes", std::int64_t{0});
    summary.evaluations = result.value("evaluations", std::int64_t{0});
    summary.counts.rules_total = result.value("rules_total", std::int64_t{0});
    summary.counts.rules_ok = result.value("rules_ok", std::int64_t{0});
    summary.counts.rules_failed = result.value("rules_failed", std::int64_t{0});
    summary.counts.rules_gated = result.value("rules_gated", std::int64_t{0});
    summary.counts.deviations_upserted = result.value("deviations_upserted", std::int64_t{0});
    summary.counts.deviations_closed = result.value("deviations_closed", std::int64_t{0});
    return summary;
}

}  // namespace

std::vector<Schedule> rule_schedules(const config::RulesConfig& config, std::chrono::milliseconds interval) {
    std::vector<Schedule> wanted;
    auto& all = wanted.emplace_back(
        of_rules(std::string{kRulesSchedule}, "The rules, at the interval of rules.yaml", {{"without_scheduled", true}}));
    all.trigger.kind = TriggerKind::interval;
    all.trigger.period = interval;
    for (const auto& [id, rule] : config.rules) {
        if (!rule.schedule || !enabled_somewhere(config, id, rule)) continue;
        auto& own = wanted.emplace_back(of_rules(fmt::format("{}:{}", kRulesSchedule, id),
                                                 fmt::format("Rule {}, as rules.yaml says", id), {{"rules", {id}}}));
        own.trigger = *rule.schedule;
        // What comes while the rule runs may be what it has not seen.
        if (own.trigger.kind == TriggerKind::event) own.policy.overlap = core::Overlap::queue_one;
    }
    return wanted;
}

bool RuleSchedules::arrange(const config::RulesConfig& config, std::chrono::milliseconds interval) {
    if (!bring_in_line(rule_schedules(config, interval))) return false;
    if (!std::exchange(ran_at_start_, true)) {
        // A conflict says that one is under way, which is as good.
        (void)ports_.control.run_now(std::string{kRulesSchedule}, {}, {{}, {}, "the host, at its start"});
    }
    return true;
}

bool RuleSchedules::bring_in_line(const std::vector<Schedule>& wanted) {
    auto found = stored_schedules(ports_.schedules, {}, kSource);
    if (!answered("", found) || !found) return false;
    auto& stored = *found;
    for (const auto& schedule : wanted) {
        const auto known = stored.extract(schedule.schedule_id);
        if (known.empty()) {
            if (!answered(schedule.schedule_id, ports_.control.create(schedule, kSource))) return false;
        } else if (!is_unchanged(known.mapped(), schedule)) {
            const auto change = [&](const Schedule& current) -> Result<Schedule> { return updated(current, schedule); };
            if (!answered(schedule.schedule_id, ports_.control.edit(schedule.schedule_id, {}, change, kSource))) return false;
        }
    }
    return std::ranges::all_of(stored | std::views::keys, [&](const std::string& id) {
        return answered(id, ports_.control.remove(id, {}, false, true, kSource));
    });
}

template <class T>
bool RuleSchedules::answered(const std::string& schedule_id, const Result<T>& done) {
    if (done) return true;
    if (done.error().code == Errc::database_unavailable) return false;
    ports_.log.log(ports::LogLevel::error, "schedule", "rules_not_scheduled",
                   "a schedule of rules.yaml cannot be stored; what it should run, the host runs late or not at all",
                   {{"schedule_id", schedule_id}, {"error", done.error().context}});
    return true;
}

Result<std::optional<ports::KnownRun>> RuleSchedules::newest() {
    const auto schedule = ports_.schedules.find(std::string{kRulesSchedule}, {});
    if (!schedule) return tl::unexpected{schedule.error()};
    if (schedule->source != kSource) return core::fail(Errc::not_found, "the schedule 'rules' is somebody else's");
    if (schedule->state != core::ScheduleState::active) return std::nullopt;
    if (schedule->last_run_id == 0) return core::fail(Errc::not_found, "the rules have not been run yet");
    const auto run = ports_.runs.find(schedule->last_run_id, {});
    if (!run) return tl::unexpected{run.error()};
    auto summary = summary_of(*run);
    return ports::KnownRun{summary, ports_.clock.now() - summary.started_at, core::is_terminal(run->state)};
}

}  // namespace varde::jobs
