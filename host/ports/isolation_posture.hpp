#pragma once
#include <string>
#include <vector>

namespace varde::ports {

/// One layer of the workers' sandbox on this machine.
struct IsolationLayer {
    std::string name;  ///< as in isolation.require
    bool present = false;
    std::string note;  ///< why it is absent, where that is known
};

/// What happened when a built-in hostile rule tried something that no rule may do, in a real worker.
struct IsolationAttempt {
    std::string name;
    bool stopped = false;
    std::string by;      ///< "seccomp: SIGSYS", "seccomp: EACCES", "rlimits: ENOMEM"; or what went wrong
    std::string behind;  ///< what stops it where the system call filter is left away; "nothing" if only the filter does
};

/// How well workers are shut in, measured and not assumed.
struct IsolationPosture {
    std::string level;  ///< "A": every layer; "B": without namespaces or cgroup; "C": without Landlock; "none": an attempt worked
    std::vector<IsolationLayer> layers;
    std::vector<IsolationAttempt> attempts;
    std::string problem;  ///< why it could not be measured; empty: it was
    [[nodiscard]] bool holds() const {
        for (const IsolationAttempt& attempt : attempts)
            if (!attempt.stopped) return false;
        return problem.empty();
    }
};

}  // namespace varde::ports
