#include "ingest/room_watch.hpp"

#include <string>
#include <utility>

namespace varde::ingest {

RoomWatch::~RoomWatch() {
    if (!thread_.joinable()) return;
    {
        const std::lock_guard lock{mutex_};
        stopping_ = true;
    }
    stop_.notify_all();
    thread_.join();
}

core::Result<void> RoomWatch::look() {
    const std::lock_guard one_at_a_time{looking_};
    const auto version = rooms_.version();
    if (!version) return tl::unexpected{version.error()};
    if (version_ == *version) return {};
    const auto tables = rooms_.read_all();
    if (!tables) return tl::unexpected{tables.error()};
    auto picture = std::make_shared<const RoomPicture>(*tables);
    version_ = tables->version;
    {
        const std::lock_guard lock{mutex_};
        picture_.swap(picture);
    }
    return {};  // the old one takes its time to go without the lock
}

void RoomWatch::start() {
    thread_ = std::thread{[this] { look_until_stopped(); }};
}

void RoomWatch::look_until_stopped() {
    bool failing = false;
    std::unique_lock lock{mutex_};
    while (!stop_.wait_for(lock, kEvery, [this] { return stopping_; })) {
        lock.unlock();
        const auto looked = look();
        if (!looked && !std::exchange(failing, true)) {
            log_.log(
                ports::LogLevel::warning, "ingest", "rooms_unreadable",
                "the rooms of homes cannot be read; events get their rooms by what was known before: " + looked.error().context);
        }
        if (looked) failing = false;
        lock.lock();
    }
}

std::shared_ptr<const RoomPicture> RoomWatch::picture() const {
    const std::lock_guard lock{mutex_};
    return picture_;
}

}  // namespace varde::ingest
