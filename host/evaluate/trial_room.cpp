#include "evaluate/trial_room.hpp"

#include "evaluate/given_events.hpp"

#include <fmt/format.h>

namespace varde::evaluate {
namespace {

using core::Failed;
using core::FailureReason;

constexpr core::Instant kNow = core::Instant{std::chrono::sys_days{std::chrono::year{2026} / 1 / 15} + std::chrono::hours{12}};
constexpr std::chrono::hours kWindow{1};
constexpr std::size_t kMany = 2'000;
constexpr std::size_t kLongText = 4'000;
constexpr std::size_t kTrialMemory = 32u << 20;

core::Event event_at(std::size_t i, std::size_t n, const std::string& category, std::string payload) {
    core::Event event;
    event.event_id = fmt::format("trial-{}", i);
    event.time =
        kNow - kWindow + std::chrono::microseconds{kWindow} * static_cast<std::int64_t>(i) / static_cast<std::int64_t>(n);
    event.category = category;
    event.payload = std::move(payload);
    event.received_at = kNow;
    return event;
}

/// A payload in which every declared key has that JSON value.
std::string payload_of(const std::vector<std::string>& keys, const std::string& value) {
    std::string text = "{";
    for (const std::string& key : keys) {
        bool plain = true;
        for (const char c : key) plain = plain && c != '"' && c != '\\' && static_cast<unsigned char>(c) >= 0x20;
        if (plain) text += fmt::format("{}\"{}\":{}", text.size() > 1 ? "," : "", key, value);
    }
    return text + "}";
}

/// What rules compare categories and values with; a rule that declares none gets a few usual words.
std::vector<std::string> words_of(const wire::Declarations& declarations) {
    std::vector<std::string> words;
    for (const std::string& literal : declarations.literals)
        if (!literal.empty() && literal.find_first_of("\"\\") == std::string::npos) words.push_back(literal);
    if (words.empty()) words = {"motion", "door", "on"};
    return words;
}

bool is_acceptable(const core::Verdict& verdict) {
    const auto* failed = std::get_if<Failed>(&verdict);
    return failed == nullptr || failed->reason == FailureReason::rule_error || failed->reason == FailureReason::starved ||
           failed->reason == FailureReason::input_too_large;
}

}  // namespace

std::vector<std::vector<core::Event>> made_up_windows(const wire::Declarations& declarations) {
    const auto words = words_of(declarations);
    std::vector<std::vector<core::Event>> windows(1);  // the first has no events
    const auto word = [&](std::size_t i) { return words[i % words.size()]; };
    windows.push_back({event_at(0, 1, word(0), payload_of(declarations.keys, "\"" + word(0) + "\""))});
    auto& many = windows.emplace_back();
    for (std::size_t i = 0; i < kMany; ++i)
        many.push_back(event_at(i, kMany, word(i / 3), payload_of(declarations.keys, "\"" + word(i) + "\"")));
    auto& backwards = windows.emplace_back(many.rbegin(), many.rend());
    backwards.resize(100);
    auto& odd = windows.emplace_back();
    const char* values[] = {"null", "true", "-1", "1e308", "9223372036854775808", "[]", "{}", "[1,{\"a\":[]}]", "\"\"", "0.1"};
    for (std::size_t i = 0; i < 10 * words.size(); ++i)
        odd.push_back(event_at(i, 10 * words.size(), word(i / 10), payload_of(declarations.keys, values[i % 10])));
    auto& longest = windows.emplace_back();
    for (std::size_t i = 0; i < 8; ++i) {
        longest.push_back(event_at(i, 8, word(i), payload_of(declarations.keys, "\"" + std::string(kLongText, 'x') + "\"")));
        longest.back().stream_id = longest.back().room_id = std::string(100, 'y');
    }
    return windows;
}

TrialRoom::TrialRoom(WorkerNursery& nursery, const RunnerLimits& limits, ports::LogSink& log)
    : nursery_{nursery}, limits_{limits}, log_{log}, thread_{[this] { work(); }} {}

TrialRoom::~TrialRoom() {
    {
        const std::lock_guard lock{mutex_};
        stop_ = true;
    }
    changed_.notify_all();
    thread_.join();
}

void TrialRoom::begin(ports::RuleSpec spec) {
    {
        const std::lock_guard lock{mutex_};
        waiting_.push_back(std::move(spec));
    }
    changed_.notify_all();
}

std::vector<TrialResult> TrialRoom::take_results() {
    const std::lock_guard lock{mutex_};
    return std::exchange(results_, {});
}

bool TrialRoom::await_result(std::chrono::milliseconds patience) {
    std::unique_lock lock{mutex_};
    return changed_.wait_for(lock, patience, [this] { return !results_.empty(); });
}

void TrialRoom::work() {
    std::unique_lock lock{mutex_};
    for (;;) {
        changed_.wait(lock, [this] { return stop_ || !waiting_.empty(); });
        if (stop_) return;
        const ports::RuleSpec spec = std::move(waiting_.front());
        waiting_.pop_front();
        lock.unlock();
        TrialResult result = run(spec);
        lock.lock();
        results_.push_back(std::move(result));
        changed_.notify_all();
    }
}

TrialResult TrialRoom::run(const ports::RuleSpec& spec) {
    TrialResult result{spec.plugin.rule_id, spec.plugin.sha256, spec.params, nullptr, std::nullopt};
    auto runner = std::make_shared<RuleRunner>(nursery_, limits_, std::vector{spec}, log_);
    auto instance = runner->instance(0, spec.params);
    if (auto* failed = std::get_if<Failed>(&instance)) {
        result.failure = std::move(*failed);
        return result;
    }
    const BoundRule rule{runner, 0, std::get<RuleRunner::Instance*>(instance), {}, nullptr, {}};
    const auto turn_down = [&result](Failed failed, const std::string& where) {
        failed.message = failed.reason == FailureReason::selftest_failed
                             ? fmt::format("{}: {}", where, failed.message)
                             : fmt::format("{}: {}: {}", where, core::name_of(failed.reason), failed.message);
        failed.reason = FailureReason::selftest_failed;
        result.failure = std::move(failed);
    };
    if (auto failed = runner->selftest(*rule.instance)) {
        turn_down(std::move(*failed), "its own self-test");
        return result;
    }
    const ports::Evaluation evaluation{spec.plugin.rule_id, {}, {kNow - kWindow, kNow}, kNow};
    PayloadReader reader;
    std::shared_ptr<WindowMemory> memory;
    const auto memory_for = [&](const PayloadAccess& access) -> core::Result<std::shared_ptr<WindowMemory>> {
        if (memory) return memory;
        auto made = WindowMemory::make(access, kTrialMemory);
        if (made) memory = *made;
        return made;
    };
    for (const auto& events : made_up_windows(rule.instance->declarations)) {
        auto verdict = judge_given(rule, evaluation, events, reader, memory_for, nullptr);
        if (is_acceptable(verdict)) continue;
        turn_down(std::get<Failed>(std::move(verdict)), fmt::format("on a made-up window of {} events", events.size()));
        return result;
    }
    result.runner = std::move(runner);
    return result;
}

}  // namespace varde::evaluate
