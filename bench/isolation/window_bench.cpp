#include "window_bench.hpp"

#include "evaluate/answer_reader.hpp"
#include "evaluate/params_tree.hpp"
#include "evaluate/worker_launch.hpp"
#include "plugins/plugin_file.hpp"
#include "report.hpp"

#include <fmt/format.h>

namespace varde::bench {
namespace {

constexpr std::size_t kMemoryBytes = 64u << 20;

std::shared_ptr<evaluate::LiveColumns> columns_of(const std::shared_ptr<const evaluate::ColumnPlan>& plan, std::size_t n_events,
                                                  evaluate::PayloadReader& reader) {
    auto columns = std::make_shared<evaluate::LiveColumns>(plan);
    for (std::size_t i = 0; i < n_events; ++i) columns->append(event_at(i), reader);
    columns->settle();
    return columns;
}

}  // namespace

core::Event event_at(std::size_t place) {
    core::Event event;
    event.seq = static_cast<std::int64_t>(place) + 1;
    event.event_id = fmt::format("{:08}-0000-4000-8000-000000000000", place);
    event.time = core::instant_from_us(kFirstTime + static_cast<std::int64_t>(place) * kSecond);
    event.received_at = event.time;
    event.category = "motion";
    event.room_id = place % 3 == 0 ? "kitchen" : "hall";
    event.payload = R"({"state":"off","sensor_id":"s-0017","battery":83})";
    return event;
}

WindowBench::WindowBench(const std::vector<RuleFile>& rules, std::size_t n_windows, std::size_t n_events)
    : n_events_{n_events},
      cpu_{evaluate::choose_cpu(true)},
      nursery_{make_launch(cpu_, sink_), 0},
      pin_{cpu_},
      runner_{nursery_, {}, specs_of(rules), sink_} {
    std::vector<const wire::Declarations*> declarations;
    for (std::size_t i = 0; i < rules.size(); ++i) {
        auto made = runner_.instance(i, rules[i].params);
        if (const auto* failed = std::get_if<core::Failed>(&made)) give_up(failed->message);
        instances_.push_back(std::get<evaluate::RuleRunner::Instance*>(made));
        declarations.push_back(&instances_.back()->declarations);
        access_.add(instances_.back()->declarations);
    }
    plan_ = std::make_shared<evaluate::ColumnPlan>(declarations);
    auto memory = evaluate::WindowMemory::make(access_, kMemoryBytes);
    if (!memory) give_up(memory.error().context);
    memory_ = std::move(*memory);
    for (std::size_t i = 0; i < rules.size(); ++i) {
        bindings_.push_back(plan_->bind(*declarations[i], access_.keys));
        direct_.emplace_back(rules[i].file, instances_[i]->tree, memory_->bytes());
    }
    evaluate::PayloadReader reader;
    for (std::size_t i = 0; i < n_windows; ++i) columns_.push_back(columns_of(plan_, n_events, reader));
    write_windows();
    // Both sides have seen every page and made every buffer, and they agree.
    for (std::size_t i = 0; i < n_windows; ++i) {
        const std::int64_t expected = direct(i);
        if (expected == 0 || isolated(i) != expected) give_up("the isolated answer differs from the direct one");
    }
}

evaluate::WorkerLaunch WindowBench::make_launch(int cpu, ports::LogSink& log) {
    config::HostConfig::Isolation settings;
    settings.worker_path = VARDE_WORKER;
    auto launch = evaluate::prepare_launch(settings, cpu, log);
    if (!launch) give_up(launch.error().context);
    return std::move(*launch);
}

std::vector<ports::RuleSpec> WindowBench::specs_of(const std::vector<RuleFile>& rules) {
    std::vector<ports::RuleSpec> specs;
    for (const RuleFile& rule : rules) {
        auto plugin = plugins::inspect(rule.file);
        if (!plugin) give_up(plugin.error().message);
        ports::RuleSpec& spec = specs.emplace_back();
        spec.plugin = std::move(*plugin);
        spec.params = rule.params;
    }
    return specs;
}

void WindowBench::write_windows() {
    evaluate::WindowWriter& writer = memory_->writer();
    writer.reset();
    items_.clear();
    const std::int64_t until = kFirstTime + static_cast<std::int64_t>(n_events_) * kSecond;
    for (const auto& columns : columns_) {
        evaluate::WindowContent content{columns.get(), 0, columns->end(), {}, &no_zones_, &access_};
        const auto offset = writer.write(content);
        if (!offset) give_up("the windows do not fit the batch memory");
        const auto n_rows = static_cast<std::uint32_t>(n_events_);
        items_.push_back({*offset, kFirstTime, until, until, 0, n_rows, {varde_slice{kFirstTime, until, 0, n_rows}}});
    }
}

std::int64_t WindowBench::direct(std::size_t window) {
    std::int64_t sum = 0;
    for (std::size_t i = 0; i < direct_.size(); ++i) sum += direct_[i].evaluate(items_[window], bindings_[i]);
    return sum;
}

std::int64_t WindowBench::ask(std::span<const wire::Item> items) {
    std::int64_t sum = 0;
    const evaluate::Question question{{core::instant_from_us(items[0].since_us), core::instant_from_us(items[0].until_us)},
                                      core::instant_from_us(items[0].now_us),
                                      items[0].n_rows,
                                      [](std::uint32_t) -> std::string_view { return {}; },
                                      0};
    std::vector<evaluate::RuleRunner::Work> work;
    for (std::size_t i = 0; i < instances_.size(); ++i) work.push_back({instances_[i], &bindings_[i], items});
    const auto take = [&](evaluate::RuleRunner::Place, const core::Verdict& verdict) {
        const auto* done = std::get_if<core::Completed>(&verdict);
        if (done == nullptr) give_up(std::get<core::Failed>(verdict).message);
        sum += static_cast<std::int64_t>(done->findings.size()) + number_of(done->reason);
    };
    const auto read = [&](evaluate::RuleRunner::Place, wire::ByteReader& in) { return evaluate::read_answer(in, question); };
    runner_.run(work, memory_, read, take);
    return sum;
}

}  // namespace varde::bench
