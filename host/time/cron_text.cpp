#include "time/cron_fields.hpp"

#include <algorithm>
#include <cctype>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <fmt/format.h>

namespace varde::time {
namespace {

using core::Errc;
using core::fail;

struct Place {
    std::string_view name;
    int low;
    int high;      ///< of a/n and *
    int greatest;  ///< that may be written: 7 is Sunday too
    std::span<const std::string_view> names;
    int first_name;
    std::string_view special;  ///< what else may stand there, for messages
};

constexpr std::array<std::string_view, 12> kMonths{"jan", "feb", "mar", "apr", "may", "jun",
                                                   "jul", "aug", "sep", "oct", "nov", "dec"};
constexpr std::array<std::string_view, 7> kWeekdays{"sun", "mon", "tue", "wed", "thu", "fri", "sat"};

constexpr Place kSecond{"second", 0, 59, 59, {}, 0, ""};
constexpr Place kMinute{"minute", 0, 59, 59, {}, 0, ""};
constexpr Place kHour{"hour", 0, 23, 23, {}, 0, ""};
constexpr Place kDay{
    "day of month", 1, 31, 31, {}, 0, ", L, L-n (n to 30), nL (n, or the last of a shorter month), LW, L-nW, nW"};
constexpr Place kMonth{"month", 1, 12, 12, kMonths, 1, ", names JAN-DEC"};
constexpr Place kWeekday{"day of week", 0, 6, 7, kWeekdays, 0, ", names SUN-SAT, dL (last in the month), d#n (n from 1 to 5)"};
constexpr Place kYear{"year", kFirstCronYear, kLastCronYear, kLastCronYear, {}, 0, ""};

char lower(char c) { return static_cast<char>(std::tolower(static_cast<unsigned char>(c))); }
bool digit(char c) { return c >= '0' && c <= '9'; }

std::string lowered(std::string_view text) {
    std::string out{text};
    std::ranges::transform(out, out.begin(), lower);
    return out;
}

/// Reads one item of one field, lower case, from left to right.
class Item {
  public:
    Item(const Place& place, std::string_view text) : place_{place}, rest_{text} {}
    [[nodiscard]] bool done() const { return rest_.empty(); }
    bool take(char c) {
        if (rest_.empty() || rest_.front() != c) return false;
        rest_.remove_prefix(1);
        return true;
    }
    /// Digits only, at most four, whatever the range.
    std::optional<int> take_number() {
        std::size_t size = 0;
        int value = 0;
        for (; size < rest_.size() && digit(rest_[size]); ++size) {
            if (size == 4) return std::nullopt;
            value = value * 10 + (rest_[size] - '0');
        }
        if (size == 0) return std::nullopt;
        rest_.remove_prefix(size);
        return value;
    }
    /// A number or name that the field may hold.
    std::optional<int> take_value() {
        for (std::size_t i = 0; i < place_.names.size(); ++i) {
            if (!rest_.starts_with(place_.names[i])) continue;
            rest_.remove_prefix(place_.names[i].size());
            return place_.first_name + static_cast<int>(i);
        }
        const auto number = take_number();
        if (!number || *number < place_.low || *number > place_.greatest) return std::nullopt;
        return number;
    }

  private:
    const Place& place_;
    std::string_view rest_;
};

/// FNV-1a, 64 bit, with a last mix: documented in README.md, so that other programs can find the same minute.
std::uint64_t hash_of(std::string_view key, std::string_view field) {
    std::uint64_t hash = 0xcbf29ce484222325U;
    const auto add = [&hash](char c) { hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3U; };
    std::ranges::for_each(key, add);
    add('\n');
    std::ranges::for_each(field, add);
    hash = (hash ^ (hash >> 33U)) * 0xff51afd7ed558ccdU;
    return hash ^ (hash >> 33U);
}

/// The values of a field, in a set wide enough for all but the year.
using Values = std::vector<int>;

/// From `low` to `high` by `step`; over the end if high < low, as on a dial.
Values dial(const Place& place, int low, int high, int step) {
    Values values;
    const int around = place.high - place.low + 1;
    if (high < low) high += around;
    for (int value = low; value <= high; value += step) {
        values.push_back(value > place.high ? value - around : value);
    }
    return values;
}

class FieldReader {
  public:
    FieldReader(const Place& place, std::string_view text, std::string_view hash_key)
        : place_{place}, text_{text}, hash_key_{hash_key} {}

    /// Calls `special` for items that only the day fields have; it says whether it took the item.
    template <class Special>
    core::Result<Values> read(Special special) const {
        Values all;
        std::size_t start = 0;
        while (start <= text_.size()) {
            const auto end = std::min(text_.find(',', start), text_.size());
            const auto item = lowered(text_.substr(start, end - start));
            start = end + 1;
            if (special(item)) continue;
            const auto values = read_item(item);
            if (!values) return refusal(item);
            all.insert(all.end(), values->begin(), values->end());
        }
        return all;
    }

  private:
    [[nodiscard]] std::optional<int> step_of(Item& item) const {
        if (item.done()) return 1;
        if (!item.take('/')) return std::nullopt;
        const auto step = item.take_number();
        if (!step || !item.done() || *step < 1 || *step > place_.greatest) return std::nullopt;
        return step;
    }

    [[nodiscard]] std::optional<Values> read_item(std::string_view text) const {
        Item item{place_, text};
        if (item.take('h')) return hashed(item);
        if (item.take('*') || item.take('?')) {
            const auto step = step_of(item);
            if (!step) return std::nullopt;
            return dial(place_, place_.low, place_.high, *step);
        }
        const auto low = item.take_value();
        if (!low) return std::nullopt;
        if (item.done()) return Values{*low > place_.high ? place_.low : *low};
        const bool range = item.take('-');
        const auto high = range ? item.take_value() : place_.high;
        const auto step = high ? step_of(item) : std::nullopt;
        if (!step) return std::nullopt;
        return spread(*low, *high, *step);
    }

    /// Sunday is 0 where a range starts and 7 where one ends, so that 7-4 and SAT-SUN are what they look like.
    [[nodiscard]] std::optional<Values> spread(int low, int high, int step) const {
        if (&place_ == &kYear && high < low) return std::nullopt;
        const int sunday = place_.greatest > place_.high ? place_.greatest : -1;
        if (low == sunday && high == sunday) return Values{place_.low};
        if (low == sunday) low = place_.low;
        return dial(place_, low, high, step);
    }

    /// H, H/n, H(a-b), H(a-b)/n. Days go to 28 unless a range is given, so that every month has the day.
    [[nodiscard]] std::optional<Values> hashed(Item& item) const {
        int low = place_.low;
        int high = &place_ == &kDay ? 28 : place_.high;
        if (item.take('(')) {
            const auto from = item.take_value();
            if (!from || !item.take('-')) return std::nullopt;
            const auto to = item.take_value();
            if (!to || !item.take(')') || *to < *from || *to > place_.high) return std::nullopt;
            low = *from, high = *to;
        }
        const auto hash = hash_of(hash_key_, place_.name);
        const auto width = static_cast<std::uint64_t>(high) - static_cast<std::uint64_t>(low) + 1;
        if (item.done()) return Values{low + static_cast<int>(hash % width)};
        const auto step = step_of(item);
        if (!step || static_cast<std::uint64_t>(*step) > width) return std::nullopt;
        return dial(place_, low + static_cast<int>(hash % static_cast<std::uint64_t>(*step)), high, *step);
    }

    [[nodiscard]] tl::unexpected<core::Error> refusal(std::string_view item) const {
        return fail(
            Errc::invalid_argument,
            fmt::format(
                "cron field {}: \"{}\" is not allowed; allowed are {}-{}, *, ?, a-b, a,b, */n, a-b/n and a/n (n from 1 to "
                "{}), H{}",
                place_.name, item, place_.low, place_.greatest, place_.greatest, place_.special));
    }

    const Place& place_;
    std::string_view text_;
    std::string_view hash_key_;
};

bool no_special(std::string_view) { return false; }
bool unrestricted(std::string_view text) { return text == "*" || text == "?"; }
bool repeats(std::string_view text) {
    // H(a-b) is one value.
    return text.find_first_of("*?/") != std::string_view::npos ||
           (text.find('-') != std::string_view::npos && text.find('(') == std::string_view::npos);
}

template <class Bits>
core::Result<void> read_bits(const Place& place, std::string_view text, std::string_view hash_key, Bits& bits) {
    const auto values = FieldReader{place, text, hash_key}.read(no_special);
    if (!values) return tl::unexpected{values.error()};
    bits = 0;
    for (const int value : *values) bits |= Bits{1} << static_cast<unsigned>(value);
    return {};
}

/// L, L-n, LW, L-nW, nW and nL.
bool take_special_day(std::string_view text, CronFields& fields) {
    Item item{kDay, text};
    if (item.take('l')) {
        int back = 0;
        if (item.take('-')) {
            const auto number = item.take_number();
            if (!number || *number > 30) return false;
            back = *number;
        }
        const bool weekday = item.take('w');
        if (!item.done()) return false;
        (weekday ? fields.weekday_nearest_before_last : fields.days_before_last) |= 1U << static_cast<unsigned>(back);
        return true;
    }
    const auto day = item.take_value();
    if (!day) return false;
    const bool weekday = item.take('w');
    if ((!weekday && !item.take('l')) || !item.done()) return false;
    (weekday ? fields.weekday_nearest : fields.days_or_last) |= 1U << static_cast<unsigned>(*day);
    return true;
}

/// dL and d#n.
bool take_special_weekday(std::string_view text, CronFields& fields) {
    Item item{kWeekday, text};
    const auto weekday = item.take_value();
    if (!weekday) return false;
    const auto day = static_cast<unsigned>(*weekday % 7);
    if (item.take('l')) {
        if (!item.done()) return false;
        fields.last_weekdays |= 1U << day;
        return true;
    }
    if (!item.take('#')) return false;
    // One digit: #050 is a slip.
    for (const char count : {'1', '2', '3', '4', '5'}) {
        if (!item.take(count)) continue;
        if (!item.done()) return false;
        fields.weekday_in_month[day] |= static_cast<std::uint8_t>(1U << static_cast<unsigned>(count - '0'));
        return true;
    }
    return false;
}

core::Result<void> read_days(std::string_view days, std::string_view weekdays, std::string_view hash_key, CronFields& fields) {
    const auto of_month =
        FieldReader{kDay, days, hash_key}.read([&fields](std::string_view item) { return take_special_day(item, fields); });
    if (!of_month) return tl::unexpected{of_month.error()};
    for (const int day : *of_month) fields.days |= 1U << static_cast<unsigned>(day);
    const auto of_week = FieldReader{kWeekday, weekdays, hash_key}.read(
        [&fields](std::string_view item) { return take_special_weekday(item, fields); });
    if (!of_week) return tl::unexpected{of_week.error()};
    for (const int day : *of_week) fields.weekdays |= 1U << static_cast<unsigned>(day % 7);
    fields.any_day = unrestricted(days);
    fields.any_weekday = unrestricted(weekdays);
    return {};
}

core::Result<void> read_years(std::string_view text, CronFields& fields) {
    fields.any_year = unrestricted(text);
    const auto years = FieldReader{kYear, text, ""}.read(no_special);
    if (!years) return tl::unexpected{years.error()};
    fields.years.reset();
    for (const int year : *years) fields.years.set(static_cast<std::size_t>(year - kFirstCronYear));
    return {};
}

struct Macro {
    std::string_view name;
    std::string_view means;
};
constexpr std::array kMacros{
    Macro{"@yearly", "0 0 0 1 1 *"}, Macro{"@annually", "0 0 0 1 1 *"},     Macro{"@monthly", "0 0 0 1 * *"},
    Macro{"@weekly", "0 0 0 * * 0"}, Macro{"@daily", "0 0 0 * * *"},        Macro{"@midnight", "0 0 0 * * *"},
    Macro{"@hourly", "0 0 * * * *"}, Macro{"@every_minute", "0 * * * * *"}, Macro{"@every_second", "* * * * * *"},
};

std::vector<std::string_view> words_of(std::string_view text) {
    constexpr std::string_view kBlank = " \t\r\n";
    std::vector<std::string_view> words;
    auto start = text.find_first_not_of(kBlank);
    while (start != std::string_view::npos) {
        const auto end = std::min(text.find_first_of(kBlank, start), text.size());
        words.push_back(text.substr(start, end - start));
        start = text.find_first_not_of(kBlank, end);
    }
    return words;
}

core::Result<void> check_count(std::size_t count, CronDialect dialect) {
    const bool right = dialect == CronDialect::any        ? count >= 5 && count <= 7
                       : dialect == CronDialect::minutes5 ? count == 5
                       : dialect == CronDialect::seconds6 ? count == 6
                       : dialect == CronDialect::years7   ? count == 7
                                                          : false;
    if (right) return {};
    if (dialect == CronDialect::macro) return fail(Errc::invalid_argument, "cron: expected a macro such as @daily");
    const auto* wanted = dialect == CronDialect::minutes5   ? "5 (minute hour day month weekday)"
                         : dialect == CronDialect::seconds6 ? "6 (second minute hour day month weekday)"
                         : dialect == CronDialect::years7
                             ? "7 (second minute hour day month weekday year)"
                             : "5 (minute hour day month weekday), 6 with the second first or 7 with the year last";
    return fail(Errc::invalid_argument, fmt::format("cron: the expression has {} fields; allowed are {}", count, wanted));
}

core::Result<std::string_view> meaning_of(std::string_view macro) {
    const auto name = lowered(macro);
    const auto* found = std::ranges::find(kMacros, std::string_view{name}, &Macro::name);
    if (found != kMacros.end()) return found->means;
    return fail(
        Errc::invalid_argument,
        fmt::format("cron: \"{}\" is no macro; allowed are @yearly, @annually, @monthly, @weekly, @daily, @midnight, @hourly, "
                    "@every_minute and @every_second",
                    macro));
}

}  // namespace

core::Result<CronFields> read_cron_fields(std::string_view text, CronDialect dialect, std::string_view hash_key) {
    constexpr std::size_t kLongest = 1024;
    if (text.size() > kLongest) return fail(Errc::invalid_argument, fmt::format("cron: longer than {} characters", kLongest));
    auto words = words_of(text);
    if (words.size() == 1 && words[0].starts_with('@') && (dialect == CronDialect::any || dialect == CronDialect::macro)) {
        const auto means = meaning_of(words[0]);
        if (!means) return tl::unexpected{means.error()};
        words = words_of(*means);
    } else if (const auto right = check_count(words.size(), dialect); !right) {
        return tl::unexpected{right.error()};
    }
    CronFields fields;
    fields.years.set();
    const std::size_t first = words.size() == 5 ? 0 : 1;
    const auto minute = words[first], hour = words[first + 1], month = words[first + 3];
    auto read = core::Result<void>{};
    if (first == 1) read = read_bits(kSecond, words[0], hash_key, fields.seconds);
    if (read) read = read_bits(kMinute, minute, hash_key, fields.minutes);
    if (read) read = read_bits(kHour, hour, hash_key, fields.hours);
    if (read) read = read_days(words[first + 2], words[first + 4], hash_key, fields);
    if (read) read = read_bits(kMonth, month, hash_key, fields.months);
    if (read && words.size() == 7) read = read_years(words[6], fields);
    if (!read) return tl::unexpected{read.error()};
    fields.any_hour = unrestricted(hour);
    fields.repeats_in_day = (first == 1 && repeats(words[0])) || repeats(minute) || repeats(hour);
    return fields;
}

}  // namespace varde::time
