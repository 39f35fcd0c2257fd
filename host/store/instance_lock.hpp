#pragma once
#include "core/error.hpp"
#include "store/database.hpp"

#include <chrono>
#include <memory>

namespace varde::store {

/// The right to be the only host that schedules on a SQLite file, held as long as it lives: an exclusive lock on FILE.scheduler, which
/// the kernel lets go with the process. On PostgreSQL there is nothing to hold: its hosts share the work.
class InstanceLock {
  public:
    /// Waits up to `patience` for one that is going down. Errc::conflict: "another host schedules on this file (pid N)". Errc::io_failed.
    [[nodiscard]] static core::Result<InstanceLock> take(Database& database, std::chrono::milliseconds patience);
    InstanceLock(InstanceLock&& other) noexcept;
    InstanceLock& operator=(InstanceLock&& other) noexcept;
    ~InstanceLock();

  private:
    explicit InstanceLock(int descriptor) : descriptor_{descriptor} {}
    int descriptor_ = -1;  // -1: nothing is held
};

}  // namespace varde::store
