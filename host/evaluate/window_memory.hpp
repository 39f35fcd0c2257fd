#pragma once
#include "core/error.hpp"
#include "evaluate/payload_access.hpp"
#include "evaluate/shared_memory.hpp"
#include "evaluate/window_writer.hpp"

#include <cstddef>
#include <memory>
#include <span>

namespace varde::evaluate {

/// The shared memory that the windows of all workers with the same access are written to. A worker gets the descriptor of its own only, so
/// payload keys that its rules did not declare never enter its address space. Workers can only read it.
class WindowMemory {
  public:
    static core::Result<std::shared_ptr<WindowMemory>> make(PayloadAccess access, std::size_t bytes);

    [[nodiscard]] const PayloadAccess& access() const { return access_; }
    [[nodiscard]] int fd() const { return memory_.fd(); }
    [[nodiscard]] std::span<std::byte> bytes() const { return memory_.bytes(); }
    [[nodiscard]] WindowWriter& writer() { return writer_; }

  private:
    WindowMemory(PayloadAccess access, SharedMemory memory)
        : access_{std::move(access)}, memory_{std::move(memory)}, writer_{memory_.bytes()} {}
    PayloadAccess access_;
    SharedMemory memory_;
    WindowWriter writer_;
};

}  // namespace varde::evaluate
