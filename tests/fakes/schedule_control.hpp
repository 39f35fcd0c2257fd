#pragma once
#include "ports/run_repository.hpp"
#include "ports/schedule_control.hpp"
#include "ports/schedule_repository.hpp"
#include "time/clock.hpp"

#include <chrono>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace varde::fakes {

/// A ScheduleControl that stores what it is told, knows the job kinds "http" and "noop", and lets every schedule be due at full hours.
/// Thread-safe.
class ScheduleControl final : public ports::ScheduleControl {
  public:
    ScheduleControl(ports::ScheduleRepository& schedules, ports::RunRepository& runs, const time::Clock& clock)
        : schedules_{schedules}, runs_{runs}, clock_{clock} {}

    /// Who made the last change.
    [[nodiscard]] std::string by() const {
        const std::lock_guard lock{mutex_};
        return by_;
    }
    [[nodiscard]] bool purged() const {
        const std::lock_guard lock{mutex_};
        return purged_;
    }

    [[nodiscard]] core::Result<void> check(const core::Schedule& wanted) const override {
        if (wanted.kind == "http" || wanted.kind == "noop") return {};
        return core::fail(core::Errc::invalid_argument, "kind: there is no job kind '" + wanted.kind + "'");
    }
    [[nodiscard]] core::Result<core::Schedule> create(core::Schedule wanted, const std::string& by) override {
        if (auto sound = check(wanted); !sound) return tl::unexpected{sound.error()};
        note(by);
        if (wanted.schedule_id.empty()) wanted.schedule_id = "made-by-" + by;
        wanted.created_at = wanted.updated_at = clock_.now();
        wanted.next_at = next_hour(clock_.now());
        return schedules_.create(wanted);
    }
    [[nodiscard]] core::Result<core::Schedule> edit(const std::string& schedule_id, const std::string& org_id,
                                                    const Change& change, const std::string& by) override {
        note(by);
        return schedules_.edit(
            schedule_id, org_id,
            [&](const core::Schedule& current, const auto&) -> core::Result<ports::ScheduleRepository::Edited> {
                auto wanted = change(current);
                if (!wanted) return tl::unexpected{wanted.error()};
                if (auto sound = check(*wanted); !sound) return tl::unexpected{sound.error()};
                wanted->created_at = current.created_at;
                wanted->next_at = current.next_at;
                return ports::ScheduleRepository::Edited{std::move(*wanted), {}, {}};
            });
    }
    [[nodiscard]] core::Result<core::Schedule> act(const std::string& schedule_id, const std::string& org_id,
                                                   ports::ScheduleAction action, const std::string& by) override {
        note(by);
        const auto current = schedules_.find(schedule_id, org_id);
        if (!current) return current;
        if (current->state == core::ScheduleState::completed) return core::fail(core::Errc::conflict, "it is completed");
        auto state = core::ScheduleState::active;
        if (action == ports::ScheduleAction::disable) state = core::ScheduleState::disabled;
        if (action == ports::ScheduleAction::pause) state = core::ScheduleState::paused;
        if (current->state == state) return current;
        return schedules_.edit(
            schedule_id, org_id,
            [&](const core::Schedule& schedule, const auto&) -> core::Result<ports::ScheduleRepository::Edited> {
                ports::ScheduleRepository::Edited edited{schedule, {}, {}};
                edited.schedule.state = state;
                // What catching up looks like here: the cursor stays where it was.
                if (action == ports::ScheduleAction::resume_skip) {
                    edited.schedule.next_at = next_hour(clock_.now());
                }
                return edited;
            });
    }
    [[nodiscard]] core::Result<void> remove(const std::string& schedule_id, const std::string& org_id, bool purge, bool force,
                                            const std::string& by) override {
        note(by);
        auto removed = schedules_.remove(schedule_id, org_id, purge, force, clock_.now());
        const std::lock_guard lock{mutex_};
        purged_ = removed && purge;
        return removed;
    }

    [[nodiscard]] core::Result<std::pair<core::Run, bool>> run_now(const std::string& schedule_id, const std::string& org_id,
                                                                   const ports::ManualRun& manual) override {
        note(manual.by);
        const auto added = runs_.add(schedule_id, org_id, manual.idempotency_key,
                                     [&](const core::Schedule& schedule, int live, int) -> core::Result<core::Run> {
                                         if (live > 0) return core::fail(core::Errc::conflict, "a run is not over");
                                         core::Run run;
                                         run.job_kind = schedule.kind;
                                         run.kind = core::SlotKind::manual;
                                         run.nominal_at = run.run_at = run.created_at = clock_.now();
                                         run.input = manual.input;
                                         run.idempotency_key = manual.idempotency_key;
                                         run.requested_by = manual.by;
                                         return run;
                                     });
        if (!added) return tl::unexpected{added.error()};
        return std::pair{added->run, added->created};
    }
    [[nodiscard]] core::Result<core::Run> cancel(std::int64_t run_id, const std::string& org_id, const std::string& by) override {
        note(by);
        return runs_.cancel(run_id, org_id, by, clock_.now());
    }
    [[nodiscard]] core::Result<core::Run> retry(std::int64_t run_id, const std::string& org_id, const std::string& by) override {
        const auto old = runs_.find(run_id, org_id);
        if (!old) return old;
        if (!core::is_terminal(old->state)) return core::fail(core::Errc::conflict, "the run is not over");
        const auto again = run_now(old->schedule_id, org_id, {old->input, {}, by});
        if (!again) return tl::unexpected{again.error()};
        return again->first;
    }

    [[nodiscard]] core::Result<std::vector<core::PlannedSlot>> preview(const core::Schedule& schedule,
                                                                       std::optional<core::Instant> after,
                                                                       int count) const override {
        if (auto sound = check(schedule); !sound) return tl::unexpected{sound.error()};
        std::vector<core::PlannedSlot> slots;
        auto at = after.value_or(clock_.now());
        while (std::ssize(slots) < count) {
            at = next_hour(at);
            slots.push_back({at, at, 3600, true, "natural", ""});
        }
        return slots;
    }
    [[nodiscard]] core::Result<core::SlotExplanation> explain(const std::string& schedule_id, const std::string& org_id,
                                                              core::Instant at) override {
        const auto schedule = schedules_.find(schedule_id, org_id);
        if (!schedule) return tl::unexpected{schedule.error()};
        return core::SlotExplanation{schedule_id, at, "not_due", "it is no full hour", 0, {}};
    }
    [[nodiscard]] bool reaches_beyond_org(const core::Schedule& schedule) const override {
        return schedule.params.find("everybody") != std::string::npos;
    }
    [[nodiscard]] std::vector<std::pair<std::string, std::string>> job_kinds() const override {
        return {{"http", "calls"}, {"noop", "rests"}};
    }

  private:
    void note(const std::string& by) {
        const std::lock_guard lock{mutex_};
        by_ = by;
    }
    static core::Instant next_hour(core::Instant after) {
        constexpr std::int64_t kHour = 3'600'000'000;
        return core::instant_from_us((core::to_us(after) / kHour + 1) * kHour);
    }

    ports::ScheduleRepository& schedules_;
    ports::RunRepository& runs_;
    const time::Clock& clock_;
    mutable std::mutex mutex_;
    std::string by_;
    bool purged_ = false;
};

}  // namespace varde::fakes
