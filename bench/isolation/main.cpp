// What a window from the live columns costs, and what isolation adds to a call: R-001 over windows in which nothing is active, so that
// it reads every row. Windows rotate, so that neither side finds its data in the cache. All figures of one line are from one run, taken
// in turns on one CPU.
#include "direct_rule.hpp"
#include "evaluate/answer_reader.hpp"
#include "evaluate/column_plan.hpp"
#include "evaluate/cpu_pin.hpp"
#include "evaluate/live_columns.hpp"
#include "evaluate/params_tree.hpp"
#include "evaluate/rule_runner.hpp"
#include "evaluate/window_memory.hpp"
#include "evaluate/worker_launch.hpp"
#include "fakes/log_sink.hpp"
#include "plugins/plugin_file.hpp"

#include <algorithm>
#include <chrono>
#include <cstdlib>

#include <fmt/format.h>

namespace {

using namespace varde;
using Clock = std::chrono::steady_clock;

constexpr std::int64_t kFirstTime = 1'768'478'400'000'000;
constexpr std::int64_t kSecond = 1'000'000;
constexpr int kRounds = 41;
const std::string kParams = R"({"motion_categories":["motion"],"motion_on_value":"on"})";

[[noreturn]] void give_up(const std::string& what) {
    fmt::print(stderr, "bench_isolation: {}\n", what);
    std::exit(1);
}

template <class Work>
double nanoseconds_of(Work&& work) {
    const auto start = Clock::now();
    work();
    return std::chrono::duration<double, std::nano>{Clock::now() - start}.count();
}

double median(std::vector<double> values) {
    std::ranges::nth_element(values, values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2));
    return values[values.size() / 2];
}

/// A scope's recent events: motion sensors that report "off" once a second.
std::shared_ptr<evaluate::LiveColumns> columns_of(const std::shared_ptr<const evaluate::ColumnPlan>& plan, std::size_t n_events,
                                                  evaluate::PayloadReader& reader) {
    auto columns = std::make_shared<evaluate::LiveColumns>(plan);
    core::Event event;
    event.category = "motion";
    event.payload = R"({"state":"off","sensor_id":"s-0017","battery":83})";
    for (std::size_t i = 0; i < n_events; ++i) {
        event.seq = static_cast<std::int64_t>(i) + 1;
        event.event_id = fmt::format("{:08}-0000-4000-8000-000000000000", i);
        event.time = core::instant_from_us(kFirstTime + static_cast<std::int64_t>(i) * kSecond);
        event.room_id = i % 3 == 0 ? "kitchen" : "hall";
        columns->append(event, reader);
    }
    columns->settle();
    return columns;
}

class Bench {
  public:
    Bench(std::size_t n_windows, std::size_t n_events)
        : n_events_{n_events},
          cpu_{evaluate::choose_cpu(true)},
          nursery_{make_launch(cpu_, sink_), 0},
          pin_{cpu_},
          runner_{nursery_, {}, {make_spec()}, sink_} {
        auto made = runner_.instance(0, kParams);
        if (const auto* failed = std::get_if<core::Failed>(&made)) give_up(failed->message);
        instance_ = std::get<evaluate::RuleRunner::Instance*>(made);
        plan_ = std::make_shared<evaluate::ColumnPlan>(std::vector<const wire::Declarations*>{&instance_->declarations});
        access_.add(instance_->declarations);
        auto memory = evaluate::WindowMemory::make(access_, 64u << 20);
        if (!memory) give_up(memory.error().context);
        memory_ = std::move(*memory);
        binding_ = plan_->bind(instance_->declarations, access_.keys);
        evaluate::PayloadReader reader;
        for (std::size_t i = 0; i < n_windows; ++i) columns_.push_back(columns_of(plan_, n_events, reader));
    }

    void window_copies() {
        write_windows();  // the pages of the batch memory exist from now on, as in a host that runs
        std::vector<double> copies, plain;
        const std::uint64_t image_bytes = items_.size() > 1 ? items_[1].image_offset - items_[0].image_offset : 0;
        std::vector<std::byte> source(image_bytes * items_.size()), target(source.size());
        for (int round = 0; round < kRounds; ++round) {
            copies.push_back(nanoseconds_of([&] { write_windows(); }));
            plain.push_back(nanoseconds_of([&] { std::ranges::copy(source, target.begin()); }));
        }
        const double events = static_cast<double>(items_.size() * n_events_);
        fmt::print(
            "window of {:6} events from the live columns: {:5.2f} ns an event, memcpy of the same bytes {:5.2f}: ratio {:.2f}\n",
            n_events_, median(copies) / events, median(plain) / events, median(copies) / median(plain));
    }

    void isolation() {
        auto tree = evaluate::params_tree(kParams);
        bench::DirectRule direct{VARDE_PLUGIN, *tree, memory_->bytes()};
        write_windows();
        std::vector<double> direct_times, batched_times, single_times;
        for (int round = 0; round < kRounds; ++round) {
            int findings = 0;
            direct_times.push_back(nanoseconds_of([&] {
                for (const wire::Item& item : items_) findings += direct.evaluate(item, binding_);
            }));
            check(findings);
            batched_times.push_back(nanoseconds_of([&] { findings = ask(items_); }));
            check(findings);
            findings = 0;
            single_times.push_back(nanoseconds_of([&] {
                for (const wire::Item& item : items_) findings += ask({&item, 1});
            }));
            check(findings);
        }
        const double windows = static_cast<double>(items_.size());
        const double base = median(direct_times) / windows;
        const auto line = [&](const char* how, const std::vector<double>& times) {
            fmt::print("isolated evaluation of {:6} events, {}: {:8.2f} us, direct call {:8.2f} us: ratio {:.3f}\n", n_events_,
                       how, median(times) / windows / 1e3, base / 1e3, median(times) / windows / base);
        };
        line("32 in one request", batched_times);
        line("one a request    ", single_times);
    }

  private:
    static evaluate::WorkerLaunch make_launch(int cpu, ports::LogSink& log) {
        config::HostConfig::Isolation settings;
        settings.worker_path = VARDE_WORKER;
        auto launch = evaluate::prepare_launch(settings, cpu, log);
        if (!launch) give_up(launch.error().context);
        return std::move(*launch);
    }
    static ports::RuleSpec make_spec() {
        auto plugin = plugins::inspect(VARDE_PLUGIN);
        if (!plugin) give_up(plugin.error().message);
        ports::RuleSpec spec;
        spec.plugin = std::move(*plugin);
        spec.params = kParams;
        return spec;
    }

    void write_windows() {
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

    int ask(std::span<const wire::Item> items) {
        int findings = 0;
        const evaluate::Question question{{core::instant_from_us(items[0].since_us), core::instant_from_us(items[0].until_us)},
                                          core::instant_from_us(items[0].now_us),
                                          items[0].n_rows,
                                          [](std::uint32_t) -> std::string_view { return {}; },
                                          0};
        const evaluate::RuleRunner::Work work{instance_, &binding_, items};
        const auto take = [&](evaluate::RuleRunner::Place, const core::Verdict& verdict) {
            if (const auto* done = std::get_if<core::Completed>(&verdict)) findings += static_cast<int>(done->findings.size());
        };
        const auto read = [&](evaluate::RuleRunner::Place, wire::ByteReader& in) { return evaluate::read_answer(in, question); };
        runner_.run({&work, 1}, memory_, read, take);
        return findings;
    }

    void check(int findings) const {
        if (findings != static_cast<int>(items_.size())) give_up(fmt::format("{} findings of {}", findings, items_.size()));
    }

    std::size_t n_events_;
    int cpu_;
    fakes::LogSink sink_;
    evaluate::WorkerNursery nursery_;
    evaluate::CpuPin pin_;
    evaluate::RuleRunner runner_;
    evaluate::RuleRunner::Instance* instance_ = nullptr;
    std::shared_ptr<const evaluate::ColumnPlan> plan_;
    evaluate::PayloadAccess access_;
    std::shared_ptr<evaluate::WindowMemory> memory_;
    wire::Binding binding_;
    std::vector<std::shared_ptr<evaluate::LiveColumns>> columns_;
    std::vector<std::vector<varde_transition>> no_zones_;
    std::vector<wire::Item> items_;
};

}  // namespace

int main() {
    for (const std::size_t n_events : {std::size_t{10'000}, std::size_t{100}}) {
        Bench bench{32, n_events};
        bench.window_copies();
        bench.isolation();
    }
}
