#pragma once
#include "core/error.hpp"

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace varde::config {

/// One parameter of a rule as its rule.yaml describes it.
struct ParamSpec {
    std::string name;
    std::string type;                ///< text | integer | real | boolean | local_time | zone | list_of_text | object
    std::string default_value;       ///< JSON; empty: none
    std::optional<double> least;     ///< `min`, inclusive
    std::optional<double> most;      ///< `max`, inclusive
    std::vector<ParamSpec> members;  ///< of an object
};

/// The rule.yaml that stands beside a plugin: what the rule is called and which parameters it takes.
struct RuleManifest {
    std::string id;
    std::string version;
    std::chrono::minutes lookback{60};  ///< a window that the rule makes sense with
    std::vector<ParamSpec> params;
    bool nested_params = false;  ///< of params that hold an object `params` the rule reads that instead

    /// A JSON object with every default; an object has those of its members.
    [[nodiscard]] std::string default_params() const;
};

/// The file that describes a plugin: STEM.yaml, else rule.yaml, in its folder; empty if neither is a regular file there.
[[nodiscard]] std::filesystem::path manifest_file_of(const std::filesystem::path& plugin);

/// Errc::io_failed, or config_invalid with every problem of the file, one a line. Unknown keys are problems.
[[nodiscard]] core::Result<RuleManifest> load_rule_manifest(const std::filesystem::path& file);
[[nodiscard]] core::Result<RuleManifest> parse_rule_manifest(std::string_view text, std::string_view name);

}  // namespace varde::config
