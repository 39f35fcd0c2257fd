#pragma once
#include "config/settings.hpp"
#include "core/error.hpp"
#include "evaluate/worker_process.hpp"
#include "ports/log_sink.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace varde::evaluate {

/// wire::posture_* bits of names from config::isolation_layers().
[[nodiscard]] std::uint32_t layers_of(const std::vector<std::string>& names);

/// Finds the worker program and makes the namespaces that workers join. That this system makes none is said in the log and no error.
/// `cpu`: see WorkerLaunch.
[[nodiscard]] core::Result<WorkerLaunch> prepare_launch(const config::HostConfig::Isolation& settings, int cpu,
                                                        ports::LogSink& log);

}  // namespace varde::evaluate
