#include "rules/scheduler.hpp"

#include "rules/rule_questions.hpp"
#include "rules/rule_set.hpp"
#include "rules/rules_watch.hpp"
#include "rules/run_id.hpp"

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>
#include <utility>

namespace varde::rules {
namespace {

using ports::Json;
using ports::LogLevel;
using Steady = std::chrono::steady_clock;

constexpr std::string_view kComponent = "scheduler";
constexpr std::size_t kMaxWaiting = 1'000;  ///< evaluate() calls
constexpr std::chrono::seconds kArrangeAgain{1};

std::int64_t ms(Steady::duration duration) { return std::chrono::duration_cast<std::chrono::milliseconds>(duration).count(); }

}  // namespace

class Scheduler::Impl {
  public:
    Impl(SchedulerOptions options, RunPorts ports, ports::PluginCatalogue& plugins)
        : options_{std::move(options)},
          ports_{ports},
          watch_{options_.rules_file},
          rule_set_{ports.evaluator, plugins, ports.log},
          rule_run_{ports},
          questions_{ports, rule_run_, rule_set_} {}

    ~Impl() { stop(); }

    void start() {
        thread_ = std::thread{[this] { loop(); }};
    }

    void stop() {
        {
            const std::lock_guard lock{mutex_};
            if (!abandon_at_) abandon_at_ = Steady::now() + options_.stop_timeout;
        }
        changed_.notify_all();
        if (thread_.joinable()) thread_.join();
        // A run that had to be abandoned has used up the time there was.
        if (!abandoned()) rule_run_.finish();
        for (auto& waiting : take_waiting()) waiting.refuse({core::Errc::stopping, "the host is going down"});
    }

    ports::RunSummary step() {
        refresh(true);
        auto summary = run();
        serve();
        return summary;
    }

    void evaluate(const core::Scope& scope, core::Window window, Evaluated done) {
        wait_for_run_thread(
            {[=, this] { done(config_ ? questions_.judge(*config_, scope, window) : tl::unexpected{*config_error_}); },
             [done](const core::Error& why) { done(tl::unexpected{why}); }});
    }

    void explain(const std::string& rule_id, const core::Scope& scope, std::optional<core::Instant> at, Explained done) {
        wait_for_run_thread(
            {[=, this] { done(config_ ? questions_.explain(*config_, rule_id, scope, at) : tl::unexpected{*config_error_}); },
             [done](const core::Error& why) { done(tl::unexpected{why}); }});
    }

    void run_as_wished(ports::RunWish wish, Ran done) {
        wait_for_run_thread({[=, this] { done(ran(wish)); }, [done](const core::Error& why) { done(tl::unexpected{why}); }});
    }

    std::optional<ports::RunSummary> last_run() const {
        const std::lock_guard lock{mutex_};
        return last_run_;
    }
    std::vector<ports::RuleState> rule_states() const {
        const std::lock_guard lock{mutex_};
        return states_;
    }
    bool enabled() const { return options_.enabled; }
    std::shared_ptr<const config::RulesConfig> rules() const {
        const std::lock_guard lock{mutex_};
        return published_;
    }

  private:
    /// A question that is answered between two runs.
    struct Waiting {
        std::function<void()> answer;
        std::function<void(const core::Error&)> refuse;
    };

    void wait_for_run_thread(Waiting waiting) {
        std::optional<core::Error> refused;
        {
            const std::lock_guard lock{mutex_};
            if (abandon_at_) {
                refused = core::Error{core::Errc::stopping, "the host is going down"};
            } else if (waiting_.size() >= kMaxWaiting) {
                refused = core::Error{core::Errc::overloaded, "too many evaluations are waiting"};
            } else {
                waiting_.push_back(std::move(waiting));
            }
        }
        if (refused) return waiting.refuse(*refused);
        changed_.notify_all();
    }

    void loop() {
        refresh(true);
        log_configured();
        auto next_look = Steady::now() + options_.watch_every;
        if (options_.timer) last_start_ = Steady::now();
        next_run_ = Steady::now() + (options_.timer ? patience() : options_.first_run_after);
        while (wait(next_look)) {
            serve();
            if (Steady::now() >= next_look) {
                refresh(false);
                next_look = Steady::now() + options_.watch_every;
            }
            if (options_.enabled && Steady::now() >= next_run_) {
                if (options_.timer)
                    step_in();
                else
                    run_in_time();
            }
        }
    }

    void run_in_time() {
        last_start_ = Steady::now();
        run();
        plan_next_run();
    }

    /// What a run may be late before this host makes it, whoever else should have.
    std::chrono::milliseconds patience() const { return interval() + std::max(interval(), options_.timer->least_patience); }

    void step_in() {
        auto newest = options_.timer->newest();
        if (newest && !*newest) {
            next_run_ = Steady::now() + patience();
            return;
        }
        if (newest && (*newest)->age < patience()) {
            next_run_ = Steady::now() + std::chrono::ceil<std::chrono::milliseconds>(patience() - (*newest)->age);
            if (!(*newest)->is_over) return;
            const std::lock_guard lock{mutex_};
            last_run_ = std::move((*newest)->summary);
            return;
        }
        ports_.log.log(LogLevel::warning, kComponent, "scheduler_run_late",
                       "no run was started in time; this host makes one itself",
                       {{"late_ms", ms(Steady::now() - last_start_ - interval())},
                        {"missed", std::int64_t{(Steady::now() - last_start_) / interval()}},
                        {"interval_ms", std::int64_t{interval().count()}}});
        if (newest) rule_run_.forget();  // there were runs elsewhere
        last_start_ = Steady::now();
        next_run_ = last_start_ + patience();
        run(interval_rules());
    }

    /// Until there is something to do; false once stop() was called.
    bool wait(Steady::time_point next_look) {
        const auto wake_at = options_.enabled ? std::min(next_look, next_run_) : next_look;
        std::unique_lock lock{mutex_};
        changed_.wait_until(lock, wake_at, [this] { return abandon_at_ || !waiting_.empty(); });
        return !abandon_at_;
    }

    bool abandoned() const {
        const std::lock_guard lock{mutex_};
        return abandon_at_ && Steady::now() >= *abandon_at_;
    }

    std::chrono::milliseconds interval() const {
        if (options_.interval) return *options_.interval;
        return config_ ? config_->interval : config::RulesConfig{}.interval;
    }

    /// One period after the last start. Starts that have passed meanwhile are not made up.
    void plan_next_run() { next_run_ = last_start_ + interval() + tell_missed() * interval(); }

    /// How many runs the last one has cost, because it took longer than the interval.
    std::int64_t tell_missed() {
        const auto late = Steady::now() - (last_start_ + interval());
        if (late <= Steady::duration::zero()) return 0;
        const std::int64_t missed = late / interval() + 1;
        ports_.log.log(LogLevel::warning, kComponent, "scheduler_run_late",
                       "a run took longer than the interval; runs were left out",
                       {{"late_ms", ms(late)}, {"missed", missed}, {"interval_ms", std::int64_t{interval().count()}}});
        return missed;
    }

    void refresh(bool at_once) {
        bool changed = false;
        if (auto found = watch_.look(at_once))
            changed = take(std::move(*found));
        else if (offered_)
            changed = adopt(std::exchange(offered_, std::nullopt).value(), true);
        if (!config_) return;
        rule_set_.refresh(*config_, changed);
        publish_states();
        if (changed) arranged_ = false;
        if (options_.timer && !arranged_ && Steady::now() >= arrange_at_) {
            arranged_ = options_.timer->arrange(*config_, interval());
            arrange_at_ = Steady::now() + (arranged_ ? std::chrono::seconds{0} : kArrangeAgain);
        }
    }

    /// What the watch found. True if the configuration is a new one.
    bool take(core::Result<config::RulesConfig> found) {
        offered_.reset();
        if (found) return adopt(std::move(*found), false);
        reject(std::move(found.error()));
        return false;
    }

    /// `again`: it was turned down before; what it did not fit may have changed meanwhile.
    bool adopt(config::RulesConfig offered, bool again) {
        if (auto fits = rule_set_.check(offered); !fits) {
            offered_ = std::move(offered);
            if (!again || !config_error_ || config_error_->context != fits.error().context) reject(std::move(fits.error()));
            return false;
        }
        const bool first = !config_;
        config_ = std::move(offered);
        config_error_.reset();
        {
            const std::lock_guard lock{mutex_};
            published_ = std::make_shared<const config::RulesConfig>(*config_);
        }
        if (!first) {
            ports_.log.log(LogLevel::info, kComponent, "config_reloaded", "rules.yaml was read again",
                           {{"path", options_.rules_file.string()}, {"rules", static_cast<std::int64_t>(config_->rules.size())}});
            const auto wait = options_.timer ? patience() : interval();
            if (last_start_ != Steady::time_point{}) next_run_ = std::max(last_start_ + wait, Steady::now());
        }
        return true;
    }

    void reject(core::Error why) {
        ports_.log.log(LogLevel::error, kComponent, "config_rejected",
                       config_ ? "rules.yaml cannot be used; the rules stay as they were" : "rules.yaml cannot be used",
                       {{"path", options_.rules_file.string()}, {"error", Json{error_json(why)}}});
        config_error_ = std::move(why);
    }

    void log_configured() {
        const auto on =
            config_ ? std::ranges::count_if(config_->rules, [](const auto& rule) { return rule.second.enabled_in_scheduler; })
                    : 0;
        ports_.log.log(LogLevel::info, kComponent, "scheduler_configured",
                       options_.enabled ? "scheduler configured" : "scheduler configured; it is switched off",
                       {{"enabled", options_.enabled},
                        {"interval_ms", std::int64_t{interval().count()}},
                        {"rules_enabled", std::int64_t{on}},
                        {"path", options_.rules_file.string()}});
    }

    core::Result<ports::RunSummary> ran(const ports::RunWish& wish) {
        if (!config_ && !wish.rules.empty()) return tl::unexpected{*config_error_};
        for (const auto& id : wish.rules) {
            if (!config_->rules.contains(id)) return core::fail(core::Errc::not_found, "rules.yaml has no rule " + id);
        }
        if (wish.after_others) rule_run_.forget();
        RuleSelection selection;
        selection.only = {wish.rules.begin(), wish.rules.end()};
        if (wish.without_scheduled) selection = interval_rules();
        if (options_.timer && selection.only.empty()) {
            last_start_ = Steady::now();
            next_run_ = last_start_ + patience();
        }
        const bool of_interval = options_.timer && selection.only.empty();
        auto summary = run(std::move(selection));
        if (of_interval) tell_missed();
        return summary;
    }

    /// Those without a time of their own; an event is none, for what was found has to get old without one. At the scheduler's own timer
    /// all run.
    RuleSelection interval_rules() const {
        RuleSelection selection;
        if (!config_ || !options_.timer) return selection;
        for (const auto& [id, rule] : config_->rules) {
            if (rule.schedule && rule.schedule->kind != core::TriggerKind::event) selection.except.insert(id);
        }
        return selection;
    }

    ports::RunSummary run(RuleSelection selection = {}) {
        const bool some = !selection.only.empty();
        const RunRequest request{new_run_id(), interval(), [this] { return abandoned(); }, &rule_set_.homes(),
                                 std::move(selection)};
        auto summary = config_ ? rule_run_.run(*config_, request) : run_without_config(request);
        if (!some) {
            const std::lock_guard lock{mutex_};
            last_run_ = summary;
        }
        publish_states();
        return summary;
    }

    ports::RunSummary run_without_config(const RunRequest& request) {
        ports::RunSummary summary;
        summary.run_id = request.run_id;
        summary.started_at = summary.finished_at = ports_.clock.now();
        summary.error = config_error_->context;
        RunLog log{ports_.log, request.run_id};
        log.run_started(request.interval, summary.started_at);
        log.run_failed(summary, *config_error_);
        return summary;
    }

    void publish_states() {
        if (!config_) return;
        auto states = rule_set_.states(*config_, rule_run_.switched_off());
        const std::lock_guard lock{mutex_};
        states_ = std::move(states);
    }

    std::deque<Waiting> take_waiting() {
        const std::lock_guard lock{mutex_};
        return std::exchange(waiting_, {});
    }

    void serve() {
        for (auto& waiting : take_waiting()) waiting.answer();
    }

    const SchedulerOptions options_;
    RunPorts ports_;
    // The run thread's, or step()'s caller's:
    RulesWatch watch_;
    RuleSet rule_set_;
    RuleRun rule_run_;
    RuleQuestions questions_;
    std::optional<config::RulesConfig> config_;
    std::optional<core::Error> config_error_;
    std::optional<config::RulesConfig> offered_;  ///< turned down because of params
    Steady::time_point next_run_{};
    Steady::time_point last_start_{};
    bool arranged_ = false;
    Steady::time_point arrange_at_{};
    // Everybody's, under mutex_:
    mutable std::mutex mutex_;
    std::condition_variable changed_;
    std::optional<Steady::time_point> abandon_at_;  ///< set by stop()
    std::deque<Waiting> waiting_;
    std::shared_ptr<const config::RulesConfig> published_ = std::make_shared<const config::RulesConfig>();
    std::optional<ports::RunSummary> last_run_;
    std::vector<ports::RuleState> states_;
    std::thread thread_;
};

Scheduler::Scheduler(SchedulerOptions options, RunPorts ports, ports::PluginCatalogue& plugins)
    : impl_{std::make_unique<Impl>(std::move(options), ports, plugins)} {}
Scheduler::~Scheduler() = default;
void Scheduler::start() { impl_->start(); }
void Scheduler::stop() { impl_->stop(); }
ports::RunSummary Scheduler::step() { return impl_->step(); }
void Scheduler::explain(const std::string& rule_id, const core::Scope& scope, std::optional<core::Instant> at, Explained done) {
    impl_->explain(rule_id, scope, at, std::move(done));
}
void Scheduler::evaluate(const core::Scope& scope, core::Window window, Evaluated done) {
    impl_->evaluate(scope, window, std::move(done));
}
void Scheduler::run(ports::RunWish wish, Ran done) { impl_->run_as_wished(std::move(wish), std::move(done)); }
std::optional<ports::RunSummary> Scheduler::last_run() const { return impl_->last_run(); }
std::vector<ports::RuleState> Scheduler::rule_states() const { return impl_->rule_states(); }
std::shared_ptr<const config::RulesConfig> Scheduler::rules() const { return impl_->rules(); }
bool Scheduler::scheduler_enabled() const { return impl_->enabled(); }

}  // namespace varde::rules
