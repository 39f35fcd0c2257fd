#pragma once
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace varde::worker {

/// The names of the functions at `offsets` in an ELF image, from its symbol table; empty where there is none. Reads only inside `image`,
/// executes nothing. A symbol table is as hostile as the rest of a plugin: that is why this runs in a worker.
[[nodiscard]] std::vector<std::string> function_names(std::span<const std::byte> image, std::span<const std::uint64_t> offsets);

}  // namespace varde::worker
