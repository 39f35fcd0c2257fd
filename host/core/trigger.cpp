#include "core/trigger.hpp"

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

constexpr std::array<std::string_view, 6> kKinds{"manual", "cron", "interval", "once", "event", "after"};

}  // namespace

std::string_view name_of(TriggerKind kind) { return kKinds.at(static_cast<std::size_t>(kind)); }
std::optional<TriggerKind> trigger_kind_from(std::string_view name) { return named<TriggerKind>(kKinds, name); }

}  // namespace varde::core
