/// In which room an event happened.
#pragma once
#include <varde/rule.hpp>

#include <string>

namespace varde::home {

/// Reads the room of a row. Kept in the rule; made once in its constructor.
///
/// As in the reference a room is `str(payload.room_id or payload.room or "")`: a falsy room_id (0, false, "", null) gives way to room,
/// nothing is trimmed, case counts. With `use_derived_room` the room that the host derived comes first (it knows sensors that were mapped
/// to rooms by hand), and the payload counts where the host has none.
class Rooms {
  public:
    Rooms() = default;
    Rooms(Setup& setup, bool use_derived_room) : keys_(setup.keys({"room_id", "room"})), derived_(use_derived_room) {}

    /// The room's name; empty if the event names none.
    [[nodiscard]] std::string of(Row row) const {
        if (takes_derived(row)) return std::string(row.room());
        const Cell room = row.first_truthy(keys_);
        return room.truthy() ? room.str() : std::string();
    }

    /// of(row) == room.text(), without making a text.
    [[nodiscard]] bool is(Row row, const Word& room) const {
        if (takes_derived(row)) return row.room() == room.text();
        const Cell cell = row.first_truthy(keys_);
        return cell.truthy() ? cell.is(room) : room.text().empty();
    }

    /// of(row) is not empty.
    [[nodiscard]] bool has(Row row) const { return takes_derived(row) || row.first_truthy(keys_).truthy(); }

  private:
    [[nodiscard]] bool takes_derived(Row row) const { return derived_ && row.room_symbol() != 0; }

    Keys keys_;
    bool derived_ = false;
};

}  // namespace varde::home
