#include "plugins/folder_watch.hpp"

#include <array>
#include <cerrno>
#include <cstdint>
#include <cstring>

#include <fmt/format.h>
#include <sys/inotify.h>

namespace varde::plugins {
namespace {

/// IN_MODIFY tells an upload that pauses from a file that is complete: that one was closed.
constexpr std::uint32_t kEvents = IN_CLOSE_WRITE | IN_MODIFY | IN_MOVED_TO | IN_MOVED_FROM | IN_CREATE | IN_DELETE | IN_ATTRIB |
                                  IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR;
constexpr std::uint32_t kFolderGone = IN_DELETE_SELF | IN_MOVE_SELF | IN_UNMOUNT | IN_IGNORED;
/// Reads of 64 KiB in one take(): a storm of reports must not hold up the thread that also runs the rules.
constexpr int kMaxReads = 16;

}  // namespace

bool FolderWatch::start(int folder) {
    stop();
    if (!queue_) queue_ = OwnedFd{::inotify_init1(IN_NONBLOCK | IN_CLOEXEC)};
    // By descriptor: the path could name another folder by now.
    if (queue_) watch_ = ::inotify_add_watch(queue_.get(), fmt::format("/proc/self/fd/{}", folder).c_str(), kEvents);
    return active();
}

void FolderWatch::stop() {
    if (active()) ::inotify_rm_watch(queue_.get(), watch_);
    watch_ = -1;
}

Notices FolderWatch::take() {
    Notices notices;
    if (!queue_) return notices;
    alignas(inotify_event) std::array<char, 65536> buffer{};
    for (int reads = 0;; ++reads) {
        const auto size = ::read(queue_.get(), buffer.data(), buffer.size());
        if (size < 0 && errno == EINTR) continue;
        if (size <= 0) return notices;
        if (reads == kMaxReads) notices.everything = true;
        for (ssize_t at = 0; at < size;) {
            inotify_event event{};
            std::memcpy(&event, buffer.data() + at, sizeof event);
            const char* name = buffer.data() + at + sizeof event;
            at += static_cast<ssize_t>(sizeof event) + event.len;
            if ((event.mask & IN_Q_OVERFLOW) != 0) notices.everything = true;
            if (event.wd != watch_ || watch_ < 0) continue;  // of a folder that is no longer watched
            if ((event.mask & kFolderGone) != 0) stop();
            if (event.len == 0)
                notices.everything = true;
            else if ((event.mask & (IN_MODIFY | IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE)) != 0)
                notices.writing[name] = (event.mask & IN_MODIFY) != 0;
            else
                notices.writing.try_emplace(name);
        }
        if (reads == kMaxReads) return notices;
    }
}

}  // namespace varde::plugins
