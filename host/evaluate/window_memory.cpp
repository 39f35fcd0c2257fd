#include "evaluate/window_memory.hpp"

namespace varde::evaluate {

core::Result<std::shared_ptr<WindowMemory>> WindowMemory::make(PayloadAccess access, std::size_t bytes) {
    auto memory = SharedMemory::make("varde-windows", bytes, SharedMemory::Others::may_only_read);
    if (!memory) return tl::unexpected{memory.error()};
    return std::shared_ptr<WindowMemory>{new WindowMemory{std::move(access), std::move(*memory)}};
}

}  // namespace varde::evaluate
