#pragma once
#include "core/evidence.hpp"
#include "core/finding.hpp"

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace varde::core {

enum class Outcome { unknown, met, not_met, no_data };
[[nodiscard]] std::string_view name_of(Outcome outcome);  ///< "unknown", "met", "not_met", "no_data"

/// One step by which a rule came to its answer.
struct Step {
    enum class Kind { failed, held, note } kind = Kind::note;  ///< whether a condition held; note: a fact
    std::string text;
    friend bool operator==(const Step&, const Step&) = default;
};
[[nodiscard]] std::string_view name_of(Step::Kind kind);  ///< "failed", "held", "note"

/// The rule answered, and the answer was checked.
struct Completed {
    Outcome outcome = Outcome::not_met;
    std::string reason;
    std::vector<Finding> findings;
    /// The earliest instant at which the answer could change without new input; Instant{} = ask every time; max = never.
    Instant valid_until{};
    std::chrono::nanoseconds duration{};
    bool carried = false;                ///< an earlier answer that still holds; the rule was not asked
    std::optional<std::string> state{};  ///< what the rule keeps for this scope from now on, empty: nothing; nullopt: as it was
    std::vector<Step> steps{};           ///< if they were asked for and the rule gives them
};

/// Why an evaluation has no answer. The names are an interface: log events, API and tests use them (docs/log-events.md).
enum class FailureReason {
    load_failed,         ///< the file is not a usable library
    abi_mismatch,        ///< built for another ABI; the message names both versions
    manifest_mismatch,   ///< note and entry of the file differ
    untrusted_file,      ///< the file or its directory is not safe to load
    create_failed,       ///< the rule refused its parameters
    rule_error,          ///< the rule reported an error, or threw inside the C++ layer
    exception_escaped,   ///< an exception crossed the C interface
    bad_result,          ///< what the rule answered breaks the contract
    segmentation_fault,  ///< SIGSEGV or SIGBUS, not from the stack's end
    stack_overflow,      ///< SIGSEGV at the stack's guard
    aborted,             ///< abort(), failed assert, std::terminate
    crashed,             ///< any other fatal signal: SIGFPE, SIGILL, SIGTRAP ...
    exited,              ///< the rule ended its process; code 0 is an error too
    out_of_memory,       ///< over memory_mb
    deadline,            ///< over timeout_ms; the worker was killed
    violation,           ///< a forbidden system call
    protocol,            ///< the worker broke the channel's protocol
    spawn_failed,        ///< no worker process could be started
    input_too_large,     ///< the window does not fit the channel
    not_loaded,          ///< there is no plugin for the rule
    selftest_failed,     ///< a made-up window that every rule must survive failed before it was put to use
    starved,             ///< over timeout_ms only because the machine gave the worker no CPU; never counted against the rule
    log_flood,           ///< it wrote more to its log than is taken from one evaluation
    nondeterministic,    ///< reserved: today two answers to one window are a log event, no failure
    unkillable,          ///< SIGKILL had no effect within a second; the process is abandoned
    quarantined,         ///< the rule is out of service after earlier failures; it was not asked
};
[[nodiscard]] std::string_view name_of(FailureReason reason);

/// Where in a plugin's life it happened.
enum class Phase { spawn, load, create, evaluate, destroy };
[[nodiscard]] std::string_view name_of(Phase phase);

/// The rule did not answer. Exactly one per failed evaluation; becomes one `scheduler_rule_error`.
struct Failed {
    FailureReason reason = FailureReason::rule_error;
    Phase phase = Phase::evaluate;
    /// One line for an operator: what happened, with measured value and limit where there is one. UTF-8, at most 4000 bytes.
    std::string message;
    int signal = 0;     ///< if a signal ended the worker
    int exit_code = 0;  ///< if the worker exited
    std::chrono::nanoseconds duration{};
    /// What is known beyond the message; null where nothing ran (not_loaded, quarantined).
    std::shared_ptr<const Evidence> evidence{};
    /// The stored incident that this failure belongs to; empty if none is kept.
    std::string incident_id{};
    /// create_failed: path of the parameter that the rule refused, "night_window.end_local_time"; the message begins with it. Empty: none.
    std::string param{};
};

using Verdict = std::variant<Completed, Failed>;

}  // namespace varde::core
