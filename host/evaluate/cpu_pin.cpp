#include "evaluate/cpu_pin.hpp"

namespace varde::evaluate {

int choose_cpu(bool wanted) {
    cpu_set_t allowed;
    CPU_ZERO(&allowed);
    if (!wanted || ::sched_getaffinity(0, sizeof allowed, &allowed) != 0) return -1;
    // The last one: interrupts tend to go to the first.
    for (int cpu = CPU_SETSIZE - 1; cpu >= 0; --cpu)
        if (CPU_ISSET(static_cast<unsigned>(cpu), &allowed)) return cpu;
    return -1;
}

CpuPin::CpuPin(int cpu) {
    if (cpu < 0 || ::sched_getaffinity(0, sizeof before_, &before_) != 0) return;
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(static_cast<unsigned>(cpu), &one);
    pinned_ = ::sched_setaffinity(0, sizeof one, &one) == 0;
}

CpuPin::~CpuPin() {
    if (pinned_) ::sched_setaffinity(0, sizeof before_, &before_);
}

}  // namespace varde::evaluate
