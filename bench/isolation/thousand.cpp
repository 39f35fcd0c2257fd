#include "thousand.hpp"

#include "evaluate/evaluation_engine.hpp"
#include "fakes/log_sink.hpp"
#include "plugin_copies.hpp"
#include "plugins/directory_catalogue.hpp"

#include <sys/resource.h>
#include <filesystem>
#include <fstream>

#include <fmt/format.h>

namespace varde::bench {
namespace {

constexpr std::size_t kPlugins = 1'000;
constexpr double kGoalSeconds = 2;
constexpr double kGoalMegabytes = 0.6;  // PSS

std::size_t open_descriptors() {
    return static_cast<std::size_t>(
        std::distance(std::filesystem::directory_iterator{"/proc/self/fd"}, std::filesystem::directory_iterator{}));
}

void raise_descriptor_limit() {
    rlimit limit{};
    ::getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &limit);
}

/// User and system time of this process, in ms.
double own_cpu() {
    rusage usage{};
    ::getrusage(RUSAGE_SELF, &usage);
    const auto milliseconds = [](const timeval& time) {
        return static_cast<double>(time.tv_sec) * 1e3 + static_cast<double>(time.tv_usec) / 1e3;
    };
    return milliseconds(usage.ru_utime) + milliseconds(usage.ru_stime);
}

/// CPU time of a process since it began, in ms.
double cpu_of(int pid) {
    std::ifstream file{fmt::format("/proc/{}/schedstat", pid)};
    double nanoseconds = 0;
    file >> nanoseconds;
    return nanoseconds / 1e6;
}

/// In kB; 0 if it cannot be read, which takes root because a worker has a user of its own.
double pss_of(int pid) {
    std::ifstream file{fmt::format("/proc/{}/smaps_rollup", pid)};
    for (std::string word; file >> word;) {
        double kilobytes = 0;
        if (word == "Pss:" && file >> kilobytes) return kilobytes;
    }
    return 0;
}

}  // namespace

void load_a_thousand(Goals& goals) {
    raise_descriptor_limit();
    const PluginCopies copies{std::filesystem::path{VARDE_BENCH_RULES} / "copy-0000.so", "copy-0000", kPlugins};
    fakes::LogSink sink;
    config::HostConfig::Isolation settings;
    settings.worker_path = VARDE_WORKER;
    const std::size_t before = open_descriptors();

    const double own_cpu_before = own_cpu();
    const auto start = Clock::now();
    const auto seconds = [&] { return std::chrono::duration<double>{Clock::now() - start}.count(); };
    plugins::DirectoryCatalogue catalogue{copies.folder()};
    auto found = catalogue.scan();
    if (!found) give_up(found.error().context);
    if (found->plugins.size() != kPlugins) give_up(fmt::format("{} of {} plugins found", found->plugins.size(), kPlugins));
    const double scanned = seconds();
    evaluate::EvaluationEngine engine{nullptr, settings, sink};
    std::vector<ports::RuleSpec> specs(kPlugins);
    for (std::size_t i = 0; i < kPlugins; ++i) specs[i].plugin = found->plugins[i];
    for (const auto& failure : engine.configure(specs))
        if (failure) give_up(failure->message);
    const double ready = seconds();
    const double own_cpu_after = own_cpu();
    const std::size_t after = open_descriptors();

    std::vector<double> cpu, pss;
    for (const ports::RuleSpec& spec : specs) {
        const int pid = engine.worker_pid(spec.plugin.rule_id);
        cpu.push_back(cpu_of(pid));
        pss.push_back(pss_of(pid));
    }
    fmt::print("{} plugins: found after {:.2f} s, all ready after {:.2f} s; CPU of a start: worker {:.2f} ms, host {:.2f} ms\n",
               kPlugins, scanned, ready, median(cpu), (own_cpu_after - own_cpu_before) / static_cast<double>(kPlugins));
    goals.at_most("start to ready", ready, kGoalSeconds, "s");
    fmt::print("PSS of a worker: p50 {:.0f} kB, p99 {:.0f} kB; descriptors in the host: {:.2f} a worker\n", median(pss),
               quantile(pss, 0.99), static_cast<double>(after - before) / static_cast<double>(kPlugins));
    if (median(pss) == 0) return fmt::print("  PSS can be read by root only\n");
    goals.at_most("PSS of a worker, p50", median(pss) / 1024, kGoalMegabytes, "MiB");
}

}  // namespace varde::bench
