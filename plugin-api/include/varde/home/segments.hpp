/// Stays: what lies between an `on` and the `off` that ends it.
#pragma once
#include <varde/home/state.hpp>

#include <concepts>
#include <optional>
#include <utility>
#include <vector>

namespace varde::home {

/// From the first `on` after an `off` to the next `off`.
struct Segment {
    Instant start;
    std::optional<Instant> end;  ///< nothing: still on
    std::vector<Row> rows;       ///< every on and off of it, in time order; the first is the one that began it

    /// How long it lasted, or has lasted at `until`, in whole minutes rounded down.
    [[nodiscard]] int64_t minutes_at(Instant until) const { return floor_minutes(end.value_or(until) - start); }
};

/// The segments of `rows` in time order; only the last can be open. `state_of(row)` is State::none for a row that is not looked at.
/// A repeated `on` belongs to the segment that is open, an `off` without one is dropped, other states change nothing.
template <class StateOf>
requires std::invocable<StateOf, Row>
[[nodiscard]] std::vector<Segment> segments_of(const Rows& rows, StateOf state_of) {
    std::vector<Segment> out;
    bool open = false;
    for (const Row row : rows) {
        const State state = state_of(row);
        if (state == State::on && !open) {
            out.push_back({row.time(), std::nullopt, {}});
            open = true;
        }
        if (!open || (state != State::on && state != State::off)) continue;
        out.back().rows.push_back(row);
        if (state == State::on) continue;
        out.back().end = row.time();
        open = false;
    }
    return out;
}

}  // namespace varde::home
