#pragma once
#include "config/settings.hpp"
#include "core/error.hpp"
#include "ports/evaluator.hpp"
#include "ports/log_sink.hpp"

#include <vector>

namespace varde::app {

/// Every usable plugin with empty parameters, for judging cases that bring their own. Files that cannot be used are logged as
/// rule_rejected. Errc::plugin_rejected: the folder has no usable plugin at all.
[[nodiscard]] core::Result<std::vector<ports::RuleSpec>> specs_of_all_plugins(ports::PluginCatalogue& catalogue,
                                                                              ports::LogSink& log);

}  // namespace varde::app
