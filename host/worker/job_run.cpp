#include "worker/job_run.hpp"

#include "worker/answer_recorder.hpp"
#include "worker/caught.hpp"
#include "worker/rule_log.hpp"

#include <unistd.h>
#include <algorithm>
#include <cerrno>
#include <string>

namespace varde::worker {
namespace {

static_assert(VARDE_MAX_RESULT_BYTES == wire::max_result_bytes);

/// What a job says while it runs.
class JobRecorder {
  public:
    JobRecorder(const wire::ControlHeader& control, std::uint64_t timeout_ns)
        : control_{control}, end_ns_{monotonic_ns() + timeout_ns / 10 * 9} {
        sink_.struct_size = sizeof sink_;
        sink_.ctx = this;
        sink_.result = [](void* ctx, const char* json, std::uint32_t length) {
            return keep(self(ctx).end_.result, json, length, wire::max_result_bytes);
        };
        sink_.fail = [](void* ctx, const char* text, std::uint32_t length) {
            const auto most = static_cast<std::uint32_t>(wire::max_message_bytes);
            return keep(self(ctx).end_.error, text, std::min(length, most), most);
        };
        sink_.log = [](void*, std::int32_t level, const char* text, std::uint32_t length) {
            write_log_line(level, text, length);
        };
        sink_.should_stop = [](void* ctx) -> std::uint32_t {
            return self(ctx).control_.stop.load(std::memory_order_acquire) != 0 || monotonic_ns() >= self(ctx).end_ns_ ? 1 : 0;
        };
        sink_.query = [](void*, const char*) -> const void* { return nullptr; };
    }
    JobRecorder(const JobRecorder&) = delete;
    JobRecorder& operator=(const JobRecorder&) = delete;

    wire::JobEnd run(const varde_job_entry& entry, const wire::JobRequest& request) {
        varde_params params{};
        params.struct_size = sizeof params;
        params.n_nodes = static_cast<std::uint32_t>(request.params.nodes.size());
        params.nodes = request.params.nodes.data();
        params.text = request.params.text.data();
        varde_job_call call{};
        call.struct_size = sizeof call;
        call.attempt = request.attempt;
        call.nominal_us = request.nominal_us;
        call.now_us = request.now_us;
        call.deadline_us = request.deadline_us;
        call.params = &params;
        call.params_text = request.params_text.data();
        call.params_length = static_cast<std::uint32_t>(request.params_text.size());
        call.slot = request.slot.data();
        call.slot_length = static_cast<std::uint32_t>(request.slot.size());
        end_.status = entry.run(&call, &sink_);
        return std::move(end_);
    }

  private:
    static JobRecorder& self(void* ctx) { return *static_cast<JobRecorder*>(ctx); }
    static std::int32_t keep(std::string& to, const char* text, std::uint32_t length, std::size_t most) try {
        if (text == nullptr && length > 0) return VARDE_E_ARGUMENT;
        if (length > most) return VARDE_E_LIMIT;
        length == 0 ? to.clear() : static_cast<void>(to.assign(text, length));
        return VARDE_OK;
    } catch (...) {  // no memory left, and a C function is no place for exceptions
        return VARDE_E_LIMIT;
    }

    const wire::ControlHeader& control_;
    std::uint64_t end_ns_;
    varde_job_sink sink_{};
    wire::JobEnd end_;
};

class JobRoom {
  public:
    explicit JobRoom(std::span<std::byte> control)
        : control_{*reinterpret_cast<wire::ControlHeader*>(control.data())},
          request_{control.subspan(wire::control_header_bytes, wire::request_bytes)},
          response_{control.subspan(wire::control_header_bytes + wire::request_bytes, wire::response_bytes)} {}

    void answer_load(std::uint32_t posture, const std::optional<wire::Fault>& fault) {
        wire::ByteWriter out{response_};
        out.put(wire::ResponseKind::done);
        out.put(posture);
        out.put(std::uint32_t{1});
        out.put(std::uint32_t{fault ? 1u : 0u});
        if (fault) wire::put(out, *fault);
        publish(out);
    }

    /// False: the host closed its end.
    bool await_request() {
        char byte = 0;
        ssize_t count = 0;
        do count = ::read(wire::fd_request, &byte, 1);
        while (count < 0 && errno == EINTR);
        return count == 1;
    }

    void carry_out(const varde_job_entry& entry) {
        wire::ByteWriter out{response_};
        try {
            wire::ByteReader in{request_.first(std::min<std::size_t>(control_.request_size, request_.size()))};
            wire::JobRequest request;
            const auto kind = in.take<wire::RequestKind>();
            wire::take(in, request);
            if (kind != wire::RequestKind::job || !in.ok()) return refuse({wire::FaultReason::protocol, {}, "malformed request"});
            control_.phase.store(wire::phase_evaluate, std::memory_order_release);
            JobRecorder recorder{control_, request.timeout_ns};
            const auto end = recorder.run(entry, request);
            // job.hpp catches what a job throws; running out of memory is a reason of its own.
            if (end.status < 0 && end.error.starts_with("std::bad_alloc"))
                return refuse({wire::FaultReason::out_of_memory, {}, {}});
            out.put(wire::ResponseKind::done);
            wire::put(out, end);
        } catch (...) {
            return refuse(fault_of_current_exception("run"));
        }
        publish(out);
    }

    void refuse(const wire::Fault& fault) {
        wire::ByteWriter out{response_};
        out.put(wire::ResponseKind::fault);
        wire::put(out, fault);
        publish(out);
    }

  private:
    void publish(const wire::ByteWriter& out) {
        control_.response_size.store(out.size(), std::memory_order_release);
        control_.response_number.store(control_.request_number.load(std::memory_order_acquire), std::memory_order_release);
        control_.phase.store(wire::phase_idle, std::memory_order_release);
        const char byte = 1;
        while (::write(wire::fd_response, &byte, 1) < 0 && errno == EINTR) {
        }
    }

    wire::ControlHeader& control_;
    std::span<const std::byte> request_;
    std::span<std::byte> response_;
};

}  // namespace

void serve_job(std::span<std::byte> control, std::uint32_t posture, const std::optional<wire::Fault>& fault,
               const varde_job_entry& entry) {
    JobRoom room{control};
    room.answer_load(posture, fault);
    if (!fault && room.await_request()) room.carry_out(entry);
    while (room.await_request()) room.refuse({wire::FaultReason::protocol, {}, "a job is run once in a process"});
    ::_exit(0);
}

}  // namespace varde::worker
