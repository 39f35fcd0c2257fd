#include "rules/rule_manifests.hpp"

#include <fmt/format.h>

namespace varde::rules {

FoundManifests manifests_of(const ports::Catalogue& catalogue, const config::RulesConfig& config) {
    FoundManifests found;
    for (const auto& plugin : catalogue.plugins) {
        if (!config.rules.contains(plugin.rule_id)) continue;
        const auto file = config::manifest_file_of(plugin.path);
        if (file.empty()) continue;
        auto manifest = config::load_rule_manifest(file);
        if (!manifest) {
            found.unusable.emplace(plugin.rule_id, manifest.error().context);
        } else if (manifest->id == plugin.rule_id) {
            found.manifests.emplace(plugin.rule_id, std::move(*manifest));
        } else if (file.filename() != "rule.yaml") {
            // A rule.yaml may stand beside several plugins and describe another of them.
            found.unusable.emplace(plugin.rule_id, fmt::format("{}: is about {}", file.string(), manifest->id));
        }
    }
    return found;
}

}  // namespace varde::rules
