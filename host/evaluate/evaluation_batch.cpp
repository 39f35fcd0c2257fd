#include "evaluate/evaluation_batch.hpp"

#include "evaluate/answer_reader.hpp"
#include "evaluate/read_resolution.hpp"
#include "wire/window_image.hpp"

#include <algorithm>

namespace varde::evaluate {
namespace {

using core::Instant;
constexpr std::chrono::hours zone_margin{48};  // so that a rule can look a local day before and after its events

const time::Zone* zone_of(const wire::ReadDeclaration& read, const BoundRule& rule, const ColumnPlan& plan) {
    if (read.zone < 0) return nullptr;
    const auto& zone = plan.zones().at(rule.binding.zones.at(static_cast<std::size_t>(read.zone)));
    return zone ? &*zone : nullptr;
}

}  // namespace

Demand demand_of(std::size_t index, BoundRule& rule, const ports::Evaluation& asked, const ColumnPlan& plan) {
    const core::Window window = asked.window;
    Demand demand{index, &rule, asked.scope, window, asked.now, {}, {window.until, window.until}, asked.state, asked.explain};
    for (const wire::ReadDeclaration& read : rule.instance->declarations.reads)
        demand.ranges.push_back(wire::is_latest(read) ? core::Window{} : resolve_range(read, window, zone_of(read, rule, plan)));
    if (demand.ranges.empty()) demand.ranges.push_back({window.since, std::max(window.since, window.until)});
    bool any = false;
    for (const core::Window& range : demand.ranges) {
        if (range.since >= range.until) continue;
        demand.hull =
            any ? core::Window{std::min(demand.hull.since, range.since), std::max(demand.hull.until, range.until)} : range;
        any = true;
    }
    return demand;
}

const std::vector<std::vector<varde_transition>>& EvaluationBatch::zones(const ColumnPlan& plan, Instant from, Instant to) {
    const auto first = std::chrono::floor<std::chrono::days>(from - zone_margin);
    const auto last = std::chrono::ceil<std::chrono::days>(to + zone_margin);
    auto [entry, is_new] = zones_.try_emplace({first.time_since_epoch().count(), last.time_since_epoch().count()});
    if (!is_new) return entry->second;
    for (const auto& zone : plan.zones()) {
        auto& table = entry->second.emplace_back();
        if (!zone) continue;
        for (const time::ZoneTransition& change : zone->transitions(Instant{first}, Instant{last}))
            table.push_back({core::to_us(change.at), change.offset_seconds, 0});
    }
    return entry->second;
}

// Looks up every VARDE_READ_LATEST*: the row in the image, or -1, per demand and read.
core::Result<void> EvaluationBatch::find_latest(Staged& staged, std::span<const Demand> demands,
                                                std::vector<std::vector<std::int64_t>>& rows) {
    WindowContent& content = staged.content;
    for (const Demand& demand : demands) {
        auto& found = rows.emplace_back();
        const wire::Declarations& rule = demand.rule->instance->declarations;
        for (const wire::ReadDeclaration& read : rule.reads) {
            found.push_back(-1);
            if (!wire::is_latest(read)) continue;
            const auto row = staged.view->latest(read, rule, demand.window);
            if (!row) return tl::unexpected{row.error()};
            if (!*row) continue;
            const RowRef& ref = **row;
            if (!ref.older && ref.row >= content.first && ref.row < content.first + content.count) {
                found.back() = static_cast<std::int64_t>(ref.row - content.first);
                continue;
            }
            auto extra = std::find(content.extras.begin(), content.extras.end(), ref);
            if (extra == content.extras.end()) extra = content.extras.insert(extra, ref);
            found.back() = static_cast<std::int64_t>(content.count) + (extra - content.extras.begin());
        }
    }
    return {};
}

core::Result<void> EvaluationBatch::add(ScopeView view, std::span<const Demand> demands) {
    const auto shared = std::make_shared<ScopeView>(std::move(view));
    std::vector<Demand> sorted{demands.begin(), demands.end()};
    std::ranges::stable_sort(sorted, std::less{}, [](const Demand& demand) { return demand.rule->memory.get(); });
    for (auto first = sorted.begin(); first != sorted.end();) {
        const auto last =
            std::find_if(first, sorted.end(), [&](const Demand& one) { return one.rule->memory != first->rule->memory; });
        if (auto done = add_image(shared, {first, last}, *first->rule->memory); !done) return done;
        first = last;
    }
    return {};
}

core::Result<void> EvaluationBatch::add_image(std::shared_ptr<ScopeView> view, std::span<const Demand> demands,
                                              WindowMemory& memory) {
    if (written_.insert(&memory).second) memory.writer().reset();
    Staged& staged = staged_.emplace_back(Staged{std::move(view), {}});
    const LiveColumns& columns = staged.view->columns();
    core::Window hull = demands.front().hull;
    Instant from = Instant::max();
    Instant to = Instant::min();
    for (const Demand& demand : demands) {
        if (hull.since == hull.until) hull = demand.hull;
        if (demand.hull.since < demand.hull.until)
            hull = {std::min(hull.since, demand.hull.since), std::max(hull.until, demand.hull.until)};
        from = std::min({from, demand.window.since, demand.hull.since, demand.now});
        to = std::max({to, demand.window.until, demand.hull.until, demand.now});
    }
    WindowContent& content = staged.content;
    content.columns = &columns;
    content.access = &memory.access();
    content.first = columns.lower_bound(hull.since);
    content.count = columns.lower_bound(hull.until) - content.first;
    std::vector<std::vector<std::int64_t>> latest;
    if (auto done = find_latest(staged, demands, latest); !done) return done;
    for (const RowRef& ref : content.extras) {
        const Instant at = core::instant_from_us((ref.older ? columns.older() : columns.rows()).time[ref.row]);
        from = std::min(from, at);
        to = std::max(to, at);
    }
    content.zones = &zones(columns.plan(), from, to);
    auto offset = memory.writer().write(content);
    if (!offset && !memory.writer().empty()) {
        Staged kept = std::move(staged_.back());
        staged_.pop_back();
        flush();
        memory.writer().reset();
        written_.insert(&memory);
        staged_.push_back(std::move(kept));
        // flush() forgot the transition tables as well.
        staged_.back().content.zones = &zones(staged_.back().view->columns().plan(), from, to);
        offset = memory.writer().write(staged_.back().content);
    }
    for (std::size_t i = 0; i < demands.size(); ++i) {
        if (offset) {
            add_item(staged_.back(), *offset, demands_.emplace_back(demands[i]), latest[i]);
            continue;
        }
        verdicts_[demands[i].index] = core::Failed{
            core::FailureReason::input_too_large,
            core::Phase::evaluate,
            "a window of " + std::to_string(staged_.back().content.n_rows()) + " events does not fit isolation.window_bytes",
            0,
            0,
            {}};
    }
    return {};
}

void EvaluationBatch::add_item(const Staged& staged, std::uint64_t offset, const Demand& demand,
                               const std::vector<std::int64_t>& latest) {
    const LiveColumns& columns = staged.view->columns();
    const std::size_t first = staged.content.first;
    wire::Item item;
    item.image_offset = offset;
    item.since_us = core::to_us(demand.window.since);
    item.until_us = core::to_us(demand.window.until);
    item.now_us = core::to_us(demand.now);
    std::uint32_t begin = staged.content.n_rows();
    std::uint32_t end = 0;
    for (std::size_t i = 0; i < demand.ranges.size(); ++i) {
        const core::Window& range = demand.ranges[i];
        varde_slice slice{core::to_us(range.since), core::to_us(range.until), 0, 0};
        if (i < latest.size() && wire::is_latest(demand.rule->instance->declarations.reads[i])) {
            slice = {0, 0, static_cast<std::uint32_t>(std::max<std::int64_t>(latest[i], 0)), latest[i] >= 0 ? 1u : 0u};
        } else if (range.since < range.until) {
            const std::size_t low = columns.lower_bound(range.since);
            slice.first = static_cast<std::uint32_t>(low - first);
            slice.count = static_cast<std::uint32_t>(columns.lower_bound(range.until) - low);
        }
        if (slice.count > 0) {
            begin = std::min(begin, slice.first);
            end = std::max(end, slice.first + slice.count);
        }
        item.slices.push_back(slice);
    }
    // The rule sees only the rows from its first to its last slice: what other rules read of this scope is none of its business.
    item.first_row = std::min(begin, end);
    item.n_rows = end - item.first_row;
    item.explain = demand.explain ? 1 : 0;
    if (demand.state) item.state = *demand.state;
    for (varde_slice& slice : item.slices) slice.first = slice.count > 0 ? slice.first - item.first_row : 0;
    auto queue = std::find_if(queues_.begin(), queues_.end(), [&](const Queue& one) { return one.rule == demand.rule; });
    if (queue == queues_.end()) queue = queues_.insert(queue, Queue{demand.rule, {}, {}});
    queue->asked.push_back({&demand, &staged, item.first_row, item.n_rows});
    queue->items.push_back(std::move(item));
}

void EvaluationBatch::flush() {
    // Queues of one runner are asked together; when its group is split, what is left of them goes to the new runners.
    for (;;) {
        std::vector<Queue*> together;
        for (Queue& queue : queues_) {
            if (queue.done == queue.items.size()) continue;
            if (queue.rule->failure) {
                while (queue.done < queue.items.size()) take(queue, queue.done++, *queue.rule->failure);
                continue;
            }
            if (together.empty() || (queue.rule->runner == together.front()->rule->runner)) together.push_back(&queue);
        }
        if (together.empty()) break;
        run(together);
    }
    queues_.clear();
    demands_.clear();
    staged_.clear();
    zones_.clear();
    written_.clear();
}

void EvaluationBatch::run(std::span<Queue*> queues) {
    const auto runner = queues.front()->rule->runner;
    std::vector<RuleRunner::Work> work;
    std::vector<std::size_t> skipped;
    for (const Queue* queue : queues) {
        work.push_back({queue->rule->instance, &queue->rule->binding, std::span{queue->items}.subspan(queue->done)});
        skipped.push_back(queue->done);
    }
    const auto read = [&](RuleRunner::Place place, wire::ByteReader& in) {
        const Queue& queue = *queues[place.work];
        const Asked& asked = queue.asked[skipped[place.work] + place.item];
        const Question question{asked.demand->window, asked.demand->now, asked.n_rows,
                                [&](std::uint32_t row) { return asked.staged->content.event_id(asked.first_row + row); },
                                queue.rule->spec().memory_bytes};
        return read_answer(in, question);
    };
    const auto give = [&](RuleRunner::Place place, core::Verdict verdict) {
        Queue& queue = *queues[place.work];
        take(queue, skipped[place.work] + place.item, std::move(verdict));
        ++queue.done;
    };
    const auto split = runner->run(work, queues.front()->rule->memory, read, give);
    if (split) split_(*runner, split->member);
}

void EvaluationBatch::take(const Queue& queue, std::size_t item, core::Verdict verdict) {
    const Asked& asked = queue.asked[item];
    if (auto* failed = std::get_if<core::Failed>(&verdict)) {
        auto evidence =
            failed->evidence ? std::make_shared<core::Evidence>(*failed->evidence) : std::make_shared<core::Evidence>();
        evidence->window = asked.demand->window;
        evidence->events = asked.n_rows;
        const WindowContent& content = asked.staged->content;
        if (asked.n_rows > 0 && asked.first_row + asked.n_rows <= content.count) {
            const auto& sequence = content.columns->rows().sequence;
            const auto [least, most] = std::minmax_element(
                sequence.begin() + static_cast<std::ptrdiff_t>(content.first + asked.first_row),
                sequence.begin() + static_cast<std::ptrdiff_t>(content.first + asked.first_row + asked.n_rows));
            evidence->first_seq = *least;
            evidence->last_seq = *most;
        }
        if (replays_ != nullptr) evidence->bundle = keep_for_replay(queue, item, *failed);
        failed->evidence = std::move(evidence);
    }
    verdicts_[asked.demand->index] = std::move(verdict);
}

std::string EvaluationBatch::keep_for_replay(const Queue& queue, std::size_t item, const core::Failed& failed) {
    const BoundRule& rule = *queue.rule;
    if (rule.instance == nullptr || !replays_->wants(rule.spec().plugin, failed.reason)) return {};
    const Asked& asked = queue.asked[item];
    wire::ReplayBundle bundle;
    bundle.rule_id = rule.spec().plugin.rule_id;
    bundle.version = rule.spec().plugin.version;
    bundle.sha256 = rule.spec().plugin.sha256;
    bundle.org_id = asked.demand->scope.org_id;
    bundle.home_id = asked.demand->scope.home_id;
    bundle.subject_id = asked.demand->scope.subject_id;
    bundle.timeout_ms = static_cast<std::uint64_t>(rule.spec().timeout.count());
    bundle.memory_bytes = rule.spec().memory_bytes;
    bundle.params = rule.instance->tree;
    bundle.unknown_zones = rule.instance->unknown_zones;
    bundle.binding = rule.binding;
    bundle.item = queue.items[item];
    bundle.state = bundle.item.state;
    bundle.item.state = {};
    for (std::uint32_t row = 0; row < asked.n_rows; ++row)
        bundle.event_ids.emplace_back(asked.staged->content.event_id(asked.first_row + row));
    const auto memory = rule.memory->bytes().subspan(bundle.item.image_offset);
    const auto* image = reinterpret_cast<const wire::ImageHeader*>(memory.data());
    bundle.image.assign(memory.begin(), memory.begin() + static_cast<std::ptrdiff_t>(image->size));
    bundle.item.image_offset = 0;
    return replays_->keep(bundle, rule.spec().plugin, failed.reason);
}

}  // namespace varde::evaluate
