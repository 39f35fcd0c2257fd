#include "time/utc_text.hpp"

#include <fmt/format.h>

namespace varde::time {
namespace {

using core::Errc;
using core::fail;

/// Reads the text from left to right; every take() says whether it found what it needs.
class Cursor {
  public:
    explicit Cursor(std::string_view text) : rest_{text} {}
    [[nodiscard]] bool done() const { return rest_.empty(); }
    [[nodiscard]] char peek() const { return rest_.empty() ? '\0' : rest_.front(); }
    bool take(char c) {
        if (peek() != c) return false;
        rest_.remove_prefix(1);
        return true;
    }
    bool take_digits(std::size_t count, int& out) {
        if (rest_.size() < count) return false;
        int value = 0;
        for (std::size_t i = 0; i < count; ++i) {
            if (rest_[i] < '0' || rest_[i] > '9') return false;
            value = value * 10 + (rest_[i] - '0');
        }
        rest_.remove_prefix(count);
        out = value;
        return true;
    }

  private:
    std::string_view rest_;
};

bool take_fraction(Cursor& in, std::int64_t& micros) {
    int digit = 0;
    int count = 0;
    std::int64_t scale = 100'000;
    while (in.take_digits(1, digit)) {
        if (count >= 6 && digit != 0) return false;
        if (count < 6) micros += digit * scale, scale /= 10;
        ++count;
    }
    return count > 0;
}

bool take_offset(Cursor& in, std::int64_t& seconds) {
    if (in.take('Z') || in.take('z')) return true;
    const bool minus = in.peek() == '-';
    if (!in.take('+') && !in.take('-')) return false;
    int hours = 0;
    int minutes = 0;
    if (!in.take_digits(2, hours) || hours > 23) return false;
    const bool colon = in.take(':');
    if ((colon || !in.done()) && (!in.take_digits(2, minutes) || minutes > 59)) return false;
    seconds = (hours * 3600 + minutes * 60) * (minus ? -1 : 1);
    return true;
}

struct Fields {
    std::chrono::year_month_day date;
    int hour;
    int minute;
    int second;
    std::int64_t micros;
};

Fields fields_of(core::Instant at) {
    const auto day = std::chrono::floor<std::chrono::days>(at);
    const std::chrono::hh_mm_ss rest{at - day};
    return {std::chrono::year_month_day{day}, static_cast<int>(rest.hours().count()), static_cast<int>(rest.minutes().count()),
            static_cast<int>(rest.seconds().count()), rest.subseconds().count()};
}

std::string format(core::Instant at, std::string_view zone) {
    const auto f = fields_of(at);
    auto text =
        fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}", static_cast<int>(f.date.year()), static_cast<unsigned>(f.date.month()),
                    static_cast<unsigned>(f.date.day()), f.hour, f.minute, f.second);
    if (f.micros != 0) text += fmt::format(".{:06}", f.micros);
    text += zone;
    return text;
}

}  // namespace

core::Result<core::Instant> parse_utc(std::string_view text) {
    const auto unreadable = [] { return fail(Errc::invalid_argument, "is not an ISO 8601 time such as 2026-01-15T12:00:00Z"); };
    if (text.size() > 64) return unreadable();
    Cursor in{text};
    int year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0;
    if (!in.take_digits(4, year) || !in.take('-') || !in.take_digits(2, month) || !in.take('-') || !in.take_digits(2, day)) {
        return unreadable();
    }
    const std::chrono::year_month_day date{std::chrono::year{year}, std::chrono::month{static_cast<unsigned>(month)},
                                           std::chrono::day{static_cast<unsigned>(day)}};
    if (year == 0 || !date.ok()) return fail(Errc::invalid_argument, "names a date that does not exist");
    if (!in.take('T') && !in.take('t') && !in.take(' ')) return unreadable();
    if (!in.take_digits(2, hour) || !in.take(':') || !in.take_digits(2, minute)) return unreadable();
    std::int64_t micros = 0;
    if (in.take(':')) {
        if (!in.take_digits(2, second)) return unreadable();
        if ((in.take('.') || in.take(',')) && !take_fraction(in, micros)) {
            return fail(Errc::invalid_argument, "has more than six decimals of a second");
        }
    }
    if (hour > 23 || minute > 59 || second > 59) return fail(Errc::invalid_argument, "names a time of day that does not exist");
    if (in.done()) {
        return fail(Errc::invalid_argument, "must be timezone-aware UTC (ISO 8601, e.g. 2025-01-01T00:00:00Z)");
    }
    std::int64_t offset = 0;
    if (!take_offset(in, offset) || !in.done()) return unreadable();
    const auto local = std::chrono::sys_days{date} + std::chrono::hours{hour} + std::chrono::minutes{minute} +
                       std::chrono::seconds{second - offset};
    return core::Instant{local} + core::Microseconds{micros};
}

std::string format_utc(core::Instant at) { return format(at, "Z"); }
std::string format_utc_offset(core::Instant at) { return format(at, "+00:00"); }

}  // namespace varde::time
