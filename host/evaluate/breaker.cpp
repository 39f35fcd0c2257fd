#include "evaluate/breaker.hpp"

#include <algorithm>
#include <utility>

namespace varde::evaluate {
namespace {

using core::BreakerState;
using core::FailureReason;

constexpr std::uint32_t kQuarantineLevel = 5;
constexpr std::uint32_t kHighestLevel = 20;  ///< a second doubled so often is twelve days: beyond every setting
constexpr std::uint32_t kCleanToHalve = 10;  ///< answers
constexpr double kSpread = 0.2;

std::chrono::microseconds spread(std::chrono::microseconds time, double unit) {
    const double factor = 1.0 - kSpread + 2.0 * kSpread * std::clamp(unit, 0.0, 1.0);
    return std::chrono::microseconds{static_cast<std::int64_t>(static_cast<double>(time.count()) * factor)};
}

}  // namespace

bool is_out(BreakerState state) {
    return state == BreakerState::backing_off || state == BreakerState::quarantined || state == BreakerState::probing;
}

FailureWeight weight_of(const core::Failed& failed) {
    switch (failed.reason) {
        // The machine's or the host's doing, or nothing was asked.
        case FailureReason::starved:
        case FailureReason::spawn_failed:
        case FailureReason::not_loaded:
        case FailureReason::input_too_large:
        case FailureReason::quarantined:
        // Nothing of the rule ran, and waiting does not mend a file: its own reason is what an operator must see.
        case FailureReason::load_failed:
        case FailureReason::abi_mismatch:
        case FailureReason::manifest_mismatch:
        case FailureReason::untrusted_file:
        case FailureReason::selftest_failed: return FailureWeight::none;
        case FailureReason::create_failed:
        case FailureReason::rule_error:
        case FailureReason::exception_escaped:
        case FailureReason::bad_result:
        case FailureReason::nondeterministic: return FailureWeight::alive;
        // Caught in the worker as bad_alloc, or the end of it.
        case FailureReason::out_of_memory: return failed.signal == 0 ? FailureWeight::alive : FailureWeight::lost_worker;
        case FailureReason::segmentation_fault:
        case FailureReason::stack_overflow:
        case FailureReason::aborted:
        case FailureReason::crashed:
        case FailureReason::exited:
        case FailureReason::deadline:
        case FailureReason::protocol:
        case FailureReason::log_flood:
        case FailureReason::unkillable: return FailureWeight::lost_worker;
        case FailureReason::violation: return FailureWeight::violation;
    }
    return FailureWeight::lost_worker;
}

Breaker::Breaker(const Settings& settings, core::BreakerRecord record) : settings_{settings}, record_{std::move(record)} {
    record_.level = std::min(record_.level, kHighestLevel);
}

std::chrono::microseconds Breaker::back_off() const {
    const std::chrono::microseconds longest{settings_.max_back_off};
    return std::min(longest, std::chrono::microseconds{settings_.first_back_off} * (std::int64_t{1} << record_.level));
}

std::uint32_t Breaker::next_level() const {
    const bool is_longest = back_off() >= settings_.max_back_off;
    return is_longest ? record_.level : std::min(record_.level + 1, kHighestLevel);
}

void Breaker::enter(BreakerState state, core::Instant now) {
    // A rule that falls again while it is probed has not been back: it is out since it fell first.
    const bool still_out = (record_.state == BreakerState::quarantined && state == BreakerState::probing) ||
                           (record_.state == BreakerState::probing && state == BreakerState::quarantined);
    if (record_.state != state && !still_out) record_.changed_at = now;
    record_.state = state;
}

Breaker::Turn Breaker::turn(core::Instant now) {
    const auto longest = now + spread(settings_.max_back_off, 1.0);
    record_.until = std::min(record_.until, longest);
    switch (record_.state) {
        case BreakerState::healthy:
        case BreakerState::suspect: return Turn::ask;
        case BreakerState::backing_off: return now < record_.until ? Turn::wait : Turn::ask;
        case BreakerState::quarantined:
            if (now < record_.until) return Turn::wait;
            enter(BreakerState::probing, now);
            record_.clean = 0;
            return Turn::probe;
        case BreakerState::probing: return Turn::probe;
    }
    return Turn::ask;
}

std::uint32_t Breaker::probes_left() const {
    if (record_.state != BreakerState::probing) return 0;
    return settings_.probes - std::min(record_.clean, settings_.probes);
}

void Breaker::answered(core::Instant now) {
    if (record_.state == BreakerState::healthy || record_.state == BreakerState::quarantined) return;
    ++record_.clean;
    record_.consecutive = 0;
    if (record_.state == BreakerState::probing) {
        if (record_.clean < settings_.probes) return;
        enter(BreakerState::suspect, now);
        record_.until = {};
        record_.clean = 0;
        return;
    }
    enter(BreakerState::suspect, now);
    record_.until = {};
    if (record_.clean % kCleanToHalve != 0) return;
    record_.level /= 2;
    if (record_.level > 0) return;
    // What was lost within the window stays counted: one bad home among a thousand good ones makes ten clean answers in no time.
    enter(BreakerState::healthy, now);
    record_.clean = 0;
    record_.reason.clear();
    record_.incident_id.clear();
}

void Breaker::count_lost_worker(core::Instant now) {
    // Also what lies in the future: the clock was set back.
    std::erase_if(record_.recent, [&](core::Instant at) { return at <= now - settings_.window || at > now; });
    record_.recent.push_back(now);
}

void Breaker::open(core::Instant now, double unit) {
    const bool again = record_.state == BreakerState::probing;
    record_.level = again ? next_level() : std::max(record_.level, kQuarantineLevel);
    record_.recent.clear();
    record_.until = now + spread(back_off(), unit);
    enter(BreakerState::quarantined, now);
}

void Breaker::failed(const Failure& failure, core::Instant now, double unit) {
    if (failure.weight == FailureWeight::none || record_.state == BreakerState::quarantined) return;
    const bool lost = failure.weight != FailureWeight::alive;
    ++record_.consecutive;
    record_.clean = 0;
    record_.reason = failure.reason;
    record_.incident_id = failure.incident_id;
    if (lost) count_lost_worker(now);
    if (record_.state == BreakerState::probing || failure.weight == FailureWeight::violation ||
        record_.consecutive >= settings_.consecutive || record_.recent.size() >= settings_.within_window) {
        return open(now, unit);
    }
    if (record_.state == BreakerState::healthy) return enter(BreakerState::suspect, now);
    if (!lost) return;
    enter(BreakerState::backing_off, now);
    record_.until = now + spread(back_off(), unit);
    record_.level = next_level();
}

void Breaker::release(core::Instant now) {
    core::BreakerRecord fresh;
    fresh.rule_id = std::move(record_.rule_id);
    fresh.sha256 = std::move(record_.sha256);
    fresh.changed_at = now;
    record_ = std::move(fresh);
}

}  // namespace varde::evaluate
