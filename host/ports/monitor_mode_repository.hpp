#pragma once
#include "core/error.hpp"
#include "core/instant.hpp"
#include "core/monitor_mode.hpp"
#include "core/scope.hpp"

#include <optional>
#include <string>
#include <vector>

namespace varde::ports {

/// The room_id of a mode that is about the whole home: the only ones that runs look at.
inline constexpr const char* kWholeHome = "__GLOBAL__";

struct MonitorModeRow {
    core::Scope scope;
    std::string monitor_key;  ///< a rule id; 1..100 characters
    std::string room_id = kWholeHome;
    core::MonitorMode mode = core::MonitorMode::on;
    core::Instant updated_at{};
    std::string updated_by;
    friend bool operator==(const MonitorModeRow&, const MonitorModeRow&) = default;
};

struct MonitorModeQuery {
    core::ScopeFilter scope;
    std::optional<std::string> monitor_key;
    std::optional<std::string> room_id;
    int limit = 500;  ///< 1..5000
};

/// What operators set of rules in single homes. A key without a row is what rules.yaml
/// says of the home, else ON. Thread-safe; blocking: call on a database thread only.
class MonitorModeRepository {
  public:
    virtual ~MonitorModeRepository() = default;
    /// In the order of scope, monitor_key and room_id.
    [[nodiscard]] virtual core::Result<std::vector<MonitorModeRow>> list(const MonitorModeQuery& query) = 0;
    /// What a run must know: the rows of whole homes, of every scope. One that is ON counts before what rules.yaml says.
    [[nodiscard]] virtual core::Result<std::vector<MonitorModeRow>> in_force() = 0;
    /// Stores the row of its scope, monitor_key and room_id; returns the mode that was in force before.
    virtual core::Result<core::MonitorMode> set(const MonitorModeRow& row) = 0;
};

}  // namespace varde::ports
