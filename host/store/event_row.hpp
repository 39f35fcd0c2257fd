#pragma once
#include "core/event.hpp"

namespace varde::store {

/// Reads a row of `SELECT seq, event_id, stream_id, time, category, room_id, payload, received_at ..` into an event; its scope stays as
/// it is. Into the same event each time: its strings keep their memory. `Row` is what either engine gives: number(i), text(i).
template <class Row>
void read_event(const Row& row, core::Event& event) {
    event.seq = row.number(0);
    event.event_id = row.text(1);
    event.stream_id = row.text(2);
    event.time = core::instant_from_us(row.number(3));
    event.category = row.text(4);
    event.room_id = row.text(5);
    event.payload = row.text(6);
    event.received_at = core::instant_from_us(row.number(7));
}

/// The same with `.., org_id, home_id, subject_id` after it.
template <class Row>
void read_event_with_scope(const Row& row, core::Event& event) {
    read_event(row, event);
    event.scope.org_id = row.text(8);
    event.scope.home_id = row.text(9);
    event.scope.subject_id = row.text(10);
}

}  // namespace varde::store
