#pragma once
#include "config/settings.hpp"
#include "ports/isolation_posture.hpp"
#include "ports/log_sink.hpp"

namespace varde::evaluate {

/// Lets the built-in hostile rule try everything it knows, each in a worker of its own, with the sandbox as configured and once more
/// without the system call filter. Takes about a tenth of a second. Blocking; the workers live on the calling thread.
[[nodiscard]] ports::IsolationPosture measure_posture(const config::HostConfig::Isolation& settings, ports::LogSink& log);

/// One `host_isolation_posture` line: INFO if every attempt was stopped, ERROR if not.
void log_posture(const ports::IsolationPosture& posture, ports::LogSink& log);

}  // namespace varde::evaluate
