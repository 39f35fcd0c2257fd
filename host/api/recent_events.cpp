#include "api/recent_events.hpp"

#include <algorithm>
#include <functional>

namespace varde::api {
namespace {

constexpr std::chrono::hours kDay{24};
constexpr std::chrono::minutes kStep{10};

std::int64_t step_of(core::Instant at) { return std::chrono::floor<std::chrono::minutes>(at).time_since_epoch() / kStep; }

}  // namespace

core::Result<RecentEvents::View> RecentEvents::look(core::Instant now, const core::ScopeFilter& visible) {
    const std::lock_guard lock{mutex_};
    if (auto read = read_on(now); !read) return tl::unexpected{read.error()};
    count_due(now);
    forget_before(now - kDay);
    std::map<std::string_view, CategoryCount> found;
    for (const auto& [scope, home] : homes_) {
        if (!visible.admits(scope)) continue;
        for (const auto& [name, category] : home) {
            auto& sum = found[name];
            sum.newest = std::max(sum.newest, category.newest);
            for (const auto& [step, count] : category.steps) {
                sum.events += count.events;
                sum.without_room += count.without_room;
            }
        }
    }
    View view;
    view.complete = caught_up_ && left_out_ < now - kDay;
    for (auto& [name, count] : found) {
        count.category = name;
        view.categories.push_back(std::move(count));
    }
    std::ranges::stable_sort(view.categories, std::greater{}, &CategoryCount::newest);
    return view;
}

core::Result<void> RecentEvents::read_on(core::Instant now) {
    if (now - looked_ >= kDay) {
        const auto first = log_.first_seq_since(now - kDay);
        if (!first) return tl::unexpected{first.error()};
        last_ = std::max(last_, *first - 1);
    }
    looked_ = now;
    std::size_t read = 0;
    const auto last = log_.read_after(last_, look_reads_, [&](const core::Event& event) {
        ++read;
        last_ = event.seq;  // now: the rest may fail
        Ahead seen{event.time, event.scope, event.category, event.room_id.empty()};
        if (seen.time <= now - kDay) return;
        if (seen.time <= now) return count(seen);
        if (ahead_.size() < kMaxAhead) {
            ahead_.push_back(std::move(seen));
        } else {
            left_out_ = now;
        }
    });
    if (!last) return tl::unexpected{last.error()};
    caught_up_ = read < look_reads_;
    return {};
}

void RecentEvents::count(const Ahead& event) {
    auto home = homes_.find(event.scope);
    if (home == homes_.end()) {
        if (homes_.size() >= kMaxHomes) {
            left_out_ = event.time;
            return;
        }
        home = homes_.emplace(event.scope, Home{}).first;
    }
    auto& categories = home->second;
    const bool named = categories.size() < kMaxCategories || categories.contains(event.category);
    auto& category = categories[named ? event.category : std::string{kMore}];
    category.newest = std::max(category.newest, event.time);
    auto& step = category.steps[step_of(event.time)];
    ++step.events;
    if (event.without_room) ++step.without_room;
}

void RecentEvents::count_due(core::Instant now) {
    std::erase_if(ahead_, [&](const Ahead& event) {
        if (event.time > now) return false;
        count(event);
        return true;
    });
}

void RecentEvents::forget_before(core::Instant since) {
    const auto first = step_of(since);
    for (auto& [scope, home] : homes_) {
        for (auto& [name, category] : home) category.steps.erase(category.steps.begin(), category.steps.lower_bound(first));
        std::erase_if(home, [](const auto& category) { return category.second.steps.empty(); });
    }
    std::erase_if(homes_, [](const auto& home) { return home.second.empty(); });
}

}  // namespace varde::api
