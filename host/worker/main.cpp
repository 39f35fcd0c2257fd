// varde-worker: the sandboxed process that rules run in. Started by host/evaluate with an empty environment, /dev/null as 0, a log pipe
// as 1 and 2, a set-up socket as 3 and namespaces to join from 4 on.
//   varde-worker CPU HOST_PID WITHOUT REQUIRED N_NAMESPACES   WITHOUT, REQUIRED: wire::posture_* bits
//   varde-worker --namespaces                                 makes the namespaces for the others
//   varde-worker --replay BUNDLE PLUGIN                       one evaluation outside of any sandbox, for a debugger
#include "wire/control_layout.hpp"
#include "wire/setup_message.hpp"
#include "worker/crash_record.hpp"
#include "worker/hostile_probe.hpp"
#include "worker/job_run.hpp"
#include "worker/replay.hpp"
#include "worker/request_loop.hpp"
#include "worker/rule_library.hpp"
#include "worker/rule_log.hpp"
#include "worker/sandbox_landlock.hpp"
#include "worker/sandbox_limits.hpp"
#include "worker/sandbox_namespaces.hpp"
#include "worker/sandbox_seccomp.hpp"
#include "worker/stack_walk.hpp"
#include "worker/symboliser.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <numeric>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

namespace {

using namespace varde;

constexpr int fd_plugin = 8;  // the first of them

struct Received {
    wire::SetupMessage head{};
    std::vector<wire::SetupPlugin> plugins;
    int pipes[wire::setup_pipes] = {};  // control, request, response
    std::vector<int> files;             // of the plugins
};

Received receive_setup() {
    Received received;
    std::vector<wire::SetupPlugin> plugins(wire::max_group);
    iovec data[2] = {{&received.head, sizeof received.head}, {plugins.data(), plugins.size() * sizeof(wire::SetupPlugin)}};
    alignas(cmsghdr) char space[CMSG_SPACE(wire::max_setup_descriptors * sizeof(int))] = {};
    msghdr message{};
    message.msg_iov = data;
    message.msg_iovlen = 2;
    message.msg_control = space;
    message.msg_controllen = sizeof space;
    ssize_t count = 0;
    do count = ::recvmsg(wire::fd_setup, &message, MSG_CMSG_CLOEXEC);
    while (count < 0 && errno == EINTR);
    if (count == 0) ::_exit(0);  // the host does not need this worker any more
    const std::size_t n = received.head.n_plugins;
    const cmsghdr* head = CMSG_FIRSTHDR(&message);
    const bool is_probe =
        received.head.mode == wire::SetupMode::probe || received.head.mode == wire::SetupMode::probe_without_filter;
    if (received.head.magic != wire::setup_magic || (n < 1 && !is_probe) || n > wire::max_group || head == nullptr ||
        head->cmsg_type != SCM_RIGHTS ||
        static_cast<std::size_t>(count) != sizeof received.head + n * sizeof(wire::SetupPlugin) ||
        head->cmsg_len != CMSG_LEN((wire::setup_pipes + n) * sizeof(int)))
        worker::refuse_to_run("set-up message");
    plugins.resize(n);
    received.plugins = std::move(plugins);
    std::memcpy(received.pipes, CMSG_DATA(head), sizeof received.pipes);
    received.files.resize(n);
    std::memcpy(received.files.data(), CMSG_DATA(head) + sizeof received.pipes, n * sizeof(int));
    return received;
}

std::byte* map(int fd, std::size_t size, int protection, int flags) {
    void* memory = ::mmap(nullptr, size, protection, flags, fd, 0);
    if (memory == MAP_FAILED) worker::refuse_to_run("mmap");
    return static_cast<std::byte*>(memory);
}

void move(int from, int to) {
    if (::dup2(from, to) != to) worker::refuse_to_run("dup2");
}

// The received numbers may be any: first everything above all fixed ones, then down.
void put_in_place(const Received& received) {
    constexpr int above = 200;
    int next = above;
    for (const int fd : received.pipes) move(fd, next++);
    for (const int fd : received.files) move(fd, next++);
    ::syscall(SYS_close_range, wire::fd_setup + 1, above - 1, 0);
    move(above + 1, wire::fd_request);
    move(above + 2, wire::fd_response);
    for (std::size_t i = 0; i < received.files.size(); ++i)
        move(above + static_cast<int>(wire::setup_pipes + i), fd_plugin + static_cast<int>(i));
    ::syscall(SYS_close_range, above, ~0u, 0);
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

std::vector<std::string> names_of(const std::vector<wire::SetupPlugin>& plugins) {
    std::vector<std::string> names;
    for (const auto& plugin : plugins) names.emplace_back(plugin.rule_id, ::strnlen(plugin.rule_id, sizeof plugin.rule_id));
    return names;
}

/// Loads the plugins and serves until the host closes the channel.
[[noreturn]] void run_rules(const Received& received, std::span<std::byte> control, std::uint32_t posture,
                            std::unique_ptr<worker::SyscallFilter> load_filter,
                            std::unique_ptr<worker::SyscallFilter> run_filter) {
    auto& header = *reinterpret_cast<wire::ControlHeader*>(control.data());
    const std::size_t n = received.plugins.size();
    const auto names = names_of(received.plugins);
    static std::vector<varde_rule_entry> entries(n);
    static worker::RequestLoop loop{control, entries};
    std::vector<std::optional<wire::Fault>> faults(n);
    load_filter->load();
    for (std::size_t i = 0; i < n; ++i) {
        loop.mark(wire::phase_load, static_cast<std::uint32_t>(i));
        faults[i] = worker::load_rule_library(fd_plugin + static_cast<int>(i), received.plugins[i], entries[i]);
    }
    worker::record_modules(header, fd_plugin, names);
    for (std::size_t i = 0; i < n; ++i) ::close(fd_plugin + static_cast<int>(i));
    run_filter->load();
    load_filter.reset();
    run_filter.reset();
    loop.answer_load(posture, faults);
    loop.run();
}

/// Loads the one job library, carries out one run and waits to be ended.
[[noreturn]] void run_job(const Received& received, std::span<std::byte> control, std::uint32_t posture,
                          std::unique_ptr<worker::SyscallFilter> load_filter, std::unique_ptr<worker::SyscallFilter> run_filter) {
    auto& header = *reinterpret_cast<wire::ControlHeader*>(control.data());
    static varde_job_entry entry;
    load_filter->load();
    header.phase.store(wire::phase_load, std::memory_order_release);
    const auto fault = worker::load_job_library(fd_plugin, received.plugins.front(), entry);
    worker::record_modules(header, fd_plugin, names_of(received.plugins));
    ::close(fd_plugin);
    run_filter->load();
    load_filter.reset();
    run_filter.reset();
    worker::serve_job(control, posture, fault, entry);
}

/// Answers one request for the names of functions; the plugin is only read.
[[noreturn]] void symbolise(std::span<std::byte> control, worker::SyscallFilter& filter) {
    struct stat file {};
    if (::fstat(fd_plugin, &file) != 0) worker::refuse_to_run("fstat");
    const std::byte* image = map(fd_plugin, static_cast<std::size_t>(file.st_size), PROT_READ, MAP_PRIVATE);
    filter.load();
    auto& header = *reinterpret_cast<wire::ControlHeader*>(control.data());
    char byte = 0;
    if (::read(wire::fd_request, &byte, 1) != 1) ::_exit(0);
    wire::ByteReader in{
        control.subspan(wire::control_header_bytes, std::min<std::size_t>(header.request_size, wire::request_bytes))};
    in.take<wire::RequestKind>();
    std::vector<std::uint64_t> offsets;
    in.take_array(offsets, wire::max_frames);
    wire::ByteWriter out{control.subspan(wire::control_header_bytes + wire::request_bytes, wire::response_bytes)};
    out.put(wire::ResponseKind::done);
    wire::put_texts(out, worker::function_names({image, static_cast<std::size_t>(file.st_size)}, offsets));
    header.response_size.store(out.size(), std::memory_order_release);
    header.response_number.store(header.request_number.load(std::memory_order_acquire), std::memory_order_release);
    [[maybe_unused]] const ssize_t rung = ::write(wire::fd_response, &byte, 1);
    ::_exit(0);
}

/// One attempt of the built-in hostile rule.
[[noreturn]] void probe(const Received& received, std::span<std::byte> control, int host_pid, std::uint32_t posture,
                        worker::SyscallFilter& filter) {
    if (received.head.mode == wire::SetupMode::probe) filter.load();
    const std::uint32_t result = worker::try_forbidden(received.head.attempt, host_pid, received.head.memory_bytes);
    wire::ByteWriter out{control.subspan(wire::control_header_bytes + wire::request_bytes, wire::response_bytes)};
    out.put(result);
    out.put(posture);
    auto& header = *reinterpret_cast<wire::ControlHeader*>(control.data());
    header.response_size.store(out.size(), std::memory_order_release);
    const char byte = 1;
    [[maybe_unused]] const ssize_t rung = ::write(wire::fd_response, &byte, 1);
    ::_exit(0);
}

}  // namespace

int main(int argc, char** argv) {
    if (argc == 2 && std::strcmp(argv[1], "--namespaces") == 0) return worker::make_namespaces(wire::fd_setup);
    if (argc == 4 && std::strcmp(argv[1], "--replay") == 0) return worker::replay(argv[2], argv[3]);
    if (argc != 6) {
        std::fputs("varde-worker is started by varde. To debug a rule: varde replay INCIDENT --gdb\n", stderr);
        return 64;
    }
    const int cpu = std::atoi(argv[1]);
    const auto without = static_cast<std::uint32_t>(std::atoi(argv[3]));
    const auto required = static_cast<std::uint32_t>(std::atoi(argv[4]));
    const auto n_namespaces = static_cast<std::size_t>(std::atoi(argv[5]));
    constexpr int first_namespace = wire::fd_setup + 1;
    std::vector<int> namespaces(std::min<std::size_t>(n_namespaces, 8));
    std::iota(namespaces.begin(), namespaces.end(), first_namespace);
    ::syscall(SYS_close_range, first_namespace + static_cast<int>(namespaces.size()), ~0u, 0);
    worker::note_stack_end(argv);

    std::uint32_t posture = wire::posture_seccomp;
    posture |= worker::leave_the_host(std::atoi(argv[2]), namespaces, (without & wire::posture_own_user) == 0);
    if ((without & wire::posture_landlock_files) == 0) posture |= worker::deny_by_landlock();
    if ((posture & required) != required) {
        errno = EPERM;
        worker::refuse_to_run("isolation.require");
    }
    warm_up_the_run_time();
    auto load_filter = std::make_unique<worker::SyscallFilter>(worker::SyscallFilter::Stage::load);
    auto run_filter = std::make_unique<worker::SyscallFilter>(worker::SyscallFilter::Stage::run);

    const Received received = receive_setup();
    const std::span control{map(received.pipes[0], wire::control_bytes, PROT_READ | PROT_WRITE, MAP_SHARED), wire::control_bytes};
    put_in_place(received);
    posture |= worker::pin_to(cpu);
    worker::limit_resources(received.head.memory_bytes, fd_plugin + static_cast<unsigned>(received.files.size()));
    auto& header = *reinterpret_cast<wire::ControlHeader*>(control.data());
    worker::install_crash_handlers(header, received.head.memory_bytes);
    worker::count_log_bytes(header);
    if (received.head.mode == wire::SetupMode::probe || received.head.mode == wire::SetupMode::probe_without_filter)
        probe(received, control, std::atoi(argv[2]), posture, *run_filter);
    if (received.head.mode == wire::SetupMode::symbolise) symbolise(control, *run_filter);
    const auto run = received.head.mode == wire::SetupMode::job ? run_job : run_rules;
    run(received, control, posture, std::move(load_filter), std::move(run_filter));
}
