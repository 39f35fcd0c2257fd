#pragma once
#include "core/event.hpp"

#include <rapidcheck.h>

#include <algorithm>
#include <array>
#include <ostream>
#include <set>
#include <string>
#include <vector>

/// Homes that rapidcheck makes up, such that the shipped rules have something to say about many of them.
namespace varde::property {

using namespace std::chrono_literals;

/// Something that happens in a home.
enum class Act {
    walk,        ///< from room to room, `count` times, `gap` apart
    stay,        ///< somebody in `room` for ten minutes a `count`; without an end if not `ends`
    open_door,   ///< the front door opens, and closes after `gap` if it `ends`
    door_burst,  ///< `count` openings of the front door, `gap` apart
    heartbeats,  ///< of the gateway, `count` of them, five minutes apart
    live,        ///< until then somebody is seen every half hour, `count` hours long, in any room but the bathroom
    odd,         ///< events with states and rooms that no rule was made for
};

struct Scene {
    Act act = Act::walk;
    std::chrono::minutes ago{};  ///< begins so long before the end of the window; negative: after it
    int room = 0;
    int count = 1;
    std::chrono::seconds gap{};
    int spelling = 0;  ///< how sensors write their states and rooms
    bool ends = true;
};

struct Home {
    core::Instant until;  ///< end of the window, which is also now
    std::vector<Scene> scenes;
};

/// The Monday that homes live in the week of: deep in winter, far from any change of the clocks.
inline constexpr core::Instant kMonday{std::chrono::sys_days{std::chrono::year{2026} / 1 / 12}};
inline constexpr std::array kRooms{"stue", "baderom", "soverom", "inngang", "gang", "kjokken"};
inline constexpr int kBathroom = 1, kHallway = 3;

inline std::ostream& operator<<(std::ostream& out, const Scene& scene) {
    constexpr std::array acts{"walk", "stay", "open_door", "door_burst", "heartbeats", "live", "odd"};
    return out << acts.at(static_cast<std::size_t>(scene.act)) << " " << scene.ago.count() << " minutes before the end, room "
               << kRooms.at(static_cast<std::size_t>(scene.room)) << ", count " << scene.count << ", gap " << scene.gap.count()
               << " s, spelling " << scene.spelling << (scene.ends ? "" : ", never ends");
}
inline std::ostream& operator<<(std::ostream& out, const Home& home) {
    out << "until Monday 2026-01-12 + " << std::chrono::duration_cast<std::chrono::seconds>(home.until - kMonday).count() << " s";
    for (const Scene& scene : home.scenes) out << "\n    " << scene;
    return out;
}

/// The payload of a sensor in `room`: what it says, written in one of several ways.
inline std::string payload_of(const std::string& room, bool on, int spelling, const std::string& words_on = "on",
                              const std::string& words_off = "off") {
    const std::string word = on ? words_on : words_off;
    const std::string place = R"("room_id":")" + room + "\"";
    switch (spelling) {
        case 1: return R"({"value":)" + std::string{on ? "true" : "false"} + R"(,"room":")" + room + "\"}";
        case 2: return R"({"state":)" + std::string{on ? "1" : "0"} + "," + place + "}";
        case 3: return R"({"state":null,"value":")" + word + R"(",)" + place + "}";
        case 4: return R"({"state":")" + word + "\"}";  // the room is known to the host alone
        default: return R"({"state":")" + word + R"(",)" + place + "}";
    }
}

/// What happens in a home, one scene after the other: in no order of time. Ids are "e0", "e1"...; the scope is the default one.
class Chronicle {
  public:
    explicit Chronicle(const Home& home) : until_{home.until} {
        for (const Scene& scene : home.scenes) tell(scene);
    }
    [[nodiscard]] std::vector<core::Event> events() && { return std::move(events_); }

  private:
    void add(core::Instant at, std::string category, int room, std::string payload) {
        core::Event event;
        event.event_id = "e" + std::to_string(events_.size());
        event.time = at;
        event.category = std::move(category);
        event.room_id = room < 0 ? "" : kRooms.at(static_cast<std::size_t>(room));
        event.payload = std::move(payload);
        event.received_at = at;
        events_.push_back(std::move(event));
    }
    void presence(core::Instant at, int room, bool on, int spelling, const std::string& category = "presence") {
        add(at, category, room, payload_of(kRooms.at(static_cast<std::size_t>(room)), on, spelling));
    }
    void door(core::Instant at, bool open, int spelling) {
        std::string payload = payload_of(kRooms[kHallway], open, spelling, "open", "closed");
        payload.insert(1, R"("door":"front","entity_id":"binary_sensor.inngangsdor_contact",)");
        add(at, "door", kHallway, std::move(payload));
    }

    void tell(const Scene& scene) {
        const core::Instant start = until_ - scene.ago;
        switch (scene.act) {
            case Act::walk:
                for (int i = 0; i < scene.count; ++i) {
                    const int room = i % 2 == 0 ? scene.room : (scene.room + 1 + i % 3) % static_cast<int>(kRooms.size());
                    presence(start + i * scene.gap, room, true, scene.spelling, i % 3 == 0 ? "motion" : "presence");
                }
                break;
            case Act::stay:
                presence(start, scene.room, true, scene.spelling);
                if (scene.ends) presence(start + scene.count * 10min, scene.room, false, scene.spelling);
                break;
            case Act::open_door:
                door(start, true, scene.spelling);
                if (scene.ends) door(start + scene.gap, false, scene.spelling);
                break;
            case Act::door_burst:
                for (int i = 0; i < scene.count; ++i) door(start + i * scene.gap, i % 2 == 0, scene.spelling);
                break;
            case Act::heartbeats:
                for (int i = 0; i < scene.count; ++i) add(start + i * 5min, "heartbeat", -1, R"({"state":"ok"})");
                break;
            case Act::live:
                for (int i = 0; i < 2 * scene.count; ++i)
                    presence(start - i * 30min, i % 2 == 0 ? 0 : 2, true, scene.spelling, "motion");
                break;
            case Act::odd: odd(start, scene); break;
        }
    }
    void odd(core::Instant start, const Scene& scene) {
        static const std::array<std::string, 6> payloads{R"({"state":"unavailable","room_id":"baderom"})",
                                                         "{}",
                                                         R"({"room_id":0,"room":"stue","state":[1,2]})",
                                                         R"({"state":" On ","value":null,"room":null})",
                                                         R"({"value":21.5,"door":"front"})",
                                                         R"({"state":{},"room_id":"STUE"})"};
        static const std::array<std::string, 4> categories{"presence", "motion", "door", "temperature"};
        for (int i = 0; i < scene.count; ++i) {
            const auto pick = static_cast<std::size_t>(scene.spelling + i);
            add(start + i * scene.gap, categories.at(pick % categories.size()), i % 2 == 0 ? scene.room : -1,
                payloads.at(pick % payloads.size()));
        }
    }

    core::Instant until_;
    std::vector<core::Event> events_;
};

[[nodiscard]] inline std::vector<core::Event> events_of(const Home& home) { return Chronicle{home}.events(); }

/// Those of different instants, in the order of time, which is how they come in as a rule.
[[nodiscard]] inline std::vector<core::Event> distinct_events_of(const Home& home) {
    std::vector<core::Event> events = events_of(home);
    std::ranges::stable_sort(events, {}, &core::Event::time);
    const auto same = std::ranges::unique(events, {}, &core::Event::time);
    events.erase(same.begin(), same.end());
    return events;
}

inline rc::Gen<Scene> any_scene() {
    using rc::gen::inRange;
    using rc::gen::map;
    const auto minutes = rc::gen::weightedOneOf<int>({{4, inRange(0, 60)},
                                                      {4, inRange(0, 240)},
                                                      {3, inRange(0, 1440)},
                                                      {2, inRange(0, 5000)},
                                                      {3, inRange(230, 310)},
                                                      {1, inRange(-30, 1)}});
    return rc::gen::build<Scene>(
        rc::gen::set(&Scene::act, rc::gen::weightedElement<Act>({{4, Act::walk},
                                                                 {5, Act::stay},
                                                                 {3, Act::open_door},
                                                                 {4, Act::door_burst},
                                                                 {3, Act::heartbeats},
                                                                 {3, Act::live},
                                                                 {1, Act::odd}})),
        rc::gen::set(&Scene::ago, map(minutes, [](int ago) { return std::chrono::minutes{ago}; })),
        rc::gen::set(&Scene::room, rc::gen::weightedOneOf<int>(
                                       {{2, inRange(0, static_cast<int>(kRooms.size()))}, {1, rc::gen::just(kBathroom)}})),
        rc::gen::set(&Scene::count, inRange(1, 24)),
        rc::gen::set(&Scene::gap, map(inRange(1, 300), [](int gap) { return std::chrono::seconds{gap}; })),
        rc::gen::set(&Scene::spelling, rc::gen::weightedOneOf<int>({{3, rc::gen::just(0)}, {2, inRange(0, 5)}})),
        rc::gen::set(&Scene::ends, rc::gen::weightedElement<bool>({{2, true}, {1, false}})));
}

/// Seconds since Monday 00:00 UTC: any hour, but more often the afternoon, before midnight and the small hours in Oslo.
inline rc::Gen<core::Instant> any_until() {
    using rc::gen::inRange;
    const auto of_day = rc::gen::weightedOneOf<int>({{2, inRange(0, 86'400)},
                                                     {3, inRange(12 * 3600, 18 * 3600)},
                                                     {2, inRange(21 * 3600, 23 * 3600)},
                                                     {2, inRange(0, 5 * 3600)}});
    return rc::gen::apply([](int day, int second) { return kMonday + std::chrono::days{day} + std::chrono::seconds{second}; },
                          inRange(0, 7), of_day);
}

inline rc::Gen<std::vector<Scene>> sometimes(std::vector<Scene> scenes) {
    return rc::gen::weightedElement<std::vector<Scene>>({{1, std::move(scenes)}, {1, {}}});
}

/// An afternoon of somebody who was in the kitchen today and in the living room last night: only then does R-006 speak as it is shipped,
/// and scenes that come by chance hardly ever are like that.
inline rc::Gen<Home> home_with_an_empty_living_room() {
    constexpr int kKitchen = 5;
    const Scene last_night{.act = Act::live, .ago = 20h, .count = 2};
    const Scene today{.act = Act::stay, .ago = 120min, .room = kKitchen};
    return rc::gen::apply(
        [=](int day, int second) {
            return Home{kMonday + std::chrono::days{day} + std::chrono::seconds{second}, {last_night, today}};
        },
        rc::gen::resize(rc::kNominalSize, rc::gen::inRange(0, 7)),
        rc::gen::resize(rc::kNominalSize, rc::gen::inRange(12 * 3600, 18 * 3600)));
}

/// Half of the homes send heartbeats to the end, since several rules only judge a home that does; in half of them people are on their feet.
inline rc::Gen<Home> home_of_chance() {
    const Scene sends{.act = Act::heartbeats, .ago = 60min, .count = 12};
    const Scene walks{.act = Act::walk, .ago = 40min, .count = 16, .gap = 100s};
    // Without resize() rapidcheck begins at the lower end of every range, here with a Monday night in which nothing happens.
    const auto told = rc::gen::resize(9, rc::gen::container<std::vector<Scene>>(rc::gen::resize(rc::kNominalSize, any_scene())));
    return rc::gen::apply(
        [](core::Instant until, std::vector<Scene> scenes, const std::vector<Scene>& beats, const std::vector<Scene>& steps) {
            scenes.insert(scenes.end(), beats.begin(), beats.end());
            scenes.insert(scenes.end(), steps.begin(), steps.end());
            return Home{until, std::move(scenes)};
        },
        rc::gen::resize(rc::kNominalSize, any_until()), told, sometimes({sends}), sometimes({walks}));
}

inline rc::Gen<Home> any_home() {
    return rc::gen::weightedOneOf<Home>({{9, home_of_chance()}, {1, home_with_an_empty_living_room()}});
}

}  // namespace varde::property
