#pragma once
#include <sched.h>

namespace varde::evaluate {

/// The CPU that dispatcher and workers share, or -1 if pinning is not wanted or not allowed. A hand-over between two CPUs costs ten
/// times as much as one on the same (bench/isolation).
[[nodiscard]] int choose_cpu(bool wanted);

/// Keeps the calling thread on one CPU while it lives.
class CpuPin {
  public:
    explicit CpuPin(int cpu);
    CpuPin(const CpuPin&) = delete;
    CpuPin& operator=(const CpuPin&) = delete;
    ~CpuPin();

  private:
    cpu_set_t before_{};
    bool pinned_ = false;
};

}  // namespace varde::evaluate
