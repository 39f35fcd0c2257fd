#include "worker/request_loop.hpp"

#include "worker/answer_recorder.hpp"
#include "worker/caught.hpp"
#include "worker/declaration_recorder.hpp"

#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>
#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <optional>
#include <string>
#include <utility>

namespace varde::worker {
namespace {

/// The descriptor that the host sent before it asked; -1 if there is none.
int receive_descriptor() {
    char byte = 0;
    iovec data{&byte, 1};
    int fd = -1;
    alignas(cmsghdr) char space[CMSG_SPACE(sizeof fd)] = {};
    msghdr message{};
    message.msg_iov = &data;
    message.msg_iovlen = 1;
    message.msg_control = space;
    message.msg_controllen = sizeof space;
    if (::recvmsg(wire::fd_setup, &message, MSG_CMSG_CLOEXEC | MSG_DONTWAIT) != 1) return -1;
    const cmsghdr* head = CMSG_FIRSTHDR(&message);
    if (head == nullptr || head->cmsg_type != SCM_RIGHTS || head->cmsg_len != CMSG_LEN(sizeof fd)) return -1;
    std::memcpy(&fd, CMSG_DATA(head), sizeof fd);
    return fd;
}

std::optional<wire::Fault> run_selftest(const varde_rule_entry& entry, varde_rule* rule) try {
    const auto* offered = entry.query == nullptr ? nullptr : entry.query(rule, VARDE_SELFTEST_1);
    const auto* test = static_cast<const varde_selftest_1*>(offered);
    if (test == nullptr) return std::nullopt;
    if (test->struct_size < offsetof(varde_selftest_1, reserved) || test->run == nullptr)
        return wire::Fault{wire::FaultReason::bad_result, {}, "varde.selftest/1: struct_size or run is wrong"};
    std::string why;
    const auto fail = [](void* ctx, const char* text, std::uint32_t length) -> std::int32_t {
        if (text == nullptr) return VARDE_E_ARGUMENT;
        static_cast<std::string*>(ctx)->assign(text, std::min<std::size_t>(length, wire::max_message_bytes));
        return VARDE_OK;
    };
    const std::int32_t status = test->run(rule, &why, fail);
    if (status >= 0) return std::nullopt;
    if (why.empty()) why = "its self-test returned " + std::to_string(status) + " without saying why";
    return wire::Fault{wire::FaultReason::selftest_failed, {}, why};
} catch (...) {
    return fault_of_current_exception("the self-test");
}

}  // namespace

using wire::FaultReason;
using wire::RequestKind;
using wire::ResponseKind;

RequestLoop::RequestLoop(std::span<std::byte> control, std::span<const varde_rule_entry> entries)
    : control_{*reinterpret_cast<wire::ControlHeader*>(control.data())},
      request_{control.subspan(wire::control_header_bytes, wire::request_bytes)},
      response_{control.subspan(wire::control_header_bytes + wire::request_bytes, wire::response_bytes)},
      entries_{entries} {
    instances_.resize(wire::max_instances * entries_.size());  // now: later the rules may have used up the memory
    item_.slices.reserve(wire::max_reads);
}

void RequestLoop::mark(std::uint32_t phase, std::uint32_t plugin) {
    control_.plugin.store(plugin, std::memory_order_relaxed);
    control_.phase.store(phase, std::memory_order_release);
}

void RequestLoop::run() {
    for (;;) {
        char byte = 0;
        const ssize_t count = ::read(wire::fd_request, &byte, 1);
        if (count < 0 && errno == EINTR) continue;
        if (count != 1) ::_exit(0);
        serve();
        control_.response_number.store(control_.request_number.load(std::memory_order_acquire), std::memory_order_release);
        ring();
    }
}

void RequestLoop::ring() {
    control_.phase.store(wire::phase_idle, std::memory_order_release);
    const char byte = 1;
    while (::write(wire::fd_response, &byte, 1) < 0 && errno == EINTR) {
    }
}

void RequestLoop::serve() {
    control_.started.store(0, std::memory_order_relaxed);
    control_.completed.store(0, std::memory_order_relaxed);
    control_.response_size.store(0, std::memory_order_relaxed);
    wire::ByteReader in{request_.first(std::min<std::size_t>(control_.request_size, request_.size()))};
    try {
        switch (in.take<RequestKind>()) {
            case RequestKind::create: return create(in);
            case RequestKind::destroy: return destroy(in);
            case RequestKind::evaluate: return evaluate(in);
            case RequestKind::attach: return attach(in);
            case RequestKind::selftest: return selftest(in);
            case RequestKind::symbolise:
            case RequestKind::job: break;  // workers of those modes only
        }
        answer_fault({FaultReason::protocol, {}, "unknown request"});
    } catch (...) {
        answer_fault(fault_of_current_exception("the worker"));
    }
}

void RequestLoop::publish(const wire::ByteWriter& out) { control_.response_size.store(out.size(), std::memory_order_release); }

void RequestLoop::answer_fault(const wire::Fault& fault) {
    wire::ByteWriter out{response_};
    out.put(ResponseKind::fault);
    wire::put(out, fault);
    publish(out);
}

void RequestLoop::answer_load(std::uint32_t posture, std::span<const std::optional<wire::Fault>> faults) {
    wire::ByteWriter out{response_};
    out.put(ResponseKind::done);
    out.put(posture);
    out.put(static_cast<std::uint32_t>(faults.size()));
    for (const auto& fault : faults) {
        out.put(std::uint32_t{fault ? 1u : 0u});
        if (fault) wire::put(out, *fault);
    }
    publish(out);
    ring();
}

void RequestLoop::create(wire::ByteReader& in) {
    const auto plugin = in.take<std::uint32_t>();
    const auto slot = in.take<std::uint32_t>();
    wire::ParamsTree params;
    wire::take(in, params);
    std::vector<std::string> unknown_zones;
    wire::take_texts(in, unknown_zones, wire::max_zones);
    if (!in.ok() || plugin >= entries_.size() || slot >= instances_.size() || instances_[slot].rule != nullptr)
        return answer_fault({FaultReason::protocol, {}, "malformed create request"});
    mark(wire::phase_create, plugin);
    DeclarationRecorder recorder{std::move(unknown_zones)};
    Instance& instance = instances_[slot];
    instance.plugin = plugin;
    const auto made = recorder.create(entries_[plugin], params, instance.rule);
    if (const auto* fault = std::get_if<wire::Fault>(&made)) {
        instance = {};
        return answer_fault(*fault);
    }
    wire::ByteWriter out{response_};
    out.put(ResponseKind::done);
    wire::put(out, std::get<wire::Declarations>(made));
    publish(out);
}

void RequestLoop::destroy(wire::ByteReader& in) {
    const auto slot = in.take<std::uint32_t>();
    if (!in.ok() || slot >= instances_.size() || instances_[slot].rule == nullptr)
        return answer_fault({FaultReason::protocol, {}, "malformed destroy request"});
    const Instance instance = std::exchange(instances_[slot], {});
    mark(wire::phase_destroy, instance.plugin);
    entries_[instance.plugin].destroy(instance.rule);
    wire::ByteWriter out{response_};
    out.put(ResponseKind::done);
    publish(out);
}

void RequestLoop::selftest(wire::ByteReader& in) {
    const auto slot = in.take<std::uint32_t>();
    if (!in.ok() || slot >= instances_.size() || instances_[slot].rule == nullptr)
        return answer_fault({FaultReason::protocol, {}, "malformed selftest request"});
    const Instance& instance = instances_[slot];
    mark(wire::phase_load, instance.plugin);
    if (const auto fault = run_selftest(entries_[instance.plugin], instance.rule)) return answer_fault(*fault);
    wire::ByteWriter out{response_};
    out.put(ResponseKind::done);
    publish(out);
}

void RequestLoop::attach(wire::ByteReader& in) {
    const auto size = static_cast<std::size_t>(in.take<std::uint64_t>());
    const int fd = in.ok() ? receive_descriptor() : -1;
    void* memory = fd < 0 ? MAP_FAILED : ::mmap(nullptr, size, PROT_READ, MAP_SHARED, fd, 0);
    if (fd >= 0) ::close(fd);
    if (memory == MAP_FAILED) return answer_fault({FaultReason::protocol, {}, "the window memory cannot be mapped"});
    if (const auto before = view_.attached(); !before.empty()) ::munmap(const_cast<std::byte*>(before.data()), before.size());
    view_.attach({static_cast<const std::byte*>(memory), size});
    wire::ByteWriter out{response_};
    out.put(ResponseKind::done);
    publish(out);
}

void RequestLoop::evaluate_item(wire::ByteWriter& out, const Instance& instance, std::uint64_t timeout_ns) {
    const varde_window* window = view_.show(item_, binding_);
    const std::size_t begin = out.size();
    try {
        if (window != nullptr) {
            AnswerRecorder recorder{out};
            return recorder.evaluate(entries_[instance.plugin], instance.rule, *window, timeout_ns,
                                     {item_.state, item_.explain != 0});
        }
    } catch (...) {  // of the worker itself, e.g. no memory left to build a message
    }
    out.rewind(begin);
    out.put(wire::RecordKind::fault);
    wire::put(out, wire::Fault{window == nullptr ? FaultReason::protocol : FaultReason::out_of_memory, {}, {}});
    out.put(wire::RecordKind::end);
    out.put(std::uint64_t{0});
}

// false: the response is full, or the request is over.
bool RequestLoop::evaluate_section(wire::ByteReader& in, wire::ByteWriter& out, std::uint32_t& started) {
    wire::SectionHead head;
    wire::take(in, head);
    wire::take(in, binding_);
    if (!in.ok() || head.slot >= instances_.size() || instances_[head.slot].rule == nullptr) return false;
    const Instance& instance = instances_[head.slot];
    mark(wire::phase_evaluate, instance.plugin);
    for (std::uint32_t i = 0; i < head.n_items; ++i) {
        // The host asks again for the items that are left.
        if (out.room() < wire::max_item_bytes) return false;
        wire::take(in, item_);
        if (!in.ok()) return false;
        control_.started_ns.store(monotonic_ns(), std::memory_order_relaxed);
        control_.started.store(++started, std::memory_order_release);
        evaluate_item(out, instance, head.timeout_ns);
        publish(out);
        control_.completed.store(started, std::memory_order_release);
    }
    return true;
}

void RequestLoop::evaluate(wire::ByteReader& in) {
    const auto n_sections = in.take<std::uint32_t>();
    wire::ByteWriter out{response_};
    std::uint32_t started = 0;
    for (std::uint32_t i = 0; i < n_sections; ++i)
        if (!evaluate_section(in, out, started)) break;
    if (started == 0) answer_fault({FaultReason::protocol, {}, "malformed evaluate request"});
}

}  // namespace varde::worker
