#pragma once
#include "plugins/directory_catalogue.hpp"
#include "rule_file.hpp"
#include "time/clock.hpp"

#include <algorithm>

inline varde::config::HostConfig::Plugins with_quiet(std::chrono::milliseconds quiet) {
    varde::config::HostConfig::Plugins settings;
    settings.quiet = quiet;
    return settings;
}
inline varde::config::HostConfig::Plugins with_lock(std::filesystem::path file) {
    varde::config::HostConfig::Plugins settings;
    settings.lock_file = std::move(file);
    return settings;
}
inline varde::config::HostConfig::Plugins with_key(std::filesystem::path file) {
    varde::config::HostConfig::Plugins settings;
    settings.signature_key = std::move(file);
    return settings;
}

/// A folder with a catalogue and a clock that the test moves. The clock stands in a time when every file of today is old: then a file's
/// rest begins with what the kernel reports.
class WatchedFolder {
  public:
    explicit WatchedFolder(varde::config::HostConfig::Plugins settings = {})
        : catalogue{folder_.path / "plugins", std::move(settings), &clock} {
        std::filesystem::create_directory(path());
    }
    [[nodiscard]] std::filesystem::path path() const { return folder_.path / "plugins"; }
    std::filesystem::path write(const std::string& name, const rule_file::Bytes& bytes) const {
        return folder_.write("plugins/" + name, bytes);
    }
    std::filesystem::path move_in(const std::string& name, const rule_file::Bytes& bytes) const {
        std::filesystem::rename(folder_.write("moved", bytes), path() / name);
        return path() / name;
    }

    varde::ports::Catalogue scan() {
        auto found = catalogue.scan();
        if (!found) FAIL(found.error().context);
        return *found;
    }
    /// Scans, and lets time pass.
    void pass(std::chrono::milliseconds time) {
        scan();
        clock.set(clock.now() + time);
    }
    /// Scans until what happened so far has come to rest.
    void settle() {
        pass(std::chrono::milliseconds{250});
        scan();
    }
    std::shared_ptr<const varde::ports::SealedFile> bytes(const std::string& rule_id) { return plugin(rule_id).bytes; }
    std::string version(const std::string& rule_id) { return plugin(rule_id).version; }

  private:
    varde::ports::Plugin plugin(const std::string& rule_id) {
        const auto found = scan();
        const auto plugin = std::ranges::find(found.plugins, rule_id, &varde::ports::Plugin::rule_id);
        return plugin == found.plugins.end() ? varde::ports::Plugin{} : *plugin;
    }
    rule_file::Folder folder_;

  public:
    varde::time::ManualClock clock{varde::core::Instant{std::chrono::sys_days{std::chrono::year{2100} / 1 / 15}}};
    varde::plugins::DirectoryCatalogue catalogue;
};
