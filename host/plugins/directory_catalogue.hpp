#pragma once
#include "config/settings.hpp"
#include "plugins/folder_watch.hpp"
#include "plugins/lock_file.hpp"
#include "plugins/plugin_file.hpp"
#include "plugins/plugin_folder.hpp"
#include "plugins/watched_file.hpp"
#include "ports/plugin_catalogue.hpp"
#include "time/clock.hpp"

#include <filesystem>
#include <map>
#include <mutex>
#include <optional>
#include <string>

namespace varde::plugins {

/// The *.so files directly in a folder, which may be written by cp, mv, rsync or an upload that stops half-way, at any moment.
///
/// A file counts once it has rested for settings.quiet (watched_file.hpp); the first scan() does not wait for that. Files whose identity
/// (device, inode, size, times) did not change keep their sealed bytes, files with the same bytes too. Of two files with one rule id
/// neither is used, unless one is gone or refused and was only kept. What settings.lock_file does not allow is not kept either.
///
/// scan() asks the kernel whether something happened (inotify, no thread) and returns the last catalogue without touching the folder
/// if not, until settings.rescan is over. Without inotify every scan() looks at the folder. Several processes may watch one folder.
/// Thread-safe: rules are looked for on the run thread, job libraries on those that run jobs.
class DirectoryCatalogue final : public ports::PluginCatalogue {
  public:
    /// `clock` must outlive the catalogue; nullptr: the system's. File times are compared with it.
    explicit DirectoryCatalogue(std::filesystem::path folder, config::HostConfig::Plugins settings = {},
                                const time::Clock* clock = nullptr);
    DirectoryCatalogue(const DirectoryCatalogue&) = delete;
    DirectoryCatalogue& operator=(const DirectoryCatalogue&) = delete;

    /// Errc::io_failed: the folder, the lock file or the key cannot be read; a folder that does not exist is an error, an empty one is
    /// not. plugin_rejected: others could write to the folder. config_invalid: the lock file or the key is wrong. After an error every
    /// scan() tries again, and what was known before is still known.
    core::Result<ports::Catalogue> scan() override;

  private:
    core::Result<bool> refresh_trust(core::Instant now);
    core::Result<void> look(const Notices& notices, bool at_once, core::Instant now);
    void see(const PluginFolder& folder, const std::string& name, const Notices& notices, bool at_once, core::Instant now);
    void judge();

    std::mutex mutex_;  ///< of everything below
    std::filesystem::path folder_;
    config::HostConfig::Plugins settings_;
    time::SystemClock system_clock_;
    const time::Clock& clock_;
    std::optional<Trust> trust_;  ///< nullopt: not read yet
    LockWatch lock_;
    FolderWatch watch_;
    FileStamp watched_;                         ///< which folder that is
    std::map<std::string, WatchedFile> files_;  ///< by name
    bool scanned_ = false;                      ///< scan() was called
    bool looked_ = false;                       ///< the last look at the folder was complete
    bool waiting_ = false;                      ///< a file has to be seen again soon
    core::Instant last_look_{};
    ports::Catalogue catalogue_;
};

}  // namespace varde::plugins
