#pragma once
#include "core/incident.hpp"
#include "ports/incident_repository.hpp"
#include "ports/log_sink.hpp"

#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <vector>

namespace varde::evaluate {

/// What is kept of failing rules: incidents, of which those of one kind are one, and the state of circuit breakers.
///
/// A database that is away delays nobody for long and loses little: what is new waits in memory (the newest hundred incidents, the last
/// state of every breaker) and is stored when the database is back. `incidents_database_unavailable` says so once per outage. One
/// thread; blocking.
class IncidentJournal {
  public:
    struct Settings {
        std::uint32_t keep = 1000;           ///< incidents in the database
        std::chrono::microseconds window{};  ///< failures of one kind that are not further apart are one incident
    };
    /// `new_id` gives UUIDs.
    IncidentJournal(ports::IncidentRepository& repository, const Settings& settings, ports::LogSink& log,
                    std::function<std::string()> new_id);

    struct Entry {
        std::string incident_id;
        bool is_new = false;  ///< add() must follow
    };
    /// The incident that a failure belongs to; a repeat is counted. Of one kind are failures of the same rule and file, with the same
    /// reason, phase and signal; for crashes also at the same place.
    Entry entry_for(const std::string& rule_id, const std::string& sha256, const core::Failed& failed, core::Instant now);
    void add(core::Incident incident);
    /// Replaces what is kept of that rule's breaker.
    void save(const core::BreakerRecord& breaker);
    /// Stores what is waiting.
    void flush(core::Instant now);

    struct Look {
        std::vector<core::BreakerRecord> rows;
        std::set<std::string>
            released;  ///< rules whose row was there at the last look or save, and is gone; what save() has waiting for them is dropped
    };
    /// The breakers in the database; nullopt if it is away.
    std::optional<Look> look(core::Instant now);

  private:
    using Kind = std::tuple<std::string, std::string, core::FailureReason, core::Phase, int, std::string, std::uint64_t>;
    struct Open {
        std::string incident_id;
        core::Instant last_at{};
        std::uint64_t more = 0;  ///< repeats that the database does not know of
    };
    [[nodiscard]] bool may_try(core::Instant now) const;
    /// True: go on with the next thing. False: the database is away.
    bool noted(const std::optional<core::Error>& error, core::Instant now);
    bool flush_incidents(core::Instant now);
    bool flush_repeats(core::Instant now);
    bool flush_breakers(core::Instant now);
    void forget_old_kinds(core::Instant now);

    ports::IncidentRepository& repository_;
    Settings settings_;
    ports::LogSink& log_;
    std::function<std::string()> new_id_;
    std::map<Kind, Open> open_;
    bool repeats_wait_ = false;
    std::deque<core::Incident> waiting_;
    std::uint64_t dropped_ = 0;  ///< incidents during this outage
    std::map<std::string, core::BreakerRecord> unsaved_;
    std::set<std::string> rows_;  ///< rules whose breaker has a row, as far as is known
    bool away_ = false;
    core::Instant tried_at_{};
};

}  // namespace varde::evaluate
