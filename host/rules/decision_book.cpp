#include "rules/decision_book.hpp"

#include <algorithm>
#include <tuple>
#include <unordered_set>

namespace varde::rules {
namespace {

constexpr std::chrono::microseconds kShortestGap = std::chrono::minutes{15};

/// The order of a hash table must not decide the order of rows.
void sort(std::vector<core::Decision>& records) {
    std::ranges::sort(records, {},
                      [](const core::Decision& record) { return std::tie(record.scope, record.rule_id, record.first_at); });
}

void go_on(core::Decision& record, const RunDecision& decision, const RunStamp& run) {
    record.last_at = run.at;
    record.run_id = run.run_id;
    ++record.runs;
    // The reason of a carried answer is of the run that asked: its numbers are of then.
    if (decision.carried) return;
    record.reason = decision.reason;
    record.asked_at = run.at;
}

}  // namespace

DecisionBook::DecisionBook(std::vector<core::Decision> newest, std::chrono::microseconds flush_every)
    : flush_every_{flush_every} {
    for (auto& record : newest) {
        Key key{record.rule_id, record.scope};
        entries_.insert_or_assign(std::move(key), Entry{std::move(record), false});
    }
}

const DecisionBook::Entry* DecisionBook::find(const RunDecision& decision) const {
    const auto found = entries_.find({decision.rule_id, decision.scope});
    return found == entries_.end() ? nullptr : &found->second;
}

bool DecisionBook::flushes_at(core::Instant at) const {
    // A clock that was set back must not hold everything back until it has caught up.
    return !flushed_at_ || at - *flushed_at_ >= flush_every_ || at < *flushed_at_;
}

bool DecisionBook::goes_on(const core::Decision& record, const RunDecision& decision, const RunStamp& run) const {
    // What is stored may lag behind by a flush: after a crash that is no gap.
    const auto gap = std::max({kShortestGap, 3 * run.interval, 2 * flush_every_});
    return record.outcome == decision.outcome && run.at >= record.last_at && run.at - record.last_at <= gap &&
           run.at - record.first_at < kLongest;
}

core::Decision DecisionBook::next(const Entry* before, const RunDecision& decision, const RunStamp& run) const {
    if (before != nullptr && goes_on(before->record, decision, run)) {
        auto record = before->record;
        go_on(record, decision, run);
        return record;
    }
    core::Decision record;
    record.rule_id = decision.rule_id;
    record.scope = decision.scope;
    record.outcome = decision.outcome;
    record.reason = decision.reason;
    record.since = record.first_at = record.last_at = record.asked_at = run.at;
    record.run_id = run.run_id;
    if (before != nullptr && before->record.outcome == decision.outcome) {
        record.since = std::min(before->record.since, run.at);
        if (decision.carried) {
            record.reason = before->record.reason;
            record.asked_at = before->record.asked_at;
        }
    }
    return record;
}

std::vector<core::Decision> DecisionBook::due(std::span<const RunDecision> decisions, const RunStamp& run) const {
    const bool flush = flushes_at(run.at);
    std::vector<core::Decision> records;
    std::unordered_set<const Entry*> told;
    for (const auto& decision : decisions) {
        const Entry* before = find(decision);
        const bool begins = before == nullptr || !goes_on(before->record, decision, run);
        if (flush && before != nullptr) told.insert(before);
        if (!begins && !flush) continue;
        // A second run at the same instant replaces the record of the first.
        if (begins && before != nullptr && before->unwritten && before->record.first_at != run.at)
            records.push_back(before->record);
        records.push_back(next(before, decision, run));
    }
    if (flush) {  // what this run did not look at has gone on before it
        for (const auto& [key, entry] : entries_)
            if (entry.unwritten && !told.contains(&entry)) records.push_back(entry.record);
    }
    sort(records);
    return records;
}

void DecisionBook::adopt(std::span<const RunDecision> decisions, const RunStamp& run) {
    const bool flush = flushes_at(run.at);
    for (const auto& decision : decisions) {
        auto [place, fresh] = entries_.try_emplace({decision.rule_id, decision.scope});
        Entry& entry = place->second;
        if (!fresh && goes_on(entry.record, decision, run)) {
            go_on(entry.record, decision, run);
            entry.unwritten = true;
        } else {
            entry.record = next(fresh ? nullptr : &entry, decision, run);
            entry.unwritten = false;
        }
    }
    if (!flush) return;
    written();
    flushed_at_ = run.at;
    forget_old(run.at);
}

std::vector<core::Decision> DecisionBook::unwritten() const {
    std::vector<core::Decision> records;
    for (const auto& [key, entry] : entries_)
        if (entry.unwritten) records.push_back(entry.record);
    sort(records);
    return records;
}

void DecisionBook::written() {
    for (auto& [key, entry] : entries_) entry.unwritten = false;
}

void DecisionBook::forget_old(core::Instant now) {
    std::erase_if(entries_, [&](const auto& one) { return one.second.record.last_at < now - kRemembered; });
}

}  // namespace varde::rules
