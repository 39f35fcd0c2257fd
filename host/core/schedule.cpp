#include "core/schedule.hpp"

#include <array>

namespace varde::core {
namespace {

template <class Enum, std::size_t N>
std::optional<Enum> named(const std::array<std::string_view, N>& names, std::string_view name) {
    for (std::size_t i = 0; i < N; ++i) {
        if (names[i] == name) return static_cast<Enum>(i);
    }
    return std::nullopt;
}

constexpr std::array<std::string_view, 4> kCatchUps{"none", "last", "first", "all"};
constexpr std::array<std::string_view, 4> kOverlaps{"skip", "queue_one", "queue_all", "cancel_other"};
constexpr std::array<std::string_view, 3> kRolls{"skip", "next", "previous"};
constexpr std::array<std::string_view, 4> kStates{"active", "paused", "disabled", "completed"};

}  // namespace

std::string_view name_of(CatchUp policy) { return kCatchUps.at(static_cast<std::size_t>(policy)); }
std::optional<CatchUp> catch_up_from(std::string_view name) { return named<CatchUp>(kCatchUps, name); }

std::string_view name_of(Overlap policy) { return kOverlaps.at(static_cast<std::size_t>(policy)); }
std::optional<Overlap> overlap_from(std::string_view name) { return named<Overlap>(kOverlaps, name); }

std::string_view name_of(CalendarRoll roll) { return kRolls.at(static_cast<std::size_t>(roll)); }
std::optional<CalendarRoll> calendar_roll_from(std::string_view name) { return named<CalendarRoll>(kRolls, name); }

std::string_view name_of(ScheduleState state) { return kStates.at(static_cast<std::size_t>(state)); }
std::optional<ScheduleState> schedule_state_from(std::string_view name) { return named<ScheduleState>(kStates, name); }

}  // namespace varde::core
