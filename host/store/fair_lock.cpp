#include "store/fair_lock.hpp"

#include <algorithm>
#include <utility>

namespace varde::store {

bool FairLock::acquire(std::chrono::milliseconds timeout) {
    std::unique_lock lock{mutex_};
    if (!held_) {
        held_ = true;
        return true;
    }
    Waiter me;
    waiting_.push_back(&me);
    if (me.granted_signal.wait_for(lock, timeout, [&] { return me.granted; })) return true;
    waiting_.erase(std::ranges::find(waiting_, &me));
    return false;
}

void FairLock::release() {
    const std::lock_guard lock{mutex_};
    if (waiting_.empty()) {
        held_ = false;
        return;
    }
    // Handed over while held: nobody can slip in between.
    Waiter* const next = waiting_.front();
    waiting_.pop_front();
    next->granted = true;
    next->granted_signal.notify_one();
}

std::size_t FairLock::waiting() const {
    const std::lock_guard lock{mutex_};
    return waiting_.size();
}

FairLock::Guard& FairLock::Guard::operator=(Guard&& other) noexcept {
    if (this != &other) {
        release();
        owner_ = std::exchange(other.owner_, nullptr);
    }
    return *this;
}

void FairLock::Guard::release() {
    if (owner_) std::exchange(owner_, nullptr)->release();
}

}  // namespace varde::store
