#include "evaluate/worker_nursery.hpp"

#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string>
#include <vector>

#ifndef CLOSE_RANGE_UNSHARE
#define CLOSE_RANGE_UNSHARE 2u
#endif

namespace varde::evaluate {

WorkerNursery::WorkerNursery(WorkerLaunch launch, std::size_t spares) : launch_{std::move(launch)}, spares_{spares} {
    int sockets[2];
    if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets) == 0) {
        give_ = UniqueFd{sockets[0]};
        receive_ = UniqueFd{sockets[1]};
    } else {
        no_socket_ = core::Error{core::Errc::worker_failed, std::string{"socketpair: "} + std::strerror(errno)};
    }
    thread_ = std::thread{[this] { work(); }};
}

WorkerNursery::~WorkerNursery() {
    {
        const std::lock_guard lock{mutex_};
        stop_ = true;
    }
    changed_.notify_all();
    thread_.join();
    // Each ends and is reaped here; left in the socket they would stay as zombies.
    while (ready_-- > 0) static_cast<void>(WorkerProcess::take_over(receive_.get()));
}

// Best effort: with a shared table everything works, and the start of the thousandth worker takes half a millisecond longer.
void WorkerNursery::leave_the_descriptor_table() const {
#if !defined(__SANITIZE_THREAD__)  // which would take equal numbers of two tables for one descriptor
    std::vector<int> kept{0, 1, 2, give_.get(), launch_.program.fd()};
    for (const UniqueFd& one : launch_.namespaces.descriptors()) kept.push_back(one.get());
    std::ranges::sort(kept);
    const auto close = [](int first, unsigned last, unsigned flags) {
        return ::syscall(SYS_close_range, static_cast<unsigned>(first), last, flags) == 0;
    };
    // In one step: nothing is closed unless the table has become our own. A socket that the host closes must not live on here.
    if (!close(kept.back() + 1, ~0u, CLOSE_RANGE_UNSHARE)) return;
    for (std::size_t i = 1; i < kept.size(); ++i)
        if (kept[i - 1] + 1 < kept[i]) close(kept[i - 1] + 1, static_cast<unsigned>(kept[i] - 1), 0);
#endif
}

void WorkerNursery::work() {
    leave_the_descriptor_table();
    std::unique_lock lock{mutex_};
    for (;;) {
        changed_.wait(lock, [this] { return stop_ || (asked_ && wants_more()); });
        if (stop_) return;
        lock.unlock();
        auto worker = WorkerProcess::spawn(launch_);
        const auto done = worker ? std::move(*worker).hand_over(give_.get()) : tl::unexpected{worker.error()};
        lock.lock();
        if (done)
            ++ready_;
        else
            error_ = done.error();
        changed_.notify_all();
    }
}

core::Result<WorkerProcess> WorkerNursery::take() {
    if (no_socket_) return tl::unexpected{*no_socket_};
    std::unique_lock lock{mutex_};
    for (;;) {
        asked_ = true;
        ++waiting_;
        changed_.notify_all();
        changed_.wait(lock, [this] { return ready_ > 0 || error_; });
        --waiting_;
        if (ready_ == 0) {
            const core::Error error = *error_;
            error_.reset();
            return tl::unexpected{error};
        }
        auto worker = WorkerProcess::take_over(receive_.get());
        --ready_;
        if (expected_ > 0) --expected_;
        // One that could not seal itself off says so when it is sent its plugin; one that waited and was killed meanwhile is no news.
        if (!worker || worker->runs() || worker->age() < std::chrono::seconds{1}) {
            lock.unlock();
            changed_.notify_all();
            return worker;
        }
    }
}

void WorkerNursery::expect(std::size_t workers) {
    {
        const std::lock_guard lock{mutex_};
        asked_ = true;
        expected_ = workers;
    }
    changed_.notify_all();
}

}  // namespace varde::evaluate
