#include "core/run.hpp"

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

constexpr std::array<std::string_view, 9> kStates{"waiting",   "pending", "running",   "success",  "failed",
                                                  "cancelled", "skipped", "timed_out", "abandoned"};
constexpr std::array<std::string_view, 4> kKinds{"scheduled", "manual", "event", "after"};

}  // namespace

std::string_view name_of(RunState state) { return kStates.at(static_cast<std::size_t>(state)); }
std::optional<RunState> run_state_from(std::string_view name) { return named<RunState>(kStates, name); }

std::string_view name_of(SlotKind kind) { return kKinds.at(static_cast<std::size_t>(kind)); }
std::optional<SlotKind> slot_kind_from(std::string_view name) { return named<SlotKind>(kKinds, name); }

}  // namespace varde::core
