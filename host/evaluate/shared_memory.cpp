#include "evaluate/shared_memory.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <cerrno>
#include <cstring>
#include <string>

#ifndef F_SEAL_FUTURE_WRITE
#define F_SEAL_FUTURE_WRITE 0x0010
#endif

namespace varde::evaluate {

core::Result<SharedMemory> SharedMemory::make(const char* name, std::size_t size, Others others) {
    const auto failed = [&](const char* step) {
        return core::fail(core::Errc::worker_failed,
                          std::string{"shared memory '"} + name + "': " + step + ": " + std::strerror(errno));
    };
    UniqueFd fd{::memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING)};
    if (!fd) return failed("memfd_create");
    if (::ftruncate(fd.get(), static_cast<off_t>(size)) != 0) return failed("ftruncate");
    void* memory = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd.get(), 0);
    if (memory == MAP_FAILED) return failed("mmap");
    SharedMemory made{std::move(fd), {static_cast<std::byte*>(memory), size}};
    // Sealed after our own mapping: FUTURE_WRITE lets that one go on. Without GROW|SHRINK a worker could truncate it under the host.
    int seals = F_SEAL_GROW | F_SEAL_SHRINK;
    if (others == Others::may_only_read) seals |= F_SEAL_FUTURE_WRITE;
    if (::fcntl(made.fd(), F_ADD_SEALS, seals | F_SEAL_SEAL) != 0) return failed("seal");
    return made;
}

SharedMemory::SharedMemory(SharedMemory&& other) noexcept : fd_{std::move(other.fd_)}, bytes_{std::exchange(other.bytes_, {})} {}

SharedMemory::~SharedMemory() {
    if (!bytes_.empty()) ::munmap(bytes_.data(), bytes_.size());
}

}  // namespace varde::evaluate
