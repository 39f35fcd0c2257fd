#include "evaluate/control_channel.hpp"

#include <fcntl.h>
#include <poll.h>
#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <string>

namespace varde::evaluate {

ControlChannel::ControlChannel(SharedMemory memory, UniqueFd request_read, UniqueFd request_write, UniqueFd response_read,
                               UniqueFd response_write)
    : memory_{std::move(memory)},
      request_read_{std::move(request_read)},
      request_write_{std::move(request_write)},
      response_read_{std::move(response_read)},
      response_write_{std::move(response_write)} {}

core::Result<ControlChannel> ControlChannel::make() {
    auto memory = SharedMemory::make("varde-control", wire::control_bytes, SharedMemory::Others::may_write);
    if (!memory) return tl::unexpected{memory.error()};
    int request[2];
    int response[2];
    if (::pipe2(request, O_CLOEXEC) != 0)
        return core::fail(core::Errc::worker_failed, std::string{"pipe2: "} + std::strerror(errno));
    UniqueFd request_read{request[0]};
    UniqueFd request_write{request[1]};
    if (::pipe2(response, O_CLOEXEC) != 0)
        return core::fail(core::Errc::worker_failed, std::string{"pipe2: "} + std::strerror(errno));
    UniqueFd response_read{response[0]};
    UniqueFd response_write{response[1]};
    // Of the two ends that stay here none may ever block the host, whatever a worker does with the others.
    for (const int fd : {request[1], response[0]}) ::fcntl(fd, F_SETFL, O_NONBLOCK);
    return ControlChannel{std::move(*memory), std::move(request_read), std::move(request_write), std::move(response_read),
                          std::move(response_write)};
}

wire::ControlHeader& ControlChannel::header() const { return *reinterpret_cast<wire::ControlHeader*>(memory_.bytes().data()); }

std::optional<wire::StackRecord> ControlChannel::stack() const {
    if (header().stack_ready.load(std::memory_order_acquire) == 0) return std::nullopt;
    return header().stack;
}

std::vector<wire::ModuleRecord> ControlChannel::modules() const {
    const std::size_t count = std::min<std::size_t>(header().n_modules.load(std::memory_order_acquire), wire::max_modules);
    return {header().modules, header().modules + count};
}

wire::ByteWriter ControlChannel::request() {
    return wire::ByteWriter{memory_.bytes().subspan(wire::control_header_bytes, wire::request_bytes)};
}

void ControlChannel::expect() { header().request_number.store(++request_number_, std::memory_order_release); }

bool ControlChannel::ring(std::size_t request_size) {
    char stale[16];
    while (::read(response_read_.get(), stale, sizeof stale) > 0) {  // rings that nobody asked for
    }
    header().request_size = request_size;
    header().started.store(0, std::memory_order_relaxed);
    header().completed.store(0, std::memory_order_relaxed);
    header().response_size.store(0, std::memory_order_relaxed);
    expect();
    const char byte = 1;
    return ::write(request_write_.get(), &byte, 1) == 1;
}

ControlChannel::Heard ControlChannel::wait(int pidfd, std::chrono::nanoseconds patience) {
    patience = std::max(patience, std::chrono::nanoseconds{0});
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(patience);
    const timespec limit{static_cast<time_t>(seconds.count()), static_cast<long>((patience - seconds).count())};
    pollfd sources[] = {{response_read_.get(), POLLIN, 0}, {pidfd, POLLIN, 0}};
    const int ready = ::ppoll(sources, 2, &limit, nullptr);
    if (ready <= 0) return Heard::timeout;  // also after EINTR: the caller looks at its clock and comes back
    if ((sources[0].revents & POLLIN) != 0) {
        char byte = 0;
        if (::read(response_read_.get(), &byte, 1) == 1) return Heard::answer;
    }
    if (sources[1].revents != 0) return Heard::death;
    if ((sources[0].revents & POLLHUP) != 0) return Heard::death;  // the worker closed its end: as good as dead
    return Heard::timeout;
}

bool ControlChannel::answer_is_current() const {
    return header().response_number.load(std::memory_order_acquire) == request_number_;
}

std::span<const std::byte> ControlChannel::copy_response() {
    const auto size = std::min<std::uint64_t>(header().response_size.load(std::memory_order_acquire), wire::response_bytes);
    const std::byte* from = memory_.bytes().data() + wire::control_header_bytes + wire::request_bytes;
    response_.assign(from, from + size);
    return response_;
}

// The reading end of the request pipe stays open here as well, so that a ring to a dead worker is no SIGPIPE: its death is heard from
// the pidfd.
void ControlChannel::close_worker_end() { response_write_.reset(); }

}  // namespace varde::evaluate
