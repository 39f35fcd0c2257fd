#include "time/cron.hpp"

#include <algorithm>
#include <bit>

namespace varde::time {
namespace {

constexpr std::int64_t kDay = 86'400;
constexpr std::int64_t kMicros = 1'000'000;

std::int64_t floor_div(std::int64_t value, std::int64_t by) { return value / by - (value % by < 0 ? 1 : 0); }

bool leap(int year) { return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0); }

unsigned length_of(int year, unsigned month) {
    constexpr std::array<unsigned, 13> kLengths{0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    return kLengths[month] + (month == 2 && leap(year) ? 1U : 0U);
}

/// Weekday 0..6 of the day `day` of a month whose 1st is `first`.
unsigned weekday_of(unsigned first, unsigned day) { return (first + day - 1) % 7; }

/// The day from Monday to Friday nearest to `day`, within the month.
unsigned nearest_weekday(unsigned first, unsigned length, unsigned day) {
    const auto weekday = weekday_of(first, day);
    if (weekday == 6) return day == 1 ? 3 : day - 1;
    if (weekday == 0) return day == length ? day - 2 : day + 1;
    return day;
}

std::uint32_t days_of_month(const CronFields& fields, unsigned first, unsigned length) {
    std::uint32_t found = fields.days | fields.days_or_last;
    if ((fields.days_or_last >> length) > 1U) found |= 1U << length;  // one of them is later than the month is long
    for (unsigned back = 0; back < length; ++back) {
        const auto day = length - back;
        if (fields.days_before_last >> back & 1U) found |= 1U << day;
        if (fields.weekday_nearest_before_last >> back & 1U) found |= 1U << nearest_weekday(first, length, day);
        if (fields.weekday_nearest >> day & 1U) found |= 1U << nearest_weekday(first, length, day);
    }
    return found;
}

std::uint32_t days_of_week(const CronFields& fields, unsigned first, unsigned length) {
    std::uint32_t found = 0;
    for (unsigned day = 1; day <= length; ++day) {
        const auto weekday = weekday_of(first, day);
        const auto count = (day - 1) / 7 + 1;
        const bool named = fields.weekdays >> weekday & 1U || fields.weekday_in_month[weekday] >> count & 1U ||
                           (day + 7 > length && fields.last_weekdays >> weekday & 1U);
        if (named) found |= 1U << day;
    }
    return found;
}

/// The days of one kind of month on which the expression fires: the only place where the two day fields meet.
std::uint32_t matching_days(const CronFields& fields, DayMatch match, unsigned first, unsigned length) {
    const std::uint32_t exist = (length == 31 ? ~0U : (1U << (length + 1)) - 1) & ~1U;
    if (fields.any_day && fields.any_weekday) return exist;
    const auto month = days_of_month(fields, first, length);
    const auto week = days_of_week(fields, first, length);
    if (fields.any_day) return week & exist;
    if (fields.any_weekday) return month & exist;
    return (match == DayMatch::both ? month & week : month | week) & exist;
}

struct Date {
    int year;
    unsigned month;
    unsigned day;
};

/// Howard Hinnant's civil_from_days.
Date date_of(std::int64_t days) {
    days += 719'468;
    const auto era = floor_div(days, 146'097);
    const auto of_era = static_cast<unsigned>(days - era * 146'097);
    const auto year_of_era = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146'096) / 365;
    const auto of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    const auto shifted = (5 * of_year + 2) / 153;
    const auto month = shifted < 10 ? shifted + 3 : shifted - 9;
    return {static_cast<int>(year_of_era) + static_cast<int>(era) * 400 + (month <= 2 ? 1 : 0), month,
            of_year - (153 * shifted + 2) / 5 + 1};
}

/// A bit above `at` in the set, or -1.
int bit_from(std::uint64_t bits, int at) {
    if (at > 63) return -1;
    bits = bits >> static_cast<unsigned>(at) << static_cast<unsigned>(at);
    return bits == 0 ? -1 : std::countr_zero(bits);
}

}  // namespace

core::Result<CronSpec> CronSpec::parse(std::string_view text, const CronOptions& options) {
    const auto fields = read_cron_fields(text, options.dialect, options.hash_key);
    if (!fields) return tl::unexpected{fields.error()};
    return CronSpec{*fields, options};
}

CronSpec::CronSpec(const CronFields& fields, const CronOptions& options)
    : seconds_{fields.seconds},
      minutes_{fields.minutes},
      years_{fields.years},
      hours_{fields.hours},
      months_{fields.months},
      first_time_{std::countr_zero(fields.hours) * 3600 + std::countr_zero(fields.minutes) * 60 +
                  std::countr_zero(fields.seconds)},
      any_year_{fields.any_year},
      any_hour_{fields.any_hour},
      first_pass_{options.overlap != OverlapPolicy::second},
      second_pass_{options.overlap == OverlapPolicy::automatic ? fields.repeats_in_day : options.overlap != OverlapPolicy::first},
      fill_gaps_{options.gap == GapPolicy::run_once && !fields.any_hour},
      fires_{false} {
    for (unsigned first = 0; first < 7; ++first) {
        for (unsigned length = 28; length <= 31; ++length) {
            days_[first][length - 28] = matching_days(fields, options.day_match, first, length);
        }
    }
    // In the calendar every month begins on every weekday, also February of leap years: what it lacks never comes.
    constexpr std::int64_t kFrom = -kDay * 25'567;
    fires_ = next_wall(kFrom, kLastYear) != kNever;
}

std::uint32_t CronSpec::days_of(int year, unsigned month, unsigned first_weekday, unsigned length) const {
    if ((months_ >> month & 1U) == 0) return 0;
    if (!any_year_) {
        const auto bit = static_cast<std::size_t>(year - kFirstCronYear);
        if (year < kFirstCronYear || bit >= years_.size() || !years_[bit]) return 0;
    }
    return days_[first_weekday][length - 28];
}

std::int32_t CronSpec::time_from(std::int32_t second_of_day) const {
    const int hour = second_of_day / 3600;
    const int minute = second_of_day / 60 % 60;
    if (hours_ >> static_cast<unsigned>(hour) & 1U) {
        if (minutes_ >> static_cast<unsigned>(minute) & 1U) {
            if (const int second = bit_from(seconds_, second_of_day % 60); second >= 0) {
                return hour * 3600 + minute * 60 + second;
            }
        }
        if (const int later = bit_from(minutes_, minute + 1); later >= 0) {
            return hour * 3600 + later * 60 + std::countr_zero(seconds_);
        }
    }
    const int later = bit_from(hours_, hour + 1);
    return later < 0 ? -1 : later * 3600 + first_time_ % 3600;
}

std::int64_t CronSpec::next_wall(std::int64_t wall, int last_year) const {
    const auto day = floor_div(wall, kDay);
    auto [year, month, of_month] = date_of(day);
    auto first_day = day - (of_month - 1);
    // 1970-01-01 was a Thursday.
    auto weekday = static_cast<unsigned>((first_day % 7 + 7 + 4) % 7);
    auto length = length_of(year, month);
    auto days = days_of(year, month, weekday, length) & (~0U << of_month);
    if (days >> of_month & 1U) {
        const auto time = time_from(static_cast<std::int32_t>(wall - day * kDay));
        if (time >= 0 && year <= last_year) return day * kDay + time;
        days &= days - 1;
    }
    while (days == 0) {
        first_day += length;
        weekday = (weekday + length) % 7;
        if (++month == 13) month = 1, ++year;
        if (year > last_year) return kNever;
        length = length_of(year, month);
        days = days_of(year, month, weekday, length);
    }
    if (year > last_year) return kNever;
    return (first_day + std::countr_zero(days) - 1) * kDay + first_time_;
}

bool CronSpec::fills(const OffsetSpan& span) const { return fill_gaps_ && span.gap() > 0 && span.gap() <= kLongestFilledGap; }

// Walks the spans of one offset. `due` is the earliest nominal wall time that may still come; all between `searched` and it is known
// to be empty, so that a span is only searched again where clocks went back behind `searched` or where `due` fell out.
std::optional<core::Instant> CronSpec::next(core::Instant after, const ZoneOffsets& zone) const {
    if (!fires_) return std::nullopt;
    const auto start = std::max(floor_div(core::to_us(after), kMicros) + 1, kCalendarStart);
    if (start >= kCalendarEnd) return std::nullopt;
    const auto& spans = zone.spans();
    auto at = zone.span_at(start);
    const auto* span = &spans[at];
    auto searched = start + span->offset;
    // A start in the second pass of an overlap that fires in the first pass only waits for its end.
    if (!second_pass_) searched = std::max(searched, span->begin + span->before);
    const auto last_year = any_year_ ? std::min(date_of(floor_div(searched, kDay)).year + kHorizonYears, kLastYear) : kLastYear;
    auto due = next_wall(searched, last_year);
    // The end of a gap is itself due, although no wall time of the gap is at or after it.
    if (start == span->begin && fills(*span) && next_wall(span->begin + span->before, last_year) < span->begin + span->offset) {
        return core::instant_from_us(start * kMicros);
    }
    for (;;) {
        const auto* following = at + 1 < spans.size() ? &spans[at + 1] : nullptr;
        auto end = span->end + span->offset;
        if (!first_pass_ && following != nullptr) end -= following->overlap();
        if (due < end) return core::instant_from_us((due - span->offset) * kMicros);
        if (following == nullptr) return std::nullopt;
        span = following, ++at;
        auto begin = span->begin + (second_pass_ ? span->offset : std::max(span->offset, span->before));
        if (span->gap() > 0 && due < begin && fills(*span)) return core::instant_from_us(span->begin * kMicros);
        if (begin < searched || due < begin) {
            searched = begin;
            due = next_wall(searched, last_year);
        }
    }
}

}  // namespace varde::time
