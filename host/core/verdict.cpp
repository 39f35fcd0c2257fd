#include "core/verdict.hpp"

namespace varde::core {

std::string_view name_of(Outcome outcome) {
    switch (outcome) {
        case Outcome::unknown: return "unknown";
        case Outcome::met: return "met";
        case Outcome::not_met: return "not_met";
        case Outcome::no_data: return "no_data";
    }
    return "unknown";
}

std::string_view name_of(Step::Kind kind) {
    switch (kind) {
        case Step::Kind::failed: return "failed";
        case Step::Kind::held: return "held";
        case Step::Kind::note: return "note";
    }
    return "note";
}

std::string_view name_of(FailureReason reason) {
    switch (reason) {
        case FailureReason::load_failed: return "load_failed";
        case FailureReason::abi_mismatch: return "abi_mismatch";
        case FailureReason::manifest_mismatch: return "manifest_mismatch";
        case FailureReason::untrusted_file: return "untrusted_file";
        case FailureReason::create_failed: return "create_failed";
        case FailureReason::rule_error: return "rule_error";
        case FailureReason::exception_escaped: return "exception_escaped";
        case FailureReason::bad_result: return "bad_result";
        case FailureReason::segmentation_fault: return "segmentation_fault";
        case FailureReason::stack_overflow: return "stack_overflow";
        case FailureReason::aborted: return "aborted";
        case FailureReason::crashed: return "crashed";
        case FailureReason::exited: return "exited";
        case FailureReason::out_of_memory: return "out_of_memory";
        case FailureReason::deadline: return "deadline";
        case FailureReason::violation: return "violation";
        case FailureReason::protocol: return "protocol";
        case FailureReason::spawn_failed: return "spawn_failed";
        case FailureReason::input_too_large: return "input_too_large";
        case FailureReason::not_loaded: return "not_loaded";
        case FailureReason::selftest_failed: return "selftest_failed";
        case FailureReason::starved: return "starved";
        case FailureReason::log_flood: return "log_flood";
        case FailureReason::nondeterministic: return "nondeterministic";
        case FailureReason::unkillable: return "unkillable";
        case FailureReason::quarantined: return "quarantined";
    }
    return "unknown";
}

std::string_view name_of(Phase phase) {
    switch (phase) {
        case Phase::spawn: return "spawn";
        case Phase::load: return "load";
        case Phase::create: return "create";
        case Phase::evaluate: return "evaluate";
        case Phase::destroy: return "destroy";
    }
    return "unknown";
}

}  // namespace varde::core
