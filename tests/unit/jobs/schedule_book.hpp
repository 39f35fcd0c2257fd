#pragma once
#include "ports/schedule_control.hpp"
#include "ports/schedule_repository.hpp"

#include <algorithm>
#include <functional>
#include <map>
#include <string>
#include <vector>

namespace varde::testing {

/// As much of the two ports of schedules as a sync uses, in memory.
class ScheduleBook {
  public:
    std::map<std::string, core::Schedule> rows;
    int writes = 0;
    /// Asked before each write; what it gives is the answer.
    std::function<core::Result<void>(const core::Schedule&)> allow = [](const core::Schedule&) -> core::Result<void> {
        return {};
    };
    std::function<void()> before_edit = [] {};
    std::vector<std::string> by;  ///< who made the writes

    core::Result<core::Schedule> put(core::Schedule row, const std::string& who) {
        if (auto allowed = allow(row); !allowed) return tl::unexpected{allowed.error()};
        ++writes;
        by.push_back(who);
        rows[row.schedule_id] = row;
        return row;
    }
    core::Result<void> take(const std::string& id, const std::string& who) {
        if (auto allowed = allow(rows.at(id)); !allowed) return allowed;
        ++writes;
        by.push_back(who);
        rows.erase(id);
        return {};
    }

  private:
    static tl::unexpected<core::Error> none() { return core::fail(core::Errc::database_failed, "not for this test"); }

    class Rows final : public ports::ScheduleRepository {
      public:
        explicit Rows(ScheduleBook& book) : book_{book} {}
        core::Result<std::vector<core::Schedule>> list(const ports::ScheduleQuery& query) override {
            std::vector<core::Schedule> found;
            for (const auto& [id, row] : book_.rows) {
                const bool before =
                    !query.after || std::tie(row.created_at, id) < std::tie(query.after->created_at, query.after->schedule_id);
                if (row.org_id == query.org_id && row.source == query.source && before) found.push_back(row);
            }
            std::ranges::sort(found, [](const auto& a, const auto& b) {
                return std::tie(a.created_at, a.schedule_id) > std::tie(b.created_at, b.schedule_id);
            });
            if (found.size() > static_cast<std::size_t>(query.limit)) found.resize(static_cast<std::size_t>(query.limit));
            return found;
        }
        core::Result<core::Schedule> create(const core::Schedule&) override { return none(); }
        core::Result<core::Schedule> edit(const std::string&, const std::string&, const Edit&) override { return none(); }
        core::Result<void> remove(const std::string&, const std::string&, bool, bool, core::Instant) override { return none(); }
        core::Result<core::Schedule> find(const std::string&, const std::string&) override { return none(); }
        core::Result<std::int64_t> count(const ports::ScheduleQuery&) override { return none(); }
        core::Result<std::vector<std::string>> dependents(const std::string&, bool) override { return none(); }
        core::Result<ports::FiredSlots> fire_due(core::Instant, int,
                                                 const std::function<ports::DueDecision(const ports::DueSchedule&)>&) override {
            return none();
        }
        core::Result<ZonesFollowed> follow_zones(const std::string&, const ports::CalendarRepository::Recompute&) override {
            return none();
        }
        core::Result<std::optional<core::Instant>> next_due() override { return none(); }
        core::Result<ports::HeardEvents> hear_events(
            core::Instant, const ports::CalledBy&, const std::function<ports::DueDecision(const ports::DueSchedule&)>&) override {
            return none();
        }
        core::Result<std::vector<std::string>> event_categories() override { return none(); }
        core::Result<int> settle_waiting(core::Instant, int,
                                         const std::function<ports::WaitingDecision(const ports::WaitingRun&)>&) override {
            return none();
        }

      private:
        ScheduleBook& book_;
    };

    class Desk final : public ports::ScheduleControl {
      public:
        explicit Desk(ScheduleBook& book) : book_{book} {}
        [[nodiscard]] bool reaches_beyond_org(const core::Schedule&) const override { return false; }
        core::Result<core::Schedule> create(core::Schedule wanted, const std::string& by) override {
            if (book_.rows.contains(wanted.schedule_id)) return core::fail(core::Errc::conflict, "the id is taken");
            return book_.put(std::move(wanted), by);
        }
        core::Result<core::Schedule> edit(const std::string& id, const std::string& org_id, const Change& change,
                                          const std::string& by) override {
            book_.before_edit();
            const auto found = book_.rows.find(id);
            if (found == book_.rows.end() || found->second.org_id != org_id) return core::fail(core::Errc::not_found, "no " + id);
            auto wanted = change(found->second);
            if (!wanted) return wanted;
            ++wanted->version;
            return book_.put(std::move(*wanted), by);
        }
        core::Result<void> remove(const std::string& id, const std::string&, bool purge, bool force,
                                  const std::string& by) override {
            if (purge || force) return core::fail(core::Errc::database_failed, "a sync keeps the history and what depends on it");
            return book_.take(id, by);
        }
        std::vector<std::pair<std::string, std::string>> job_kinds() const override {
            return {{"http", "calls"}, {"scan", "scans"}};
        }

        core::Result<void> check(const core::Schedule&) const override { return none(); }
        core::Result<core::Schedule> act(const std::string&, const std::string&, ports::ScheduleAction,
                                         const std::string&) override {
            return none();
        }
        core::Result<std::pair<core::Run, bool>> run_now(const std::string&, const std::string&,
                                                         const ports::ManualRun&) override {
            return none();
        }
        core::Result<core::Run> cancel(std::int64_t, const std::string&, const std::string&) override { return none(); }
        core::Result<core::Run> retry(std::int64_t, const std::string&, const std::string&) override { return none(); }
        core::Result<std::vector<core::PlannedSlot>> preview(const core::Schedule&, std::optional<core::Instant>,
                                                             int) const override {
            return none();
        }
        core::Result<core::SlotExplanation> explain(const std::string&, const std::string&, core::Instant) override {
            return none();
        }

      private:
        ScheduleBook& book_;
    };

  public:
    Rows repository{*this};
    Desk control{*this};
};

}  // namespace varde::testing
