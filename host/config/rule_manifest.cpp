#include "config/rule_manifest.hpp"

#include "config/file_text.hpp"
#include "config/section.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace varde::config {
namespace {

using nlohmann::ordered_json;

constexpr int kMaxDepth = 8;

std::optional<double> read_bound(Section& in, std::string_view key) {
    const auto* value = in.any(key);
    if (value == nullptr) return std::nullopt;
    if (value->kind == Value::Kind::scalar) {
        const auto scalar = scalar_of(*value);
        if (const auto* whole = std::get_if<std::int64_t>(&scalar)) return static_cast<double>(*whole);
        if (const auto* real = std::get_if<double>(&scalar)) return *real;
    }
    in.problem(key, "must be a number");
    return std::nullopt;
}

std::vector<ParamSpec> read_params(const Value& map, const std::string& path, Problems& problems, int depth);

ParamSpec read_param(const Member& member, const std::string& path, Problems& problems, int depth) {
    ParamSpec spec;
    spec.name = member.key;
    if (member.value.kind != Value::Kind::map) {
        problems.add(member.at, path, "must be a map with a type");
        return spec;
    }
    Section in{member.value, path, problems};
    in.choice("type", {"text", "integer", "real", "boolean", "local_time", "zone", "list_of_text", "object"}, spec.type);
    in.text("doc", 0, 4000, [](const std::string&) {});
    if (const auto* value = in.any("default")) spec.default_value = to_json(*value, path + ".default", problems);
    spec.least = read_bound(in, "min");
    spec.most = read_bound(in, "max");
    if (const auto* members = in.map("members")) spec.members = read_params(*members, path + ".members", problems, depth + 1);
    if (spec.type.empty()) in.problem("type", "is missing");
    in.finish();
    return spec;
}

std::vector<ParamSpec> read_params(const Value& map, const std::string& path, Problems& problems, int depth) {
    std::vector<ParamSpec> params;
    if (depth > kMaxDepth) {
        problems.add(map.at, path, "is nested too deep");
        return params;
    }
    for (const auto& member : map.members) params.push_back(read_param(member, path + "." + member.key, problems, depth));
    return params;
}

void read_manifest(Section& in, RuleManifest& manifest) {
    in.text("id", 1, 31, manifest.id);
    in.text("version", 1, 31, manifest.version);
    for (const auto* key : {"name", "summary", "severity", "category"}) in.text(key, 0, 4000, [](const std::string&) {});
    in.duration("lookback_minutes", 1, 86'400, manifest.lookback);
    in.boolean("nested_params", manifest.nested_params);
    if (const auto* params = in.map("params")) manifest.params = read_params(*params, "params", in.problems(), 0);
    if (manifest.id.empty()) in.problem("id", "is missing");
}

ordered_json defaults_of(const std::vector<ParamSpec>& params) {
    ordered_json defaults = ordered_json::object();
    for (const auto& spec : params) {
        if (!spec.default_value.empty()) {
            defaults[spec.name] = ordered_json::parse(spec.default_value, nullptr, false);
        } else if (auto members = defaults_of(spec.members); !members.empty()) {
            defaults[spec.name] = std::move(members);
        }
    }
    return defaults;
}

}  // namespace

std::string RuleManifest::default_params() const { return defaults_of(params).dump(); }

std::filesystem::path manifest_file_of(const std::filesystem::path& plugin) {
    for (const auto& name : {plugin.stem().string() + ".yaml", std::string{"rule.yaml"}}) {
        auto file = plugin.parent_path() / name;
        // Anybody may have put it there: opening a fifo would wait.
        if (std::error_code failed; std::filesystem::is_regular_file(file, failed)) return file;
    }
    return {};
}

core::Result<RuleManifest> load_rule_manifest(const std::filesystem::path& file) {
    const auto text = file_text(file);
    if (!text) return tl::unexpected{text.error()};
    return parse_rule_manifest(*text, file.string());
}

core::Result<RuleManifest> parse_rule_manifest(std::string_view text, std::string_view name) {
    Problems problems{name};
    RuleManifest manifest;
    if (const auto root = read_document(text, problems)) {
        Section section{*root, "", problems};
        read_manifest(section, manifest);
        section.finish();
    }
    if (!problems.empty()) return tl::unexpected{problems.error()};
    return manifest;
}

}  // namespace varde::config
