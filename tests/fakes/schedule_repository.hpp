#pragma once
#include "ports/schedule_repository.hpp"

#include <algorithm>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

namespace varde::fakes {

/// A ScheduleRepository in memory, for those who define and read schedules: it decides about no slots. Thread-safe.
class ScheduleRepository final : public ports::ScheduleRepository {
  public:
    /// While set, every call fails with it.
    void fail_with(std::optional<core::Errc> code) {
        const std::lock_guard lock{mutex_};
        failure_ = code;
    }

    [[nodiscard]] core::Result<core::Schedule> create(const core::Schedule& schedule) override {
        const std::lock_guard lock{mutex_};
        if (failure_) return core::fail(*failure_, "fake schedules: create");
        if (rows_.contains(schedule.schedule_id)) {
            return core::fail(core::Errc::conflict, "there is a schedule " + schedule.schedule_id + " already");
        }
        if (auto sound = check_dependencies(schedule); !sound) return tl::unexpected{sound.error()};
        auto row = schedule;
        row.version = 1;
        return rows_[row.schedule_id] = row;
    }
    [[nodiscard]] core::Result<core::Schedule> edit(const std::string& schedule_id, const std::string& org_id,
                                                    const Edit& edit) override {
        const std::lock_guard lock{mutex_};
        auto* const row = visible(schedule_id, org_id);
        if (failure_ || row == nullptr) return absent(schedule_id);
        auto edited = edit(*row, [](const core::Schedule&) { return core::Result<core::Calendars>{}; });
        if (!edited) return tl::unexpected{edited.error()};
        if (auto sound = check_dependencies(edited->schedule); !sound) return tl::unexpected{sound.error()};
        edited->schedule.version = row->version + 1;
        return *row = edited->schedule;
    }
    [[nodiscard]] core::Result<void> remove(const std::string& schedule_id, const std::string& org_id, bool /*purge*/, bool force,
                                            core::Instant /*now*/) override {
        const std::lock_guard lock{mutex_};
        if (failure_ || visible(schedule_id, org_id) == nullptr) return absent(schedule_id);
        const auto waiting = needing({schedule_id});
        if (!waiting.empty() && !force) return core::fail(core::Errc::conflict, waiting.front() + " depends on it");
        rows_.erase(schedule_id);
        return {};
    }
    [[nodiscard]] core::Result<core::Schedule> find(const std::string& schedule_id, const std::string& org_id) override {
        const std::lock_guard lock{mutex_};
        const auto* const row = visible(schedule_id, org_id);
        if (failure_ || row == nullptr) return absent(schedule_id);
        return *row;
    }
    [[nodiscard]] core::Result<std::vector<core::Schedule>> list(const ports::ScheduleQuery& query) override {
        const std::lock_guard lock{mutex_};
        if (failure_) return core::fail(*failure_, "fake schedules: list");
        std::vector<core::Schedule> found;
        for (const auto& [id, row] : rows_) {
            if (wanted(row, query)) found.push_back(row);
        }
        std::ranges::sort(found, later);
        if (query.after) {
            core::Schedule last;
            last.created_at = query.after->created_at;
            last.schedule_id = query.after->schedule_id;
            std::erase_if(found, [&](const core::Schedule& row) { return !later(last, row); });
        }
        if (std::ssize(found) > query.limit) found.resize(static_cast<std::size_t>(query.limit));
        return found;
    }
    [[nodiscard]] core::Result<std::int64_t> count(const ports::ScheduleQuery& query) override {
        const std::lock_guard lock{mutex_};
        return std::ranges::count_if(rows_, [&](const auto& row) { return wanted(row.second, query); });
    }
    [[nodiscard]] core::Result<std::vector<std::string>> dependents(const std::string& schedule_id, bool transitive) override {
        const std::lock_guard lock{mutex_};
        if (failure_) return core::fail(*failure_, "fake schedules: dependents");
        auto found = needing({schedule_id});
        for (std::size_t i = 0; transitive && i < found.size(); ++i) {
            for (const auto& id : needing({found[i]})) {
                if (std::ranges::find(found, id) == found.end()) found.push_back(id);
            }
        }
        return found;
    }

    // What only who decides about slots calls.
    [[nodiscard]] core::Result<ports::FiredSlots> fire_due(
        core::Instant, int, const std::function<ports::DueDecision(const ports::DueSchedule&)>&) override {
        return ports::FiredSlots{};
    }
    core::Result<ZonesFollowed> follow_zones(const std::string&, const ports::CalendarRepository::Recompute&) override {
        return ZonesFollowed{};
    }
    [[nodiscard]] core::Result<std::optional<core::Instant>> next_due() override { return std::nullopt; }
    core::Result<ports::HeardEvents> hear_events(core::Instant, const ports::CalledBy&,
                                                 const std::function<ports::DueDecision(const ports::DueSchedule&)>&) override {
        return ports::HeardEvents{};
    }
    [[nodiscard]] core::Result<std::vector<std::string>> event_categories() override { return std::vector<std::string>{}; }
    core::Result<int> settle_waiting(core::Instant, int,
                                     const std::function<ports::WaitingDecision(const ports::WaitingRun&)>&) override {
        return 0;
    }

  private:
    [[nodiscard]] tl::unexpected<core::Error> absent(const std::string& schedule_id) const {
        if (failure_) return core::fail(*failure_, "fake schedules");
        return core::fail(core::Errc::not_found, "there is no schedule " + schedule_id);
    }
    core::Schedule* visible(const std::string& schedule_id, const std::string& org_id) {
        const auto found = rows_.find(schedule_id);
        return found == rows_.end() || (!org_id.empty() && found->second.org_id != org_id) ? nullptr : &found->second;
    }
    /// Newest first.
    static bool later(const core::Schedule& a, const core::Schedule& b) {
        return a.created_at != b.created_at ? a.created_at > b.created_at : a.schedule_id < b.schedule_id;
    }
    static bool wanted(const core::Schedule& row, const ports::ScheduleQuery& query) {
        bool labelled = true;
        if (query.label) {
            const auto equals = query.label->find('=');
            const auto labels = nlohmann::json::parse(row.labels);
            labelled = labels.value(query.label->substr(0, equals), "") == query.label->substr(equals + 1);
        }
        const auto holds = [&](const std::string& text) { return text.find(*query.name_contains) != std::string::npos; };
        return labelled && (query.org_id.empty() || query.org_id == row.org_id) && (!query.kind || *query.kind == row.kind) &&
               (!query.state || *query.state == row.state) && (!query.source || *query.source == row.source) &&
               (!query.name_contains || holds(row.name) || holds(row.schedule_id));
    }
    [[nodiscard]] std::vector<std::string> needing(const std::string& schedule_id) const {
        std::vector<std::string> found;
        for (const auto& [id, row] : rows_) {
            if (std::ranges::find(row.policy.depends_on, schedule_id) != row.policy.depends_on.end()) found.push_back(id);
        }
        return found;
    }
    /// They exist, in the same org, and none of them leads back.
    core::Result<void> check_dependencies(const core::Schedule& schedule) {
        auto reached = schedule.policy.depends_on;
        for (std::size_t i = 0; i < reached.size(); ++i) {
            if (reached[i] == schedule.schedule_id) return core::fail(core::Errc::conflict, "cycle: over " + reached[i]);
            const auto* const row = visible(reached[i], schedule.org_id);
            if (row == nullptr) return core::fail(core::Errc::not_found, "policy.depends_on: there is no schedule " + reached[i]);
            for (const auto& id : row->policy.depends_on) reached.push_back(id);
        }
        return {};
    }

    mutable std::mutex mutex_;
    std::optional<core::Errc> failure_;
    std::map<std::string, core::Schedule> rows_;
};

}  // namespace varde::fakes
