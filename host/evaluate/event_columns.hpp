#pragma once
#include "core/error.hpp"
#include "evaluate/live_columns.hpp"
#include "ports/event_log.hpp"

#include <chrono>
#include <memory>
#include <optional>
#include <unordered_map>
#include <vector>

namespace varde::evaluate {

/// The recent events of every scope in columns, kept up to date from the event log. One thread.
class EventColumns {
  public:
    /// `log` may be null: then there are no scopes.
    explicit EventColumns(ports::EventLog* log);

    /// What to keep of an event, and for how long. A change empties the columns; the next catch_up() fills them again.
    void set_plan(std::shared_ptr<const ColumnPlan> plan, std::chrono::microseconds horizon);
    /// Reads what is new and forgets what is older than the horizon.
    core::Result<void> catch_up(core::Instant now);

    [[nodiscard]] std::vector<core::Scope> scopes() const;
    /// nullptr if the scope has no recent events. Complete from live_since() on.
    [[nodiscard]] LiveColumns* find(const core::Scope& scope);
    [[nodiscard]] core::Instant live_since() const { return live_since_; }
    [[nodiscard]] const std::shared_ptr<const ColumnPlan>& plan() const { return plan_; }
    [[nodiscard]] PayloadReader& reader() { return reader_; }

    /// Columns of one range read from the event log, for what the live ones do not hold.
    core::Result<std::shared_ptr<LiveColumns>> read_range(const core::Scope& scope, core::Window range);
    /// The newest matching event before `before`, from the event log.
    core::Result<std::optional<core::Event>> read_latest(const core::Scope& scope, const LatestFilter& filter,
                                                         core::Instant before);

  private:
    core::Result<void> start(core::Instant now);
    void take(const core::Event& event);
    void evict(core::Instant now);

    ports::EventLog* log_;
    std::shared_ptr<const ColumnPlan> plan_;
    std::chrono::microseconds horizon_{0};
    bool started_ = false;
    std::int64_t last_seq_ = 0;
    core::Instant live_since_{};
    PayloadReader reader_;
    std::unordered_map<core::Scope, std::unique_ptr<LiveColumns>, core::ScopeHash> scopes_;
    std::vector<LiveColumns*> touched_;
};

}  // namespace varde::evaluate
