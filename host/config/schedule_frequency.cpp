#include "config/schedule_frequency.hpp"

#include "config/json_section.hpp"
#include "config/schedule_definition.hpp"
#include "time/zone_offsets.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <initializer_list>
#include <optional>
#include <string_view>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace varde::config {
namespace {

using nlohmann::json;

enum class Frequency { hourly, daily, weekly, monthly, custom };
constexpr std::array<std::string_view, 5> kFrequencies{"hourly", "daily", "weekly", "monthly", "custom"};
constexpr std::array<std::string_view, 7> kDays{"monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"};

std::optional<Frequency> frequency_from(std::string_view name) {
    const auto* const found = std::ranges::find(kFrequencies, name);
    if (found == kFrequencies.end()) return std::nullopt;
    return static_cast<Frequency>(found - kFrequencies.begin());
}

/// A key that its frequency cannot do without. A problem is reported; then 0.
int number(JsonSection& time, std::string_view key, int least, int most) {
    int value = 0;
    if (time.any(key) == nullptr) {
        time.problem(key, fmt::format("is missing: a whole number from {} to {}", least, most));
    } else {
        time.integer(key, least, most, value);
    }
    return value;
}

/// 0 (Monday) .. 6, or nullopt.
std::optional<int> weekday_of(const json& value) {
    constexpr std::size_t kShort = 3;
    if (value.is_number_integer() && value.get<std::int64_t>() >= 0 && value.get<std::int64_t>() <= 6) return value.get<int>();
    if (!value.is_string()) return std::nullopt;
    auto name = value.get<std::string>();
    std::ranges::transform(name, name.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    const auto* const found =
        std::ranges::find_if(kDays, [&](std::string_view day) { return name == day || name == day.substr(0, kShort); });
    if (found == kDays.end()) return std::nullopt;
    return static_cast<int>(found - kDays.begin());
}

/// As cron writes it: "MON". The original read `day`, its interface demanded `day_of_week`: both are taken.
std::string weekday_text(JsonSection& time) {
    std::optional<int> found;
    for (const std::string_view key : {"day", "day_of_week"}) {
        const auto* const value = time.any(key);
        if (value == nullptr) continue;
        const auto day = weekday_of(*value);
        if (!day) {
            time.problem(key, "must be a weekday: monday to sunday, mon to sun, or a number from 0 (Monday) to 6 (Sunday)");
            return "MON";
        }
        if (found && *found != *day) time.problem(key, "names another weekday than time_config.day");
        found = day;
    }
    if (!found) time.problem("day", "is missing: a weekday, such as monday; day_of_week is the same");
    std::string text{kDays.at(static_cast<std::size_t>(found.value_or(0))).substr(0, 3)};
    std::ranges::transform(text, text.begin(), [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
    return text;
}

std::string custom_text(JsonSection& time) {
    std::string text;
    if (time.any("cron") == nullptr) {
        time.problem("cron", "is missing: a cron expression, such as 0 */6 * * *");
        return text;
    }
    time.text("cron", 1, 200, text);
    core::Trigger trigger;
    trigger.expression = text;
    const auto fault = text.empty() ? std::string{} : cron_fault(trigger);
    if (!fault.empty()) time.problem("cron", fault);
    return text;
}

std::string expression_of(Frequency frequency, JsonSection& time) {
    if (frequency == Frequency::custom) return custom_text(time);
    const auto minute = number(time, "minute", 0, 59);
    if (frequency == Frequency::hourly) return fmt::format("{} * * * *", minute);
    const auto hour = number(time, "hour", 0, 23);
    if (frequency == Frequency::daily) return fmt::format("{} {} * * *", minute, hour);
    if (frequency == Frequency::weekly) return fmt::format("{} {} * * {}", minute, hour, weekday_text(time));
    const auto day = number(time, "day", 1, 31);
    // From the 29th on there are months without that day: theirs is the last one.
    constexpr int kInEveryMonth = 28;
    return fmt::format("{} {} {}{} * *", minute, hour, day, day > kInEveryMonth ? "L" : "");
}

void refuse_the_rest(Frequency frequency, JsonSection& time) {
    const auto name = kFrequencies.at(static_cast<std::size_t>(frequency));
    const auto refuse = [&](std::initializer_list<std::string_view> keys) {
        for (const auto key : keys) {
            if (time.any(key) != nullptr) time.problem(key, fmt::format("is no part of a schedule that is {}", name));
        }
    };
    if (frequency == Frequency::custom) return refuse({"minute", "hour", "day", "day_of_week"});
    refuse({"cron"});
    if (frequency == Frequency::hourly) refuse({"hour"});
    if (frequency != Frequency::weekly) refuse({"day_of_week"});
    if (frequency == Frequency::hourly || frequency == Frequency::daily) refuse({"day"});
}

/// What the form says about the job.
void add_params(JsonSection& definition, core::Schedule& schedule) {
    auto params = json::parse(schedule.params, nullptr, false);
    for (const std::string_view key : {"domain", "domain_config_id", "profile_id", "scan_type", "scan_params"}) {
        const auto* const value = definition.any(key);
        if (value == nullptr) continue;
        const bool object = key == "scan_params";
        if (object ? !value->is_object() : !value->is_string()) {
            definition.problem(key, object ? "must be an object" : "must be a text");
        } else if (params.contains(key) && params[std::string{key}] != *value) {
            definition.problem(key, fmt::format("is not the same as params.{}", key));
        } else {
            params[std::string{key}] = *value;
        }
    }
    auto text = params.dump(-1, ' ', false, json::error_handler_t::replace);
    if (text.size() <= kMostObjectBytes) {
        schedule.params = std::move(text);
    } else {
        definition.problem("params", fmt::format("must have at most {} bytes, together with domain, scan_params and the like",
                                                 kMostObjectBytes));
    }
}

}  // namespace

void read_frequency(JsonSection& definition, core::Schedule& schedule, std::vector<std::string>& problems) {
    std::optional<Frequency> frequency;
    auto chosen = Frequency::custom;
    const auto before = problems.size();
    definition.choice("frequency", "hourly, daily, weekly, monthly, custom", frequency_from, chosen);
    if (definition.any("frequency") == nullptr) {
        definition.problem("frequency", "is missing: one of hourly, daily, weekly, monthly, custom");
    } else if (problems.size() == before) {
        frequency = chosen;
    }
    auto& trigger = schedule.trigger;
    trigger.kind = core::TriggerKind::cron;
    definition.text("timezone", 1, 100, trigger.zone);
    if (time::ZoneOffsets::find(trigger.zone) == nullptr) {
        definition.problem("timezone", fmt::format("there is no IANA time zone '{}'", trigger.zone));
    }
    if (definition.any("time_config") == nullptr) {
        definition.problem("time_config", R"(is missing: such as {"hour": 9, "minute": 0} of a daily schedule)");
    }
    definition.object("time_config", [&](const json& value, const std::string& path) {
        JsonSection time{value, path, problems};
        if (!frequency || !value.is_object()) return;  // what it should have is not known
        trigger.expression = expression_of(*frequency, time);
        refuse_the_rest(*frequency, time);
        time.finish();
    });
    add_params(definition, schedule);
}

}  // namespace varde::config
