#pragma once
#include "evaluate/evaluation_engine.hpp"
#include "fakes/event_log.hpp"
#include "fakes/log_sink.hpp"
#include "plugins/plugin_file.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <unistd.h>

/// The real engine with the real worker and plugins of this folder.
namespace hostile {

using namespace varde;

inline constexpr core::Instant kNow =
    core::Instant{std::chrono::sys_days{std::chrono::year{2026} / 1 / 15} + std::chrono::hours{12}};

inline ports::RuleSpec spec(const std::string& fixture) {
    auto plugin = plugins::inspect(std::filesystem::path{VARDE_HOSTILE_DIR} / (fixture + ".so"));
    REQUIRE_MESSAGE(plugin.has_value(), fixture);
    ports::RuleSpec spec;
    spec.plugin = std::move(*plugin);
    spec.timeout = std::chrono::milliseconds{300};
    spec.memory_bytes = 64ull << 20;
    spec.lookback = std::chrono::minutes{60};
    return spec;
}

inline core::Event event(std::string id, std::chrono::seconds ago, std::string state, const core::Scope& scope = {}) {
    core::Event event;
    event.event_id = std::move(id);
    event.scope = scope;
    event.time = kNow - ago;
    event.category = "door";
    event.payload = R"({"state":")" + state + "\"}";
    event.received_at = kNow;
    return event;
}

inline ports::Evaluation last_hour(std::string rule, const core::Scope& scope = {}) {
    return {std::move(rule), scope, {kNow - std::chrono::minutes{60}, kNow}, kNow};
}

struct Bench {
    fakes::EventLog log;
    fakes::LogSink sink;
    evaluate::EvaluationEngine engine;

    static config::HostConfig::Isolation settings() {
        config::HostConfig::Isolation isolation;
        isolation.worker_path = VARDE_WORKER;
        isolation.load_timeout = std::chrono::milliseconds{500};
        return isolation;
    }
    /// One event that is on, one that is off.
    explicit Bench(const config::HostConfig::Isolation& isolation = settings()) : engine{&log, isolation, sink} {
        const std::vector events{event("e-1", std::chrono::seconds{50}, "on"), event("e-2", std::chrono::seconds{40}, "off")};
        REQUIRE(log.append(events).has_value());
    }
    std::vector<std::optional<core::Failed>> use(const std::vector<std::string>& fixtures) {
        std::vector<ports::RuleSpec> specs;
        for (const auto& fixture : fixtures) specs.push_back(spec(fixture));
        auto failures = engine.configure(std::move(specs));
        REQUIRE(engine.catch_up(kNow).has_value());
        return failures;
    }
    std::vector<core::Verdict> judge(const std::vector<ports::Evaluation>& asked) {
        auto verdicts = engine.evaluate(asked);
        REQUIRE(verdicts.has_value());
        REQUIRE(verdicts->size() == asked.size());
        return std::move(*verdicts);
    }
};

inline core::Failed failed(const core::Verdict& verdict) {
    REQUIRE(std::holds_alternative<core::Failed>(verdict));
    return std::get<core::Failed>(verdict);
}
inline core::Completed completed(const core::Verdict& verdict) {
    if (const auto* failure = std::get_if<core::Failed>(&verdict))
        FAIL(core::name_of(failure->reason) << ": " << failure->message);
    return std::get<core::Completed>(verdict);
}

/// Until the engine has taken a step with a plugin on trial; without a run in between.
inline void wait_for_trial(evaluate::EvaluationEngine& engine) {
    while (!engine.settle()) REQUIRE(engine.await_trial(std::chrono::seconds{20}));
}

inline std::size_t open_fds() {
    return static_cast<std::size_t>(
        std::distance(std::filesystem::directory_iterator{"/proc/self/fd"}, std::filesystem::directory_iterator{}));
}

/// Processes whose parent is this one, zombies included.
inline int children() {
    int found = 0;
    for (const auto& entry : std::filesystem::directory_iterator{"/proc"}) {
        std::ifstream stat{entry.path() / "stat"};
        std::string text;
        if (!std::getline(stat, text)) continue;
        const auto after_name = text.rfind(')');
        int parent = 0;
        char state = 0;
        if (after_name != std::string::npos && std::sscanf(text.c_str() + after_name + 1, " %c %d", &state, &parent) == 2) {
            found += parent == ::getpid() ? 1 : 0;
        }
    }
    return found;
}

}  // namespace hostile
