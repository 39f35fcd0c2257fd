#pragma once
#include "core/error.hpp"
#include "core/schedule.hpp"

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

/// The pure part of the kind api_sync: from the list of seed 003's interface to schedules, and what a sync makes of a stored one.
namespace varde::jobs {

/// What the schedules of a sync have in common.
struct SyncTarget {
    std::string sync_id;  ///< of the schedule that syncs
    std::string org_id;
    std::string kind;  ///< of the made schedules
    nlohmann::json params = nlohmann::json::object();
    nlohmann::json policy = nlohmann::json::object();
    core::SchedulePolicy defaults;  ///< of what `policy` does not say
    std::string timezone = "UTC";
    std::string item_key;  ///< the key of the params that gets what an item says; empty: the params themselves
};

struct SkippedItem {
    std::string id;      ///< its domain_config_id, or "#3": the third one has none
    std::string reason;  ///< one sentence, at most 300 bytes
};

struct SyncItems {
    std::vector<core::Schedule> schedules;
    std::vector<SkippedItem> skipped;
    std::set<std::string, std::less<>> present;  ///< ids of the schedules whose items are in the list, usable or not
    bool complete = true;                        ///< false: an item has no id, so that it cannot be said whose is missing
};

/// Reads {"data": [{"domain_config_id", "data": {"domain", "description", "allow_deep_scan", "maxPages", "scanDepth", "maxRetries",
/// "customPages", "accept_selector", "schedule": {"frequency", "time"}}}]}; other keys are not looked at. What is wrong with an item
/// skips it. Errc::invalid_argument: it is no such list, it is empty, or has more than 10,000 items.
[[nodiscard]] core::Result<SyncItems> read_sync_items(const nlohmann::json& document, const SyncTarget& target);

/// "sync:nightly": who owns the schedules that this schedule makes.
[[nodiscard]] std::string sync_source(const std::string& sync_id);
/// "sync:nightly:abc-123". Ids that are long or have other characters than a schedule's id may have are cut and get a hash: different
/// ids of one sync give different schedules.
[[nodiscard]] std::string sync_schedule_id(const std::string& sync_id, std::string_view domain_config_id);

/// Nothing is to be written. Whether somebody paused or disabled the stored one does not count, unless a sync did.
[[nodiscard]] bool is_unchanged(const core::Schedule& stored, const core::Schedule& wanted);
/// The stored schedule with the wanted definition. One that a sync had disabled because its item was missing is active again.
[[nodiscard]] core::Schedule updated(const core::Schedule& stored, const core::Schedule& wanted);
/// The stored schedule, disabled because its item is missing; a label says so. As it is if somebody disabled it before.
[[nodiscard]] core::Schedule set_aside(const core::Schedule& stored);

}  // namespace varde::jobs
