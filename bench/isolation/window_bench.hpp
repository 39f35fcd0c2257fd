#pragma once
#include "direct_rule.hpp"
#include "evaluate/column_plan.hpp"
#include "evaluate/cpu_pin.hpp"
#include "evaluate/live_columns.hpp"
#include "evaluate/rule_runner.hpp"
#include "evaluate/window_memory.hpp"
#include "fakes/log_sink.hpp"

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <vector>

namespace varde::bench {

inline constexpr std::int64_t kFirstTime = 1'768'478'400'000'000;
inline constexpr std::int64_t kSecond = 1'000'000;

/// One of a scope's recent events: motion sensors that report "off" once a second.
[[nodiscard]] core::Event event_at(std::size_t place);

/// The same rules in one worker and in this process, over the same windows; all on one CPU. Windows rotate, so that neither side finds
/// its data in the cache.
class WindowBench {
  public:
    struct RuleFile {
        std::string file;
        std::string params = "{}";
    };
    WindowBench(const std::vector<RuleFile>& rules, std::size_t n_windows, std::size_t n_events);

    [[nodiscard]] std::size_t windows() const { return items_.size(); }
    [[nodiscard]] std::size_t events() const { return n_events_; }
    /// Of one window in shared memory.
    [[nodiscard]] std::uint64_t image_bytes() const { return items_[1].image_offset - items_[0].image_offset; }
    void write_windows();

    /// What all rules say to one window, or to all of them: the sum of their answers (direct_rule.hpp).
    std::int64_t direct(std::size_t window);
    std::int64_t isolated(std::size_t window) { return ask({&items_[window], 1}); }
    std::int64_t isolated_all() { return ask(items_); }

  private:
    static evaluate::WorkerLaunch make_launch(int cpu, ports::LogSink& log);
    static std::vector<ports::RuleSpec> specs_of(const std::vector<RuleFile>& rules);
    std::int64_t ask(std::span<const wire::Item> items);

    std::size_t n_events_;
    int cpu_;
    fakes::LogSink sink_;
    evaluate::WorkerNursery nursery_;
    evaluate::CpuPin pin_;
    evaluate::RuleRunner runner_;
    std::vector<evaluate::RuleRunner::Instance*> instances_;
    std::shared_ptr<const evaluate::ColumnPlan> plan_;
    evaluate::PayloadAccess access_;
    std::shared_ptr<evaluate::WindowMemory> memory_;
    std::vector<wire::Binding> bindings_;
    std::deque<DirectRule> direct_;
    std::vector<std::shared_ptr<evaluate::LiveColumns>> columns_;
    std::vector<std::vector<varde_transition>> no_zones_;
    std::vector<wire::Item> items_;  ///< one a window
};

}  // namespace varde::bench
