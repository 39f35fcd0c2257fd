#pragma once
#include "core/error.hpp"
#include "ingest/room_derivation.hpp"
#include "ports/log_sink.hpp"
#include "ports/room_repository.hpp"

#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>

namespace varde::ingest {

/// Keeps the picture of all rooms that the intake works with, so that no event costs a question to the database. It is read when it
/// is opened and again when the tables have changed, which a thread of its own asks every kEvery: so long an event may still get its
/// room by the old picture. While the database is away the last picture stays in use.
class RoomWatch {
  public:
    static constexpr std::chrono::seconds kEvery{2};

    /// Both outlive it.
    RoomWatch(ports::RoomRepository& rooms, ports::LogSink& log) : rooms_{rooms}, log_{log} {}
    ~RoomWatch();
    RoomWatch(const RoomWatch&) = delete;
    RoomWatch& operator=(const RoomWatch&) = delete;

    /// Reads the tables if they have changed since they were read. Any thread where blocking is allowed; one call at a time does it.
    /// An error leaves the picture as it was.
    core::Result<void> look();
    /// Looks every kEvery from now on, on a thread of its own; at most once. What fails there is logged, once until it succeeds.
    void start();

    /// Never null; empty before the first look(). Any thread; does not block.
    [[nodiscard]] std::shared_ptr<const RoomPicture> picture() const;

  private:
    void look_until_stopped();

    ports::RoomRepository& rooms_;
    ports::LogSink& log_;

    std::mutex looking_;
    std::optional<std::int64_t> version_;  // of the picture; under looking_

    mutable std::mutex mutex_;
    std::condition_variable stop_;
    std::shared_ptr<const RoomPicture> picture_ = std::make_shared<const RoomPicture>();
    bool stopping_ = false;
    std::thread thread_;
};

}  // namespace varde::ingest
