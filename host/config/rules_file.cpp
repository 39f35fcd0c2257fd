#include "config/file_text.hpp"
#include "config/schedule_definition.hpp"
#include "config/section.hpp"
#include "config/settings.hpp"
#include "time/zone.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace varde::config {
namespace {

constexpr std::int64_t kDayMinutes = 24 * 60;
constexpr std::int64_t kMaxLookback = 60 * kDayMinutes;
constexpr std::int64_t kMaxExpire = 365 * kDayMinutes;
constexpr std::size_t kMaxParamsBytes = 65'536;

bool is_rule_id(std::string_view id) {
    return !id.empty() && id.size() <= 64 &&
           std::ranges::all_of(id, [](unsigned char c) { return std::isalnum(c) || c == '-' || c == '_' || c == '.'; });
}

bool is_sha256(std::string_view text) {
    return text.size() == 64 &&
           std::ranges::all_of(text, [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

void read_gating(Section& in, RuleSettings& rule) {
    in.choice("evaluation_mode", {"independent", "baseline_dependent", "profile_dependent"}, rule.evaluation_mode);
    in.boolean("requires_baseline", [&](bool value) { rule.requires_baseline = value; });
    in.boolean("requires_profile", [&](bool value) { rule.requires_profile = value; });
    in.integer("min_days_with_data", 0, 3650, [&](std::int64_t value) { rule.min_days_with_data = static_cast<int>(value); });
    in.text("profile_mode", 1, 100, rule.profile_mode);
    in.boolean("uses_default_profile_when_missing", rule.uses_default_profile_when_missing);
}

void read_schedule(Section& in, RuleSettings& rule) {
    const auto* const value = in.any("schedule");
    if (value == nullptr) return;
    if (value->kind != Value::Kind::map) {
        return in.problem("schedule",
                          "must be a map such as {cron: \"0 7 * * *\", timezone: Europe/Oslo}, {every: 30s} or {event: door}");
    }
    const auto text = to_json(*value, in.path() + ".schedule", in.problems());
    auto trigger = read_trigger(nlohmann::json::parse(text, nullptr, false), "schedule");
    if (!trigger) return in.problem("schedule", trigger.error().context);
    using core::TriggerKind;
    if (trigger->kind == TriggerKind::once || trigger->kind == TriggerKind::after) {
        return in.problem("schedule", "must have one of cron, every, event and manual: a rule is asked again and again");
    }
    rule.schedule = std::move(*trigger);
}

void read_limits(Section& in, RuleSettings& rule) {
    in.duration("timeout_ms", 10, 600'000, rule.timeout);
    in.integer("memory_mb", 16, 4096, rule.memory_mb);
    in.text("group", 0, 100, rule.group);
    in.choice("isolation", {"process"}, rule.isolation);
    in.text("sha256", 64, 64, [&](std::string value) {
        if (!is_sha256(value)) return in.problem("sha256", "is not 64 lower-case hexadecimal digits");
        rule.sha256 = std::move(value);
    });
    read_schedule(in, rule);
}

void note_places(const Value& value, const std::string& path, ParamPlaces& places) {
    for (const auto& member : value.members) {
        const auto here = path.empty() ? member.key : fmt::format("{}.{}", path, member.key);
        places.insert_or_assign(here, ParamPlace{member.at, member.value.at});
        note_places(member.value, here, places);
    }
    for (std::size_t i = 0; i < value.items.size(); ++i) {
        const auto here = fmt::format("{}[{}]", path, i);
        places.insert_or_assign(here, ParamPlace{value.items[i].at, value.items[i].at});
        note_places(value.items[i], here, places);
    }
}

/// `rule`: RuleSettings or RuleOverride.
template <class Rule>
void read_params(Section& in, const Member& member, Rule& rule) {
    rule.path = in.path();
    rule.param_places[""] = {member.at, member.at};
    const auto* params = in.map("params");
    if (params == nullptr) return;
    const auto key = member.value.find("params")->at;
    rule.param_places[""] = {key, key};
    note_places(*params, "", rule.param_places);
    rule.params = to_json(*params, in.path() + ".params", in.problems());
    if (rule.params.size() > kMaxParamsBytes) {
        in.problem("params", fmt::format("has {} bytes as JSON; the limit is {}", rule.params.size(), kMaxParamsBytes));
    }
}

RuleSettings read_rule(Section& in, const Member& member, const RulesConfig& defaults) {
    RuleSettings rule;
    rule.lookback = defaults.default_lookback;
    rule.expire_after = defaults.default_expire_after;
    in.boolean("enabled_in_scheduler", rule.enabled_in_scheduler);
    in.duration("lookback_minutes", 1, kMaxLookback, rule.lookback);
    in.duration("expire_after_minutes", 1, kMaxExpire, rule.expire_after);
    read_params(in, member, rule);
    read_gating(in, rule);
    read_limits(in, rule);
    return rule;
}

void read_rules(const Value& rules, RulesConfig& config, Problems& problems) {
    for (const auto& member : rules.members) {
        const auto path = "rules." + member.key;
        if (!is_rule_id(member.key)) {
            problems.add(member.at, path, "is not a rule id: 1..64 letters, digits, '-', '_' and '.'");
        } else if (member.value.kind != Value::Kind::map) {
            problems.add(member.at, path, "must be a map of keys with values; write {} for a rule with defaults");
        } else {
            Section section{member.value, path, problems};
            config.rules.emplace(member.key, read_rule(section, member, config));
            section.finish();
        }
    }
}

void read_mode(Section& in, std::optional<core::MonitorMode>& mode) {
    std::string name;
    in.choice("monitor_mode", {"ON", "TEST", "OFF"}, name);
    mode = core::monitor_mode_from(name);
}

RuleOverride read_override(Section& in, const Member& member) {
    RuleOverride rule;
    in.boolean("enabled_in_scheduler", [&](bool value) { rule.enabled_in_scheduler = value; });
    in.integer("lookback_minutes", 1, kMaxLookback, [&](std::int64_t value) { rule.lookback = minutes{value}; });
    in.integer("expire_after_minutes", 1, kMaxExpire, [&](std::int64_t value) { rule.expire_after = minutes{value}; });
    read_mode(in, rule.monitor_mode);
    read_params(in, member, rule);
    return rule;
}

void read_overrides(const Value& rules, const std::string& home, const RulesConfig& config, HomeSettings& settings,
                    Problems& problems) {
    for (const auto& member : rules.members) {
        const auto path = fmt::format("{}.rules.{}", home, member.key);
        if (!config.rules.contains(member.key)) {
            problems.add(member.at, path, "there is no such rule under rules:");
        } else if (member.value.kind != Value::Kind::map) {
            problems.add(member.at, path, "must be a map of keys with values");
        } else {
            Section section{member.value, path, problems};
            settings.rules.emplace(member.key, read_override(section, member));
            section.finish();
        }
    }
}

void read_home(Section& in, const Value& entry, RulesConfig& config) {
    HomeSettings home;
    in.text("org_id", 1, 100, home.who.org_id);
    in.text("home_id", 1, 100, home.who.home_id);
    in.text("subject_id", 1, 100, home.who.subject_id);
    if (home.who == core::ScopeFilter{})
        in.problems().add(entry.at, in.path(), "says nowhere whom it is about; give it a home_id, an org_id or a subject_id");
    in.text("timezone", 1, 100, [&](std::string zone) {
        if (!time::Zone::find(zone))
            return in.problem("timezone", fmt::format("'{}' is not a time zone such as Europe/Oslo", zone));
        const auto& member = *entry.find("timezone");
        home.timezone_place = {member.at, member.value.at};
        home.timezone = std::move(zone);
    });
    read_mode(in, home.monitor_mode);
    if (const auto* rules = in.map("rules")) read_overrides(*rules, in.path(), config, home, in.problems());
    config.homes.push_back(std::move(home));
}

void read_homes(const Value& homes, RulesConfig& config, Problems& problems) {
    for (std::size_t i = 0; i < homes.items.size(); ++i) {
        const auto& entry = homes.items[i];
        const auto path = fmt::format("homes[{}]", i);
        if (entry.kind != Value::Kind::map) {
            problems.add(entry.at, path, "must be a map of keys with values");
            continue;
        }
        Section section{entry, path, problems};
        read_home(section, entry, config);
        section.finish();
    }
}

RulesConfig read_config(const Value& root, Problems& problems) {
    RulesConfig config;
    Section file{root, "", problems};
    file.section("scheduler", [&](Section& in) {
        in.duration("interval_minutes", 1, 1440, config.interval);
        in.text("default_subject_key", 1, 100, config.default_subject_key);
    });
    file.section("defaults", [&](Section& in) {
        in.duration("lookback_minutes", 1, kMaxLookback, config.default_lookback);
        in.duration("expire_after_minutes", 1, kMaxExpire, config.default_expire_after);
    });
    if (const auto* rules = file.map("rules")) read_rules(*rules, config, problems);
    if (const auto* homes = file.list("homes")) read_homes(*homes, config, problems);
    file.finish();
    return config;
}

/// Where enabled_in_scheduler is to be put into a rule that does not have it, and what.
void insert_enabled(std::string& text, const Value& rule, std::string_view value) {
    if (text[rule.offset] == '{') {
        text.insert(rule.offset + 1, fmt::format("enabled_in_scheduler: {}{}", value, rule.members.empty() ? "" : ", "));
        return;
    }
    // The first key of a block map stands alone on its line, behind the map's indentation.
    const auto first = rule.members.front().offset;
    const auto line = text.rfind('\n', first) + 1;
    const auto indent = text.substr(line, first - line);
    const bool crlf = line >= 2 && text[line - 2] == '\r';
    text.insert(line, fmt::format("{}enabled_in_scheduler: {}{}", indent, value, crlf ? "\r\n" : "\n"));
}

}  // namespace

core::Result<RulesConfig> parse_rules(std::string_view text, std::string_view name) {
    Problems problems{name};
    RulesConfig config;
    if (const auto root = read_document(text, problems)) config = read_config(*root, problems);
    config.file = name;
    if (!problems.empty()) return tl::unexpected{problems.error()};
    return config;
}

core::Result<RulesConfig> load_rules(const std::filesystem::path& file) {
    return file_text(file).and_then([&](const std::string& text) { return parse_rules(text, file.string()); });
}

core::Result<std::string> with_rule_enabled(std::string_view text, std::string_view name, const std::string& rule_id,
                                            bool enabled) {
    const auto before = parse_rules(text, name);
    if (!before) return tl::unexpected{before.error()};
    if (!before->rules.contains(rule_id))
        return core::fail(core::Errc::not_found, fmt::format("{} has no rule {}", name, rule_id));

    Problems problems{name};
    const auto root = read_document(text, problems);
    const auto& rule = root->find("rules")->value.find(rule_id)->value;
    std::string changed{text};
    const std::string_view value = enabled ? "true" : "false";
    if (const auto* member = rule.find("enabled_in_scheduler")) {
        changed.replace(member->value.offset, member->value.text.size(), value);
    } else {
        insert_enabled(changed, rule, value);
    }
    const auto after = parse_rules(changed, name);
    if (!after || after->rules.size() != before->rules.size() || after->rules.at(rule_id).enabled_in_scheduler != enabled) {
        return core::fail(core::Errc::config_invalid,
                          fmt::format("{}:{}:{}: rules.{}: is written in a way that cannot be edited here; change it by hand",
                                      name, rule.at.line, rule.at.column, rule_id));
    }
    return changed;
}

}  // namespace varde::config
