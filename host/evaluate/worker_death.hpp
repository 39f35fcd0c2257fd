#pragma once
#include "core/verdict.hpp"
#include "evaluate/worker_process.hpp"
#include "wire/control_layout.hpp"
#include "wire/message.hpp"

#include <chrono>
#include <cstdint>
#include <string>

namespace varde::evaluate {

/// What is known about the end of a worker.
struct Obituary {
    WorkerExit exit;
    wire::CrashRecord crash{};  ///< the worker's own words: a hint that is only used to tell cases of one signal apart
    bool killed_at_deadline = false;
    core::Phase phase = core::Phase::evaluate;
    std::chrono::milliseconds limit{0};  ///< the deadline that applied
    std::uint64_t memory_bytes = 0;
    std::string log_tail;
};

/// The typed reason and an operator's sentence.
[[nodiscard]] core::Failed failure_of(const Obituary& obituary);

/// What a worker that lives reports.
[[nodiscard]] core::Failed failure_of(const wire::Fault& fault, core::Phase phase, std::uint64_t memory_bytes);

/// At most `wire::max_message_bytes` of UTF-8; anything else in it becomes '?'.
[[nodiscard]] std::string clean_message(std::string_view text);

}  // namespace varde::evaluate
