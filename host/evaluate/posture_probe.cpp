#include "evaluate/posture_probe.hpp"

#include "evaluate/control_channel.hpp"
#include "evaluate/worker_death.hpp"
#include "evaluate/worker_launch.hpp"

#include <array>
#include <csignal>
#include <cstring>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace varde::evaluate {
namespace {

using ports::IsolationAttempt;
using ports::IsolationPosture;
using wire::Attempt;
using wire::SetupMode;

constexpr std::array<const char*, wire::n_attempts> names{
    "read_file",  "write_file",   "read_environment", "open_socket", "run_program",    "start_process",   "signal_host",
    "trace_host", "run_new_code", "share_memory",     "raise_limit", "exhaust_memory", "enter_namespace", "use_bpf"};
constexpr std::uint64_t probe_memory = 32u << 20;

/// How one attempt ended.
struct Ending {
    bool stopped = false;
    bool killed = false;
    int error = 0;
    std::string problem;
    std::uint32_t posture = 0;  ///< as the worker says, if it answered
};

Ending attempt_once(const WorkerLaunch& launch, Attempt attempt, SetupMode mode, std::chrono::milliseconds patience) {
    auto channel = ControlChannel::make();
    if (!channel) return {false, false, 0, channel.error().context, 0};
    auto process = WorkerProcess::spawn(launch);
    if (!process) return {false, false, 0, process.error().context, 0};
    const wire::SetupMessage head{wire::setup_magic, mode, 0, attempt, probe_memory};
    if (auto confined = process->confine(launch, probe_memory); !confined) return {false, false, 0, confined.error().context, 0};
    const std::uint32_t cgroup = process->in_cgroup() ? wire::posture_cgroup : 0;
    const int descriptors[] = {channel->control_fd(), channel->worker_request_fd(), channel->worker_response_fd()};
    const bool sent = process->send_setup(head, {}, descriptors).has_value();
    channel->close_worker_end();
    if (sent && channel->wait(process->pidfd(), patience) == ControlChannel::Heard::answer) {
        wire::ByteReader in{channel->copy_response()};
        const auto error = static_cast<int>(in.take<std::uint32_t>());
        const auto posture = in.take<std::uint32_t>();
        if (in.ok()) return {error != 0, false, error, {}, posture | cgroup};
    }
    process->kill();
    const WorkerExit end = process->reap();
    if (end.by_signal && end.status == SIGSYS) return {true, true, 0, {}, 0};
    // Another program ran in its place and ended well.
    if (attempt == Attempt::run_program && !end.by_signal && end.status == 0) return {false, false, 0, {}, 0};
    return {false, false, 0, clean_message("the worker ended: " + process->take_log()), 0};
}

std::string error_name(int error) {
    const char* name = ::strerrorname_np(error);
    return name == nullptr ? fmt::format("error {}", error) : name;
}

/// Which layer gave that error, where no filter did.
std::string layer_behind(Attempt attempt, int error) {
    switch (error) {
        case ENOENT:
        case ENETUNREACH: return "namespaces";
        case ENOMEM:
        case EAGAIN: return "rlimits";
        case EACCES: return "landlock";
        case EROFS: return "namespaces";
        default: break;
    }
    const bool across_processes = attempt == Attempt::signal_host || attempt == Attempt::trace_host;
    return across_processes ? "landlock or own_user" : "credentials";
}

IsolationAttempt describe(Attempt attempt, const Ending& full, const Ending& behind) {
    IsolationAttempt result{names.at(static_cast<std::size_t>(attempt)), full.stopped, {}, {}};
    if (full.killed)
        result.by = "seccomp: SIGSYS";
    else if (full.stopped)
        result.by = fmt::format("{}: {}", full.error == ENOMEM ? "rlimits" : "seccomp", error_name(full.error));
    else
        result.by = full.problem.empty() ? "nothing: it worked" : full.problem;
    if (behind.stopped)
        result.behind = fmt::format("{}: {}", layer_behind(attempt, behind.error), error_name(behind.error));
    else
        result.behind = behind.problem.empty() ? "nothing" : behind.problem;
    return result;
}

std::vector<ports::IsolationLayer> layers_from(std::uint32_t posture, const WorkerLaunch& launch) {
    const auto layer = [&](const char* name, std::uint32_t bit) {
        const bool left_out = (launch.without & bit) != 0;
        const bool present = (posture & bit) != 0;
        const std::string why = bit == wire::posture_cgroup && !present ? launch.no_cgroups : "";
        return ports::IsolationLayer{name, present, left_out ? "left out by isolation.without" : why};
    };
    return {layer("own_user", wire::posture_own_user),
            layer("namespaces", wire::posture_namespaces),
            layer("landlock", wire::posture_landlock_files),
            layer("landlock_network", wire::posture_landlock_network),
            layer("landlock_scope", wire::posture_landlock_scope),
            layer("cgroup", wire::posture_cgroup),
            layer("seccomp", wire::posture_seccomp)};
}

}  // namespace

IsolationPosture measure_posture(const config::HostConfig::Isolation& settings, ports::LogSink& log) {
    IsolationPosture posture;
    const auto launch = prepare_launch(settings, -1, log);
    if (!launch) {
        posture.level = "none";
        posture.problem = clean_message(launch.error().context);
        return posture;
    }
    std::uint32_t bits = 0;
    for (std::uint32_t i = 0; i < wire::n_attempts; ++i) {
        const auto attempt = static_cast<Attempt>(i);
        const Ending full = attempt_once(*launch, attempt, SetupMode::probe, settings.load_timeout);
        const Ending behind = attempt_once(*launch, attempt, SetupMode::probe_without_filter, settings.load_timeout);
        posture.attempts.push_back(describe(attempt, full, behind));
        bits |= full.posture | behind.posture;
    }
    posture.layers = layers_from(bits, *launch);
    posture.level = posture.holds() ? std::string{level_of(bits)} : "none";
    return posture;
}

void log_posture(const IsolationPosture& posture, ports::LogSink& log) {
    std::vector<std::string> present;
    std::vector<std::string> absent;
    std::vector<std::string> worked;
    for (const auto& layer : posture.layers) (layer.present ? present : absent).push_back(layer.name);
    for (const auto& attempt : posture.attempts)
        if (!attempt.stopped) worked.push_back(attempt.name + " (" + attempt.by + ")");
    const bool holds = posture.holds();
    log.log(
        holds ? ports::LogLevel::info : ports::LogLevel::error, "host", "host_isolation_posture",
        holds ? "every attempt of the built-in hostile rule was stopped" : "the sandbox of rules does not hold; see varde doctor",
        {{"level", posture.level},
         {"layers", fmt::format("{}", fmt::join(present, " "))},
         {"absent", fmt::format("{}", fmt::join(absent, " "))},
         {"attempts", static_cast<std::int64_t>(posture.attempts.size())},
         {"worked", posture.problem.empty() ? fmt::format("{}", fmt::join(worked, "; ")) : posture.problem}});
}

}  // namespace varde::evaluate
