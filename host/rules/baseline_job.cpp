#include "rules/baseline_job.hpp"

#include "gating/baseline_count.hpp"
#include "rules/run_log.hpp"

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>

namespace varde::rules {
namespace {

using namespace std::chrono_literals;
using ports::Json;
using ports::LogLevel;

constexpr std::string_view kComponent = "baseline";

std::string scope_json(const core::Scope& scope) {
    return nlohmann::ordered_json{{"org_id", scope.org_id}, {"home_id", scope.home_id}, {"subject_id", scope.subject_id}}.dump(
        -1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

}  // namespace

BaselineJob::BaselineJob(config::BaselineSettings settings, BaselinePorts ports)
    : settings_{std::move(settings)}, ports_{ports}, zone_{time::Zone::find(settings_.zone).value_or(time::Zone::utc())} {}

BaselineJob::~BaselineJob() { stop(); }

void BaselineJob::start() {
    if (settings_.every.count() > 0) thread_ = std::thread{[this] { loop(); }};
}

void BaselineJob::stop() {
    {
        const std::lock_guard lock{mutex_};
        stopping_ = true;
    }
    changed_.notify_all();
    if (thread_.joinable()) thread_.join();
}

void BaselineJob::loop() {
    while (!stopping()) {
        const auto round = compute(Which::due);
        const auto pause = round.error.empty() ? settings_.every : std::min<std::chrono::minutes>(settings_.every, 1min);
        std::unique_lock lock{mutex_};
        changed_.wait_for(lock, pause, [this] { return stopping_; });
    }
}

bool BaselineJob::stopping() const {
    const std::lock_guard lock{mutex_};
    return stopping_;
}

std::optional<BaselineRound> BaselineJob::step() {
    const auto now = ports_.clock.now();
    // A clock that was set back must not stop the rounds.
    const bool passed = !last_step_ || now - *last_step_ >= settings_.every || now < *last_step_;
    if (settings_.every.count() == 0 || !passed) return std::nullopt;
    last_step_ = now;
    return compute(Which::due);
}

BaselineRound BaselineJob::compute(Which which, const core::ScopeFilter& only) {
    const auto started = ports_.clock.now();
    BaselineRound round;
    if (const auto done = attempt(which, only, round); !done) {
        round.error = done.error().context;
        if (done.error().code == core::Errc::stopping) return round;
        ports_.log.log(LogLevel::error, kComponent, "baseline_failed", "not every home's baseline could be computed",
                       {{"computed", round.computed}, {"error", Json{error_json(done.error())}}});
    } else if (round.computed > 0) {
        const auto took = std::chrono::duration_cast<std::chrono::milliseconds>(ports_.clock.now() - started);
        ports_.log.log(LogLevel::info, kComponent, "baseline_computed", "baselines are up to date",
                       {{"scopes", round.scopes},
                        {"computed", round.computed},
                        {"ready", round.ready},
                        {"duration_ms", std::max<std::int64_t>(0, took.count())}});
    }
    return round;
}

core::Result<void> BaselineJob::attempt(Which which, const core::ScopeFilter& only, BaselineRound& round) {
    const auto now = ports_.clock.now();
    const auto days = gating::baseline_days(settings_, zone_, now);
    const core::Window model{days.front().since, days.back().until};
    const auto definition = gating::definition_of(settings_);
    const auto scopes = ports_.events.scopes();
    if (!scopes) return tl::unexpected{scopes.error()};
    const auto rows = ports_.baselines.list(only);
    if (!rows) return tl::unexpected{rows.error()};
    std::map<core::Scope, const core::BaselineStatus*> known;
    for (const auto& row : *rows) known.emplace(row.scope, &row);
    for (const auto& scope : *scopes) {
        if (!only.admits(scope)) continue;
        ++round.scopes;
        const auto found = known.find(scope);
        const auto* const before = found == known.end() ? nullptr : found->second;
        if (which == Which::due && !gating::is_due(before, definition, model)) continue;
        const auto status = count(scope, days, now);
        if (!status) return tl::unexpected{status.error()};
        if (auto saved = ports_.baselines.save(*status); !saved) return saved;
        ++round.computed;
        round.ready += status->ready ? 1 : 0;
        tell_change(before, *status);
    }
    return {};
}

core::Result<core::BaselineStatus> BaselineJob::count(const core::Scope& scope, const std::vector<core::Window>& days,
                                                      core::Instant now) {
    gating::BaselineCount counted{settings_, zone_};
    for (const auto& day : days) {
        if (stopping()) return core::fail(core::Errc::stopping, "the host is going down");
        auto read = ports_.events.read_range(scope, day, [&](const core::Event& event) { counted.add(event); });
        if (!read) return tl::unexpected{read.error()};
    }
    return counted.status(scope, {days.front().since, days.back().until}, now);
}

void BaselineJob::tell_change(const core::BaselineStatus* before, const core::BaselineStatus& now) const {
    if (before != nullptr && before->ready == now.ready) return;
    ports_.log.log(LogLevel::info, kComponent, "baseline_changed",
                   now.ready ? "enough is known of a home" : "too little is known of a home for rules that need a baseline",
                   {{"scope", Json{scope_json(now.scope)}},
                    {"ready", now.ready},
                    {"days_with_data", now.days_with_data},
                    {"room_bucket_rows", now.room_bucket_rows.value_or(0)},
                    {"room_bucket_supported", now.room_bucket_supported.value_or(0)}});
}

}  // namespace varde::rules
