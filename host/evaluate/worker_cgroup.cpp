#include "evaluate/worker_cgroup.hpp"

#include "evaluate/unique_fd.hpp"

#include <fcntl.h>
#include <sys/xattr.h>
#include <unistd.h>
#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <optional>
#include <sstream>
#include <string_view>

#include <fmt/format.h>

namespace varde::evaluate {
namespace {

namespace fs = std::filesystem;

/// Beside memory_mb: the worker's program, its libraries' data, its pages of the channel.
constexpr std::uint64_t worker_bytes = 32ull << 20;
constexpr int max_tasks = 8;  // a worker is one; a sanitizer's has a few
constexpr const char* own_leaf = "host";
constexpr std::string_view leaf_prefix = "worker-";

core::Error failed(const fs::path& path, int error) {
    return {core::Errc::worker_failed, fmt::format("{}: {}", path.string(), std::strerror(error))};
}

// O_CREAT does nothing in a cgroup, whose files the kernel makes: one that is not there stays an error. It lets a test use a plain folder.
core::Result<void> write(const fs::path& file, const std::string& text) {
    const UniqueFd fd{::open(file.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600)};
    if (!fd || ::write(fd.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size()))
        return tl::unexpected{failed(file, errno)};
    return {};
}

std::string read(const fs::path& file) {
    std::ifstream in{file};
    return {std::istreambuf_iterator<char>{in}, {}};
}

/// The value of "key value" on a line of its own.
std::uint64_t value_in(const std::string& text, std::string_view key) {
    std::istringstream in{text};
    std::string name;
    for (std::uint64_t value = 0; in >> name >> value;)
        if (name == key) return value;
    return 0;
}

/// Where the second hierarchy is mounted, and which of its cgroups this process is in.
std::optional<fs::path> own_cgroup() {
    std::ifstream mounts{"/proc/self/mounts"};
    std::string device, place, type, rest;
    while (mounts >> device >> place >> type && std::getline(mounts, rest) && type != "cgroup2") {
    }
    std::ifstream memberships{"/proc/self/cgroup"};
    for (std::string line; std::getline(memberships, line);)
        if (line.starts_with("0::/") && type == "cgroup2") return fs::path{place} / line.substr(4);
    return std::nullopt;
}

/// systemd marks what it delegated, for root's services and for users'.
bool is_delegated(const fs::path& folder) {
    char value = 0;
    for (const char* name : {"user.delegate", "trusted.delegate"})
        if (::getxattr(folder.c_str(), name, &value, 1) == 1 && value == '1') return true;
    return false;
}

/// Leaves of a host that was killed.
void remove_left_behind(const fs::path& folder) {
    std::error_code ignored;
    for (const auto& entry : fs::directory_iterator{folder, ignored}) {
        const std::string name = entry.path().filename().string();
        if (!name.starts_with(leaf_prefix)) continue;
        const int pid = std::atoi(name.c_str() + leaf_prefix.size());
        if (pid > 0 && ::kill(pid, 0) != 0 && errno == ESRCH) ::rmdir(entry.path().c_str());
    }
}

// Several rounds: what is forked while it is read is seen in the next.
core::Result<void> move_processes(const fs::path& from, const fs::path& to) {
    constexpr int most_rounds = 20;
    for (int round = 1; round <= most_rounds; ++round) {
        std::istringstream processes{read(from / "cgroup.procs")};
        bool any = false;
        core::Result<void> last;
        for (int pid = 0; processes >> pid; any = true) last = write(to / "cgroup.procs", std::to_string(pid));
        if (!any) return {};
        if (!last && round == most_rounds) return last;  // one that is gone meanwhile is no error, one that stays is
    }
    return core::fail(core::Errc::worker_failed, fmt::format("{}: processes keep coming", from.string()));
}

}  // namespace

WorkerCgroup::~WorkerCgroup() {
    if (folder_.empty()) return;
    if (::rmdir(folder_.c_str()) == 0) return;
    static_cast<void>(write(folder_ / "cgroup.kill", "1"));
    ::rmdir(folder_.c_str());  // what dies slowly keeps it; the next host of this unit takes it away
}

bool WorkerCgroup::ran_out_of_memory() const { return exists() && value_in(read(folder_ / "memory.events"), "oom_kill") > 0; }

core::Result<CgroupTree> CgroupTree::open(const std::string& named) {
    const auto refuse = [](std::string why) { return core::fail(core::Errc::worker_failed, std::move(why)); };
    fs::path folder{named};
    if (named.empty()) {
        auto own = own_cgroup();
        if (!own) return refuse("there is no cgroup v2 hierarchy");
        if (own->filename() == own_leaf && is_delegated(own->parent_path())) own = own->parent_path();  // moved there before
        if (!is_delegated(*own)) return refuse(fmt::format("{} is not delegated: Delegate=yes in the unit", own->string()));
        folder = *own;
    }
    const std::string controllers = " " + read(folder / "cgroup.controllers") + " ";
    for (const char* wanted : {"memory", "pids"}) {
        std::istringstream words{controllers};
        if (std::find(std::istream_iterator<std::string>{words}, {}, wanted) == std::istream_iterator<std::string>{})
            return refuse(fmt::format("{} has no {} controller", folder.string(), wanted));
    }
    remove_left_behind(folder);
    std::error_code error;
    fs::create_directory(folder / own_leaf, error);
    if (error) return tl::unexpected{failed(folder / own_leaf, error.value())};
    if (auto moved = move_processes(folder, folder / own_leaf); !moved) return tl::unexpected{moved.error()};
    if (auto done = write(folder / "cgroup.subtree_control", "+memory +pids"); !done) return tl::unexpected{done.error()};
    return CgroupTree{std::move(folder)};
}

core::Result<WorkerCgroup> CgroupTree::leaf(int pid, std::uint64_t memory_bytes) const {
    const fs::path folder = folder_ / fmt::format("{}{}", leaf_prefix, pid);
    std::error_code error;
    fs::create_directory(folder, error);
    if (error) return tl::unexpected{failed(folder, error.value())};
    WorkerCgroup leaf{folder};
    const std::pair<const char*, std::string> controls[] = {{"memory.max", std::to_string(memory_bytes + worker_bytes)},
                                                            {"memory.oom.group", "1"},
                                                            {"pids.max", std::to_string(max_tasks)},
                                                            {"cgroup.procs", std::to_string(pid)}};
    for (const auto& [name, value] : controls)
        if (auto done = write(folder / name, value); !done) return tl::unexpected{done.error()};
    // Not there on a kernel without swap.
    static_cast<void>(write(folder / "memory.swap.max", "0"));
    return leaf;
}

}  // namespace varde::evaluate
