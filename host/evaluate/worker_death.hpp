#pragma once
#include "core/verdict.hpp"
#include "evaluate/worker_process.hpp"
#include "wire/control_layout.hpp"
#include "wire/message.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace varde::evaluate {

/// What is known about the end of a worker.
struct Obituary {
    enum class Kill { none, deadline, starved };
    WorkerExit exit;
    wire::CrashRecord crash{};  ///< the worker's own words: a hint that is only used to tell cases of one signal apart
    std::optional<wire::StackRecord> stack;  ///< where it was at its deadline, if it answered wire::stack_signal
    std::vector<wire::ModuleRecord> modules;
    Kill kill = Kill::none;
    core::Phase phase = core::Phase::evaluate;
    std::chrono::milliseconds limit{0};  ///< the deadline that applied
    std::uint64_t memory_bytes = 0;
    std::chrono::nanoseconds wall{};    ///< of the step it died in
    std::chrono::nanoseconds uptime{};  ///< since it was started
    CpuShare share;                     ///< of its whole life
    std::uint64_t peak_bytes = 0;       ///< of memory; 0: not known, it was dead before anybody looked
    std::uint64_t evaluation = 0;
    int pid = 0;
    std::uint32_t posture = 0;
    std::string log_tail;
    std::string_view subject = "rule";  ///< or "job"
};

/// "A": every layer; "B": without namespaces or cgroup; "C": without Landlock.
[[nodiscard]] std::string_view level_of(std::uint32_t posture);

/// The typed reason, an operator's sentence and the evidence. What only others know (plugin, window, breaker) is left empty.
[[nodiscard]] core::Failed failure_of(const Obituary& obituary);

/// What a worker that lives reports.
[[nodiscard]] core::Failed failure_of(const wire::Fault& fault, core::Phase phase, std::uint64_t memory_bytes,
                                      std::string_view subject = "rule");

/// At most `wire::max_message_bytes` of UTF-8; anything else in it becomes '?'.
[[nodiscard]] std::string clean_message(std::string_view text);

}  // namespace varde::evaluate
