#pragma once
#include "core/instant.hpp"
#include "core/scope.hpp"

#include <cstdint>
#include <optional>
#include <string>

namespace varde::core {

/// How well a home's habits are known: a row of baseline_model_status, at most one a scope. Rules that compare with habits are not
/// asked before it is ready (gating/).
struct BaselineStatus {
    Scope scope;
    Instant computed_at{};
    bool ready = false;
    std::int64_t days_with_data = 0;
    /// Cells (room x hour of the day) and ways (room to room) that were seen, and how many of them often enough to count on; nullopt:
    /// whoever wrote the row did not count them.
    std::optional<std::int64_t> room_bucket_rows;
    std::optional<std::int64_t> room_bucket_supported;
    std::optional<std::int64_t> transition_rows;
    std::optional<std::int64_t> transition_supported;
    /// The time that was looked at: whole local days.
    Window model{};
    /// The settings it was computed by, as text: other settings make it out of date. Empty: not computed by this host.
    std::string definition{};
    friend bool operator==(const BaselineStatus&, const BaselineStatus&) = default;
};

}  // namespace varde::core
