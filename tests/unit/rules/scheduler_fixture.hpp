#pragma once
#include "rules/scheduler.hpp"
#include "rules_folder.hpp"
#include "run_fixture.hpp"

#include <condition_variable>
#include <mutex>

namespace varde::scripted {

/// A log that lets a test wait for an event instead of sleeping.
class WaitableLog final : public ports::LogSink {
  public:
    void write(ports::LogLevel level, std::string_view component, std::string_view event, std::string_view run_id,
               std::string_view message, std::span<const ports::LogField> fields) override {
        kept.write(level, component, event, run_id, message, fields);
        const std::lock_guard lock{mutex_};
        changed_.notify_all();
    }
    /// False if it did not come within a generous time.
    bool wait_for(std::string_view event, std::size_t count = 1) {
        std::unique_lock lock{mutex_};
        return changed_.wait_for(lock, std::chrono::seconds{20}, [&] { return kept.count(event) >= count; });
    }
    fakes::LogSink kept;

  private:
    std::mutex mutex_;
    std::condition_variable changed_;
};

/// A scheduler over scripted plugins and a rules.yaml of its own.
struct SchedulerFixture {
    RulesFolder folder{"rules: {R-001: {enabled_in_scheduler: true}, R-002: {}}"};
    time::ManualClock clock{at("2026-01-15T12:00:00Z")};
    Evaluator evaluator;
    Catalogue catalogue;
    fakes::DeviationRepository deviations;
    fakes::RuleRepository rules;
    fakes::BaselineRepository baselines;
    fakes::MonitorModeRepository modes;
    WaitableLog log;
    rules::SchedulerOptions options{.rules_file = folder.file(),
                                    .interval = std::chrono::hours{24},
                                    .stop_timeout = std::chrono::milliseconds{0},
                                    .watch_every = std::chrono::milliseconds{2}};

    SchedulerFixture() { catalogue.holds({.plugins = {plugin("R-001")}, .rejected = {}}); }
    std::unique_ptr<rules::Scheduler> make() {
        return std::make_unique<rules::Scheduler>(
            options, rules::RunPorts{evaluator, deviations, rules, baselines, modes, clock, log}, catalogue);
    }
    [[nodiscard]] fakes::LogSink::Entry last_of(std::string_view event) const {
        fakes::LogSink::Entry last;
        for (const auto& entry : log.kept.entries()) {
            if (entry.event == event) last = entry;
        }
        REQUIRE(last.event == event);
        return last;
    }
};

}  // namespace varde::scripted
