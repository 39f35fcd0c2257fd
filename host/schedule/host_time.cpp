#include "schedule/host_time.hpp"

#include <ctime>

namespace varde::schedule {
namespace {

using core::Instant;
using core::Microseconds;

std::int64_t ms(Microseconds duration) { return std::chrono::duration_cast<std::chrono::milliseconds>(duration).count(); }

}  // namespace

Microseconds HostTime::since_boot() {
    timespec now{};
    ::clock_gettime(CLOCK_BOOTTIME, &now);
    return std::chrono::seconds{now.tv_sec} + std::chrono::duration_cast<Microseconds>(std::chrono::nanoseconds{now.tv_nsec});
}

Instant HostTime::now() const {
    const std::lock_guard lock{mutex_};
    return sample_ ? sample_->database + (since_boot() - sample_->boot) : host_.now();
}

void HostTime::watch_host_clock() {
    const auto offset = host_.now().time_since_epoch() - since_boot();
    const auto before = std::exchange(host_minus_boot_, offset);
    if (!before) return;
    const auto step = offset - *before;
    if (step > -kLeastStep && step < kLeastStep) return;
    log_.log(ports::LogLevel::warning, "schedule", "clock_stepped",
             step.count() > 0 ? "this host's clock went forward: slots in between are late, and their catch-up policies decide"
                              : "this host's clock went back: no slot that was decided comes again",
             {{"step_ms", ms(step)}});
}

core::Result<void> HostTime::sample() {
    const auto asked = since_boot();
    const auto database = runs_.database_now();
    const auto answered = since_boot();
    const std::lock_guard lock{mutex_};
    watch_host_clock();
    if (!database) return tl::unexpected{database.error()};
    if (!*database) return {};
    // Half of the round trip has passed since the database looked at its clock, more or less.
    const auto boot = asked + (answered - asked) / 2;
    const auto skew = host_.now() - **database;
    const bool skewed = skew > kMostSkew || skew < -kMostSkew;
    if (skewed != std::exchange(skewed_, skewed)) {
        log_.log(skewed ? ports::LogLevel::warning : ports::LogLevel::info, "schedule", "clock_skew",
                 skewed ? "this host's clock and the database's differ; schedules go by the database's"
                        : "this host's clock and the database's agree again",
                 {{"skew_ms", ms(skew)}});
    }
    sample_ = Sample{**database, boot};
    return {};
}

}  // namespace varde::schedule
