#pragma once
#include "ports/incident_repository.hpp"

#include <algorithm>
#include <map>
#include <mutex>
#include <utility>

namespace varde::fakes {

/// An IncidentRepository in memory. Thread-safe.
class IncidentRepository final : public ports::IncidentRepository {
  public:
    /// While set, every call fails with it.
    void fail_with(std::optional<core::Errc> code) {
        const std::lock_guard lock{mutex_};
        failure_ = code;
    }
    /// Calls so far, also those that failed.
    [[nodiscard]] int calls() const {
        const std::lock_guard lock{mutex_};
        return calls_;
    }
    /// Everything that is stored, oldest first.
    [[nodiscard]] std::vector<core::Incident> stored() const {
        const std::lock_guard lock{mutex_};
        return incidents_;
    }
    [[nodiscard]] std::optional<core::BreakerRecord> breaker(const std::string& rule_id) const {
        const std::lock_guard lock{mutex_};
        const auto found = breakers_.find(rule_id);
        return found == breakers_.end() ? std::nullopt : std::optional{found->second};
    }

    core::Result<void> add(const core::Incident& incident, std::uint32_t keep) override {
        const std::lock_guard lock{mutex_};
        ++calls_;
        if (failure_) return core::fail(*failure_, "fake incidents: add");
        if (at(incident.incident_id) != incidents_.end()) return {};
        incidents_.push_back(incident);
        incidents_.back().failure.incident_id = incident.incident_id;
        while (incidents_.size() > keep) incidents_.erase(std::ranges::min_element(incidents_, {}, &core::Incident::last_at));
        return {};
    }
    core::Result<void> repeat(const std::string& incident_id, core::Instant last_at, std::uint64_t more) override {
        const std::lock_guard lock{mutex_};
        ++calls_;
        if (failure_) return core::fail(*failure_, "fake incidents: repeat");
        if (const auto found = at(incident_id); found != incidents_.end()) {
            found->repeats += more;
            found->last_at = last_at;
        }
        return {};
    }
    core::Result<void> symbolise(const std::string& incident_id, const std::vector<core::StackFrame>& frames) override {
        const std::lock_guard lock{mutex_};
        ++calls_;
        if (failure_) return core::fail(*failure_, "fake incidents: symbolise");
        const auto found = at(incident_id);
        if (found == incidents_.end() || !found->failure.evidence) return {};
        auto evidence = *found->failure.evidence;
        if (evidence.frames.size() != frames.size()) return {};
        evidence.frames = frames;
        found->failure.evidence = std::make_shared<const core::Evidence>(std::move(evidence));
        return {};
    }
    core::Result<std::vector<core::Incident>> list(const Query& query) override {
        const std::lock_guard lock{mutex_};
        ++calls_;
        if (failure_) return core::fail(*failure_, "fake incidents: list");
        const auto key = [](const core::Incident& one) { return std::pair{one.at, one.incident_id}; };
        auto rows = incidents_;
        std::ranges::sort(rows, std::greater{}, key);
        std::erase_if(rows, [&](const core::Incident& one) {
            return (!query.rule_id.empty() && one.rule_id != query.rule_id) || !query.scope.admits(one.scope) ||
                   (query.before != core::Instant{} && key(one) >= std::pair{query.before, query.before_id});
        });
        if (rows.size() > query.limit) rows.resize(query.limit);
        return rows;
    }
    core::Result<std::optional<core::Incident>> find(const std::string& incident_id) override {
        const std::lock_guard lock{mutex_};
        ++calls_;
        if (failure_) return core::fail(*failure_, "fake incidents: find");
        if (incident_id.size() < 8) return std::nullopt;
        const auto fits = [&](const core::Incident& one) { return one.incident_id.starts_with(incident_id); };
        if (std::ranges::count_if(incidents_, fits) != 1) return std::nullopt;
        return *std::ranges::find_if(incidents_, fits);
    }

    core::Result<std::vector<core::BreakerRecord>> breakers() override {
        const std::lock_guard lock{mutex_};
        ++calls_;
        if (failure_) return core::fail(*failure_, "fake incidents: breakers");
        std::vector<core::BreakerRecord> rows;
        rows.reserve(breakers_.size());
        for (const auto& [id, row] : breakers_) rows.push_back(row);
        return rows;
    }
    core::Result<void> save(const core::BreakerRecord& breaker) override {
        const std::lock_guard lock{mutex_};
        ++calls_;
        if (failure_) return core::fail(*failure_, "fake incidents: save");
        breakers_.insert_or_assign(breaker.rule_id, breaker);
        return {};
    }
    core::Result<bool> release(const std::string& rule_id) override {
        const std::lock_guard lock{mutex_};
        ++calls_;
        if (failure_) return core::fail(*failure_, "fake incidents: release");
        const auto found = breakers_.find(rule_id);
        if (found == breakers_.end()) return false;
        const bool was_out = found->second.state != core::BreakerState::healthy;
        breakers_.erase(found);
        return was_out;
    }

  private:
    std::vector<core::Incident>::iterator at(const std::string& incident_id) {
        return std::ranges::find(incidents_, incident_id, &core::Incident::incident_id);
    }
    mutable std::mutex mutex_;
    std::optional<core::Errc> failure_;
    int calls_ = 0;
    std::vector<core::Incident> incidents_;
    std::map<std::string, core::BreakerRecord> breakers_;
};

}  // namespace varde::fakes
