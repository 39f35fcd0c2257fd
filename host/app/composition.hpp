#pragma once
#include "app/options.hpp"
#include "config/settings.hpp"
#include "core/error.hpp"
#include "core/instant.hpp"

#include <filesystem>
#include <string>
#include <string_view>

/// What the subcommands share when they put the modules together.
namespace varde::app {

/// host.yaml, the environment (DATABASE_URL, SCHEDULER_ENABLED) and the command line, in rising order of precedence. Without --config a
/// missing file means the defaults. The database URL is removed from the process's environment block, so that nothing started later,
/// and nobody who reads /proc, finds it there.
[[nodiscard]] core::Result<config::HostConfig> load_settings(const Globals& globals);

/// Prints "varde: CONTEXT" to stderr and gives the exit code that fits the error.
int report(const core::Error& error);

/// Raises the soft limit on open descriptors to the hard one: every rule takes eight, and the usual soft limit of 1,024 is there for
/// programs that use select(), which we do not. Best effort.
void raise_descriptor_limit();

/// The folder of the running binary.
[[nodiscard]] std::filesystem::path binary_folder();

/// Lower-case hex of that many (at most 256) random bytes from the system.
[[nodiscard]] std::string random_hex(std::size_t bytes);

/// "30s", "5m", "1h", "1d" -> microseconds. Errc::invalid_argument names the text.
[[nodiscard]] core::Result<core::Microseconds> parse_duration(std::string_view text);

}  // namespace varde::app
