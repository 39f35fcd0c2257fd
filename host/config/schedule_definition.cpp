#include "config/schedule_definition.hpp"

#include "config/calendar_definition.hpp"
#include "config/calendar_rule.hpp"
#include "config/event_match.hpp"
#include "config/json_section.hpp"
#include "config/schedule_frequency.hpp"
#include "time/cron.hpp"
#include "time/utc_text.hpp"

#include <algorithm>
#include <array>
#include <charconv>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace varde::config {
namespace {

using core::CatchUp;
using core::Errc;
using core::Instant;
using core::Microseconds;
using core::Overlap;
using core::Result;
using core::Trigger;
using core::TriggerKind;
using nlohmann::json;
using nlohmann::ordered_json;
using std::chrono::days;
using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr days kLongest{400};

template <class Enum, std::size_t N>
std::optional<Enum> named(const std::array<std::string_view, N>& names, std::string_view name) {
    const auto found = std::ranges::find(names, name);
    if (found == names.end()) return std::nullopt;
    return static_cast<Enum>(found - names.begin());
}
constexpr std::array<std::string_view, 2> kDayMatches{"either", "both"};
constexpr std::array<std::string_view, 2> kGaps{"run_once", "skip"};
constexpr std::array<std::string_view, 4> kOverlaps{"auto", "first", "second", "both"};
std::optional<core::DayMatch> day_match_from(std::string_view name) { return named<core::DayMatch>(kDayMatches, name); }
std::optional<core::GapPolicy> gap_from(std::string_view name) { return named<core::GapPolicy>(kGaps, name); }
std::optional<core::OverlapPolicy> overlap_policy_from(std::string_view name) {
    return named<core::OverlapPolicy>(kOverlaps, name);
}
template <class Enum, std::size_t N>
std::string text_of(const std::array<std::string_view, N>& names, Enum value) {
    return std::string{names.at(static_cast<std::size_t>(value))};
}

core::Error error_of(const std::vector<std::string>& problems) {
    return {Errc::invalid_argument, fmt::format("{}", fmt::join(problems, "; "))};
}

void check_cron(JsonSection& section, const Trigger& trigger) {
    if (time::ZoneOffsets::find(trigger.zone) == nullptr) {
        return section.problem("timezone", fmt::format("there is no IANA time zone '{}'", trigger.zone));
    }
    if (const auto fault = cron_fault(trigger); !fault.empty()) section.problem("cron", fault);
}

Trigger trigger_from(const json& value, const std::string& path, std::vector<std::string>& problems) {
    Trigger trigger;
    JsonSection section{value, path, problems};
    constexpr std::array<std::string_view, 6> kKinds{"cron", "every", "at", "event", "after_success", "manual"};
    const auto given = std::ranges::count_if(kKinds, [&](std::string_view key) { return section.has(key); });
    if (!value.is_object()) return trigger;  // the section has said so
    if (given != 1) {
        problems.push_back(path + ": must have one of cron, every, at, event, after_success and manual");
        return trigger;
    }
    if (section.has("cron")) {
        trigger.kind = TriggerKind::cron;
        section.text("cron", 1, 200, trigger.expression);
        section.text("timezone", 1, 100, trigger.zone);
        section.choice("day_match", "either, both", day_match_from, trigger.day_match);
        section.choice("gap", "run_once, skip", gap_from, trigger.gap);
        section.choice("repeated_hour", "auto, first, second, both", overlap_policy_from, trigger.overlap);
        if (!trigger.expression.empty()) check_cron(section, trigger);
    } else if (section.has("every")) {
        trigger.kind = TriggerKind::interval;
        section.duration("every", milliseconds{1}, kLongest, trigger.period);
        section.instant("anchor", trigger.anchor);
        section.boolean("after_completion", trigger.after_completion);
    } else if (section.has("at")) {
        trigger.kind = TriggerKind::once;
        std::optional<Instant> at;
        section.instant("at", at);
        trigger.at = at.value_or(Instant{});
        read_listens(section, path, trigger, problems);
    } else if (section.has("event")) {
        trigger.kind = TriggerKind::event;
        read_event_match(section, path, trigger.event, problems);
        section.duration("debounce", Microseconds{0}, hours{1}, trigger.debounce);
    } else if (section.has("after_success")) {
        trigger.kind = TriggerKind::after;
        bool wanted = false;
        section.boolean("after_success", wanted);
        if (!wanted) section.problem("after_success", "must be true; policy.depends_on names the schedules");
    } else {
        bool wanted = false;
        section.boolean("manual", wanted);
        if (!wanted) section.problem("manual", "must be true, or another kind of trigger");
    }
    section.finish();
    return trigger;
}

core::SchedulePolicy policy_from(const json& value, const std::string& path, std::vector<std::string>& problems,
                                 core::SchedulePolicy policy = {}) {
    JsonSection section{value, path, problems};
    section.duration("misfire_grace", seconds{1}, kLongest, policy.misfire_grace);
    section.boolean("coalesce", policy.coalesce);
    section.choice("catch_up", "none, last, first, all", core::catch_up_from, policy.catch_up);
    section.integer("catch_up_max", 1, 10'000, policy.catch_up_max);
    section.duration("catch_up_window", seconds{1}, kLongest, policy.catch_up_window);
    section.choice("overlap", "skip, queue_one, queue_all, cancel_other", core::overlap_from, policy.overlap);
    section.integer("max_instances", 1, 1'000, policy.max_instances);
    section.integer("max_queued", 1, 10'000, policy.max_queued);
    section.object("retry", [&](const json& retry, const std::string& place) {
        JsonSection inner{retry, place, problems};
        inner.integer("max_attempts", 1, 100, policy.retry.max_attempts);
        inner.duration("backoff", Microseconds{0}, days{1}, policy.retry.backoff);
        inner.duration("max_backoff", Microseconds{0}, days{1}, policy.retry.max_backoff);
        inner.boolean("exponential", policy.retry.exponential);
        inner.finish();
    });
    section.duration("run_timeout", seconds{1}, days{7}, policy.run_timeout);
    section.duration("jitter", Microseconds{0}, days{1}, policy.jitter);
    section.integer("priority", -100, 100, policy.priority);
    section.text("queue", 1, 100, policy.queue);
    section.instant("starts_at", policy.starts_at);
    section.instant("ends_at", policy.ends_at);
    section.object("window", [&](const json& window, const std::string& place) {
        JsonSection inner{window, place, problems};
        inner.instant("start", policy.window_since);
        inner.instant("end", policy.window_until);
        inner.finish();
    });
    policy.calendars = read_calendar_rule(section, problems);
    section.texts("depends_on", 100, policy.depends_on);
    section.duration("dependency_timeout", seconds{1}, kLongest, policy.dependency_timeout);
    if (policy.starts_at && policy.ends_at && *policy.ends_at <= *policy.starts_at) {
        section.problem("ends_at", "must be later than starts_at");
    }
    section.finish();
    return policy;
}

void read_object(JsonSection& section, std::string_view key, bool texts_only, std::string& out) {
    const auto* const value = section.any(key);
    if (value == nullptr) return;
    const bool sound =
        value->is_object() && (!texts_only || std::ranges::all_of(*value, [](const json& item) { return item.is_string(); }));
    if (!sound) return section.problem(key, texts_only ? "must be an object of texts" : "must be an object");
    auto text = value->dump(-1, ' ', false, json::error_handler_t::replace);
    if (text.size() > kMostObjectBytes) return section.problem(key, fmt::format("must have at most {} bytes", kMostObjectBytes));
    out = std::move(text);
}

void put_instant(ordered_json& out, const char* key, const std::optional<Instant>& at) {
    if (at) out[key] = time::format_utc(*at);
}

struct Unit {
    std::string_view name;
    std::int64_t us;
};
constexpr std::array<Unit, 6> kUnits{
    {{"d", 86'400'000'000}, {"h", 3'600'000'000}, {"m", 60'000'000}, {"s", 1'000'000}, {"ms", 1'000}, {"us", 1}}};

}  // namespace

std::string cron_fault(const Trigger& trigger) {
    time::CronOptions options;
    options.day_match = trigger.day_match;
    const auto spec = time::CronSpec::parse(trigger.expression, options);
    if (!spec) return spec.error().context;
    return spec->fires() ? "" : fmt::format("'{}' never fires: no day of any year has it", trigger.expression);
}

Result<Microseconds> read_duration(const json& value) {
    constexpr std::int64_t kMost = 36'500LL * 86'400'000'000;
    const auto fault = [](std::string_view text) {
        return core::fail(Errc::invalid_argument, fmt::format("{} is no duration such as 30s, 5m, 1h30m or 1d", text));
    };
    if (value.is_number()) {
        const auto number = value.get<double>();
        if (!(number >= 0 && number <= 3.1e9)) return fault(value.dump());
        return Microseconds{static_cast<std::int64_t>(number * 1e6 + 0.5)};
    }
    if (!value.is_string()) return fault(value.dump(-1, ' ', false, json::error_handler_t::replace));
    const auto& text = value.get_ref<const std::string&>();
    const auto quoted = '\'' + text.substr(0, 40) + '\'';
    std::int64_t sum = 0;
    std::size_t unit = 0;  // each one at most once, largest first
    const char* at = text.data();
    const char* const end = at + text.size();
    if (text.empty()) return fault(quoted);
    while (at != end) {
        std::int64_t number = 0;
        const auto [rest, code] = std::from_chars(at, end, number);
        if (code != std::errc{} || number < 0) return fault(quoted);
        const auto* stop = std::find_if(rest, end, [](char c) { return c >= '0' && c <= '9'; });
        const std::string_view name{rest, static_cast<std::size_t>(stop - rest)};
        while (unit < kUnits.size() && kUnits[unit].name != name) ++unit;
        if (unit == kUnits.size() || number > (kMost - sum) / kUnits[unit].us) return fault(quoted);
        sum += number * kUnits[unit++].us;
        at = stop;
    }
    return Microseconds{sum};
}

std::string duration_text(Microseconds duration) {
    if (duration.count() == 0) return "0s";
    std::string text;
    auto rest = duration.count();
    for (const auto& [name, us] : kUnits) {
        if (rest / us > 0) text += fmt::format("{}{}", rest / us, name);
        rest %= us;
    }
    return text;
}

Result<Trigger> read_trigger(const json& value, const std::string& path) {
    std::vector<std::string> problems;
    auto trigger = trigger_from(value, path, problems);
    if (!problems.empty()) return tl::unexpected{error_of(problems)};
    return trigger;
}

Result<core::SchedulePolicy> read_policy(const json& value) {
    std::vector<std::string> problems;
    auto policy = policy_from(value, "policy", problems);
    if (!problems.empty()) return tl::unexpected{error_of(problems)};
    return policy;
}

Result<core::Schedule> read_schedule(const json& definition, const core::SchedulePolicy& defaults) {
    // What is nested is written, compared and merged by functions that call themselves.
    if (deeper_than(definition, kDeepest)) {
        return core::fail(Errc::invalid_argument, fmt::format("must not be nested deeper than {} levels", kDeepest));
    }
    std::vector<std::string> problems;
    core::Schedule schedule;
    schedule.policy = defaults;
    JsonSection section{definition, "", problems};
    section.text("id", 1, 100, schedule.schedule_id);
    if (!is_id(schedule.schedule_id)) section.problem("id", "may have letters, digits and . _ - : only");
    section.text("name", 0, 200, schedule.name);
    section.text("owner", 0, 200, schedule.owner);
    section.text("kind", 1, 100, schedule.kind);
    if (definition.is_object() && !section.has("kind")) section.problem("kind", "is missing: what is to be run");
    read_object(section, "labels", true, schedule.labels);
    read_object(section, "params", false, schedule.params);
    section.object("trigger",
                   [&](const json& value, const std::string& path) { schedule.trigger = trigger_from(value, path, problems); });
    if (section.has("frequency") || section.has("time_config")) {
        if (section.has("trigger")) section.problem("trigger", "must not stand beside frequency and time_config: one of the two");
        read_frequency(section, schedule, problems);
    } else if (definition.is_object() && !section.has("trigger")) {
        section.problem("trigger", R"(is missing: such as {"cron": "0 3 * * *"}, {"every": "15m"} or {"manual": true})");
    }
    section.object("policy", [&](const json& value, const std::string& path) {
        schedule.policy = policy_from(value, path, problems, defaults);
    });
    bool enabled = true;
    section.boolean("enabled", enabled);
    schedule.state = enabled ? core::ScheduleState::active : core::ScheduleState::disabled;
    if (schedule.trigger.kind == TriggerKind::after && schedule.policy.depends_on.empty()) {
        problems.emplace_back("policy.depends_on: must name the schedules that trigger.after_success waits for");
    }
    if (auto fault = calendar_rule_fault(schedule.policy.calendars, schedule.trigger); !fault.empty()) {
        problems.push_back(std::move(fault));
    }
    section.finish();
    if (!problems.empty()) return tl::unexpected{error_of(problems)};
    return schedule;
}

ordered_json trigger_json(const Trigger& trigger) {
    switch (trigger.kind) {
        case TriggerKind::cron:
            return {{"cron", trigger.expression},
                    {"timezone", trigger.zone},
                    {"day_match", text_of(kDayMatches, trigger.day_match)},
                    {"gap", text_of(kGaps, trigger.gap)},
                    {"repeated_hour", text_of(kOverlaps, trigger.overlap)}};
        case TriggerKind::interval: {
            ordered_json out{{"every", duration_text(trigger.period)}};
            put_instant(out, "anchor", trigger.anchor);
            if (trigger.after_completion) out["after_completion"] = true;
            return out;
        }
        case TriggerKind::once: {
            ordered_json out{{"at", time::format_utc(trigger.at)}};
            put_listens(out, trigger);
            return out;
        }
        case TriggerKind::event: {
            auto out = event_match_json(trigger.event);
            out["debounce"] = duration_text(trigger.debounce);
            return out;
        }
        case TriggerKind::after: return {{"after_success", true}};
        case TriggerKind::manual: break;
    }
    return {{"manual", true}};
}

ordered_json policy_json(const core::SchedulePolicy& policy) {
    ordered_json out;
    if (policy.misfire_grace) out["misfire_grace"] = duration_text(*policy.misfire_grace);
    out["coalesce"] = policy.coalesce;
    out["catch_up"] = core::name_of(policy.catch_up);
    out["catch_up_max"] = policy.catch_up_max;
    if (policy.catch_up_window) out["catch_up_window"] = duration_text(*policy.catch_up_window);
    out["overlap"] = core::name_of(policy.overlap);
    out["max_instances"] = policy.max_instances;
    out["max_queued"] = policy.max_queued;
    out["retry"] = {{"max_attempts", policy.retry.max_attempts},
                    {"backoff", duration_text(policy.retry.backoff)},
                    {"max_backoff", duration_text(policy.retry.max_backoff)},
                    {"exponential", policy.retry.exponential}};
    out["run_timeout"] = duration_text(policy.run_timeout);
    out["jitter"] = duration_text(policy.jitter);
    out["priority"] = policy.priority;
    out["queue"] = policy.queue;
    put_instant(out, "starts_at", policy.starts_at);
    put_instant(out, "ends_at", policy.ends_at);
    if (policy.window_since || policy.window_until) {
        ordered_json window = ordered_json::object();
        put_instant(window, "start", policy.window_since);
        put_instant(window, "end", policy.window_until);
        out["window"] = std::move(window);
    }
    put_calendar_rule(out, policy.calendars);
    out["depends_on"] = policy.depends_on;
    out["dependency_timeout"] = duration_text(policy.dependency_timeout);
    return out;
}

ordered_json definition_json(const core::Schedule& schedule) {
    return {{"id", schedule.schedule_id},
            {"name", schedule.name},
            {"owner", schedule.owner},
            {"labels", ordered_json::parse(schedule.labels, nullptr, false)},
            {"kind", schedule.kind},
            {"params", ordered_json::parse(schedule.params, nullptr, false)},
            {"trigger", trigger_json(schedule.trigger)},
            {"policy", policy_json(schedule.policy)},
            {"enabled", schedule.state != core::ScheduleState::disabled}};
}

}  // namespace varde::config
