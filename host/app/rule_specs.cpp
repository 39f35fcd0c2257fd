#include "app/rule_specs.hpp"

namespace varde::app {

core::Result<std::vector<ports::RuleSpec>> specs_of_all_plugins(ports::PluginCatalogue& catalogue, ports::LogSink& log) {
    auto found = catalogue.scan();
    if (!found) return tl::unexpected{found.error()};
    for (const auto& rejected : found->rejected) {
        log.log(ports::LogLevel::warning, "plugins", "rule_rejected", "plugin file cannot be used",
                {{"path", rejected.path},
                 {"rule_id", rejected.rule_id},
                 {"reason", std::string{core::name_of(rejected.reason)}},
                 {"message", rejected.message}});
    }
    if (found->plugins.empty()) {
        return core::fail(core::Errc::plugin_rejected,
                          "no usable rule library (*.so) was found; name the folder with --plugins DIR");
    }
    std::vector<ports::RuleSpec> specs;
    for (auto& plugin : found->plugins) {
        ports::RuleSpec spec;
        spec.plugin = std::move(plugin);
        specs.push_back(std::move(spec));
    }
    return specs;
}

}  // namespace varde::app
