#include "worker/sandbox_namespaces.hpp"

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <string>

namespace varde::worker {
namespace {

bool write_file(const char* path, const std::string& text) {
    const int fd = ::open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0) return false;
    const bool written = ::write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size());
    ::close(fd);
    return written;
}

/// The one user and group that exist in a new user namespace: ourselves.
bool map_own_user(uid_t uid, gid_t gid) {
    const auto line = [](unsigned id) { return std::to_string(id) + " " + std::to_string(id) + " 1"; };
    return write_file("/proc/self/setgroups", "deny") && write_file("/proc/self/uid_map", line(uid)) &&
           write_file("/proc/self/gid_map", line(gid));
}

/// A root with an empty /proc to mount on, read-only.
const char* empty_the_root() {
    constexpr const char* place = "/tmp";
    if (::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) return "mount private";
    if (::mount("none", place, "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, "size=16k,mode=755") != 0) return "mount tmpfs";
    if (::mkdir("/tmp/proc", 0555) != 0) return "mkdir proc";
    if (::mount("/proc", "/tmp/proc", nullptr, MS_BIND | MS_REC, nullptr) != 0) return "bind proc";
    if (::chdir(place) != 0) return "chdir";
    // pivot_root(".", "."): the old root ends up over the new one, and is taken off.
    if (::syscall(SYS_pivot_root, ".", ".") != 0) return "pivot_root";
    if (::umount2(".", MNT_DETACH) != 0) return "umount";
    if (::mount(nullptr, "/", nullptr, MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC, nullptr) != 0)
        return "remount read-only";
    return nullptr;
}

int failed(const char* step) {
    std::fprintf(stderr, "namespaces: %s: %s\n", step, std::strerror(errno));
    return 71;
}

bool send(int socket, const int* descriptors, std::size_t count) {
    char byte = 'N';
    iovec data{&byte, 1};
    alignas(cmsghdr) char space[CMSG_SPACE(8 * sizeof(int))] = {};
    msghdr message{};
    message.msg_iov = &data;
    message.msg_iovlen = 1;
    message.msg_control = space;
    message.msg_controllen = CMSG_SPACE(count * sizeof(int));
    cmsghdr* head = CMSG_FIRSTHDR(&message);
    head->cmsg_level = SOL_SOCKET;
    head->cmsg_type = SCM_RIGHTS;
    head->cmsg_len = CMSG_LEN(count * sizeof(int));
    std::memcpy(CMSG_DATA(head), descriptors, count * sizeof(int));
    return ::sendmsg(socket, &message, MSG_NOSIGNAL) == 1;
}

}  // namespace

int make_namespaces(int socket) {
    const uid_t uid = ::geteuid();
    const gid_t gid = ::getegid();
    const bool root = uid == 0;
    const int kinds = CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS;
    if (::unshare(root ? kinds : kinds | CLONE_NEWUSER) != 0) return failed("unshare");
    if (!root && !map_own_user(uid, gid)) return failed("uid_map");
    // Opened before the root is emptied, from a /proc that is certainly there; the mount namespace stays the same one.
    const char* names[] = {"user", "net", "ipc", "uts", "mnt"};
    int descriptors[5];
    std::size_t count = 0;
    for (const char* name : names) {
        if (root && std::strcmp(name, "user") == 0) continue;
        descriptors[count] = ::open((std::string{"/proc/self/ns/"} + name).c_str(), O_RDONLY | O_CLOEXEC);
        if (descriptors[count++] < 0) return failed(name);
    }
    if (const char* step = empty_the_root()) return failed(step);
    return send(socket, descriptors, count) ? 0 : failed("sendmsg");
}

bool enter_namespaces(std::span<const int> descriptors) {
    bool all = !descriptors.empty();
    for (const int fd : descriptors) {
        all = all && ::setns(fd, 0) == 0;
        ::close(fd);
    }
    return all;
}

}  // namespace varde::worker
