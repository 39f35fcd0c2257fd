#pragma once
#include "config/settings.hpp"
#include "core/error.hpp"
#include "core/verdict.hpp"
#include "evaluate/replay_store.hpp"
#include "ports/log_sink.hpp"
#include "ports/plugin_catalogue.hpp"

#include <vector>

/// What can be found out about a failure later, each in a sandboxed worker of its own. Blocking; the workers live on the calling thread.
namespace varde::evaluate {

/// Fills in the names of functions for the frames that lie in `plugin` (its rule id is their module), from its symbol table. Frames of
/// other libraries stay as they are.
[[nodiscard]] core::Result<std::vector<core::StackFrame>> symbolise(const config::HostConfig::Isolation& settings,
                                                                    const ports::Plugin& plugin,
                                                                    std::vector<core::StackFrame> frames, ports::LogSink& log);

/// Makes the evaluation of the bundle once more. `plugin` is the one of the bundle, or one to compare with: then a rule that declares
/// other things than the bundle's is Failed.
[[nodiscard]] core::Result<core::Verdict> replay(const config::HostConfig::Isolation& settings, const wire::ReplayBundle& bundle,
                                                 const ports::Plugin& plugin, ports::LogSink& log);

}  // namespace varde::evaluate
