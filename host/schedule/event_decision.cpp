#include "schedule/event_decision.hpp"

#include "schedule/event_match.hpp"
#include "schedule/trigger_times.hpp"
#include "time/utc_text.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <unordered_map>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace varde::schedule {
namespace {

using core::Event;
using core::Instant;
using core::Schedule;
using ports::DueDecision;
using Effect = ports::HeededEvent::Effect;

ports::HeededEvent heeded(Effect effect, const Event& event, Instant from) {
    ports::HeededEvent what;
    what.effect = effect;
    what.category = event.category;
    what.event_id = event.event_id;
    what.from = from;
    return what;
}

/// The slot that will not be, because of `detail`.
core::Run row_of(const Schedule& schedule, Instant now, std::string detail) {
    core::Run row;
    row.schedule_id = schedule.schedule_id;
    row.generation = schedule.generation;
    row.job_kind = schedule.kind;
    row.state = core::RunState::skipped;
    row.reason = core::SlotReason::event;
    row.detail = std::move(detail);
    row.nominal_at = schedule.trigger.at;
    row.priority = schedule.policy.priority;
    row.queue = schedule.policy.queue;
    row.created_at = row.run_at = now;
    row.finished_at = now;
    return row;
}

/// The time that the event gives the schedule, or why there is none. Its text is not repeated: it is a payload.
core::Result<Instant> new_time(const Schedule& schedule, const EventPayload& payload, const std::string& way, Instant now) {
    const auto refused = [&](const char* why) {
        return core::fail(core::Errc::invalid_argument, fmt::format("its payload's {} {}", way, why));
    };
    const auto* const member = payload.member(way);
    if (member == nullptr) return refused("is missing");
    if (!member->is_string()) return refused("is no text");
    const auto read = time::parse_utc(member->get_ref<const std::string&>());
    if (!read) return refused("is no time such as 2026-05-01T08:00:00Z");
    auto moved = schedule;
    moved.trigger.at = std::max(*read, now);
    const auto times = TriggerTimes::of(moved);
    if (!times || !times->next(moved.trigger.at - core::Microseconds{1})) return refused("lies outside of starts_at and ends_at");
    return moved.trigger.at;
}

/// As it was.
DueDecision unmoved(const Schedule& schedule) {
    DueDecision decision;
    decision.next_at = schedule.next_at;
    decision.last_nominal = schedule.last_nominal;
    return decision;
}

DueDecision cancelled(const Schedule& schedule, const Event& event, Instant now) {
    DueDecision decision;
    decision.completed = true;
    // A slot to come is not behind the cursor: the schedule may be given a new time before it.
    decision.last_nominal = schedule.trigger.at <= now ? schedule.trigger.at : schedule.last_nominal;
    decision.runs.push_back(row_of(schedule, now, fmt::format("cancelled by {}, event {}", event.category, event.event_id)));
    decision.heeded.push_back(heeded(Effect::cancelled, event, schedule.trigger.at));
    return decision;
}

bool any_means(const std::vector<core::EventMatch>& matches, const Schedule& schedule, const Event& event,
               const EventPayload& payload) {
    return std::ranges::any_of(matches, [&](const core::EventMatch& match) {
        return match.category == event.category && (schedule.org_id.empty() || schedule.org_id == event.scope.org_id) &&
               payload.has_all_of(EventFilter{match});
    });
}

std::string categories_of(const std::vector<core::EventMatch>& matches) {
    std::string text;
    for (const auto& match : matches) text += (text.empty() ? "" : ", ") + match.category;
    return text;
}

/// Those who listen to a category, by what they ask for: thousands may each wait for the event of one user.
class Audience {
  public:
    void add(const ports::EventListener& listener) {
        EventFilter filter{listener.match};
        auto [member, value] = filter.first_member();
        ears_[std::move(member)][std::move(value)].push_back({&listener, std::move(filter)});
    }
    void hear(const Event& event, std::set<std::string_view>& called) const {
        const EventPayload payload{event};
        for (const auto& [member, by_value] : ears_) {
            const auto* const value = member.empty() ? nullptr : payload.member(member);
            const auto found = by_value.find(value == nullptr ? "" : value_key(*value));
            if (found == by_value.end()) continue;
            for (const auto& [of, filter] : found->second) {
                if (event.seq > of->since && payload.has_all_of(filter)) called.insert(of->schedule_id);
            }
        }
    }

  private:
    struct Ear {
        const ports::EventListener* of;
        EventFilter filter;
    };
    /// By the first member that is asked for, and what it must be; "" and "": whoever asks for nothing.
    std::map<std::string, std::unordered_map<std::string, std::vector<Ear>>> ears_;
};

}  // namespace

Heeding heed(const ports::DueSchedule& due, Instant now) {
    const auto& schedule = due.schedule;
    const auto& trigger = schedule.trigger;
    Heeding heeding;
    auto& decision = heeding.decision = unmoved(schedule);
    if (trigger.kind != core::TriggerKind::once) return heeding;
    std::optional<std::pair<const Event*, Instant>> newest;
    for (const Event* const event : due.events) {
        const EventPayload payload{*event};
        if (any_means(trigger.cancel_on, schedule, *event, payload)) return {true, cancelled(schedule, *event, now)};
        for (const auto& move : trigger.move_on) {
            if (!any_means({move.on}, schedule, *event, payload)) continue;
            const auto to = new_time(schedule, payload, move.time_member, now);
            if (to) {
                newest = {event, *to};
            } else {
                decision.heeded.push_back(heeded(Effect::refused, *event, trigger.at));
                decision.heeded.back().problem = to.error().context;
            }
        }
    }
    if (due.more_events) return {true, unmoved(schedule)};
    if (!newest || newest->second == trigger.at) return heeding;
    const auto& [event, to] = *newest;
    heeding.settled = true;
    decision.next_at = decision.moved_to = to;
    const auto text = fmt::format("moved to {} by {}, event {}", time::format_utc(to), event->category, event->event_id);
    decision.runs.push_back(row_of(schedule, now, text));
    decision.heeded.push_back(heeded(Effect::moved, *event, trigger.at));
    decision.heeded.back().to = to;
    return heeding;
}

DueDecision decide_called(const ports::DueSchedule& due, Instant now) { return heed(due, now).decision; }

std::vector<std::string> called_by(std::span<const Event> events, std::span<const ports::EventListener> listeners) {
    std::map<std::pair<std::string_view, std::string_view>, Audience> audiences;
    for (const auto& listener : listeners) audiences[{listener.match.category, listener.org_id}].add(listener);
    std::set<std::string_view> called;
    for (const Event& event : events) {
        for (const std::string_view org :
             {std::string_view{event.scope.org_id}, std::string_view{}}) {  // the host's own hear all
            const auto found = audiences.find({event.category, org});
            if (found != audiences.end()) found->second.hear(event, called);
        }
    }
    return {called.begin(), called.end()};
}

std::string condition_of(const core::Trigger& trigger) {
    if (trigger.kind != core::TriggerKind::once) return {};
    std::vector<core::EventMatch> moves;
    for (const auto& move : trigger.move_on) moves.push_back(move.on);
    std::string text;
    if (!trigger.cancel_on.empty()) text = fmt::format("unless an event cancels it ({})", categories_of(trigger.cancel_on));
    if (!moves.empty())
        text += fmt::format("{} ({})", text.empty() ? "unless an event moves it" : " or moves it", categories_of(moves));
    return text;
}

}  // namespace varde::schedule
