#include "config/ics_calendar.hpp"

#include "config/calendar_definition.hpp"

#include <algorithm>
#include <memory>
#include <string>

#include <fmt/format.h>
#include <libical/ical.h>

namespace varde::config {
namespace {

using core::Calendar;
using core::DayRange;
using core::Errc;
using core::Result;
using std::chrono::days;
using std::chrono::local_days;

constexpr int kLastYear = 2199;
/// Of one event, with those that fall away again.
constexpr int kMostRepeats = 50'000;
/// The library looks for the next day of a rule that hardly ever has one for a good part of a second.
constexpr int kMostRepeatingEvents = 100;

struct FreeComponent {
    void operator()(icalcomponent* component) const { icalcomponent_free(component); }
};
struct FreeIterator {
    void operator()(icalrecur_iterator* iterator) const { icalrecur_iterator_free(iterator); }
};

local_days day_of(const icaltimetype& time) { return local_days{std::chrono::year{time.year} / time.month / time.day}; }

/// What is wrong with an event, for people.
struct Fault {
    std::string text;
};

/// One VEVENT.
class Event {
  public:
    explicit Event(icalcomponent* component) : component_{component} {}

    [[nodiscard]] bool cancelled() const { return icalcomponent_get_status(component_) == ICAL_STATUS_CANCELLED; }

    [[nodiscard]] std::string name() const {
        const char* const summary = icalcomponent_get_summary(component_);
        if (summary != nullptr) return fmt::format("event '{}'", std::string_view{summary}.substr(0, 60));
        const char* const uid = icalcomponent_get_uid(component_);
        return fmt::format("event {}", uid == nullptr ? "without UID" : std::string_view{uid}.substr(0, 60));
    }

    [[nodiscard]] bool repeats() const { return icalcomponent_get_first_property(component_, ICAL_RRULE_PROPERTY) != nullptr; }

    /// Throws Fault.
    void add_to(std::vector<DayRange>& into) const {
        if (icalcomponent_get_first_property(component_, ICAL_RECURRENCEID_PROPERTY) != nullptr) {
            throw Fault{"one occurrence that was moved (RECURRENCE-ID) cannot be read: give its days as an event of its own"};
        }
        const auto start = icalcomponent_get_dtstart(component_);
        require_day(start, "DTSTART");
        const auto length = length_from(start);
        const auto skipped =
            dates_of(ICAL_EXDATE_PROPERTY, [](icalproperty* property) { return icalproperty_get_exdate(property); });
        const auto more =
            dates_of(ICAL_RDATE_PROPERTY, [](icalproperty* property) { return icalproperty_get_rdate(property).time; });
        std::vector<local_days> starts = starts_of(start);
        starts.insert(starts.end(), more.begin(), more.end());
        for (const auto day : starts) {
            if (std::ranges::binary_search(skipped, day)) continue;
            const DayRange range{day, day + length - days{1}};
            if (!in_calendar(range.first) || !in_calendar(range.last)) throw Fault{"is not in 1970 to 2199"};
            into.push_back(range);
        }
    }

  private:
    static void require_day(const icaltimetype& time, const char* what) {
        if (icaltime_is_null_time(time) || !icaltime_is_valid_time(time)) {
            throw Fault{fmt::format("{} is missing, or is no date", what)};
        }
        if (time.is_date == 0) throw Fault{fmt::format("{} has a time of day: only all-day events (VALUE=DATE) are days", what)};
        const std::chrono::year_month_day date{std::chrono::year{time.year} / time.month / time.day};
        if (!date.ok()) throw Fault{fmt::format("{} is no day of any calendar", what)};
    }

    /// DTEND is the first day that is not one of the event; without one it is a day long.
    [[nodiscard]] days length_from(const icaltimetype& start) const {
        const auto end = icalcomponent_get_dtend(component_);
        if (icaltime_is_null_time(end)) return days{1};
        require_day(end, "DTEND");
        const auto length = day_of(end) - day_of(start);
        if (length < days{0}) throw Fault{"DTEND is before DTSTART"};
        return std::max(length, days{1});  // some write the same day twice
    }

    template <class Get>
    [[nodiscard]] std::vector<local_days> dates_of(icalproperty_kind kind, Get get) const {
        std::vector<local_days> found;
        for (auto* at = icalcomponent_get_first_property(component_, kind); at != nullptr;
             at = icalcomponent_get_next_property(component_, kind)) {
            const icaltimetype time = get(at);
            require_day(time, kind == ICAL_EXDATE_PROPERTY ? "EXDATE" : "RDATE");
            found.push_back(day_of(time));
        }
        std::ranges::sort(found);
        return found;
    }

    [[nodiscard]] std::vector<local_days> starts_of(const icaltimetype& start) const {
        auto* const rule = icalcomponent_get_first_property(component_, ICAL_RRULE_PROPERTY);
        if (rule == nullptr) return {day_of(start)};
        auto repeat = icalproperty_get_rrule(rule);
        if (icalcomponent_get_next_property(component_, ICAL_RRULE_PROPERTY) != nullptr) throw Fault{"has more than one RRULE"};
        const bool known = repeat.freq == ICAL_DAILY_RECURRENCE || repeat.freq == ICAL_WEEKLY_RECURRENCE ||
                           repeat.freq == ICAL_MONTHLY_RECURRENCE || repeat.freq == ICAL_YEARLY_RECURRENCE;
        if (!known) throw Fault{"RRULE must repeat by DAILY, WEEKLY, MONTHLY or YEARLY"};
        const std::unique_ptr<icalrecur_iterator, FreeIterator> iterator{icalrecur_iterator_new(repeat, start)};
        if (!iterator) throw Fault{"RRULE cannot be read"};
        std::vector<local_days> found;
        for (auto at = icalrecur_iterator_next(iterator.get()); !icaltime_is_null_time(at) && at.year <= kLastYear;
             at = icalrecur_iterator_next(iterator.get())) {
            if (std::ssize(found) == kMostRepeats) throw Fault{fmt::format("RRULE repeats more than {} times", kMostRepeats)};
            found.push_back(day_of(at));
        }
        if (found.empty()) throw Fault{"RRULE has no day"};
        return found;
    }

    icalcomponent* component_;
};

std::string name_of(icalcomponent* calendar) {
    constexpr std::size_t kLongest = 200;
    for (auto* at = icalcomponent_get_first_property(calendar, ICAL_X_PROPERTY); at != nullptr;
         at = icalcomponent_get_next_property(calendar, ICAL_X_PROPERTY)) {
        const char* const name = icalproperty_get_x_name(at);
        const char* const value = icalproperty_get_x(at);
        if (name == nullptr || value == nullptr || std::string_view{name} != "X-WR-CALNAME") continue;
        if (std::string_view{value}.size() <= kLongest) return value;
    }
    return {};
}

core::Error error_of(std::string text) { return {Errc::invalid_argument, "iCalendar: " + std::move(text)}; }

}  // namespace

Result<Calendar> read_ics(std::string_view text) {
    const std::string whole{text};
    if (whole.find('\0') != std::string::npos) return tl::unexpected{error_of("has a NUL byte")};
    const std::unique_ptr<icalcomponent, FreeComponent> root{icalparser_parse_string(whole.c_str())};
    if (!root || icalcomponent_isa(root.get()) != ICAL_VCALENDAR_COMPONENT) {
        return tl::unexpected{error_of("must be one VCALENDAR, from BEGIN:VCALENDAR to END:VCALENDAR")};
    }
    Calendar calendar;
    calendar.name = name_of(root.get());
    int repeating = 0;
    for (auto* at = icalcomponent_get_first_component(root.get(), ICAL_VEVENT_COMPONENT); at != nullptr;
         at = icalcomponent_get_next_component(root.get(), ICAL_VEVENT_COMPONENT)) {
        const Event event{at};
        if (event.cancelled()) continue;
        if (event.repeats() && ++repeating > kMostRepeatingEvents) {
            return tl::unexpected{error_of(fmt::format("has more than {} events that repeat", kMostRepeatingEvents))};
        }
        try {
            event.add_to(calendar.days);
        } catch (const Fault& fault) {
            return tl::unexpected{error_of(fmt::format("{}: {}", event.name(), fault.text))};
        }
        if (calendar.days.size() <= Calendar::kMostRanges) continue;
        calendar.days = joined(std::move(calendar.days));
        if (calendar.days.size() > Calendar::kMostRanges) {
            return tl::unexpected{
                error_of(fmt::format("{}: with it there are more than {} ranges of days; weekdays of a definition say "
                                     "what comes every week",
                                     event.name(), Calendar::kMostRanges))};
        }
    }
    calendar.days = joined(std::move(calendar.days));
    return calendar;
}

}  // namespace varde::config
