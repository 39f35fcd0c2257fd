#pragma once
#include <cstdint>
#include <vector>

#include <linux/filter.h>

namespace varde::worker {

/// Stands in a compiled filter where the process's own id belongs. No process has an id that large.
inline constexpr std::uint32_t pid_in_filter = 0x7f'5a'1d'00;

/// A system call filter that is made ready early, while there is nothing to fear, and loaded later. Filters add up: the stricter answer
/// of all loaded ones counts, so nothing that runs after the first load can loosen it. What each stage allows: filter_rules.hpp.
class SyscallFilter {
  public:
    enum class Stage { load, run };
    explicit SyscallFilter(Stage stage);

    /// Ends the process if the kernel refuses: a worker without a filter does not run.
    void load();

  private:
    std::vector<sock_filter> instructions_;
};

}  // namespace varde::worker
