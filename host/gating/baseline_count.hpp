#pragma once
#include "config/settings.hpp"
#include "core/baseline.hpp"
#include "core/event.hpp"
#include "time/zone.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace varde::gating {

/// The whole local days before the one of `now`, window_days of them, oldest first. Each is [midnight, next midnight) of the zone: 23, 24
/// or 25 hours.
[[nodiscard]] std::vector<core::Window> baseline_days(const config::BaselineSettings& settings, const time::Zone& zone,
                                                      core::Instant now);

/// The settings that decide what a count comes to, as text: BaselineStatus::definition.
[[nodiscard]] std::string definition_of(const config::BaselineSettings& settings);

/// Whether a scope must be counted again: its row is missing, by other settings, or about other days than today's; or it is not ready,
/// when late events can still make it so. A row by another program (no definition) is replaced too.
[[nodiscard]] bool is_due(const core::BaselineStatus* row, const std::string& definition, const core::Window& model);

/// Counts the habits of one scope from its events, which are added in time order, one at a time; nothing of them is kept.
///
/// Looked at are events of settings.categories. A local day with one is a day with data. One with a room (Event::room_id) and no idle
/// state is a sign of life in that room: it counts for the cell (room, local hour), and, if the sign of life before it was in another
/// room at most max_transition ago, for the way between the two. A cell or way is supported if it was seen on support_days different
/// local days.
class BaselineCount {
  public:
    /// Both outlive it.
    BaselineCount(const config::BaselineSettings& settings, const time::Zone& zone) : settings_{settings}, zone_{zone} {}

    void add(const core::Event& event);

    /// What was counted, over the days of `model`.
    [[nodiscard]] core::BaselineStatus status(const core::Scope& scope, core::Window model, core::Instant now) const;

  private:
    /// On how many days something was seen.
    struct Days {
        std::int64_t last = INT64_MIN;
        int count = 0;
        void see(std::int64_t day);
    };
    using Seen = std::unordered_map<std::uint64_t, Days>;

    [[nodiscard]] int room_number(const std::string& room);  ///< -1: one room too many
    [[nodiscard]] std::int64_t supported(const Seen& seen) const;

    const config::BaselineSettings& settings_;
    const time::Zone& zone_;
    Days with_data_;
    std::unordered_map<std::string, int> rooms_;
    Seen cells_;
    Seen ways_;
    int last_room_ = -1;
    core::Instant last_sign_{};
};

/// Whether a payload's `state`, else its `value`, is one of `idle_states` (lower-case). A payload without either says nothing: not idle.
[[nodiscard]] bool is_idle(std::string_view payload, const std::vector<std::string>& idle_states);

}  // namespace varde::gating
