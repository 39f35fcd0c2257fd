#pragma once
#include "wire/control_layout.hpp"

#include <span>
#include <string>

namespace varde::worker {

/// The end of the main thread's stack: no frame lies above. Called once, from main().
void note_stack_end(const void* end);

/// Stores the interrupted instruction and the return addresses that a walk along the frame pointers finds. Stores and loads only, within
/// the stack: safe in a signal handler wherever the rule was. A library built without frame pointers gives the first address and
/// whatever its caller left in the register.
void record_stack(wire::StackRecord& record, const void* context);

/// Where the libraries of this process lie. Once, after loading. The library behind descriptor `first_fd` + i is called `names`[i].so.
void record_modules(wire::ControlHeader& header, int first_fd, std::span<const std::string> names);

}  // namespace varde::worker
