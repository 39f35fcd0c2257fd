#pragma once
#include "core/instant.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace varde::core {

/// What two restricted day fields of a cron expression mean together. A field is unrestricted only if it is exactly * or ?.
enum class DayMatch : std::uint8_t { either, both };

/// What becomes of nominal times that do not exist because clocks went forward by at most three hours.
enum class GapPolicy : std::uint8_t {
    run_once,  ///< one fire at the first instant after the gap; none if the hour field is *
    skip,
};

/// What becomes of nominal times that come twice because clocks went back.
enum class OverlapPolicy : std::uint8_t {
    automatic,  ///< both if the second, minute or hour field has *, / or -, else the first
    first,
    second,
    both,
};

enum class TriggerKind : std::uint8_t {
    manual,    ///< only when somebody asks for it
    cron,      ///< wall times of a zone
    interval,  ///< elapsed time
    once,      ///< at one instant
    event,     ///< when an event of a category has been stored
    after,     ///< when every dependency has succeeded since the last time
};
[[nodiscard]] std::string_view name_of(TriggerKind kind);  ///< "manual", "cron" ...
[[nodiscard]] std::optional<TriggerKind> trigger_kind_from(std::string_view name);

/// Which events are meant: those of a category, of the schedule's organisation, whose payload has all these members.
struct EventMatch {
    std::string category;  ///< 1..100 characters
    /// JSON object, at most 20 members. A key is a member of the payload, or a way to one ("state", "user.id"); a value is the text, number
    /// or truth that it must be equal to. Empty object: every event of the category.
    std::string where = "{}";
    friend bool operator==(const EventMatch&, const EventMatch&) = default;
};

/// An event that gives a one-off another time.
struct EventMove {
    EventMatch on;
    std::string time_member;  ///< of the payload: where the new time stands (RFC 3339)
    friend bool operator==(const EventMove&, const EventMove&) = default;
};

/// When a schedule is due. Only the members of its kind mean something.
struct Trigger {
    TriggerKind kind = TriggerKind::manual;

    std::string expression;    ///< cron: as time::CronSpec reads it
    std::string zone = "UTC";  ///< cron: IANA name
    DayMatch day_match = DayMatch::either;
    GapPolicy gap = GapPolicy::run_once;
    OverlapPolicy overlap = OverlapPolicy::automatic;

    Microseconds period{0};         ///< interval: 1 ms .. 400 days
    std::optional<Instant> anchor;  ///< interval: any instant of a slot; nullopt: a phase made from the schedule's id
    /// Interval: the next slot is one period after the last run's end ("fixed delay") instead of on the grid.
    bool after_completion = false;

    Instant at{};                       ///< once
    std::vector<EventMatch> cancel_on;  ///< once: any such event stored before its time cancels it; at most 20
    std::vector<EventMove> move_on;     ///< once: any such event stored before its time moves it; the newest counts; at most 20

    EventMatch event;          ///< event
    Microseconds debounce{0};  ///< event: one slot for all events within this time of the first; 0..1 h

    friend bool operator==(const Trigger&, const Trigger&) = default;
};

}  // namespace varde::core
