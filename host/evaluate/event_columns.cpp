#include "evaluate/event_columns.hpp"

#include <algorithm>

namespace varde::evaluate {
namespace {

using std::chrono::microseconds;
constexpr std::size_t batch = 10'000;

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
    started_ = true;
    return {};
}

core::Result<void> EventColumns::catch_up(core::Instant now) {
    if (log_ == nullptr) return {};
    if (!started_)
        if (auto done = start(now); !done) return done;
    core::Result<std::int64_t> last = last_seq_;
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
    auto& columns = scopes_[event.scope];
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
    for (auto& [scope, columns] : scopes_)
        if (columns && columns->evict_before(since)) columns->forget_older();
}

std::vector<core::Scope> EventColumns::scopes() const {
    std::vector<core::Scope> all;
    all.reserve(scopes_.size());
    for (const auto& [scope, columns] : scopes_) all.push_back(scope);
    std::sort(all.begin(), all.end());
    return all;
}

LiveColumns* EventColumns::find(const core::Scope& scope) {
    const auto found = scopes_.find(scope);
    return found == scopes_.end() ? nullptr : found->second.get();
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
