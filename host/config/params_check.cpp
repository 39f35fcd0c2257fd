#include "config/params_check.hpp"

#include "config/document.hpp"
#include "config/local_time_text.hpp"
#include "config/scalar.hpp"
#include "time/zone.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

namespace varde::config {
namespace {

using nlohmann::json;

std::string member_of(const std::string& path, std::string_view key) {
    return path.empty() ? std::string{key} : fmt::format("{}.{}", path, key);
}

std::string number_text(double number) {
    constexpr double kWhole = 1e15;
    if (std::abs(number) < kWhole && number == std::floor(number)) return std::to_string(static_cast<std::int64_t>(number));
    return fmt::format("{}", number);
}

std::string range_text(const ParamSpec& spec) {
    if (spec.least && spec.most) return fmt::format("{}..{}", number_text(*spec.least), number_text(*spec.most));
    if (spec.least) return fmt::format("{} and more", number_text(*spec.least));
    return fmt::format("{} and less", number_text(*spec.most));
}

/// As it stands in the file, or nearly so; little of it, because it may be a secret that was put on the wrong key.
std::string shown(const json& value) {
    constexpr std::size_t kMost = 20;
    if (value.is_array()) return "a list";
    if (value.is_object()) return "a map";
    if (!value.is_string()) return value.dump();
    auto text = value.get<std::string>();
    if (text.size() > kMost) {
        text.resize(kMost - 3);
        // Not half a character.
        while (!text.empty() && (static_cast<unsigned char>(text.back()) & 0x80) != 0) text.pop_back();
        text += "...";
    }
    return fmt::format("\"{}\"", text);
}

/// The params of one rule, or those that are different in some homes.
class Check {
  public:
    Check(const std::string& path, const std::string& params, const ParamPlaces& places, Problems& problems)
        : prefix_{path + ".params"}, params_{params}, places_{places}, problems_{problems} {}

    void run(const RuleManifest& manifest) const {
        const auto params = json::parse(params_);
        const auto inner = params.find("params");
        if (!manifest.nested_params || inner == params.end() || !inner->is_object()) return members(params, manifest.params, "");
        members(*inner, manifest.params, "params");
        for (const auto& [key, value] : params.items()) {
            if (key != "params" && std::ranges::find(manifest.params, key, &ParamSpec::name) != manifest.params.end())
                at_key(key, "is not read: the params inside 'params' count; move it there");
        }
    }

  private:
    void members(const json& object, const std::vector<ParamSpec>& specs, const std::string& path) const {
        for (const auto& [key, value] : object.items()) {
            const auto here = member_of(path, key);
            const auto spec = std::ranges::find(specs, key, &ParamSpec::name);
            if (spec == specs.end())
                unknown(here, key, specs);
            else
                one(value, *spec, here);
        }
    }

    void unknown(const std::string& path, std::string_view key, const std::vector<ParamSpec>& specs) const {
        std::vector<std::string_view> known;
        for (const auto& spec : specs) known.push_back(spec.name);
        const auto near = nearest(key, known);
        if (!near.empty()) return at_key(path, fmt::format("unknown parameter; did you mean '{}'?", near));
        at_key(path, known.empty() ? "unknown parameter; the rule takes none"
                                   : fmt::format("unknown parameter; known here: {}", fmt::join(known, ", ")));
    }

    void one(const json& value, const ParamSpec& spec, const std::string& path) const {
        if (value.is_null()) return at_key(path, "has no value; give it one, or leave the key out for the default");
        if (spec.type == "integer" || spec.type == "real") return number(value, spec, path);
        if (spec.type == "boolean") return wants(value.is_boolean(), value, path, "true or false");
        if (spec.type == "list_of_text") return list_of_text(value, path);
        if (spec.type == "object") return object(value, spec, path);
        if (!value.is_string()) {
            return wants(
                false, value, path,
                spec.type == "local_time" ? "a time of day in quotes, such as \"23:00:00\"" : "a text; write it in quotes");
        }
        if (spec.type == "zone") {
            wants(time::Zone::find(value.get<std::string>()).has_value(), value, path, "a time zone such as Europe/Oslo");
        } else if (spec.type == "local_time") {
            wants(is_local_time(value.get<std::string>()), value, path, "a local time of day such as \"23:00:00\"");
        }
    }

    void number(const json& value, const ParamSpec& spec, const std::string& path) const {
        const bool whole = spec.type == "integer";
        const bool bounded = spec.least || spec.most;
        if (whole ? !value.is_number_integer() : !value.is_number()) {
            return wants(
                false, value, path,
                fmt::format("a {}number{}{}", whole ? "whole " : "", bounded ? " " : "", bounded ? range_text(spec) : ""));
        }
        const auto number = value.get<double>();
        if ((spec.least && number < *spec.least) || (spec.most && number > *spec.most))
            at_value(path, fmt::format("{} is outside {}", value.dump(), range_text(spec)));
    }

    void list_of_text(const json& value, const std::string& path) const {
        if (!value.is_array()) return wants(false, value, path, "a list of texts");
        for (std::size_t i = 0; i < value.size(); ++i)
            wants(value[i].is_string(), value[i], fmt::format("{}[{}]", path, i), "a text; write it in quotes");
    }

    void object(const json& value, const ParamSpec& spec, const std::string& path) const {
        if (!value.is_object()) return wants(false, value, path, "a map");
        if (!spec.members.empty()) members(value, spec.members, path);
    }

    void wants(bool fits, const json& value, const std::string& path, std::string_view wanted) const {
        if (!fits) at_value(path, fmt::format("{} is not {}", shown(value), wanted));
    }
    void at_key(const std::string& path, std::string_view message) const { add(path, &ParamPlace::key, message); }
    void at_value(const std::string& path, std::string_view message) const { add(path, &ParamPlace::value, message); }
    void add(const std::string& path, Position ParamPlace::*which, std::string_view message) const {
        const auto place = places_.find(path);
        problems_.add(place == places_.end() ? Position{} : place->second.*which, prefix_ + "." + path, message);
    }

    std::string prefix_;
    const std::string& params_;
    const ParamPlaces& places_;
    Problems& problems_;
};

/// Without its last member or element.
std::string_view parent_of(std::string_view path) {
    const auto end = path.find_last_of(".[");
    return end == std::string_view::npos ? std::string_view{} : path.substr(0, end);
}

}  // namespace

core::Result<void> check_params(const RulesConfig& config, const RuleManifests& manifests) {
    Problems problems{config.file};
    for (const auto& [id, rule] : config.rules) {
        if (const auto manifest = manifests.find(id); manifest != manifests.end())
            Check{rule.path, rule.params, rule.param_places, problems}.run(manifest->second);
    }
    for (const auto& home : config.homes) {
        for (const auto& [id, over] : home.rules) {
            if (const auto manifest = manifests.find(id); manifest != manifests.end())
                Check{over.path, over.params, over.param_places, problems}.run(manifest->second);
        }
    }
    if (!problems.empty()) return tl::unexpected{problems.error()};
    return {};
}

std::string told_by_rule(const std::string& file, const RuleSettings& rule, const core::Failed& refusal) {
    const std::string_view path = refusal.param;
    std::string_view message = refusal.message;
    if (!path.empty() && message.starts_with(refusal.param + ": ")) message.remove_prefix(path.size() + 2);
    auto known = path;
    while (!known.empty() && !rule.param_places.contains(known)) known = parent_of(known);
    const auto place = rule.param_places.find(known);
    if (place == rule.param_places.end()) return refusal.message;
    const auto at = place->second.value;
    return fmt::format("{}:{}:{}: {}.params{}{}: {}", file, at.line, at.column, rule.path, path.empty() ? "" : ".", path,
                       message);
}

std::string told_by_rule(const RulesConfig& config, std::string_view rule_id, const core::Failed& refusal) {
    const auto rule = config.rules.find(rule_id);
    return rule == config.rules.end() ? refusal.message : told_by_rule(config.file, rule->second, refusal);
}

}  // namespace varde::config
