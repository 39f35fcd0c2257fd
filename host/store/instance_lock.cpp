#include "store/instance_lock.hpp"

#include "store/database_impl.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <system_error>
#include <thread>
#include <utility>

#include <fmt/format.h>

namespace varde::store {
namespace {

/// What the holder has written; it may be about to.
std::string holder_of(int descriptor) {
    std::array<char, 20> text{};
    const auto length = ::pread(descriptor, text.data(), text.size(), 0);
    std::string pid{text.data(), length > 0 ? static_cast<std::size_t>(length) : 0};
    pid.resize(std::min(pid.find_first_not_of("0123456789"), pid.size()));
    return pid.empty() ? "unknown" : pid;
}

void write_holder(int descriptor) {
    const std::string pid = fmt::format("{}\n", ::getpid());
    // For people only: a lock without it is a lock.
    if (::ftruncate(descriptor, 0) == 0) static_cast<void>(::pwrite(descriptor, pid.data(), pid.size(), 0));
}

core::Result<InstanceLock> failed(const std::string& file, int error) {
    return core::fail(core::Errc::io_failed, fmt::format("cannot lock {}: {}", file, std::generic_category().message(error)));
}

}  // namespace

core::Result<InstanceLock> InstanceLock::take(Database& database, std::chrono::milliseconds patience) {
    if (database.engine() == Engine::postgresql) return InstanceLock{-1};
    const std::string file = database.impl().file().string() + ".scheduler";
    InstanceLock lock{::open(file.c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0600)};
    if (lock.descriptor_ < 0) return failed(file, errno);
    const auto deadline = std::chrono::steady_clock::now() + patience;
    while (::flock(lock.descriptor_, LOCK_EX | LOCK_NB) != 0) {
        if (errno != EWOULDBLOCK && errno != EINTR) return failed(file, errno);
        if (std::chrono::steady_clock::now() >= deadline) {
            return core::fail(core::Errc::conflict,
                              fmt::format("another host schedules on this file (pid {})", holder_of(lock.descriptor_)));
        }
        std::this_thread::sleep_for(std::chrono::milliseconds{20});
    }
    write_holder(lock.descriptor_);
    return lock;
}

InstanceLock::InstanceLock(InstanceLock&& other) noexcept : descriptor_{std::exchange(other.descriptor_, -1)} {}

InstanceLock& InstanceLock::operator=(InstanceLock&& other) noexcept {
    std::swap(descriptor_, other.descriptor_);
    return *this;
}

InstanceLock::~InstanceLock() {
    if (descriptor_ >= 0) ::close(descriptor_);
}

}  // namespace varde::store
