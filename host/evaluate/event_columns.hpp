#pragma once
#include "core/error.hpp"
#include "evaluate/live_columns.hpp"
#include "ports/event_log.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string_view>
#include <unordered_map>
#include <utility>
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
    /// A category as came_since() knows it. Two that are alike by chance only make it say yes too often.
    [[nodiscard]] static std::size_t category_hash(std::string_view category) { return std::hash<std::string_view>{}(category); }
    /// Counts the calls of catch_up(): what an answer was given at.
    [[nodiscard]] std::uint64_t arrivals() const { return arrivals_; }
    /// Whether an event of the scope and of one of these categories (nullopt: any) has been taken since arrivals() was `since`.
    [[nodiscard]] bool came_since(const core::Scope& scope, std::uint64_t since,
                                  const std::optional<std::vector<std::size_t>>& categories) const;
    [[nodiscard]] core::Instant live_since() const { return live_since_; }
    [[nodiscard]] const std::shared_ptr<const ColumnPlan>& plan() const { return plan_; }
    [[nodiscard]] PayloadReader& reader() { return reader_; }

    /// Columns of one range read from the event log, for what the live ones do not hold.
    core::Result<std::shared_ptr<LiveColumns>> read_range(const core::Scope& scope, core::Window range);
    /// The newest matching event before `before`, from the event log.
    core::Result<std::optional<core::Event>> read_latest(const core::Scope& scope, const LatestFilter& filter,
                                                         core::Instant before);

  private:
    /// When something of a category came last, by arrivals(). Few categories a home; where there are many, all count as one.
    struct ScopeEvents {
        std::unique_ptr<LiveColumns> columns;
        std::uint64_t last_arrival = 0;                                  ///< of what counts for every category
        std::vector<std::pair<std::size_t, std::uint64_t>> by_category;  ///< category_hash(), arrivals()
        void note_arrival(std::size_t category, std::uint64_t arrival);
    };

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
    std::unordered_map<core::Scope, ScopeEvents, core::ScopeHash> scopes_;
    std::uint64_t arrivals_ = 0;
    std::vector<LiveColumns*> touched_;
};

}  // namespace varde::evaluate
