#pragma once
#include "ports/run_control.hpp"

#include <mutex>
#include <utility>

namespace varde::fakes {

/// A RunControl that answers evaluations at once with what the test put in. Thread-safe.
class RunControl final : public ports::RunControl {
  public:
    struct Asked {
        core::Scope scope;
        core::Window window;
    };

    void answer_with(core::Result<std::vector<ports::RuleVerdict>> answer) {
        const std::lock_guard lock{mutex_};
        answer_ = std::move(answer);
    }
    void set_last_run(std::optional<ports::RunSummary> run) {
        const std::lock_guard lock{mutex_};
        last_run_ = std::move(run);
    }
    void set_rule_states(std::vector<ports::RuleState> states) {
        const std::lock_guard lock{mutex_};
        states_ = std::move(states);
    }
    void set_enabled(bool enabled) {
        const std::lock_guard lock{mutex_};
        enabled_ = enabled;
    }
    [[nodiscard]] std::vector<Asked> asked() const {
        const std::lock_guard lock{mutex_};
        return asked_;
    }

    void run(ports::RunWish wish, Ran done) override {
        core::Result<ports::RunSummary> answer = ports::RunSummary{};
        {
            const std::lock_guard lock{mutex_};
            ran_.push_back(std::move(wish));
            answer = run_answer_;
        }
        done(std::move(answer));
    }
    void answer_runs_with(core::Result<ports::RunSummary> answer) {
        const std::lock_guard lock{mutex_};
        run_answer_ = std::move(answer);
    }
    [[nodiscard]] std::vector<ports::RunWish> ran() const {
        const std::lock_guard lock{mutex_};
        return ran_;
    }
    void evaluate(const core::Scope& scope, core::Window window, Evaluated done) override {
        std::unique_lock lock{mutex_};
        asked_.push_back({scope, window});
        auto answer = answer_;
        lock.unlock();
        done(std::move(answer));
    }
    void explain_with(core::Result<ports::ExplainedRule> explained) {
        const std::lock_guard lock{mutex_};
        explained_ = std::move(explained);
    }
    void explain(const std::string& rule_id, const core::Scope& scope, std::optional<core::Instant> at, Explained done) override {
        std::unique_lock lock{mutex_};
        asked_.push_back({scope, {at.value_or(core::Instant::min()), at.value_or(core::Instant::min())}});
        auto explained = explained_;
        lock.unlock();
        if (explained) {
            explained->asked.rule_id = rule_id;
            explained->asked.scope = scope;
            explained->asked.now = at.value_or(explained->asked.now);
        }
        done(std::move(explained));
    }
    std::optional<ports::RunSummary> last_run() const override {
        const std::lock_guard lock{mutex_};
        return last_run_;
    }
    std::vector<ports::RuleState> rule_states() const override {
        const std::lock_guard lock{mutex_};
        return states_;
    }
    bool scheduler_enabled() const override {
        const std::lock_guard lock{mutex_};
        return enabled_;
    }

  private:
    mutable std::mutex mutex_;
    core::Result<std::vector<ports::RuleVerdict>> answer_ = std::vector<ports::RuleVerdict>{};
    core::Result<ports::ExplainedRule> explained_ = ports::ExplainedRule{};
    std::optional<ports::RunSummary> last_run_;
    std::vector<ports::RuleState> states_;
    std::vector<ports::RunWish> ran_;
    core::Result<ports::RunSummary> run_answer_ = ports::RunSummary{};
    std::vector<Asked> asked_;
    bool enabled_ = true;
};

}  // namespace varde::fakes
