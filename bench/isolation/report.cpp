#include "report.hpp"

#include <algorithm>
#include <cstdlib>
#include <fstream>

#include <fmt/format.h>
#include <unistd.h>

namespace varde::bench {
namespace {

constexpr double kBusyRunDelay = 0.01;  // of the time of direct calls
constexpr double kBusyOthers = 0.15;    // CPUs
constexpr std::chrono::milliseconds kLook{200};

/// CPU time that anybody had since the machine started, and what the hypervisor took away.
std::chrono::nanoseconds busy_time() {
    std::ifstream file{"/proc/stat"};
    std::string name;
    std::int64_t user = 0, nice = 0, system = 0, idle = 0, waiting = 0, interrupts = 0, soft_interrupts = 0, stolen = 0;
    file >> name >> user >> nice >> system >> idle >> waiting >> interrupts >> soft_interrupts >> stolen;
    const auto ticks = user + nice + system + interrupts + soft_interrupts + stolen;
    return std::chrono::nanoseconds{ticks * (1'000'000'000 / ::sysconf(_SC_CLK_TCK))};
}

double milliseconds(std::chrono::nanoseconds time) { return std::chrono::duration<double, std::milli>{time}.count(); }

}  // namespace

void give_up(const std::string& what) {
    fmt::print(stderr, "bench_isolation: {}\n", what);
    std::exit(1);
}

double quantile(std::vector<double> values, double share) {
    const auto place = std::min(values.size() - 1, static_cast<std::size_t>(static_cast<double>(values.size()) * share));
    const auto at = values.begin() + static_cast<std::ptrdiff_t>(place);
    std::ranges::nth_element(values, at);
    return *at;
}

std::string p50_p99(const std::vector<double>& nanoseconds, double per) {
    return fmt::format("p50 {:8.2f} us, p99 {:8.2f} us", quantile(nanoseconds, 0.5) / per / 1e3,
                       quantile(nanoseconds, 0.99) / per / 1e3);
}

std::chrono::nanoseconds run_delay() {
    std::ifstream file{"/proc/thread-self/schedstat"};
    std::int64_t cpu = 0;
    std::int64_t delay = 0;
    file >> cpu >> delay;
    return std::chrono::nanoseconds{delay};
}

Quiet::Quiet() : thread_at_start_{run_delay()} { ::getloadavg(&load_, 1); }

void Quiet::look_around() {
    const auto busy = busy_time();
    const auto start = Clock::now();
    while (Clock::now() - start < kLook) {
    }
    const std::chrono::duration<double> wall = Clock::now() - start;
    const std::chrono::duration<double> all = busy_time() - busy;
    others_ = std::max(others_, all / wall - 1);
}

void Quiet::print() const {
    const double share =
        watched_.count() == 0 ? 0 : static_cast<double>(delayed_.count()) / static_cast<double>(watched_.count());
    fmt::print("run-delay: {:.1f} ms in {:.0f} ms of direct calls ({:.2f} %), {:.0f} ms in all; ", milliseconds(delayed_),
               milliseconds(watched_), share * 100, milliseconds(run_delay() - thread_at_start_));
    fmt::print("other work: at most {:.2f} CPUs; load at the start {:.2f}\n", others_, load_);
    if (share >= kBusyRunDelay || others_ >= kBusyOthers) fmt::print("the machine was busy: these figures do not count\n");
}

void Goals::at_most(const std::string& name, double value, double limit, const std::string& unit) {
    if (value <= limit) return fmt::print("  goal reached: {} {:.3g} <= {:.3g} {}\n", name, value, limit, unit);
    missed_.push_back(fmt::format("goal missed: {} {:.3g} > {:.3g} {}", name, value, limit, unit));
    fmt::print("  {}\n", missed_.back());
}

void Goals::print() const {
    for (const std::string& one : missed_) fmt::print("{}\n", one);
    if (missed_.empty()) fmt::print("every goal was reached\n");
}

}  // namespace varde::bench
