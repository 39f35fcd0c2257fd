#pragma once
#include "config/home_rules.hpp"
#include "config/settings.hpp"
#include "ports/evaluator.hpp"
#include "ports/log_sink.hpp"
#include "ports/plugin_catalogue.hpp"
#include "ports/run_control.hpp"

#include <map>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <vector>

namespace varde::rules {

/// The rules that the evaluator knows: rules.yaml joined with the plugin files that are there. Logs rule_loaded, rule_replaced,
/// rule_removed and rule_rejected, each once per change. One thread at a time.
class RuleSet {
  public:
    RuleSet(ports::Evaluator& evaluator, ports::PluginCatalogue& plugins, ports::LogSink& log)
        : evaluator_{evaluator}, plugins_{plugins}, log_{log} {}

    /// Whether `offered` can be the configuration: the params of every rule, in every home, against the rule.yaml beside its plugin; and
    /// where they are not those in force, whether the rule, if it is in use, can be made with them. Looks at the plugins again, unless
    /// that was done since the last refresh(). Errc::config_invalid with every problem as file:line:column.
    [[nodiscard]] core::Result<void> check(const config::RulesConfig& offered);

    /// Looks at the plugins again (unless check() just did) and tells the evaluator if they or the configuration changed.
    void refresh(const config::RulesConfig& config, bool config_changed);

    /// What is different in some homes, as of the last refresh().
    [[nodiscard]] const config::HomeRules& homes() const { return homes_; }

    /// Rules of the configuration and plugins without one, in id order, with their circuit breakers as the evaluator has them.
    [[nodiscard]] std::vector<ports::RuleState> states(const config::RulesConfig& config,
                                                       const std::set<std::string>& switched_off) const;

  private:
    /// What was last known of a rule's plugin.
    struct Known {
        std::string version;
        std::string sha256;
        std::string path;
        std::optional<core::Failed> failure{};      ///< why it is not in use; nullopt if it is
        bool said = false;                          ///< the failure is in the log already
        [[nodiscard]] std::string problem() const;  ///< the failure in words; empty if there is none
    };
    using KnownRules = std::map<std::string, Known, std::less<>>;
    /// Rule id, hash of the plugin, and parameters that it was tried with.
    using Trial = std::tuple<std::string, std::string, std::string>;

    void look();
    bool scan();
    void log_unusable_manifests(const std::map<std::string, std::string, std::less<>>& unusable);
    [[nodiscard]] bool in_force(const std::string& rule_id, const std::string& params) const;
    /// Why a rule that is in use cannot be made with other parameters. Every trial is made once.
    const std::optional<core::Failed>& tried(const std::string& rule_id, const std::string& params);
    /// And says once what does not fit a rule.yaml that changed together with its plugin, under a rules.yaml that fitted the old one.
    void take_over_homes(const config::RulesConfig& config);
    /// Params of homes are tried one by one: where a rule cannot be made with some, it fails in those homes alone.
    void log_refused_homes();
    /// With the place in rules.yaml, if it was the parameters that the rule refused.
    [[nodiscard]] core::Failed placed(const std::string& rule_id, core::Failed failure) const;
    void configure(const config::RulesConfig& config);
    /// A new plugin is tried out before the evaluator uses it, and may be turned down or taken back.
    void take_over_what_is_in_use();
    void log_changes(const KnownRules& before) const;
    void log_rejected_files();
    void reject(const std::string& rule_id, const std::string& path, const std::string& sha256, const core::Failed& why) const;

    ports::Evaluator& evaluator_;
    ports::PluginCatalogue& plugins_;
    ports::LogSink& log_;
    ports::Catalogue catalogue_;
    bool scanned_ = false;
    bool looked_ = false;           ///< since the last refresh()
    bool plugins_changed_ = false;  ///< since the last configure()
    config::RulesConfig config_;    ///< as of the last configure()
    config::HomeRules homes_;       ///< likewise
    std::map<Trial, std::optional<core::Failed>> tried_;
    std::set<std::string> refused_homes_;  ///< what was last said of params of homes
    std::string unfit_params_;             ///< what was last said of params against changed rule.yaml files
    std::set<std::string> unusable_;       ///< manifests already complained about
    std::string scan_problem_;
    KnownRules wanted_;               ///< as the files and the configuration say
    KnownRules known_;                ///< as the evaluator says
    std::set<std::string> refused_;   ///< rule ids with hashes of plugins that were turned down, and said so
    std::set<std::string> rejected_;  ///< files already complained about: path and message
};

}  // namespace varde::rules
