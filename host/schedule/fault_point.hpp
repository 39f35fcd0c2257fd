#pragma once

/// Places where tests end the host with SIGKILL, to see that nothing is lost there: VARDE_FAULT=NAME:N ends it the Nth time it comes by.
/// Compiled in where VARDE_FAULT_POINTS is defined (the dev preset), and nothing at all elsewhere.
namespace varde::schedule {

#ifdef VARDE_FAULT_POINTS
void fault_point(const char* name);
#else
inline void fault_point(const char*) {}
#endif

}  // namespace varde::schedule
