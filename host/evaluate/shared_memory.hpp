#pragma once
#include "core/error.hpp"
#include "evaluate/unique_fd.hpp"

#include <cstddef>
#include <cstdint>
#include <span>

namespace varde::evaluate {

/// A memfd of fixed size, mapped read-write here. Zero-filled; pages exist once they are touched.
class SharedMemory {
  public:
    enum class Others { may_write, may_only_read };  ///< what a process can do that gets the descriptor
    static core::Result<SharedMemory> make(const char* name, std::size_t size, Others others);

    SharedMemory(SharedMemory&& other) noexcept;
    SharedMemory& operator=(SharedMemory&& other) = delete;
    ~SharedMemory();

    [[nodiscard]] std::span<std::byte> bytes() const { return bytes_; }
    [[nodiscard]] int fd() const { return fd_.get(); }

  private:
    SharedMemory(UniqueFd fd, std::span<std::byte> bytes) : fd_{std::move(fd)}, bytes_{bytes} {}
    UniqueFd fd_;
    std::span<std::byte> bytes_;
};

}  // namespace varde::evaluate
