#include "evaluate/incident_journal.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

namespace varde::evaluate {
namespace {

using core::FailureReason;
using ports::LogLevel;

constexpr std::string_view kComponent = "plugins";
constexpr std::size_t kMaxWaiting = 100;
constexpr std::size_t kManyKinds = 1'000;
/// A call to a database that is away may wait for busy_timeout: not in every run.
constexpr std::chrono::seconds kTryAgainAfter{5};

ports::LogField error_field(const core::Error& error) {
    const nlohmann::ordered_json json{
        {"type", core::name_of(error.code)}, {"message", error.context}, {"reason", core::name_of(error.code)}};
    return {"error", ports::Json{json.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace)}};
}

/// Where a crash was; two defects of one rule are two incidents. A deadline strikes anywhere.
core::StackFrame place_of(const core::Failed& failed) {
    const bool has_place = failed.reason == FailureReason::segmentation_fault || failed.reason == FailureReason::aborted ||
                           failed.reason == FailureReason::crashed || failed.reason == FailureReason::violation;
    if (!has_place || !failed.evidence || failed.evidence->frames.empty()) return {};
    return failed.evidence->frames.front();
}

template <class T>
std::optional<core::Error> error_of(const core::Result<T>& result) {
    return result ? std::nullopt : std::optional{result.error()};
}

}  // namespace

IncidentJournal::IncidentJournal(ports::IncidentRepository& repository, const Settings& settings, ports::LogSink& log,
                                 std::function<std::string()> new_id)
    : repository_{repository}, settings_{settings}, log_{log}, new_id_{std::move(new_id)} {}

IncidentJournal::Entry IncidentJournal::entry_for(const std::string& rule_id, const std::string& sha256,
                                                  const core::Failed& failed, core::Instant now) {
    const auto place = place_of(failed);
    auto& open = open_[{rule_id, sha256, failed.reason, failed.phase, failed.signal, place.module, place.offset}];
    const bool is_repeat = !open.incident_id.empty() && now - open.last_at < settings_.window;
    open.last_at = now;
    if (is_repeat) {
        ++open.more;
        repeats_wait_ = true;
        return {open.incident_id, false};
    }
    open.incident_id = new_id_();
    open.more = 0;
    Entry entry{open.incident_id, true};
    if (open_.size() > kManyKinds) forget_old_kinds(now);
    return entry;
}

void IncidentJournal::forget_old_kinds(core::Instant now) {
    std::erase_if(open_, [&](const auto& one) { return one.second.more == 0 && now - one.second.last_at >= settings_.window; });
}

void IncidentJournal::add(core::Incident incident) {
    waiting_.push_back(std::move(incident));
    if (waiting_.size() <= kMaxWaiting) return;
    waiting_.pop_front();
    ++dropped_;
}

void IncidentJournal::save(const core::BreakerRecord& breaker) { unsaved_.insert_or_assign(breaker.rule_id, breaker); }

bool IncidentJournal::may_try(core::Instant now) const { return !away_ || now < tried_at_ || now - tried_at_ >= kTryAgainAfter; }

bool IncidentJournal::noted(const std::optional<core::Error>& error, core::Instant now) {
    tried_at_ = now;
    if (!error) {
        if (std::exchange(away_, false)) {
            log_.log(LogLevel::info, kComponent, "incidents_database_available", "incidents are stored again",
                     {{"dropped", static_cast<std::int64_t>(std::exchange(dropped_, 0))}});
        }
        return true;
    }
    if (error->code != core::Errc::database_unavailable) {
        // It was reached and does not want this one: nor will it later, and the others must not wait behind it.
        log_.log(LogLevel::error, kComponent, "incident_not_stored", "the database refuses what is to be kept of a failure",
                 {error_field(*error)});
        return true;
    }
    if (!std::exchange(away_, true)) {
        log_.log(LogLevel::error, kComponent, "incidents_database_unavailable",
                 "incidents cannot be stored; they wait until the database is back", {error_field(*error)});
    }
    return false;
}

bool IncidentJournal::flush_incidents(core::Instant now) {
    while (!waiting_.empty()) {
        if (!noted(error_of(repository_.add(waiting_.front(), settings_.keep)), now)) return false;
        waiting_.pop_front();
    }
    return true;
}

bool IncidentJournal::flush_repeats(core::Instant now) {
    if (!repeats_wait_) return true;
    for (auto& [kind, open] : open_) {
        if (open.more == 0) continue;
        if (!noted(error_of(repository_.repeat(open.incident_id, open.last_at, open.more)), now)) return false;
        open.more = 0;
    }
    repeats_wait_ = false;
    return true;
}

bool IncidentJournal::flush_breakers(core::Instant now) {
    while (!unsaved_.empty()) {
        const auto first = unsaved_.begin();
        const auto error = error_of(repository_.save(first->second));
        if (!noted(error, now)) return false;
        if (!error) rows_.insert(first->first);
        unsaved_.erase(first);
    }
    return true;
}

void IncidentJournal::flush(core::Instant now) {
    if (!may_try(now)) return;
    // Breakers first: whether a rule is asked after a restart matters more than what is known of its failure.
    if (flush_breakers(now) && flush_incidents(now)) flush_repeats(now);
}

std::optional<IncidentJournal::Look> IncidentJournal::look(core::Instant now) {
    if (!may_try(now)) return std::nullopt;
    auto found = repository_.breakers();
    // An error that is not an outage is said at the next save: here it would be said at every look.
    if (!found && found.error().code != core::Errc::database_unavailable) return std::nullopt;
    if (!noted(error_of(found), now)) return std::nullopt;
    Look look;
    look.rows = std::move(*found);
    look.released = std::exchange(rows_, {});
    for (const auto& row : look.rows) {
        rows_.insert(row.rule_id);
        look.released.erase(row.rule_id);
    }
    for (const auto& rule_id : look.released) unsaved_.erase(rule_id);
    return look;
}

}  // namespace varde::evaluate
