#include "evaluate/post_mortem.hpp"

#include "evaluate/answer_reader.hpp"
#include "evaluate/control_channel.hpp"
#include "evaluate/rule_worker.hpp"
#include "evaluate/window_memory.hpp"
#include "evaluate/worker_death.hpp"
#include "evaluate/worker_launch.hpp"
#include "wire/window_image.hpp"

#include <algorithm>
#include <cstring>

namespace varde::evaluate {
namespace {

core::Result<std::vector<std::string>> function_names(const config::HostConfig::Isolation& settings, const ports::Plugin& plugin,
                                                      const std::vector<std::uint64_t>& offsets, ports::LogSink& log) {
    const auto launch = prepare_launch(settings, -1, log);
    if (!launch) return tl::unexpected{launch.error()};
    auto channel = ControlChannel::make();
    if (!channel) return tl::unexpected{channel.error()};
    auto process = WorkerProcess::spawn(*launch);
    if (!process) return tl::unexpected{process.error()};
    const wire::SetupMessage head{wire::setup_magic, wire::SetupMode::symbolise, 1, {}, 64ull << 20};
    const wire::SetupPlugin facts{};
    const int descriptors[] = {channel->control_fd(), channel->worker_request_fd(), channel->worker_response_fd(),
                               plugin.bytes->fd()};
    if (auto sent = process->send_setup(head, {&facts, 1}, descriptors); !sent) return tl::unexpected{sent.error()};
    channel->close_worker_end();
    wire::ByteWriter out = channel->request();
    out.put(wire::RequestKind::symbolise);
    out.put_array(std::span{offsets});
    const bool answered =
        channel->ring(out.size()) && channel->wait(process->pidfd(), settings.load_timeout) == ControlChannel::Heard::answer;
    if (!answered) return core::fail(core::Errc::worker_failed, "the symbol table could not be read: " + process->take_log());
    wire::ByteReader in{channel->copy_response()};
    std::vector<std::string> names;
    if (in.take<wire::ResponseKind>() == wire::ResponseKind::done) wire::take_texts(in, names, wire::max_frames);
    if (!in.ok() || names.size() != offsets.size()) return core::fail(core::Errc::worker_failed, "malformed names of functions");
    return names;
}

}  // namespace

core::Result<std::vector<core::StackFrame>> symbolise(const config::HostConfig::Isolation& settings, const ports::Plugin& plugin,
                                                      std::vector<core::StackFrame> frames, ports::LogSink& log) {
    std::vector<std::uint64_t> offsets;
    std::vector<core::StackFrame*> named;
    for (core::StackFrame& frame : frames) {
        if (frame.module != plugin.rule_id + ".so") continue;
        offsets.push_back(frame.offset);
        named.push_back(&frame);
    }
    if (offsets.empty()) return frames;
    auto names = function_names(settings, plugin, offsets, log);
    if (!names) return tl::unexpected{names.error()};
    for (std::size_t i = 0; i < named.size(); ++i) named[i]->function = clean_message((*names)[i]);
    return frames;
}

core::Result<core::Verdict> replay(const config::HostConfig::Isolation& settings, const wire::ReplayBundle& bundle,
                                   const ports::Plugin& plugin, ports::LogSink& log) {
    auto launch = prepare_launch(settings, -1, log);
    if (!launch) return tl::unexpected{launch.error()};
    const std::size_t room = std::max<std::size_t>(settings.window_bytes, bundle.image.size());
    auto memory = WindowMemory::make({}, room);
    if (!memory) return tl::unexpected{memory.error()};
    std::memcpy((*memory)->bytes().data(), bundle.image.data(), bundle.image.size());
    WorkerNursery nursery{std::move(*launch), 0};
    const ports::Plugin* plugins[] = {&plugin};
    auto started = RuleWorker::start(nursery, plugins, {bundle.memory_bytes, settings.load_timeout});
    if (auto* failed = std::get_if<core::Failed>(&started)) return core::Verdict{std::move(*failed)};
    RuleWorker& worker = std::get<RuleWorker>(started);
    auto loaded = worker.finish_load();
    if (auto* failed = std::get_if<core::Failed>(&loaded)) return core::Verdict{std::move(*failed)};
    if (auto& unusable = std::get<std::vector<std::optional<core::Failed>>>(loaded).front(); unusable)
        return core::Verdict{*unusable};
    auto declared = worker.create(0, 0, bundle.params, bundle.unknown_zones);
    if (auto* failed = std::get_if<core::Failed>(&declared)) return core::Verdict{std::move(*failed)};
    const auto& now = std::get<wire::Declarations>(declared);
    if (now.keys.size() != bundle.binding.keys.size() || now.literals.size() != bundle.binding.literals.size() ||
        now.zones.size() != bundle.binding.zones.size() ||
        std::max<std::size_t>(now.reads.size(), 1) != bundle.item.slices.size())
        return core::fail(core::Errc::invalid_argument,
                          "this version of the rule declares other reads, keys or literals than the one of the bundle");
    if (auto failed = worker.attach(*memory)) return core::Verdict{std::move(*failed)};
    wire::Item item = bundle.item;
    item.state = bundle.state;
    item.explain = 1;
    const RuleWorker::Section section{0, std::chrono::milliseconds{bundle.timeout_ms}, &bundle.binding, {&item, 1}};
    auto answers = worker.ask({&section, 1});
    if (answers.failure) return core::Verdict{std::move(*answers.failure)};
    const Question question{{core::instant_from_us(bundle.item.since_us), core::instant_from_us(bundle.item.until_us)},
                            core::instant_from_us(bundle.item.now_us),
                            bundle.item.n_rows,
                            [&](std::uint32_t row) { return std::string_view{bundle.event_ids.at(row)}; },
                            bundle.memory_bytes};
    wire::ByteReader in{answers.records};
    auto verdict = read_answer(in, question);
    if (!verdict) return core::Verdict{worker.convict(core::FailureReason::protocol, "an answer cannot be read")};
    return std::move(*verdict);
}

}  // namespace varde::evaluate
