#pragma once
#include "evaluate/live_columns.hpp"

#include <chrono>
#include <memory>
#include <string>
#include <vector>

/// Short ways to make plans and events for the tests of this folder.
namespace columns {

using namespace varde;

inline constexpr core::Instant kNoon =
    core::Instant{std::chrono::sys_days{std::chrono::year{2026} / 1 / 15} + std::chrono::hours{12}};
inline core::Instant at(int seconds) { return kNoon + std::chrono::seconds{seconds}; }

inline std::shared_ptr<const evaluate::ColumnPlan> plan(std::vector<std::string> keys, std::vector<std::string> literals = {},
                                                        std::uint32_t wants = 0) {
    wire::Declarations declarations;
    declarations.keys = std::move(keys);
    declarations.literals = std::move(literals);
    declarations.wants = wants;
    return std::make_shared<evaluate::ColumnPlan>(std::vector<const wire::Declarations*>{&declarations});
}

inline core::Event event(std::int64_t seq, int seconds, std::string category = "motion", std::string payload = "{}") {
    core::Event event;
    event.seq = seq;
    event.event_id = "e-" + std::to_string(seq);
    event.time = at(seconds);
    event.category = std::move(category);
    event.payload = std::move(payload);
    return event;
}

}  // namespace columns
