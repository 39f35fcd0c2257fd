#include "api/room_text.hpp"
#include "app/composition.hpp"
#include "app/json_output.hpp"
#include "app/modules.hpp"
#include "ingest/room_watch.hpp"

#include <string>
#include <type_traits>
#include <vector>

#include <fmt/format.h>

namespace varde::app {
namespace {

using ports::RoomMappingRow;
using ports::RoomRow;

/// A host that runs reads its picture anew by itself.
std::string when() { return fmt::format("a running host goes by it within {} s", ingest::RoomWatch::kEvery.count()); }

template <class Row>
Row row_of(const RoomsOptions& options) {
    Row row;
    if (!options.home.org.empty()) row.org_id = options.home.org;
    if (!options.home.home.empty()) row.home_id = options.home.home;
    row.room_id = options.room_id;
    if constexpr (std::is_same_v<Row, RoomRow>) {
        row.display_name = options.display_name.empty() ? options.room_id : options.display_name;
    } else {
        row.entity_id = options.entity_id;
        row.active = !options.inactive;
    }
    return row;
}

void print_row(const RoomRow& row) {
    fmt::print("{}/{}  room    {:<20} {}\n", row.org_id, row.home_id, row.room_id, row.display_name);
}
void print_row(const RoomMappingRow& row) {
    fmt::print("{}/{}  sensor  {:<40} in {}{}\n", row.org_id, row.home_id, row.entity_id, row.room_id,
               row.active ? "" : " (inactive)");
}

template <class Row>
void print_rows(const std::vector<Row>& rows, bool json) {
    for (const auto& row : rows) json ? print_json(api::room_json(row)) : print_row(row);
}

/// Opens the database of the settings and calls work(ports::RoomRepository&).
template <class Work>
int with_rooms(const Globals& globals, Work&& work) {
    auto settings = load_settings(globals);
    if (!settings) return report(settings.error());
    auto storage = Storage::open(*settings, Storage::Schema::must_be_current);
    if (!storage) return report(storage.error());
    return work(storage->rooms());
}

int refuse(const api::RoomFault& fault) { return report({core::Errc::invalid_argument, fault.problem}); }

template <class Row>
int put(const Globals& globals, const Row& row, const std::string& what) {
    if (const auto fault = api::fault_of(row)) return refuse(*fault);
    return with_rooms(globals, [&](ports::RoomRepository& rooms) -> int {
        const auto fresh = rooms.put(row);
        if (!fresh) return report(fresh.error());
        fmt::print("{} of {}/{}: {}; {}\n", what, row.org_id, row.home_id, *fresh ? "new" : "changed", when());
        return kOk;
    });
}

template <class Row>
int remove(const Globals& globals, const Row& row, const std::string& what) {
    if (const auto fault = api::fault_of_key(row)) return refuse(*fault);
    return with_rooms(globals, [&](ports::RoomRepository& rooms) -> int {
        const auto removed = rooms.remove(row);
        if (!removed) return report(removed.error());
        if (!*removed) {
            return report({core::Errc::not_found, fmt::format("{}/{} has no {}", row.org_id, row.home_id, what)});
        }
        fmt::print("{} of {}/{}: removed; {}\n", what, row.org_id, row.home_id, when());
        return kOk;
    });
}

}  // namespace

int rooms_list(const Globals& globals, const RoomsOptions& options) {
    return with_rooms(globals, [&](ports::RoomRepository& repository) -> int {
        const ports::RoomQuery query{{options.home.org, options.home.home, {}}, 5000};
        const auto rooms = repository.list_rooms(query);
        if (!rooms) return report(rooms.error());
        const auto mappings = repository.list_mappings(query);
        if (!mappings) return report(mappings.error());
        print_rows(*rooms, globals.json);
        print_rows(*mappings, globals.json);
        if (globals.json) return kOk;
        if (rooms->empty() && mappings->empty()) fmt::print("no room is known; events have the room that they name\n");
        if (rooms->size() == 5000 || mappings->size() == 5000) fmt::print("there may be more; narrow by --org and --home\n");
        return kOk;
    });
}

int rooms_set(const Globals& globals, const RoomsOptions& options) {
    return put(globals, row_of<RoomRow>(options), "room " + options.room_id);
}

int rooms_remove(const Globals& globals, const RoomsOptions& options) {
    return remove(globals, row_of<RoomRow>(options), "room " + options.room_id);
}

int rooms_map(const Globals& globals, const RoomsOptions& options) {
    return put(globals, row_of<RoomMappingRow>(options), "sensor " + options.entity_id);
}

int rooms_unmap(const Globals& globals, const RoomsOptions& options) {
    return remove(globals, row_of<RoomMappingRow>(options), "mapping of sensor " + options.entity_id);
}

}  // namespace varde::app
