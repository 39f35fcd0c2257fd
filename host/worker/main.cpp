// varde-worker CPU HOST_PID: the sandboxed process that one rule runs in. Started by host/evaluate with an empty environment,
// /dev/null as 0, a log pipe as 1 and 2 and a set-up socket as 3.
#include "wire/control_layout.hpp"
#include "wire/setup_message.hpp"
#include "worker/crash_record.hpp"
#include "worker/request_loop.hpp"
#include "worker/rule_library.hpp"
#include "worker/sandbox_landlock.hpp"
#include "worker/sandbox_limits.hpp"
#include "worker/sandbox_seccomp.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <cerrno>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <optional>
#include <stdexcept>

namespace {

using namespace varde;

constexpr int fd_plugin = 10;

struct Received {
    wire::SetupMessage setup{};
    int fds[wire::setup_descriptors] = {};  // plugin, batch, control, request, response
};

Received receive_setup() {
    Received received;
    iovec data{&received.setup, sizeof received.setup};
    alignas(cmsghdr) char space[CMSG_SPACE(sizeof received.fds)] = {};
    msghdr message{};
    message.msg_iov = &data;
    message.msg_iovlen = 1;
    message.msg_control = space;
    message.msg_controllen = sizeof space;
    ssize_t count = 0;
    do count = ::recvmsg(wire::fd_setup, &message, MSG_CMSG_CLOEXEC);
    while (count < 0 && errno == EINTR);
    if (count == 0) ::_exit(0);  // the host does not need this worker any more
    const cmsghdr* head = CMSG_FIRSTHDR(&message);
    if (count != sizeof received.setup || received.setup.magic != wire::setup_magic || head == nullptr ||
        head->cmsg_type != SCM_RIGHTS || head->cmsg_len != CMSG_LEN(sizeof received.fds))
        worker::refuse_to_run("set-up message");
    std::memcpy(received.fds, CMSG_DATA(head), sizeof received.fds);
    return received;
}

std::byte* map(int fd, std::size_t size, int protection) {
    void* memory = ::mmap(nullptr, size, protection, MAP_SHARED, fd, 0);
    if (memory == MAP_FAILED) worker::refuse_to_run("mmap");
    return static_cast<std::byte*>(memory);
}

void move(int from, int to) {
    if (::dup2(from, to) != to) worker::refuse_to_run("dup2");
}

// What the C++ run time does only once, it does now, not under the filter.
void warm_up_the_run_time() {
    try {
        throw std::runtime_error{"warm"};
    } catch (const std::exception&) {
    }
    volatile double x = 2.0;  // keeps libm in the list of needed libraries: plugins find it mapped
    x = std::pow(x, 0.5);
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 3) return 64;
    ::syscall(SYS_close_range, wire::fd_setup + 1, ~0u, 0);
    std::uint32_t posture = worker::leave_the_host(std::atoi(argv[2]), std::atoi(argv[1]));
    posture |= worker::deny_by_landlock();
    warm_up_the_run_time();
    auto load_filter = std::make_unique<worker::SyscallFilter>(worker::SyscallFilter::Stage::load);
    auto run_filter = std::make_unique<worker::SyscallFilter>(worker::SyscallFilter::Stage::run);

    const Received received = receive_setup();
    const auto& setup = received.setup;
    std::byte* batch = map(received.fds[1], setup.batch_bytes, PROT_READ);
    std::byte* control = map(received.fds[2], wire::control_bytes, PROT_READ | PROT_WRITE);
    // To fixed numbers, over an unused stretch: the received numbers may be any.
    move(received.fds[0], fd_plugin);
    move(received.fds[3], fd_plugin + 1);
    move(received.fds[4], fd_plugin + 2);
    ::syscall(SYS_close_range, wire::fd_setup, fd_plugin - 1, 0);
    move(fd_plugin + 1, wire::fd_request);
    move(fd_plugin + 2, wire::fd_response);
    ::syscall(SYS_close_range, fd_plugin + 1, ~0u, 0);
    worker::limit_resources(setup.memory_bytes);

    auto& header = *reinterpret_cast<wire::ControlHeader*>(control);
    worker::install_crash_handlers(&header.crash, setup.memory_bytes);
    header.phase.store(wire::phase_load, std::memory_order_release);
    load_filter->load();
    static varde_rule_entry entry;
    static worker::RequestLoop loop{{control, wire::control_bytes}, {batch, setup.batch_bytes}, entry};
    const std::optional<wire::Fault> fault = worker::load_rule_library(fd_plugin, setup, entry);
    ::close(fd_plugin);
    run_filter->load();
    load_filter.reset();
    run_filter.reset();
    loop.answer_load(posture, fault ? &*fault : nullptr);
    loop.run();
}
