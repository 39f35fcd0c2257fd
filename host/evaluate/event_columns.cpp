#include "evaluate/event_columns.hpp"

#include <algorithm>

namespace varde::evaluate {
namespace {

using std::chrono::microseconds;
constexpr std::size_t batch = 10'000;
constexpr std::size_t most_categories = 64;  // of a scope, that are told apart

}  // namespace

EventColumns::EventColumns(ports::EventLog* log)
    : log_{log}, plan_{std::make_shared<ColumnPlan>(std::vector<const wire::Declarations*>{})} {}

void EventColumns::set_plan(std::shared_ptr<const ColumnPlan> plan, microseconds horizon) {
    if (plan->same_as(*plan_) && horizon <= horizon_) return;
    plan_ = std::move(plan);
    horizon_ = horizon;
    started_ = false;
    scopes_.clear();
}

core::Result<void> EventColumns::start(core::Instant now) {
    scopes_.clear();
    live_since_ = now - horizon_;
    auto known = log_->scopes();
    if (!known) return tl::unexpected{known.error()};
    for (const core::Scope& scope : *known) scopes_.try_emplace(scope);
    const auto first = log_->first_seq_since(live_since_);
    if (!first) return tl::unexpected{first.error()};
    last_seq_ = *first - 1;
    ++arrivals_;  // what was answered before is about other columns
    for (auto& [scope, events] : scopes_) events.last_arrival = arrivals_;
    started_ = true;
    return {};
}

core::Result<void> EventColumns::catch_up(core::Instant now) {
    if (log_ == nullptr) return {};
    if (!started_)
        if (auto done = start(now); !done) return done;
    core::Result<std::int64_t> last = last_seq_;
    ++arrivals_;
    do {
        last_seq_ = *last;
        last = log_->read_after(last_seq_, batch, [this](const core::Event& event) { take(event); });
    } while (last && *last != last_seq_);
    for (LiveColumns* columns : touched_) columns->settle();
    touched_.clear();
    if (!last) {
        started_ = false;  // part of a batch may have been taken: begin anew rather than take it twice
        return tl::unexpected{last.error()};
    }
    evict(now);
    return {};
}

void EventColumns::take(const core::Event& event) {
    auto& scope = scopes_[event.scope];
    scope.note_arrival(category_hash(event.category), arrivals_);
    auto& columns = scope.columns;
    if (event.time < live_since_) {
        if (columns) columns->forget_older();  // it may be the latest of its kind
        return;
    }
    if (!columns) columns = std::make_unique<LiveColumns>(plan_);
    columns->append(event, reader_);
    if (touched_.empty() || touched_.back() != columns.get()) touched_.push_back(columns.get());
}

// Not at every call: with 100,000 scopes even looking is work. Until then there is a little more history than needed.
void EventColumns::evict(core::Instant now) {
    const core::Instant since = now - horizon_;
    if (since - live_since_ < std::max<microseconds>(std::chrono::minutes{1}, horizon_ / 8)) return;
    live_since_ = since;
    for (auto& [scope, events] : scopes_)
        if (events.columns && events.columns->evict_before(since)) events.columns->forget_older();
}

std::vector<core::Scope> EventColumns::scopes() const {
    std::vector<core::Scope> all;
    all.reserve(scopes_.size());
    for (const auto& [scope, events] : scopes_) all.push_back(scope);
    std::sort(all.begin(), all.end());
    return all;
}

LiveColumns* EventColumns::find(const core::Scope& scope) {
    const auto found = scopes_.find(scope);
    return found == scopes_.end() ? nullptr : found->second.columns.get();
}

void EventColumns::ScopeEvents::note_arrival(std::size_t category, std::uint64_t arrival) {
    const auto known = std::ranges::find(by_category, category, &std::pair<std::size_t, std::uint64_t>::first);
    if (known != by_category.end())
        known->second = arrival;
    else if (by_category.size() < most_categories)
        by_category.emplace_back(category, arrival);
    else
        last_arrival = arrival;
}

bool EventColumns::came_since(const core::Scope& scope, std::uint64_t since,
                              const std::optional<std::vector<std::size_t>>& categories) const {
    const auto found = scopes_.find(scope);
    if (found == scopes_.end()) return false;
    const ScopeEvents& events = found->second;
    if (events.last_arrival > since) return true;
    return std::ranges::any_of(events.by_category, [&](const auto& category) {
        return category.second > since && (!categories || std::ranges::find(*categories, category.first) != categories->end());
    });
}

core::Result<std::shared_ptr<LiveColumns>> EventColumns::read_range(const core::Scope& scope, core::Window range) {
    auto columns = std::make_shared<LiveColumns>(plan_);
    if (log_ == nullptr) return columns;
    const auto read = log_->read_range(scope, range, [&](const core::Event& event) { columns->append(event, reader_); });
    if (!read) return tl::unexpected{read.error()};
    columns->settle();
    return columns;
}

core::Result<std::optional<core::Event>> EventColumns::read_latest(const core::Scope& scope, const LatestFilter& filter,
                                                                   core::Instant before) {
    if (log_ == nullptr) return std::optional<core::Event>{};
    return log_->latest(scope, filter.categories, filter.stream, before);
}

}  // namespace varde::evaluate
