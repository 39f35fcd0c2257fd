#pragma once
#include "ports/calendar_control.hpp"
#include "time/clock.hpp"

#include <map>
#include <mutex>
#include <string>
#include <utility>

namespace varde::fakes {

/// A CalendarControl that stores what it is told; one with the id "used" is used by a schedule. Thread-safe.
class CalendarControl final : public ports::CalendarControl {
  public:
    explicit CalendarControl(const time::Clock& clock) : clock_{clock} {}

    /// Who made the last change.
    [[nodiscard]] std::string by() const {
        const std::lock_guard lock{mutex_};
        return by_;
    }

    [[nodiscard]] core::Result<core::Calendar> put(core::Calendar calendar, std::optional<std::int64_t> only_version,
                                                   const std::string& by) override {
        const std::lock_guard lock{mutex_};
        const auto found = rows_.find({calendar.org_id, calendar.calendar_id});
        if (only_version && (found == rows_.end() || found->second.version != *only_version)) {
            return core::fail(core::Errc::conflict, "another version");
        }
        calendar.version = found == rows_.end() ? 1 : found->second.version + 1;
        calendar.created_at = found == rows_.end() ? clock_.now() : found->second.created_at;
        calendar.updated_at = clock_.now();
        by_ = by;
        return rows_[{calendar.org_id, calendar.calendar_id}] = calendar;
    }
    [[nodiscard]] core::Result<void> remove(const std::string& calendar_id, const std::string& org_id,
                                            std::optional<std::int64_t>, const std::string& by) override {
        const std::lock_guard lock{mutex_};
        if (!rows_.contains({org_id, calendar_id})) return core::fail(core::Errc::not_found, "no " + calendar_id);
        if (calendar_id == "used") return core::fail(core::Errc::conflict, "calendar used cannot be removed: nightly uses it");
        by_ = by;
        rows_.erase({org_id, calendar_id});
        return {};
    }
    [[nodiscard]] core::Result<core::Calendar> find(const std::string& calendar_id, const std::string& org_id) const override {
        const std::lock_guard lock{mutex_};
        const auto found = rows_.find({org_id, calendar_id});
        if (found == rows_.end()) return core::fail(core::Errc::not_found, "there is no calendar " + calendar_id);
        return found->second;
    }
    [[nodiscard]] core::Result<std::vector<core::Calendar>> list(const std::string& org_id) const override {
        const std::lock_guard lock{mutex_};
        std::vector<core::Calendar> found;
        for (const auto& [key, calendar] : rows_) {
            if (org_id.empty() || key.first == org_id) found.push_back(calendar);
        }
        return found;
    }

  private:
    const time::Clock& clock_;
    mutable std::mutex mutex_;
    std::map<std::pair<std::string, std::string>, core::Calendar> rows_;
    std::string by_;
};

}  // namespace varde::fakes
