#include "evaluate/carried_answers.hpp"

#include "evaluate/read_resolution.hpp"

#include <algorithm>

namespace varde::evaluate {
namespace {

using core::Instant;

/// Where the part of the scope's events ends that the read saw.
Instant end_of(const wire::ReadDeclaration& read, const time::Zone* zone, core::Window window) {
    if (wire::is_latest(read)) return edge_of(read.end_anchor, read.end_offset_us, window);
    return resolve_range(read, window, zone).until;
}

/// Whether events of these categories (category_hash(); nullopt: any) lie between where the read ended and where it ends now. What came
/// since is known to came_since() already, so that these were stored ahead of their time.
bool moved_over_events(const wire::ReadDeclaration& read, const time::Zone* zone, core::Window then, core::Window now,
                       const LiveColumns& columns, const std::optional<std::vector<std::size_t>>& categories) {
    const Instant before = end_of(read, zone, then);
    const Instant after = end_of(read, zone, now);
    if (after <= before) return false;
    const auto end = columns.lower_bound(after);
    for (auto row = columns.lower_bound(before); row < end; ++row) {
        if (!categories) return true;
        const auto category = EventColumns::category_hash(columns.symbols().text_of(columns.rows().category[row]));
        if (std::ranges::find(*categories, category) != categories->end()) return true;
    }
    return false;
}

/// What a finding says about the window it was asked about moves with the window.
void move(core::Finding& finding, core::Window then, Instant then_now, core::Microseconds by) {
    if (finding.window.until == then.until) finding.window = {finding.window.since + by, finding.window.until + by};
    if (finding.timestamp == then_now) finding.timestamp += by;
}

}  // namespace

CarriedAnswers::Reads CarriedAnswers::reads_of(const wire::Declarations& rule, const wire::Binding& binding,
                                               const ColumnPlan& plan) {
    Reads reads;
    reads.categories.emplace();
    auto declared = rule.reads;
    if (declared.empty()) declared.emplace_back();  // the window, all categories
    for (const wire::ReadDeclaration& read : declared) {
        if (read.categories.empty()) reads.categories.reset();
        if (reads.categories)
            for (const std::uint32_t handle : read.categories)
                reads.categories->push_back(EventColumns::category_hash(rule.literals.at(handle)));
        if (read.kind == VARDE_READ_LATEST) continue;  // it sees every event, whatever its time
        const auto* zone =
            read.kind == VARDE_READ_LOCAL_DAY ? &plan.zones().at(binding.zones.at(static_cast<std::size_t>(read.zone))) : nullptr;
        reads.moving.push_back(read);
        reads.zones.push_back(zone != nullptr && *zone ? &**zone : nullptr);
    }
    return reads;
}

std::optional<core::Completed> CarriedAnswers::find(std::size_t rule, const Reads& reads, const ports::Evaluation& asked,
                                                    EventColumns& events) const {
    const auto scope = scopes_.find(asked.scope);
    if (scope == scopes_.end() || rule >= scope->second.size() || !scope->second[rule]) return std::nullopt;
    const Answer& last = *scope->second[rule];
    const auto by = asked.now - last.now;
    const bool same_question = asked.variant == last.variant && by >= core::Microseconds{0} &&
                               asked.window.until - last.asked.until == by && asked.window.since - last.asked.since == by;
    if (!same_question || asked.now >= last.said.valid_until) return std::nullopt;
    if (events.came_since(asked.scope, last.arrivals, reads.categories)) return std::nullopt;
    if (const LiveColumns* columns = events.find(asked.scope))
        for (std::size_t i = 0; i < reads.moving.size(); ++i)
            if (moved_over_events(reads.moving[i], reads.zones[i], last.asked, asked.window, *columns, reads.categories))
                return std::nullopt;
    core::Completed answer = last.said;
    for (core::Finding& finding : answer.findings) move(finding, last.asked, last.now, by);
    return answer;
}

void CarriedAnswers::put(std::size_t rule, const ports::Evaluation& asked, const core::Completed& answer,
                         const EventColumns& events) {
    const bool holds = answer.valid_until > asked.now;
    auto scope = scopes_.find(asked.scope);
    if (scope == scopes_.end()) {
        if (!holds) return;
        scope = scopes_.try_emplace(asked.scope).first;
    }
    if (scope->second.size() <= rule) scope->second.resize(rule + 1);
    if (!holds) return scope->second[rule].reset();
    Answer& kept = scope->second[rule].emplace(Answer{asked.window, asked.now, asked.variant, events.arrivals(), answer});
    kept.said.state.reset();  // it was taken when it was said
    kept.said.steps.clear();
    kept.said.duration = {};
    kept.said.carried = true;
}

void CarriedAnswers::forget(std::size_t rule) {
    for (auto& [scope, answers] : scopes_)
        if (rule < answers.size()) answers[rule].reset();
}

}  // namespace varde::evaluate
