#include "ingest/room_derivation.hpp"

#include "ingest/event_id.hpp"

#include <array>
#include <climits>
#include <cwchar>
#include <cwctype>

#include <locale.h>

namespace varde::ingest {
namespace {

/// The C library's tables of Unicode, whatever the process's own locale is. Where C.UTF-8 is not installed: plain "C", which knows
/// the 26 letters.
locale_t letters() {
    static const locale_t unicode = ::newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr);
    static const locale_t plain = ::newlocale(LC_CTYPE_MASK, "C", nullptr);
    return unicode != nullptr ? unicode : plain;
}

/// "KJØKKEN" -> "kjøkken". Bytes that are no UTF-8 stay.
std::string lower(std::string_view text) {
    const locale_t before = ::uselocale(letters());  // of this thread; mbrtowc knows no other way
    std::string out;
    out.reserve(text.size());
    std::mbstate_t reading{};
    std::mbstate_t writing{};
    for (std::size_t at = 0; at < text.size();) {
        wchar_t letter = 0;
        const auto length = std::mbrtowc(&letter, text.data() + at, text.size() - at, &reading);
        std::array<char, MB_LEN_MAX> bytes{};
        std::size_t written = static_cast<std::size_t>(-1);
        if (length != 0 && length <= text.size() - at)
            written = std::wcrtomb(bytes.data(), std::towlower(static_cast<wint_t>(letter)), &writing);
        if (written == static_cast<std::size_t>(-1)) {
            out += text[at++];
            reading = writing = {};
            continue;
        }
        out.append(bytes.data(), written);
        at += length;
    }
    ::uselocale(before);
    return out;
}

template <class Map>
const std::string* value_in(const Map& map, std::string_view key) {
    const auto found = map.find(key);
    return found == map.end() ? nullptr : &found->second;
}

std::string_view text_of(const RoomWords::Text& text) { return text ? trimmed(*text) : std::string_view{}; }

const std::string* known_room(const RoomWords& words, const HomeRooms& home) {
    if (const auto* const room = home.with_id(text_of(words.room_id))) return room;
    if (const auto* const room = home.named(text_of(words.room))) return room;
    if (const auto* const room = home.named(text_of(words.area))) return room;
    return home.of_sensor(text_of(words.entity_id));
}

}  // namespace

void HomeRooms::add(const ports::RoomRow& row) {
    ids_.insert(row.room_id);
    const auto name = lower(trimmed(row.display_name));
    if (name.empty()) return;
    const auto [place, fresh] = by_name_.try_emplace(name, row.room_id);
    if (!fresh && row.room_id < place->second) place->second = row.room_id;
}

void HomeRooms::add(const ports::RoomMappingRow& row) {
    if (row.active) by_sensor_.insert_or_assign(row.entity_id, row.room_id);
}

const std::string* HomeRooms::with_id(std::string_view room_id) const {
    const auto found = ids_.find(room_id);
    return found == ids_.end() ? nullptr : &*found;
}

const std::string* HomeRooms::named(std::string_view name) const {
    if (name.empty() || by_name_.empty()) return nullptr;
    return value_in(by_name_, lower(name));
}

const std::string* HomeRooms::of_sensor(std::string_view entity_id) const { return value_in(by_sensor_, entity_id); }

RoomPicture::RoomPicture(const ports::RoomTables& tables) {
    for (const auto& row : tables.rooms) homes_[row.org_id][row.home_id].add(row);
    for (const auto& row : tables.mappings) homes_[row.org_id][row.home_id].add(row);
}

const HomeRooms* RoomPicture::of(std::string_view org_id, std::string_view home_id) const {
    const auto org = homes_.find(org_id);
    if (org == homes_.end()) return nullptr;
    const auto home = org->second.find(home_id);
    return home == org->second.end() ? nullptr : &home->second;
}

std::size_t RoomPicture::homes() const {
    std::size_t count = 0;
    for (const auto& [org, homes] : homes_) count += homes.size();
    return count;
}

std::string_view derive_room(const RoomWords& words, const HomeRooms* home) {
    if (home != nullptr) {
        if (const auto* const room = known_room(words, *home)) return *room;
    }
    for (const auto& text : {words.room_id, words.room, words.area}) {
        if (const auto said = text_of(text); !said.empty()) return said;
    }
    return {};
}

}  // namespace varde::ingest
