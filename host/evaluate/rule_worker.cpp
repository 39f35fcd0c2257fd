#include "evaluate/rule_worker.hpp"

#include <algorithm>
#include <cstring>
#include <thread>

namespace varde::evaluate {
namespace {

using core::Failed;
using core::Phase;
using std::chrono::milliseconds;
using std::chrono::nanoseconds;
using Clock = std::chrono::steady_clock;  // CLOCK_MONOTONIC, as the worker's marker

/// What a rule at its deadline gets to store its stack. A signal that is not blocked arrives within microseconds.
constexpr milliseconds stack_patience{10};
/// A dying process closes its pipes a little before its end can be waited for; one that closed them and lives on is ended.
constexpr milliseconds closing_patience{50};
constexpr milliseconds kill_patience{1000};
/// How soon a job's host notices that its run is to end.
constexpr milliseconds look_for_stop{50};

Failed spawn_failed(const core::Error& error) {
    return Failed{core::FailureReason::spawn_failed, Phase::spawn, clean_message(error.context), 0, 0, {}};
}

void copy_text(char (&to)[32], const std::string& from) { std::memcpy(to, from.data(), std::min(from.size(), sizeof to - 1)); }

wire::SetupPlugin setup_of(const ports::Plugin& plugin) {
    wire::SetupPlugin setup{};
    setup.abi_major = plugin.abi_major;
    setup.abi_minor_needed = plugin.abi_minor_needed;
    copy_text(setup.rule_id, plugin.rule_id);
    copy_text(setup.version, plugin.version);
    copy_text(setup.sdk, plugin.sdk);
    return setup;
}

}  // namespace

std::variant<RuleWorker, Failed> RuleWorker::start(WorkerNursery& nursery, std::span<const ports::Plugin* const> plugins,
                                                   const Limits& limits, wire::SetupMode mode) {
    auto channel = ControlChannel::make();
    if (!channel) return spawn_failed(channel.error());
    auto process = nursery.take();
    if (!process) return spawn_failed(process.error());
    if (auto confined = process->confine(nursery.launch(), limits.memory_bytes); !confined) return spawn_failed(confined.error());
    channel->expect();
    const wire::SetupMessage head{wire::setup_magic, mode, static_cast<std::uint32_t>(plugins.size()), {}, limits.memory_bytes};
    std::vector<wire::SetupPlugin> facts;
    std::vector<int> descriptors{channel->control_fd(), channel->worker_request_fd(), channel->worker_response_fd()};
    for (const ports::Plugin* plugin : plugins) {
        facts.push_back(setup_of(*plugin));
        descriptors.push_back(plugin->bytes->fd());
    }
    const auto sent = process->send_setup(head, facts, descriptors);
    channel->close_worker_end();
    RuleWorker worker{std::move(*process), std::move(*channel), limits, plugins.size()};
    if (mode == wire::SetupMode::job) worker.subject_ = "job";
    if (!sent) return worker.bury(Phase::spawn, nullptr, Obituary::Kill::none);
    return worker;
}

std::variant<std::vector<std::optional<Failed>>, Failed> RuleWorker::finish_load() {
    if (auto failure = await_one(Phase::load)) return std::move(*failure);
    wire::ByteReader in{channel_.copy_response()};
    const auto kind = in.take<wire::ResponseKind>();
    posture_ = in.take<std::uint32_t>();
    if (process_.in_cgroup()) posture_ |= wire::posture_cgroup;
    const auto count = in.take<std::uint32_t>();
    if (kind != wire::ResponseKind::done || count != n_plugins_)
        return convict(core::FailureReason::protocol, "malformed answer to load");
    std::vector<std::optional<Failed>> failures(count);
    for (auto& failure : failures) {
        if (in.take<std::uint32_t>() == 0) continue;
        wire::Fault fault;
        wire::take(in, fault);
        failure = failure_of(fault, Phase::load, limits_.memory_bytes);
    }
    if (!in.ok()) return convict(core::FailureReason::protocol, "malformed answer to load");
    return failures;
}

std::variant<wire::Declarations, Failed> RuleWorker::create(std::uint32_t plugin, std::uint32_t slot,
                                                            const wire::ParamsTree& params,
                                                            const std::vector<std::string>& unknown_zones) {
    wire::ByteWriter out = channel_.request();
    out.put(wire::RequestKind::create);
    out.put(plugin);
    out.put(slot);
    wire::put(out, params);
    wire::put_texts(out, unknown_zones);
    if (!out.ok())
        return Failed{core::FailureReason::create_failed, Phase::create, "the parameters are larger than 1 MiB", 0, 0, {}};
    if (!channel_.ring(out.size())) return bury(Phase::create, nullptr, Obituary::Kill::none);
    if (auto failure = await_one(Phase::create)) return std::move(*failure);
    wire::ByteReader in{channel_.copy_response()};
    if (in.take<wire::ResponseKind>() == wire::ResponseKind::done) {
        wire::Declarations declarations;
        wire::take(in, declarations);
        if (in.ok()) return declarations;
        return convict(core::FailureReason::protocol, "malformed declarations");
    }
    wire::Fault fault;
    wire::take(in, fault);
    if (!in.ok()) return convict(core::FailureReason::protocol, "malformed answer to create");
    return failure_of(fault, Phase::create, limits_.memory_bytes);
}

std::optional<Failed> RuleWorker::selftest(std::uint32_t slot) {
    wire::ByteWriter out = channel_.request();
    out.put(wire::RequestKind::selftest);
    out.put(slot);
    if (!channel_.ring(out.size())) return bury(Phase::create, nullptr, Obituary::Kill::none);
    // Not as a load: that is the one answer that is taken without a request.
    if (auto failure = await_one(Phase::create)) {
        failure->phase = Phase::load;
        return failure;
    }
    wire::ByteReader in{channel_.copy_response()};
    if (in.take<wire::ResponseKind>() == wire::ResponseKind::done) return std::nullopt;
    wire::Fault fault;
    wire::take(in, fault);
    if (!in.ok()) return convict(core::FailureReason::protocol, "malformed answer to selftest");
    return failure_of(fault, Phase::load, limits_.memory_bytes);
}

std::variant<wire::JobEnd, Failed> RuleWorker::run_job(const wire::JobRequest& request, const std::stop_token& stop,
                                                       std::uint64_t max_log_bytes) {
    wire::ByteWriter out = channel_.request();
    out.put(wire::RequestKind::job);
    wire::put(out, request);
    if (!out.ok()) return Failed{core::FailureReason::input_too_large, Phase::evaluate, "the params are too large", 0, 0, {}};
    if (!channel_.ring(out.size())) return bury(Phase::evaluate, nullptr, Obituary::Kill::none);
    if (auto failure = await_job(stop, max_log_bytes)) return std::move(*failure);
    wire::ByteReader in{channel_.copy_response()};
    if (in.take<wire::ResponseKind>() == wire::ResponseKind::done) {
        wire::JobEnd end;
        wire::take(in, end);
        if (!in.ok()) return convict(core::FailureReason::protocol, "malformed answer to a run");
        end.error = clean_message(end.error);
        return end;
    }
    wire::Fault fault;
    wire::take(in, fault);
    if (!in.ok()) return convict(core::FailureReason::protocol, "malformed answer to a run");
    return failure_of(fault, Phase::evaluate, limits_.memory_bytes, "job");
}

// Whose time is over is told by `stop`: the deadline is its schedule's. Here it only counts for the words of the obituary.
std::optional<Failed> RuleWorker::await_job(const std::stop_token& stop, std::uint64_t max_log_bytes) {
    const auto begun = Clock::now();
    std::optional<Clock::time_point> end;
    for (;;) {
        const auto heard = channel_.wait(process_.pidfd(), look_for_stop);
        if (heard == ControlChannel::Heard::death) return bury(Phase::evaluate, nullptr, Obituary::Kill::none);
        if (channel_.log_bytes() > max_log_bytes)
            return convict(core::FailureReason::log_flood, "wrote more than isolation.max_log_bytes (" +
                                                               std::to_string(max_log_bytes) + ") to its log in one run");
        if (heard == ControlChannel::Heard::answer) {
            if (channel_.answer_is_current()) return std::nullopt;
            return convict(core::FailureReason::protocol, "answered a request that was not asked");
        }
        if (!stop.stop_requested()) continue;
        channel_.ask_to_stop();
        if (!end) end = Clock::now() + kJobStopPatience;
        if (Clock::now() < *end) continue;
        const WorkerDeadline over{Clock::now() - begun, begun};
        return bury(Phase::evaluate, &over, Obituary::Kill::deadline);
    }
}

std::optional<Failed> RuleWorker::destroy(std::uint32_t slot) {
    wire::ByteWriter out = channel_.request();
    out.put(wire::RequestKind::destroy);
    out.put(slot);
    if (!channel_.ring(out.size())) return bury(Phase::destroy, nullptr, Obituary::Kill::none);
    return await_one(Phase::destroy);
}

std::optional<Failed> RuleWorker::attach(const std::shared_ptr<WindowMemory>& memory) {
    if (attached_ == memory) return std::nullopt;
    if (!process_.send_descriptor(memory->fd())) return bury(Phase::create, nullptr, Obituary::Kill::none);
    wire::ByteWriter out = channel_.request();
    out.put(wire::RequestKind::attach);
    out.put(std::uint64_t{memory->bytes().size()});
    if (!channel_.ring(out.size())) return bury(Phase::create, nullptr, Obituary::Kill::none);
    if (auto failure = await_one(Phase::create)) return failure;
    wire::ByteReader in{channel_.copy_response()};
    if (in.take<wire::ResponseKind>() != wire::ResponseKind::done)
        return convict(core::FailureReason::protocol, "it did not take its window memory");
    attached_ = memory;
    return std::nullopt;
}

// As many items as the request area takes; the sections' order is kept.
std::size_t RuleWorker::write_sections(std::span<const Section> sections, std::size_t& size) {
    wire::ByteWriter out = channel_.request();
    out.put(wire::RequestKind::evaluate);
    const std::size_t count_at = out.size();
    std::uint32_t n_sections = 0;
    out.put(n_sections);
    std::size_t end = out.size();
    std::size_t items = 0;
    bool full = false;
    for (std::size_t i = 0; i < sections.size() && !full; ++i) {
        const Section& section = sections[i];
        const std::size_t head_at = end;
        wire::SectionHead head{section.slot, 0, static_cast<std::uint64_t>(nanoseconds{section.timeout}.count())};
        wire::put(out, head);
        wire::put(out, *section.binding);
        for (const wire::Item& item : section.items) {
            wire::put(out, item);
            full = !out.ok();
            if (full) break;
            end = out.size();
            ++head.n_items;
        }
        out.rewind(head_at);
        if (head.n_items == 0) break;
        wire::put(out, head);
        out.rewind(end);
        items += head.n_items;
        ++n_sections;
    }
    out.rewind(count_at);
    out.put(n_sections);
    size = end;
    return items;
}

RuleWorker::Answers RuleWorker::ask(std::span<const Section> sections) {
    Answers answers;
    std::size_t size = 0;
    const std::size_t asked = write_sections(sections, size);
    if (!channel_.ring(size)) {
        answers.failure = bury(Phase::evaluate, nullptr, Obituary::Kill::none);
        return answers;
    }
    answers.failure = await_items(sections, asked);
    answers.completed = std::min<std::size_t>(alive_ ? channel_.completed() : completed_at_end_, asked);
    answers.records = channel_.copy_response();
    evaluations_ += answers.completed;
    if (!answers.failure && answers.completed == 0)
        answers.failure = convict(core::FailureReason::protocol, "answered no item of a request");
    // A worker that claims to have finished everything and then dies: the last item is to blame, its answer does not count.
    if (answers.failure && answers.completed == asked) answers.completed = asked - 1;
    return answers;
}

std::optional<Failed> RuleWorker::await_one(Phase phase) {
    WorkerDeadline deadline{limits_.load_timeout, Clock::now()};
    for (;;) {
        switch (channel_.wait(process_.pidfd(), deadline.due() - Clock::now())) {
            case ControlChannel::Heard::answer:
                // The load is the one answer that no request was sent for.
                if (phase == Phase::load || channel_.answer_is_current()) return std::nullopt;
                return convict(core::FailureReason::protocol, "answered a request that was not asked");
            case ControlChannel::Heard::death: return bury(phase, &deadline, Obituary::Kill::none);
            case ControlChannel::Heard::timeout:
                switch (deadline.judge(Clock::now(), [this] { return process_.cpu_share(); })) {
                    case WorkerDeadline::Verdict::wait: break;
                    case WorkerDeadline::Verdict::expired: return bury(phase, &deadline, Obituary::Kill::deadline);
                    case WorkerDeadline::Verdict::starved: return bury(phase, &deadline, Obituary::Kill::starved);
                }
        }
    }
}

// The deadline is each item's own. The worker's marker says which item is in flight and since when; it can only gain time by moving
// on, and that at most once per item.
std::optional<Failed> RuleWorker::await_items(std::span<const Section> sections, std::size_t n_items) {
    std::uint32_t seen = 0;
    std::size_t section = 0;
    std::size_t section_end = sections.front().items.size();
    WorkerDeadline deadline{sections.front().timeout, Clock::now()};
    for (;;) {
        const auto heard = channel_.wait(process_.pidfd(), deadline.due() - Clock::now());
        if (heard == ControlChannel::Heard::answer) {
            if (channel_.answer_is_current()) return std::nullopt;
            return convict(core::FailureReason::protocol, "answered a request that was not asked");
        }
        const std::uint32_t started = channel_.started();
        const auto now = Clock::now();
        if (started > seen && started <= n_items) {
            seen = started;
            while (started > section_end && section + 1 < sections.size()) section_end += sections[++section].items.size();
            const Clock::time_point begun{nanoseconds{static_cast<std::int64_t>(channel_.started_ns())}};
            deadline.restart(std::clamp(begun, deadline.begun(), now), sections[section].timeout);
        }
        if (heard == ControlChannel::Heard::death) return bury(Phase::evaluate, &deadline, Obituary::Kill::none);
        switch (deadline.judge(now, [this] { return process_.cpu_share(); })) {
            case WorkerDeadline::Verdict::wait: break;
            case WorkerDeadline::Verdict::expired: return bury(Phase::evaluate, &deadline, Obituary::Kill::deadline);
            case WorkerDeadline::Verdict::starved: return bury(Phase::evaluate, &deadline, Obituary::Kill::starved);
        }
    }
}

void RuleWorker::ask_for_its_stack() {
    process_.signal(wire::stack_signal);
    const auto end = Clock::now() + stack_patience;
    while (!channel_.stack() && process_.runs() && Clock::now() < end)
        std::this_thread::sleep_for(std::chrono::microseconds{100});
}

Failed RuleWorker::bury(Phase phase, const WorkerDeadline* deadline, Obituary::Kill kill) {
    alive_ = false;
    completed_at_end_ = channel_.completed();
    Obituary obituary;
    if (deadline != nullptr) {
        obituary.wall = Clock::now() - deadline->begun();
        obituary.limit = std::chrono::duration_cast<milliseconds>(deadline->timeout());
    }
    obituary.share = process_.cpu_share();
    obituary.uptime = process_.age();
    obituary.peak_bytes = process_.peak_bytes();
    if (kill != Obituary::Kill::none) {
        ask_for_its_stack();
        process_.kill();
    }
    obituary.exit = process_.reap(kill == Obituary::Kill::none ? closing_patience : kill_patience);
    if (obituary.exit.lost && kill == Obituary::Kill::none) {  // it closed its pipe and lives on
        process_.kill();
        process_.reap();
        return Failed{core::FailureReason::protocol, phase, "the worker closed its channel", 0, 0, {}};
    }
    obituary.crash = channel_.crash();
    obituary.stack = channel_.stack();
    obituary.modules = channel_.modules();
    // Before the library is opened it is our own code that failed.
    obituary.phase = phase == Phase::load && channel_.phase() == wire::phase_idle ? Phase::spawn : phase;
    obituary.kill = kill;
    obituary.memory_bytes = limits_.memory_bytes;
    obituary.evaluation = evaluations_ + (phase == Phase::evaluate ? channel_.started() : 0);
    obituary.pid = process_.pid();
    obituary.posture = posture_;
    obituary.subject = subject_;
    obituary.log_tail = process_.take_log();
    return failure_of(obituary);
}

Failed RuleWorker::convict(core::FailureReason reason, const std::string& what) {
    alive_ = false;
    completed_at_end_ = channel_.completed();
    process_.kill();
    process_.reap();
    const std::string text = reason == core::FailureReason::protocol ? "the worker broke the protocol: " + what : what;
    return Failed{reason, Phase::evaluate, clean_message(text), 0, 0, {}};
}

}  // namespace varde::evaluate
