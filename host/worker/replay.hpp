#pragma once

namespace varde::worker {

/// Loads the plugin file into this process and makes the one evaluation of the bundle, outside of any sandbox: for `varde replay --gdb`.
/// Prints what happened. Returns the exit code.
[[nodiscard]] int replay(const char* bundle_file, const char* plugin_file);

}  // namespace varde::worker
