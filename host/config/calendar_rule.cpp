#include "config/calendar_rule.hpp"

#include "config/json_section.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace varde::config {

namespace {

constexpr std::size_t kMost = 20;

}  // namespace

core::CalendarRule read_calendar_rule(JsonSection& policy, std::vector<std::string>& problems) {
    core::CalendarRule rule;
    policy.object("calendars", [&](const nlohmann::json& value, const std::string& place) {
        JsonSection section{value, place, problems};
        section.texts("include", kMost, rule.include);
        section.texts("exclude", kMost, rule.exclude);
        section.choice("roll", "skip, next, previous", core::calendar_roll_from, rule.roll);
        const auto both = std::ranges::find_if(
            rule.include, [&](const std::string& id) { return std::ranges::find(rule.exclude, id) != rule.exclude.end(); });
        if (both != rule.include.end())
            section.problem("exclude", fmt::format("'{}' is included already: no day is left", *both));
        if (rule.include.empty() && rule.exclude.empty()) rule.roll = core::CalendarRoll::skip;  // there is nothing to roll off
        section.finish();
    });
    return rule;
}

std::string calendar_rule_fault(const core::CalendarRule& rule, const core::Trigger& trigger) {
    if (rule.roll == core::CalendarRoll::skip || trigger.kind == core::TriggerKind::cron) return {};
    return fmt::format("policy.calendars.roll: '{}' needs a cron trigger: only wall times have another day to move to; use skip",
                       core::name_of(rule.roll));
}

void put_calendar_rule(nlohmann::ordered_json& policy, const core::CalendarRule& rule) {
    if (rule == core::CalendarRule{}) return;
    policy["calendars"] = {{"include", rule.include}, {"exclude", rule.exclude}, {"roll", core::name_of(rule.roll)}};
}

}  // namespace varde::config
