#include "schedule/host_lease.hpp"

#include "schedule/attempt_end.hpp"
#include "schedule/host_identity.hpp"

#include <algorithm>

namespace varde::schedule {
namespace {

using core::Microseconds;
using Steady = std::chrono::steady_clock;

constexpr std::chrono::seconds kReapEvery{2};
constexpr std::chrono::seconds kCleanOn{1};  ///< after a full batch
constexpr std::chrono::minutes kCleanEvery{10};
constexpr std::int64_t kCleanBatch = 5'000;

}  // namespace

HostLease::HostLease(const config::HostConfig::Jobs& settings, ports::RunRepository& runs, HostTime& time, const DispatchLog& log,
                     StoreHealth& health, bool alone, Events events)
    : settings_{settings}, runs_{runs}, time_{time}, log_{log}, health_{health}, alone_{alone}, events_{std::move(events)} {}

void HostLease::start() {
    thread_ = std::thread{[this] { loop(); }};
}

void HostLease::stop() {
    {
        const std::lock_guard lock{mutex_};
        stopping_ = true;
    }
    wake_.notify_all();
    if (!thread_.joinable()) return;
    thread_.join();
    if (const auto self = host()) (void)runs_.forget_host(self->host_id);  // without it the list shows a host that is silent
}

void HostLease::hint() {
    {
        const std::lock_guard lock{mutex_};
        hinted_ = true;
    }
    wake_.notify_all();
}

std::optional<ports::JobHost> HostLease::host() const {
    const std::lock_guard lock{mutex_};
    return host_;
}

void HostLease::loop() {
    auto reap_at = Steady::now();
    auto clean_at = Steady::now();
    while (true) {
        health_.note("reading the database's clock", time_.sample());
        if (const auto self = host()) {
            beat(*self);
        } else {
            enlist();
        }
        if (host() && Steady::now() >= reap_at) {
            reap(false);
            reap_at = Steady::now() + kReapEvery;
        }
        if (host() && Steady::now() >= clean_at) clean_at = Steady::now() + clean();
        const auto wait = std::min<Microseconds>(settings_.lease / 3, host() ? Microseconds{kReapEvery} : settings_.poll);
        std::unique_lock lock{mutex_};
        wake_.wait_for(lock, wait, [this] { return stopping_ || hinted_; });
        hinted_ = false;
        if (stopping_) return;
    }
}

void HostLease::enlist() {
    const auto asked = HostTime::since_boot();
    const auto host = runs_.register_host(random_id(), host_name(), time_.now());
    health_.note("registering this host", host);
    if (!host) return;
    confirmed_ = asked;
    // Nobody else can be at work: what is marked as running is what the last host left.
    if (alone_) reap(true);
    {
        const std::lock_guard lock{mutex_};
        host_ = *host;
    }
    log_.working(*host, settings_.workers, alone_);
    events_.enlisted();
}

void HostLease::beat(const ports::JobHost& host) {
    const auto asked = HostTime::since_boot();
    const auto renewed = runs_.renew(host.host_id, host.epoch, time_.now(), settings_.lease);
    health_.note("renewing leases", renewed);
    if (renewed && renewed->known) {
        confirmed_ = asked;
        for (const auto id : renewed->cancel_requested) events_.cancel(id);
        return;
    }
    const auto silent = HostTime::since_boot() - confirmed_;
    if (renewed || silent >= Microseconds{settings_.lease} * 4 / 5) fence(host, silent);
}

void HostLease::fence(const ports::JobHost& host, Microseconds silent) {
    {
        const std::lock_guard lock{mutex_};
        host_.reset();
    }
    events_.fenced();
    log_.fenced(host, silent);
}

void HostLease::reap(bool all) {
    const auto now = time_.now();
    const auto lost = runs_.reap(now, settings_.batch, all, [&](const ports::ClaimedRun& run) { return owner_lost(run, now); });
    health_.note("looking for runs of hosts that went away", lost);
    if (!lost) return;
    for (const auto& run : *lost) log_.run_lost(run);
    if (!lost->empty()) events_.reaped();
}

Steady::duration HostLease::clean() {
    const auto deleted = runs_.cleanup(time_.now() - settings_.keep_runs, {}, kCleanBatch);
    health_.note("deleting old runs", deleted);
    if (deleted && *deleted > 0) log_.cleaned_up(*deleted);
    return deleted && *deleted == kCleanBatch ? Steady::duration{kCleanOn} : Steady::duration{kCleanEvery};
}

}  // namespace varde::schedule
