#include "api/monitor_mode_text.hpp"

#include "time/utc_text.hpp"

#include <nlohmann/json.hpp>

namespace varde::api {

nlohmann::ordered_json monitor_mode_json(const ports::MonitorModeRow& row) {
    return {{"org_id", row.scope.org_id},
            {"home_id", row.scope.home_id},
            {"subject_id", row.scope.subject_id},
            {"monitor_key", row.monitor_key},
            {"room_id", row.room_id},
            {"mode", core::name_of(row.mode)},
            {"updated_at", time::format_utc(row.updated_at)},
            {"updated_by", row.updated_by}};
}

}  // namespace varde::api
