#pragma once
#include "config/settings.hpp"
#include "core/error.hpp"
#include "core/verdict.hpp"
#include "ports/plugin_catalogue.hpp"
#include "wire/replay_bundle.hpp"

#include <chrono>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <tuple>

namespace varde::evaluate {

/// Keeps failed evaluations as files, for `varde replay`: what the rule saw, its parameters, and once for each version the plugin. They
/// hold events of homes: only the host's user can read them. One thread.
class ReplayStore {
  public:
    explicit ReplayStore(const config::HostConfig::Incidents& settings) : settings_{settings} {}

    /// False if bundles are not wanted, or one of this plugin and reason was kept within the last minute: a rule that fails in every home
    /// would fill the disk with one story.
    [[nodiscard]] bool wants(const ports::Plugin& plugin, core::FailureReason reason) const;
    /// Writes a bundle and deletes the oldest beyond keep_bundles. The path, or empty if that failed or it is larger than
    /// max_bundle_bytes: evidence is worth having, not worth stopping for.
    std::string keep(const wire::ReplayBundle& bundle, const ports::Plugin& plugin, core::FailureReason reason);

  private:
    using Kind = std::tuple<std::string, std::string, core::FailureReason>;
    config::HostConfig::Incidents settings_;
    std::map<Kind, std::chrono::steady_clock::time_point> kept_;
};

/// A bundle and the plugin's bytes from the file beside it, checked against the bundle's hash by who seals it.
struct StoredReplay {
    wire::ReplayBundle bundle;
    std::filesystem::path plugin;
};
[[nodiscard]] core::Result<StoredReplay> read_replay(const std::filesystem::path& file);

}  // namespace varde::evaluate
