#pragma once
#include "plugins/owned_fd.hpp"

#include <map>
#include <optional>
#include <string>

namespace varde::plugins {

/// What the kernel reported of a folder.
struct Notices {
    /// Look at everything: the folder itself changed or is gone, or reports were lost.
    bool everything = false;
    /// Files that something happened to. True: somebody wrote to it and has not closed it since; nullopt: nothing is known of that.
    std::map<std::string, std::optional<bool>> writing;

    [[nodiscard]] bool any() const { return everything || !writing.empty(); }
};

/// inotify on one folder, without a thread: reports wait in the kernel until take(). One thread at a time.
class FolderWatch {
  public:
    /// Watches the open folder instead of the one before. False: this system has no inotify (left), and nobody reports anything.
    bool start(int folder);
    void stop();
    /// False also once the folder was deleted, renamed or unmounted.
    [[nodiscard]] bool active() const { return watch_ >= 0; }
    /// What was reported since the last call. Never waits.
    [[nodiscard]] Notices take();

  private:
    OwnedFd queue_;
    int watch_ = -1;
};

}  // namespace varde::plugins
