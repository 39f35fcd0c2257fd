#pragma once
#include "report.hpp"

namespace varde::bench {

/// A rule ends its worker: how long until another rule has answered, and until the first answers again.
void crash_and_go_on(Goals& goals);

}  // namespace varde::bench
