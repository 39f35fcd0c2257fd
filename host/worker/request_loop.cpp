#include "worker/request_loop.hpp"

#include "worker/answer_recorder.hpp"
#include "worker/caught.hpp"
#include "worker/declaration_recorder.hpp"

#include <unistd.h>
#include <algorithm>
#include <cerrno>

namespace varde::worker {

using wire::FaultReason;
using wire::RequestKind;
using wire::ResponseKind;

RequestLoop::RequestLoop(std::span<std::byte> control, std::span<const std::byte> batch, const varde_rule_entry& entry)
    : control_{*reinterpret_cast<wire::ControlHeader*>(control.data())},
      request_{control.subspan(wire::control_header_bytes, wire::request_bytes)},
      response_{control.subspan(wire::control_header_bytes + wire::request_bytes, wire::response_bytes)},
      view_{batch},
      entry_{entry} {
    instances_.resize(max_instances, nullptr);  // now: later the rule may have used up the memory
    item_.slices.reserve(wire::max_reads);
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

void RequestLoop::answer_load(std::uint32_t posture, const wire::Fault* fault) {
    if (fault != nullptr) {
        answer_fault(*fault);
    } else {
        wire::ByteWriter out{response_};
        out.put(ResponseKind::done);
        out.put(posture);
        publish(out);
    }
    ring();
}

varde_rule* RequestLoop::instance(std::uint32_t slot) const { return slot < instances_.size() ? instances_[slot] : nullptr; }

void RequestLoop::create(wire::ByteReader& in) {
    const auto slot = in.take<std::uint32_t>();
    wire::ParamsTree params;
    wire::take(in, params);
    std::vector<std::string> unknown_zones;
    wire::take_texts(in, unknown_zones, wire::max_zones);
    if (!in.ok() || slot >= instances_.size() || instances_[slot] != nullptr)
        return answer_fault({FaultReason::protocol, {}, "malformed create request"});
    control_.phase.store(wire::phase_create, std::memory_order_release);
    DeclarationRecorder recorder{std::move(unknown_zones)};
    const auto made = recorder.create(entry_, params, instances_[slot]);
    if (const auto* fault = std::get_if<wire::Fault>(&made)) {
        instances_[slot] = nullptr;
        return answer_fault(*fault);
    }
    wire::ByteWriter out{response_};
    out.put(ResponseKind::done);
    wire::put(out, std::get<wire::Declarations>(made));
    publish(out);
}

void RequestLoop::destroy(wire::ByteReader& in) {
    const auto slot = in.take<std::uint32_t>();
    varde_rule* rule = instance(slot);
    if (!in.ok() || rule == nullptr) return answer_fault({FaultReason::protocol, {}, "malformed destroy request"});
    control_.phase.store(wire::phase_destroy, std::memory_order_release);
    instances_[slot] = nullptr;
    entry_.destroy(rule);
    wire::ByteWriter out{response_};
    out.put(ResponseKind::done);
    publish(out);
}

void RequestLoop::evaluate_item(wire::ByteWriter& out, varde_rule* rule, std::uint64_t timeout_ns) {
    const varde_window* window = view_.show(item_, binding_);
    const std::size_t begin = out.size();
    try {
        if (window != nullptr) {
            AnswerRecorder recorder{out};
            return recorder.evaluate(entry_, rule, *window, timeout_ns);
        }
    } catch (...) {  // of the worker itself, e.g. no memory left to build a message
    }
    out.rewind(begin);
    out.put(wire::RecordKind::fault);
    wire::put(out, wire::Fault{window == nullptr ? FaultReason::protocol : FaultReason::out_of_memory, {}, {}});
    out.put(wire::RecordKind::end);
    out.put(std::uint64_t{0});
}

void RequestLoop::evaluate(wire::ByteReader& in) {
    varde_rule* rule = instance(in.take<std::uint32_t>());
    const auto timeout_ns = in.take<std::uint64_t>();
    wire::take(in, binding_);
    const auto n_items = in.take<std::uint32_t>();
    if (!in.ok() || rule == nullptr) return answer_fault({FaultReason::protocol, {}, "malformed evaluate request"});
    control_.phase.store(wire::phase_evaluate, std::memory_order_release);
    wire::ByteWriter out{response_};
    for (std::uint32_t i = 0; i < n_items; ++i) {
        // The host asks again for the items that are left.
        if (out.room() < wire::max_answer_bytes + wire::max_message_bytes * 20) break;
        wire::take(in, item_);
        if (!in.ok()) return;
        control_.started_ns.store(monotonic_ns(), std::memory_order_relaxed);
        control_.started.store(i + 1, std::memory_order_release);
        evaluate_item(out, rule, timeout_ns);
        publish(out);
        control_.completed.store(i + 1, std::memory_order_release);
    }
}

}  // namespace varde::worker
