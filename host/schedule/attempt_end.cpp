#include "schedule/attempt_end.hpp"

#include "schedule/trigger_times.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace varde::schedule {
namespace {

using core::RunState;
using core::SlotReason;

constexpr std::size_t kMostError = 2'000;
constexpr std::size_t kMostResult = 65'536;

bool attempts_left(const ports::ClaimedRun& claimed) { return claimed.run.attempt < claimed.schedule.policy.retry.max_attempts; }

/// What a database can keep: PostgreSQL has no text with a NUL or with bytes that are no UTF-8, and one job's words must not hold up the
/// ends of all others.
std::string storable(const std::string& text) {
    using nlohmann::json;
    auto sound = json::parse(json(text).dump(-1, ' ', false, json::error_handler_t::replace)).get<std::string>();
    std::ranges::replace(sound, '\0', ' ');
    return sound;
}

std::string storable_result(const std::string& result) {
    if (result.size() > kMostResult) return R"({"truncated":true})";
    return result.empty() || nlohmann::json::accept(result) ? result : R"({"unreadable":true})";
}

/// Texts of jobs are cut where a character ends.
std::string cut(std::string text, std::size_t most) {
    if (text.size() <= most) return text;
    while (most > 0 && (static_cast<unsigned char>(text[most]) & 0xC0U) == 0x80U) --most;
    return text.substr(0, most);
}

}  // namespace

core::Instant retry_at(const core::RetryPolicy& policy, std::int64_t run_id, int attempt, core::Instant now) {
    auto wait = std::min(policy.backoff, policy.max_backoff);
    if (policy.exponential) {
        for (int doubled = 1; doubled < attempt && wait < policy.max_backoff; ++doubled)
            wait = std::min(wait * 2, policy.max_backoff);
    }
    if (wait.count() <= 0) return now;
    const auto hash = stable_hash(fmt::format("{}/{}", run_id, attempt));
    return now + core::Microseconds{1 + static_cast<std::int64_t>(hash % static_cast<std::uint64_t>(wait.count()))};
}

ports::FinishedRun ended(const ports::ClaimedRun& claimed, const std::optional<ports::JobAnswer>& answer,
                         std::optional<Stopped> stopped, core::Instant started_at, core::Instant now) {
    ports::FinishedRun end;
    end.run_id = claimed.run.run_id;
    end.attempt = claimed.run.attempt;
    end.started_at = started_at;
    end.finished_at = end.run_at = now;
    if (answer) {
        end.result = storable_result(answer->result);
        end.error = cut(storable(answer->error), kMostError);
    }
    // A job that has come to its end in time has, also if somebody wanted to stop it meanwhile.
    if (answer && answer->ok && stopped != Stopped::timed_out) return end;
    if (stopped == Stopped::cancelled) {
        end.state = RunState::cancelled;
        end.reason = SlotReason::cancelled;
        return end;
    }
    if (stopped == Stopped::timed_out) {
        end.state = RunState::timed_out;
        end.reason = SlotReason::timed_out;
        if (end.error.empty()) {
            end.error =
                fmt::format("not over after {} s", std::chrono::duration<double>(claimed.schedule.policy.run_timeout).count());
        }
    } else if (stopped == Stopped::host_stopping) {
        end.state = RunState::cancelled;
        end.reason = SlotReason::stopping;
    } else {
        end.state = RunState::failed;
        if (end.error.empty()) end.error = "the job failed without a word";
    }
    const bool may_help = stopped.has_value() || !answer || answer->retry;
    if (may_help && attempts_left(claimed)) {
        if (end.reason == SlotReason::none) end.reason = SlotReason::retry;
        end.state = RunState::pending;
        end.run_at = retry_at(claimed.schedule.policy.retry, end.run_id, end.attempt, now);
    }
    return end;
}

ports::FinishedRun owner_lost(const ports::ClaimedRun& claimed, core::Instant now) {
    ports::FinishedRun end;
    end.run_id = claimed.run.run_id;
    end.attempt = claimed.run.attempt;
    end.started_at = claimed.run.started_at;
    end.finished_at = end.run_at = now;
    end.reason = SlotReason::owner_lost;
    end.error = "the host that ran it went away";
    if (claimed.run.cancel_requested) {
        end.state = RunState::cancelled;
    } else if (attempts_left(claimed)) {
        end.state = RunState::pending;
        end.run_at = retry_at(claimed.schedule.policy.retry, end.run_id, end.attempt, now);
    } else {
        end.state = RunState::abandoned;
    }
    return end;
}

}  // namespace varde::schedule
