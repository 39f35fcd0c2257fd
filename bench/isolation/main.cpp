// What a window from the live columns costs, what isolation adds to a call, and what it costs when a rule crashes or there are many.
// Direct and isolated calls are made in turns on one CPU, in one run; ratios are of medians.
//   bench_isolation [PART]   PART: calls, wakes, crash or thousand
#include "crash.hpp"
#include "report.hpp"
#include "thousand.hpp"
#include "window_bench.hpp"

#include <algorithm>
#include <functional>
#include <string_view>

#include <fmt/format.h>

namespace {

using namespace varde::bench;

constexpr int kRounds = 41;
constexpr std::size_t kWindows = 32;
constexpr std::size_t kEvents = 10'000;
constexpr std::size_t kGroup = 20;

const std::string kMotion = R"({"motion_categories":["motion"],"motion_on_value":"on"})";

WindowBench::RuleFile rule(const std::string& id) { return {fmt::format("{}/{}.so", VARDE_BENCH_RULES, id)}; }

void window_copies(WindowBench& bench) {
    std::vector<double> copies, plain;
    std::vector<std::byte> source(bench.image_bytes() * bench.windows()), target(source.size());
    for (int round = 0; round < kRounds; ++round) {
        copies.push_back(nanoseconds_of([&] { bench.write_windows(); }));
        plain.push_back(nanoseconds_of([&] { std::ranges::copy(source, target.begin()); }));
    }
    const double events = static_cast<double>(bench.windows() * bench.events());
    fmt::print(
        "window of {:6} events from the live columns: {:5.2f} ns an event, memcpy of the same bytes {:5.2f}: ratio {:.2f}\n",
        bench.events(), median(copies) / events, median(plain) / events, median(copies) / median(plain));
}

/// R-001 over windows in which nothing is active, so that it reads every row.
void calls(Quiet& quiet, std::size_t n_events) {
    WindowBench bench{{{VARDE_R001, kMotion}}, kWindows, n_events};
    window_copies(bench);
    std::vector<double> direct_times, batched_times, single_times;
    for (int round = 0; round < kRounds; ++round) {
        quiet.watch([&] {
            direct_times.push_back(nanoseconds_of([&] {
                for (std::size_t i = 0; i < kWindows; ++i) bench.direct(i);
            }));
        });
        batched_times.push_back(nanoseconds_of([&] { bench.isolated_all(); }));
        single_times.push_back(nanoseconds_of([&] {
            for (std::size_t i = 0; i < kWindows; ++i) bench.isolated(i);
        }));
    }
    const auto line = [&](const char* how, const std::vector<double>& times) {
        fmt::print("isolated evaluation of {:6} events, {}: {}; direct call {}: ratio {:.3f}\n", n_events, how,
                   p50_p99(times, kWindows), p50_p99(direct_times, kWindows), median(times) / median(direct_times));
    };
    line("32 in one request", batched_times);
    line("one a request    ", single_times);
}

/// Times of single wakes: every rule of `rules` over one window.
struct Wakes {
    std::vector<double> direct, isolated;
    [[nodiscard]] double ratio() const { return median(isolated) / median(direct); }
    [[nodiscard]] double added(double share) const { return quantile(isolated, share) - quantile(direct, share); }
    void print(const char* name) const {
        fmt::print("{}: isolated {}; direct {}: ratio {:.3f}\n", name, p50_p99(isolated), p50_p99(direct), ratio());
    }
};

Wakes wakes(Quiet& quiet, const std::vector<WindowBench::RuleFile>& rules, int rounds) {
    WindowBench bench{rules, kWindows, kEvents};
    Wakes times;
    for (int round = 0; round < rounds; ++round) {
        quiet.watch([&] {
            for (std::size_t i = 0; i < kWindows; ++i) times.direct.push_back(nanoseconds_of([&] { bench.direct(i); }));
        });
        for (std::size_t i = 0; i < kWindows; ++i) times.isolated.push_back(nanoseconds_of([&] { bench.isolated(i); }));
    }
    return times;
}

void fixed_cost(Quiet& quiet, Goals& goals) {
    const Wakes times = wakes(quiet, {rule("nothing")}, 300);
    times.print("a rule that looks at nothing, one a wake");
    fmt::print("fixed cost of a wake: p50 {:.2f} us, p99 {:.2f} us\n", times.added(0.5) / 1e3, times.added(0.99) / 1e3);
    goals.at_most("fixed cost of a wake, p50", times.added(0.5) / 1e3, 10, "us");
}

void column_rules(Quiet& quiet, Goals& goals) {
    wakes(quiet, {rule("column-1")}, 30).print("one column rule a wake  ");
    std::vector<WindowBench::RuleFile> rules;
    for (std::size_t i = 1; i <= kGroup; ++i) rules.push_back(rule(fmt::format("column-{}", i)));
    const Wakes times = wakes(quiet, rules, 60);
    times.print("20 column rules in a wake");
    goals.at_most("20 column rules in a wake / the sum of direct calls", times.ratio(), 1.10, "");
}

void substring_rule(Quiet& quiet, Goals& goals) {
    const Wakes times = wakes(quiet, {rule("substring")}, 100);
    times.print("a substring rule over every payload");
    goals.at_most("a substring rule / the direct call", times.ratio(), 1.10, "");
}

}  // namespace

int main(int argc, char** argv) {
    const std::string_view only = argc > 1 ? argv[1] : "";
    Quiet quiet;
    Goals goals;
    const auto part = [&](std::string_view name, const std::function<void()>& run) {
        if (!only.empty() && only != name) return;
        quiet.look_around();
        run();
        quiet.look_around();
        std::fflush(stdout);
    };
    part("calls", [&] {
        for (const std::size_t n_events : {kEvents, std::size_t{100}}) calls(quiet, n_events);
    });
    part("wakes", [&] {
        fixed_cost(quiet, goals);
        column_rules(quiet, goals);
        substring_rule(quiet, goals);
    });
    part("crash", [&] { crash_and_go_on(goals); });
    part("thousand", [&] { load_a_thousand(goals); });
    quiet.print();
    goals.print();
    return goals.exit_code();
}
