#pragma once
#include "core/error.hpp"

#include <cstdint>
#include <filesystem>
#include <string>
#include <utility>

namespace varde::evaluate {

/// A cgroup v2 leaf that holds one worker: the kernel bounds what it uses, its descendants included, whatever they are. The destructor
/// kills what is left inside and removes it. May be empty: no leaf.
class WorkerCgroup {
  public:
    WorkerCgroup() = default;
    explicit WorkerCgroup(std::filesystem::path folder) : folder_{std::move(folder)} {}
    WorkerCgroup(WorkerCgroup&& other) noexcept : folder_{std::exchange(other.folder_, {})} {}
    WorkerCgroup& operator=(WorkerCgroup&& other) noexcept {
        std::swap(folder_, other.folder_);
        return *this;
    }
    ~WorkerCgroup();

    [[nodiscard]] bool exists() const { return !folder_.empty(); }
    /// The kernel ended the worker because memory.max was reached.
    [[nodiscard]] bool ran_out_of_memory() const;

  private:
    std::filesystem::path folder_;
};

/// The folder below /sys/fs/cgroup in which the host may make leaves. Thread-safe.
class CgroupTree {
  public:
    /// `folder` empty: the host's own cgroup, if systemd delegated it (Delegate=yes). A cgroup that gives controllers to leaves must hold
    /// no processes itself: those that are in it, the host first, move to a leaf of their own. An error says what this system does not
    /// offer.
    static core::Result<CgroupTree> open(const std::string& folder);

    /// A leaf for the process `pid`, with the process in it. `memory_bytes`: what the rules may use; the worker itself comes on top.
    [[nodiscard]] core::Result<WorkerCgroup> leaf(int pid, std::uint64_t memory_bytes) const;

  private:
    explicit CgroupTree(std::filesystem::path folder) : folder_{std::move(folder)} {}
    std::filesystem::path folder_;
};

}  // namespace varde::evaluate
