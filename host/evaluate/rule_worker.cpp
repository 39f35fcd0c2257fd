#include "evaluate/rule_worker.hpp"

#include "evaluate/worker_death.hpp"

#include <algorithm>
#include <cstring>

namespace varde::evaluate {
namespace {

using core::Failed;
using core::Phase;
using std::chrono::nanoseconds;
using Clock = std::chrono::steady_clock;  // CLOCK_MONOTONIC, as the worker's marker

Failed spawn_failed(const core::Error& error) {
    return Failed{core::FailureReason::spawn_failed, Phase::spawn, clean_message(error.context), 0, 0, {}};
}

void copy_text(char (&to)[32], const std::string& from) { std::memcpy(to, from.data(), std::min(from.size(), sizeof to - 1)); }

wire::SetupMessage setup_of(const ports::Plugin& plugin, const RuleLimits& limits, std::size_t batch_bytes) {
    wire::SetupMessage setup{};
    setup.magic = wire::setup_magic;
    setup.abi_major = plugin.abi_major;
    setup.abi_minor_needed = plugin.abi_minor_needed;
    setup.memory_bytes = limits.memory_bytes;
    setup.batch_bytes = batch_bytes;
    copy_text(setup.rule_id, plugin.rule_id);
    copy_text(setup.version, plugin.version);
    copy_text(setup.sdk, plugin.sdk);
    return setup;
}

}  // namespace

std::variant<RuleWorker, Failed> RuleWorker::start(const WorkerHouse& house, const ports::Plugin& plugin,
                                                   const RuleLimits& limits) {
    auto channel = ControlChannel::make();
    if (!channel) return spawn_failed(channel.error());
    auto process = WorkerProcess::spawn(house.program, house.cpu);
    if (!process) return spawn_failed(process.error());
    channel->expect();
    const auto sent = process->send_setup(setup_of(plugin, limits, house.batch.bytes().size()),
                                          {plugin.bytes->fd(), house.batch.fd(), channel->control_fd(),
                                           channel->worker_request_fd(), channel->worker_response_fd()});
    channel->close_worker_end();
    RuleWorker worker{std::move(*process), std::move(*channel), house, limits};
    if (!sent) return worker.bury(Phase::spawn, false, {});
    if (auto failure = worker.load()) return std::move(*failure);
    return worker;
}

std::optional<Failed> RuleWorker::load() {
    if (auto failure = await_one(Phase::load)) return failure;
    wire::ByteReader in{channel_.copy_response()};
    const auto kind = in.take<wire::ResponseKind>();
    if (kind == wire::ResponseKind::done) {
        posture_ = in.take<std::uint32_t>();
        if (in.ok()) return std::nullopt;
    }
    wire::Fault fault;
    wire::take(in, fault);
    if (kind != wire::ResponseKind::fault || !in.ok()) return convict("malformed answer to load");
    alive_ = false;
    return failure_of(fault, Phase::load, limits_.memory_bytes);
}

std::variant<wire::Declarations, Failed> RuleWorker::create(std::uint32_t slot, const wire::ParamsTree& params,
                                                            const std::vector<std::string>& unknown_zones) {
    wire::ByteWriter out = channel_.request();
    out.put(wire::RequestKind::create);
    out.put(slot);
    wire::put(out, params);
    wire::put_texts(out, unknown_zones);
    if (!out.ok())
        return Failed{core::FailureReason::create_failed, Phase::create, "the parameters are larger than 1 MiB", 0, 0, {}};
    if (!channel_.ring(out.size())) return bury(Phase::create, false, {});
    if (auto failure = await_one(Phase::create)) return std::move(*failure);
    wire::ByteReader in{channel_.copy_response()};
    if (in.take<wire::ResponseKind>() == wire::ResponseKind::done) {
        wire::Declarations declarations;
        wire::take(in, declarations);
        if (in.ok()) return declarations;
        return convict("malformed declarations");
    }
    wire::Fault fault;
    wire::take(in, fault);
    if (!in.ok()) return convict("malformed answer to create");
    return failure_of(fault, Phase::create, limits_.memory_bytes);
}

std::optional<Failed> RuleWorker::destroy(std::uint32_t slot) {
    wire::ByteWriter out = channel_.request();
    out.put(wire::RequestKind::destroy);
    out.put(slot);
    if (!channel_.ring(out.size())) return bury(Phase::destroy, false, {});
    return await_one(Phase::destroy);
}

std::size_t RuleWorker::write_items(std::uint32_t slot, const wire::Binding& binding, std::span<const wire::Item> items,
                                    std::size_t& size) {
    wire::ByteWriter out = channel_.request();
    out.put(wire::RequestKind::evaluate);
    out.put(slot);
    out.put(static_cast<std::uint64_t>(nanoseconds{limits_.timeout}.count()));
    wire::put(out, binding);
    const std::size_t count_at = out.size();
    out.put(std::uint32_t{0});
    std::uint32_t written = 0;
    std::size_t end = out.size();
    for (const wire::Item& item : items) {
        wire::put(out, item);
        if (!out.ok()) break;
        end = out.size();
        ++written;
    }
    out.rewind(count_at);
    out.put(written);
    size = end;
    return written;
}

RuleWorker::Answers RuleWorker::ask(std::uint32_t slot, const wire::Binding& binding, std::span<const wire::Item> items) {
    Answers answers;
    std::size_t size = 0;
    const std::size_t asked = write_items(slot, binding, items, size);
    if (!channel_.ring(size)) {
        answers.failure = bury(Phase::evaluate, false, {});
        return answers;
    }
    answers.failure = await_items(asked);
    answers.completed = std::min<std::size_t>(channel_.completed(), asked);
    answers.records = channel_.copy_response();
    if (!answers.failure && answers.completed == 0) answers.failure = convict("answered no item of a request");
    // A worker that claims to have finished everything and then dies: the last item is to blame, its answer does not count.
    if (answers.failure && answers.completed == asked) answers.completed = asked - 1;
    return answers;
}

std::optional<Failed> RuleWorker::await_one(Phase phase) {
    const auto deadline = Clock::now() + load_timeout_;
    for (;;) {
        const auto now = Clock::now();
        switch (channel_.wait(process_.pidfd(), deadline - now)) {
            case ControlChannel::Heard::answer:
                // The load is the one answer that no request was sent for.
                if (phase == Phase::load || channel_.answer_is_current()) return std::nullopt;
                return convict("answered a request that was not asked");
            case ControlChannel::Heard::death: return bury(phase, false, load_timeout_);
            case ControlChannel::Heard::timeout:
                if (Clock::now() >= deadline) return bury(phase, true, load_timeout_);
        }
    }
}

// The deadline is each item's own. The worker's marker says which item is in flight and since when; it can only gain time by moving
// on, and that at most once per item.
std::optional<Failed> RuleWorker::await_items(std::size_t n_items) {
    std::uint32_t seen = 0;
    auto since = Clock::now();
    for (;;) {
        const auto heard = channel_.wait(process_.pidfd(), since + limits_.timeout - Clock::now());
        if (heard == ControlChannel::Heard::answer) {
            if (channel_.answer_is_current()) return std::nullopt;
            return convict("answered a request that was not asked");
        }
        if (heard == ControlChannel::Heard::death) return bury(Phase::evaluate, false, limits_.timeout);
        const auto now = Clock::now();
        if (now < since + limits_.timeout) continue;
        const std::uint32_t started = channel_.started();
        if (started <= seen || started > n_items) return bury(Phase::evaluate, true, limits_.timeout);
        seen = started;
        const Clock::time_point begun{nanoseconds{static_cast<std::int64_t>(channel_.started_ns())}};
        since = std::clamp(begun, since, now);
    }
}

Failed RuleWorker::bury(Phase phase, bool killed_at_deadline, std::chrono::milliseconds limit) {
    alive_ = false;
    Obituary obituary;
    if (killed_at_deadline) process_.kill();
    obituary.exit = process_.reap();
    if (obituary.exit.lost && !killed_at_deadline) {  // it closed its pipe and lives on
        process_.kill();
        process_.reap();
        return Failed{core::FailureReason::protocol, phase, "the worker closed its channel", 0, 0, {}};
    }
    obituary.crash = channel_.crash();
    // Before the library is opened it is our own code that failed.
    obituary.phase = phase == Phase::load && channel_.phase() == wire::phase_idle ? Phase::spawn : phase;
    obituary.killed_at_deadline = killed_at_deadline;
    obituary.limit = limit;
    obituary.memory_bytes = limits_.memory_bytes;
    obituary.log_tail = process_.take_log();
    return failure_of(obituary);
}

Failed RuleWorker::convict(const std::string& what) {
    alive_ = false;
    process_.kill();
    process_.reap();
    return Failed{
        core::FailureReason::protocol, Phase::evaluate, clean_message("the worker broke the protocol: " + what), 0, 0, {}};
}

}  // namespace varde::evaluate
