#pragma once
#include "report.hpp"

namespace varde::bench {

/// A thousand plugins, a worker each: memory of a worker, descriptors in the host, time until all are ready.
void load_a_thousand(Goals& goals);

}  // namespace varde::bench
