#pragma once
#include <span>

namespace varde::worker {

/// One set of namespaces serves all workers: making a network namespace takes longer than starting a worker. A process of this program
/// makes the set once and sends it to the host, which keeps it alive by its descriptors; every worker joins it.

/// Makes user (unless root), mount, network, IPC and UTS namespaces with nothing in them but /proc, which the loader needs to find a
/// descriptor by name. Sends their descriptors over `socket` in the order enter_namespaces() wants. Returns the exit code; a step that
/// this system does not allow is named on standard error.
[[nodiscard]] int make_namespaces(int socket);

/// Joins them and closes the descriptors. false, and nothing changed that matters, if there are none or one cannot be joined.
[[nodiscard]] bool enter_namespaces(std::span<const int> descriptors);

}  // namespace varde::worker
