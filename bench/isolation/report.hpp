#pragma once
#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace varde::bench {

using Clock = std::chrono::steady_clock;

[[noreturn]] void give_up(const std::string& what);

template <class Work>
double nanoseconds_of(Work&& work) {
    const auto start = Clock::now();
    work();
    return std::chrono::duration<double, std::nano>{Clock::now() - start}.count();
}

/// The value below which that share (0 .. 1) of `values` lies; `values` is not empty.
[[nodiscard]] double quantile(std::vector<double> values, double share);
[[nodiscard]] inline double median(const std::vector<double>& values) { return quantile(values, 0.5); }
/// "p50 6.81 us, p99 9.70 us" from nanoseconds.
[[nodiscard]] std::string p50_p99(const std::vector<double>& nanoseconds, double per = 1);

/// Time that the calling thread was ready to run and had no CPU, since it began.
[[nodiscard]] std::chrono::nanoseconds run_delay();

/// Whether the machine had other work.
class Quiet {
  public:
    Quiet();
    /// Runs `direct`, watching how long this thread had to wait for its CPU. For direct calls only: beside an isolated one it waits for the
    /// worker.
    template <class Work>
    void watch(Work&& direct) {
        const auto delay = run_delay();
        const auto start = Clock::now();
        direct();
        watched_ += Clock::now() - start;
        delayed_ += run_delay() - delay;
    }
    /// Takes a fifth of a second and sees what else runs meanwhile, on any CPU.
    void look_around();
    /// One line: run-delay, other work and load, and whether the figures count.
    void print() const;

  private:
    double load_ = 0;  ///< of the last minute, at the start
    std::chrono::nanoseconds thread_at_start_;
    std::chrono::nanoseconds watched_{0};
    std::chrono::nanoseconds delayed_{0};
    double others_ = 0;  ///< the most CPUs that anything else had
};

/// Which goals were reached.
class Goals {
  public:
    /// Prints "  goal: NAME VALUE <= LIMIT UNIT" or the same as missed.
    void at_most(const std::string& name, double value, double limit, const std::string& unit);
    [[nodiscard]] int exit_code() const { return missed_.empty() ? 0 : 1; }
    void print() const;

  private:
    std::vector<std::string> missed_;
};

}  // namespace varde::bench
