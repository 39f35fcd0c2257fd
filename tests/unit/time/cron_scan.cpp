#include "unit/time/cron_scan.hpp"

#include "time/utc_text.hpp"

#include <absl/time/civil_time.h>
#include <absl/time/time.h>

#include <algorithm>
#include <chrono>
#include <limits>

#include <fmt/format.h>

namespace varde::cron_scan {
namespace {

struct Field {
    std::string text;
    std::vector<bool> values;
};

int between(std::mt19937_64& random, int low, int high) { return std::uniform_int_distribution{low, high}(random); }

/// One item of a list; all wall values from low to high are in `greatest`'s range.
void add_item(std::mt19937_64& random, int low, int high, Field& field) {
    const int a = between(random, low, high);
    const int b = between(random, low, high);
    const int step = between(random, 1, std::max(1, (high - low) / 2));
    const auto mark = [&](int from, int to, int by) {
        // As on a dial: over the end if the range does.
        const int width = high - low + 1;
        const int length = to >= from ? to - from : to - from + width;
        for (int i = 0; i <= length; i += by) field.values[static_cast<std::size_t>(low + (from - low + i) % width)] = true;
    };
    if (!field.text.empty()) field.text += ',';
    switch (between(random, 0, 5)) {
        case 0: field.text += fmt::format("{}-{}", a, b), mark(a, b, 1); break;
        case 1: field.text += fmt::format("{}-{}/{}", a, b, step), mark(a, b, step); break;
        case 2: field.text += fmt::format("*/{}", step), mark(low, high, step); break;
        case 3: field.text += fmt::format("{}/{}", a, step), mark(a, high, step); break;
        default: field.text += std::to_string(a), mark(a, a, 1); break;
    }
}

Field random_field(std::mt19937_64& random, int low, int high, int star_percent) {
    Field field{"", std::vector<bool>(static_cast<std::size_t>(high) + 1)};
    if (between(random, 1, 100) <= star_percent) {
        field.text = between(random, 0, 9) == 0 ? "?" : "*";
        field.values.assign(field.values.size(), true);
        return field;
    }
    for (int items = between(random, 0, 3) == 0 ? 3 : 1; items > 0; --items) add_item(random, low, high, field);
    return field;
}

/// One to three values up to `high` of a field that goes up to `greatest`.
Field plain_field(std::mt19937_64& random, int high, int greatest) {
    Field field{"", std::vector<bool>(static_cast<std::size_t>(greatest) + 1)};
    for (int items = between(random, 1, 3); items > 0; --items) {
        const int value = between(random, 0, high);
        field.text += fmt::format("{}{}", field.text.empty() ? "" : ",", value);
        field.values[static_cast<std::size_t>(value)] = true;
    }
    return field;
}

bool star(const std::string& text) { return text == "*" || text == "?"; }
bool repeats(const std::string& text) { return text.find_first_of("*?/-") != std::string::npos; }

}  // namespace

RandomCron random_cron(std::mt19937_64& random, bool with_seconds) {
    // One in three is a plain time of the small hours, where clocks change: what the rules for gaps and overlaps are about.
    const bool plain = between(random, 0, 2) == 0;
    const auto time_field = [&](int high, int star_percent) {
        return plain ? plain_field(random, high == 23 ? 4 : high, high) : random_field(random, 0, high, star_percent);
    };
    const auto second = with_seconds ? time_field(59, 20) : Field{"", std::vector<bool>(60)};
    const auto minute = time_field(59, 25);
    const auto hour = time_field(23, 40);
    const auto day = random_field(random, 1, 31, plain ? 90 : 60);
    const auto month = random_field(random, 1, 12, plain ? 90 : 70);
    const auto weekday = random_field(random, 0, 6, plain ? 90 : 60);
    RandomCron cron;
    cron.text = fmt::format("{}{}{} {} {} {} {}", second.text, with_seconds ? " " : "", minute.text, hour.text, day.text,
                            month.text, weekday.text);
    cron.seconds = second.values;
    if (!with_seconds) cron.seconds[0] = true;
    cron.minutes = minute.values, cron.hours = hour.values, cron.days = day.values;
    cron.months = month.values, cron.weekdays = weekday.values;
    cron.any_day = star(day.text), cron.any_weekday = star(weekday.text), cron.any_hour = star(hour.text);
    cron.repeats_in_day = repeats(second.text) || repeats(minute.text) || repeats(hour.text);
    return cron;
}

Stretch::Moment Stretch::moment_of(std::int64_t wall) {
    const auto place = wall / 86'400 - first_day_;
    for (auto day = static_cast<std::int64_t>(days_.size()); day <= place; ++day) {
        const auto civil = absl::CivilDay{} + (first_day_ + day);
        // absl counts Monday as 0.
        const auto weekday = (static_cast<int>(absl::GetWeekday(civil)) + 1) % 7;
        days_.push_back({static_cast<std::uint8_t>(civil.month()), static_cast<std::uint8_t>(civil.day()),
                         static_cast<std::uint8_t>(weekday)});
    }
    return {static_cast<std::int32_t>(wall % 86'400), static_cast<std::int16_t>(place), false};
}

Stretch::Stretch(const std::string& zone, core::Instant begin, std::int64_t steps, std::int64_t step_seconds)
    : begin_{core::to_us(begin) / 1'000'000}, step_{step_seconds}, first_day_{begin_ / 86'400 - 2} {
    absl::TimeZone absl_zone;
    if (!absl::LoadTimeZone(zone, &absl_zone)) absl_zone = absl::UTCTimeZone();
    const auto wall_at = [&](std::int64_t second) { return second + absl_zone.At(absl::FromUnixSeconds(second)).offset; };
    auto latest = wall_at(begin_ - step_);
    // What was shown already in the day before counts for the overlap at the begin.
    for (auto second = begin_ - 86'400; second < begin_; second += step_) latest = std::max(latest, wall_at(second));
    auto before = wall_at(begin_ - step_);
    for (std::int64_t i = 0; i < steps; ++i) {
        const auto wall = wall_at(begin_ + i * step_);
        if (const auto jump = wall - before - step_; jump > 0 && jump <= 3 * 3600) {
            Gap gap{static_cast<std::size_t>(i), {}};
            for (auto missing = before + step_; missing < wall; missing += step_) gap.not_shown.push_back(moment_of(missing));
            gaps_.push_back(std::move(gap));
        }
        auto moment = moment_of(wall);
        moment.second_pass = wall <= latest;
        moments_.push_back(moment);
        latest = std::max(latest, wall);
        before = wall;
    }
}

std::vector<std::int64_t> Stretch::fires(const RandomCron& cron) const {
    std::vector<char> on_day;
    for (const auto& day : days_) {
        const bool month = cron.days[day.day];
        const bool week = cron.weekdays[day.weekday];
        const bool either = cron.any_day ? week : cron.any_weekday ? month : month || week;
        on_day.push_back(static_cast<char>((cron.any_day && cron.any_weekday) || either) &
                         static_cast<char>(cron.months[day.month]));
    }
    std::vector<char> at_minute(1440);
    for (std::size_t i = 0; i < at_minute.size(); ++i) at_minute[i] = cron.hours[i / 60] && cron.minutes[i % 60];
    const auto nominal = [&](const Moment& moment) {
        return on_day[static_cast<std::size_t>(moment.day)] != 0 &&
               at_minute[static_cast<std::size_t>(moment.second_of_day / 60)] != 0 &&
               cron.seconds[static_cast<std::size_t>(moment.second_of_day % 60)];
    };
    std::vector<std::int64_t> found;
    for (std::size_t i = 0; i < moments_.size(); ++i) {
        if (nominal(moments_[i]) && (cron.repeats_in_day || !moments_[i].second_pass)) {
            found.push_back(begin_ + static_cast<std::int64_t>(i) * step_);
        }
    }
    for (const auto& gap : gaps_) {
        if (cron.any_hour || std::ranges::none_of(gap.not_shown, nominal)) continue;
        const auto at = begin_ + static_cast<std::int64_t>(gap.moment) * step_;
        const auto place = std::ranges::lower_bound(found, at);
        if (place == found.end() || *place != at) found.insert(place, at);
    }
    return found;
}

std::string difference(const RandomCron& cron, const Stretch& stretch, const time::ZoneOffsets& zone, std::mt19937_64& random,
                       int probes, std::int64_t& slowest_ns) {
    const auto spec = time::CronSpec::parse(cron.text);
    if (!spec) return fmt::format("\"{}\": {}", cron.text, spec.error().context);
    const auto expected = stretch.fires(cron);
    const auto after_end = [&](std::int64_t at) { return at >= stretch.end(); };
    // The fire after `after_us`, or what it should have been.
    const auto wrong = [&](std::int64_t after_us, std::int64_t want) -> std::string {
        const auto ask = [&](std::int64_t& took_ns) {
            const auto start = std::chrono::steady_clock::now();
            const auto found = spec->next(core::instant_from_us(after_us), zone);
            took_ns = std::chrono::nanoseconds{std::chrono::steady_clock::now() - start}.count();
            return found;
        };
        std::int64_t took_ns = 0;
        const auto next = ask(took_ns);
        // Slow once may be an interrupt; slow five times is the search.
        for (int again = 0; again < 4 && took_ns > slowest_ns; ++again) {
            std::int64_t again_ns = 0;
            (void)ask(again_ns);
            took_ns = std::min(took_ns, again_ns);
        }
        slowest_ns = std::max(slowest_ns, took_ns);
        const auto got = next ? core::to_us(*next) / 1'000'000 : std::numeric_limits<std::int64_t>::max();
        if (got == want || (after_end(got) && after_end(want))) return "";
        return fmt::format("\"{}\" after {}: next() says {}, the scan {}", cron.text,
                           time::format_utc(core::instant_from_us(after_us)),
                           next ? time::format_utc(*next) : std::string{"nothing"},
                           after_end(want) ? std::string{"nothing"} : time::format_utc(core::instant_from_us(want * 1'000'000)));
    };
    auto after = stretch.begin() * 1'000'000 - 1;
    for (const auto at : expected) {
        if (auto text = wrong(after, at); !text.empty()) return text;
        after = at * 1'000'000;
    }
    if (auto text = wrong(after, stretch.end()); !text.empty()) return text;
    const auto wrong_at = [&](std::int64_t after_us) {
        const auto place = std::ranges::upper_bound(expected, after_us / 1'000'000);
        return wrong(after_us, place == expected.end() ? stretch.end() : *place);
    };
    for (int i = 0; i < probes; ++i) {
        const auto probe = std::uniform_int_distribution{stretch.begin() * 1'000'000, stretch.end() * 1'000'000 - 1}(random);
        if (auto text = wrong_at(probe); !text.empty()) return text;
    }
    // Just before, at and after every change of the clock, where a search begins in the middle of a gap or overlap.
    for (auto place = zone.span_at(stretch.begin()) + 1; place < zone.spans().size(); ++place) {
        const auto change = zone.spans()[place].begin;
        if (change + 7200 > stretch.end()) break;
        for (const std::int64_t seconds : {-3600, -1800, -1, 0, 1, 600, 1800, 3599, 3600}) {
            if (change + seconds < stretch.begin()) continue;
            for (const auto us : {0, 1, 999'999}) {
                if (auto text = wrong_at((change + seconds) * 1'000'000 + us); !text.empty()) return text;
            }
        }
    }
    return "";
}

}  // namespace varde::cron_scan
