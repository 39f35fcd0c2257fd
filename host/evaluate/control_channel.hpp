#pragma once
#include "core/error.hpp"
#include "evaluate/shared_memory.hpp"
#include "wire/bytes.hpp"
#include "wire/control_layout.hpp"

#include <chrono>
#include <optional>
#include <span>
#include <vector>

namespace varde::evaluate {

/// The host's end of what it shares with one worker: the control memory and a pipe each way as doorbell.
class ControlChannel {
  public:
    static core::Result<ControlChannel> make();

    /// Where the next request is written; send with ring(bytes written).
    [[nodiscard]] wire::ByteWriter request();
    /// false: the pipe is full, which no sound worker brings about.
    [[nodiscard]] bool ring(std::size_t request_size);
    /// Tells a job that it is to answer soon.
    void ask_to_stop() { header().stop.store(1, std::memory_order_release); }
    /// Expect an answer that no request asks for (the load).
    void expect();

    enum class Heard { answer, death, timeout };
    /// Sleeps until the worker answers or dies, or for `patience`.
    [[nodiscard]] Heard wait(int pidfd, std::chrono::nanoseconds patience);
    /// The answer is that to the last request.
    [[nodiscard]] bool answer_is_current() const;

    /// Copies the response out, once: afterwards the worker cannot change what is being checked. At most wire::response_bytes.
    [[nodiscard]] std::span<const std::byte> copy_response();

    /// What the worker says about itself. Hints.
    [[nodiscard]] std::uint32_t started() const { return header().started.load(std::memory_order_acquire); }
    [[nodiscard]] std::uint32_t completed() const { return header().completed.load(std::memory_order_acquire); }
    [[nodiscard]] std::uint64_t started_ns() const { return header().started_ns.load(std::memory_order_relaxed); }
    [[nodiscard]] std::uint32_t phase() const { return header().phase.load(std::memory_order_acquire); }
    [[nodiscard]] std::uint32_t plugin() const { return header().plugin.load(std::memory_order_acquire); }
    [[nodiscard]] std::uint64_t log_bytes() const { return header().log_bytes.load(std::memory_order_relaxed); }
    [[nodiscard]] wire::CrashRecord crash() const { return header().crash; }
    /// The stack stored on wire::stack_signal; nullopt: not (yet).
    [[nodiscard]] std::optional<wire::StackRecord> stack() const;
    [[nodiscard]] std::vector<wire::ModuleRecord> modules() const;

    /// What the worker gets; afterwards the host closes its copy of the end that the worker answers with.
    [[nodiscard]] int control_fd() const { return memory_.fd(); }
    [[nodiscard]] int worker_request_fd() const { return request_read_.get(); }
    [[nodiscard]] int worker_response_fd() const { return response_write_.get(); }
    void close_worker_end();

  private:
    ControlChannel(SharedMemory memory, UniqueFd request_read, UniqueFd request_write, UniqueFd response_read,
                   UniqueFd response_write);
    [[nodiscard]] wire::ControlHeader& header() const;

    SharedMemory memory_;
    UniqueFd request_read_;
    UniqueFd request_write_;
    UniqueFd response_read_;
    UniqueFd response_write_;
    std::uint32_t request_number_ = 0;  ///< the host's own copy: the shared one is not believed
    std::vector<std::byte> response_;
};

}  // namespace varde::evaluate
