#include "app/generator.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <string_view>

#include <fmt/format.h>

namespace varde::app {
namespace {

using core::Instant;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr std::array<std::string_view, 4> kDayRooms{"stue", "kjokken", "soverom", "baderom"};

/// SplitMix64. Own mapping to ranges, because the standard's distributions may differ between libraries.
class Dice {
  public:
    explicit Dice(std::uint64_t seed) : state_{seed} {}
    std::uint64_t next() {
        std::uint64_t z = (state_ += 0x9e3779b97f4a7c15ULL);
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
        z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
        return z ^ (z >> 31);
    }
    /// low .. high, both possible.
    std::int64_t between(std::int64_t low, std::int64_t high) {
        return low + static_cast<std::int64_t>(next() % static_cast<std::uint64_t>(high - low + 1));
    }
    bool chance(int percent) { return between(1, 100) <= percent; }
    std::string uuid() {
        const auto a = next();
        const auto b = next();
        return fmt::format("{:08x}-{:04x}-4{:03x}-{:04x}-{:012x}", static_cast<std::uint32_t>(a >> 32), (a >> 16) & 0xffff,
                           a & 0xfff, 0x8000 | ((b >> 48) & 0x3fff), b & 0xffffffffffffULL);
    }

  private:
    std::uint64_t state_;
};

/// One home's diary: collects events, then hands them over in time order.
class Home {
  public:
    Home(core::Scope scope, core::Window range, Dice& dice) : scope_{std::move(scope)}, range_{range}, dice_{dice} {}

    void motion(Instant at, std::string_view room) {
        add(at, "motion", fmt::format(R"({{"state":"on","room_id":"{0}","entity_id":"binary_sensor.{0}_motion"}})", room), room);
        add(at + seconds{dice_.between(5, 40)}, "motion",
            fmt::format(R"({{"state":"off","room_id":"{0}","entity_id":"binary_sensor.{0}_motion"}})", room), room);
    }
    void presence(Instant at, std::string_view room, bool on) {
        add(at, "presence",
            fmt::format(R"({{"state":"{1}","room_id":"{0}","entity_id":"binary_sensor.{0}_presence"}})", room, on ? "on" : "off"),
            room);
    }
    void front_door(Instant at) {
        constexpr std::string_view payload =
            R"({{"state":"{}","door":"front","room_id":"inngang","entity_id":"binary_sensor.inngangsdor_contact"}})";
        add(at, "door", fmt::format(payload, "open"), "inngang");
        add(at + seconds{dice_.between(4, 25)}, "door", fmt::format(payload, "closed"), "inngang");
    }
    void hand_over(const std::function<void(const core::Event&)>& emit) {
        std::stable_sort(events_.begin(), events_.end(), [](const auto& a, const auto& b) { return a.time < b.time; });
        for (const auto& event : events_) emit(event);
    }

  private:
    void add(Instant at, std::string_view category, std::string payload, std::string_view room) {
        if (at < range_.since || at >= range_.until) return;
        core::Event event;
        event.event_id = dice_.uuid();
        event.scope = scope_;
        event.time = at;
        event.category = category;
        event.room_id = room;
        event.payload = std::move(payload);
        events_.push_back(std::move(event));
    }

    core::Scope scope_;
    core::Window range_;
    Dice& dice_;
    std::vector<core::Event> events_;
};

/// Times in which nobody moves: errands and planted falls. Sorted by use, few a day.
using Silences = std::vector<core::Window>;

bool is_silent(const Silences& silences, Instant at) {
    return std::ranges::any_of(silences, [at](const auto& s) { return at >= s.since && at < s.until; });
}

bool overlaps(const Silences& silences, core::Window range) {
    return std::ranges::any_of(silences, [&](const auto& s) { return range.since < s.until && s.since < range.until; });
}

/// A night in bed: the sensor sees a turn now and then, and one or two walks to the bathroom.
void sleep(Home& home, Dice& dice, Instant from, Instant to, const Silences& silences) {
    for (auto at = from; at < to; at += minutes{dice.between(25, 95)}) {
        if (is_silent(silences, at)) continue;
        if (dice.chance(15)) {
            home.presence(at, "baderom", true);
            home.presence(at + minutes{dice.between(2, 8)}, "baderom", false);
        } else {
            home.motion(at, "soverom");
        }
    }
}

void be_awake(Home& home, Dice& dice, Instant from, Instant to, const Silences& silences) {
    auto at = from;
    while (at < to) {
        const auto room = kDayRooms[static_cast<std::size_t>(dice.between(0, 3))];
        const auto leave = at + minutes{dice.between(4, room == std::string_view{"stue"} ? 70 : 18)};
        const bool silent = is_silent(silences, at);
        if (!silent) home.presence(at, room, true);
        for (auto move = at + seconds{dice.between(5, 90)}; move < leave; move += minutes{dice.between(2, 12)}) {
            if (!is_silent(silences, move)) home.motion(move, room);
        }
        if (!silent) home.presence(std::min(leave, to), room, false);
        at = leave + seconds{dice.between(5, 60)};
    }
}

/// What happens on one local date.
class Day {
  public:
    Day(const time::Zone& zone, std::int64_t local_midnight_us) : zone_{zone}, midnight_{local_midnight_us} {}
    [[nodiscard]] Instant at(std::int64_t minute_of_day) const {
        return zone_.from_local_us(midnight_ + minute_of_day * 60'000'000);
    }

  private:
    const time::Zone& zone_;
    std::int64_t midnight_;
};

using Planted = std::function<void(const PlantedIncident&)>;

/// An errand: out through the front door, nobody at home, and back. R-003 speaks here too: to the sensors it is the same thing.
void plan_errand(Home& home, Dice& dice, const Day& day, const core::Scope& scope, Silences& silences, const Planted& planted) {
    const auto out = day.at(dice.between(10 * 60, 14 * 60));
    const auto back = out + minutes{dice.between(35, 150)};
    if (overlaps(silences, {out, back + minutes{1}})) return;
    home.front_door(out);
    home.front_door(back);
    home.motion(back + seconds{30}, "inngang");
    silences.push_back({out, back});
    planted({"absence", "R-003", scope, {out, back}});
}

/// Between nobody and one incident a day.
void plan_incident(Home& home, Dice& dice, const Day& day, const core::Scope& scope, Silences& silences, const Planted& planted) {
    switch (dice.between(0, 7)) {
        case 0: {  // a fall: no motion for five hours in the afternoon
            const auto from = day.at(dice.between(15 * 60, 16 * 60));
            silences.push_back({from, from + hours{5}});
            planted({"no_motion", "R-001", scope, {from, from + hours{5}}});
            break;
        }
        case 1: {  // out at night and back in at once
            const auto at = day.at(dice.between(60, 4 * 60));
            if (overlaps(silences, {at, at + minutes{2}})) break;
            home.front_door(at);
            home.motion(at + minutes{1}, "inngang");
            planted({"night_door", "R-002", scope, {at, at + minutes{1}}});
            break;
        }
        case 2: {  // the door opens, then nothing
            const auto at = day.at(dice.between(17 * 60, 19 * 60));
            home.front_door(at);
            silences.push_back({at, at + minutes{45}});
            planted({"door_no_motion", "R-003", scope, {at, at + minutes{45}}});
            break;
        }
        default: break;
    }
}

/// The last hours of a recording always hold one door_no_motion, so that a first run on fresh data finds something.
void plan_finale(Home& home, const core::Scope& scope, core::Window range, Silences& silences, const Planted& planted) {
    const auto at = range.until - minutes{95};
    if (at < range.since) return;
    home.front_door(at);
    silences.push_back({at, at + minutes{30}});
    planted({"door_no_motion", "R-003", scope, {at, at + minutes{30}}});
}

}  // namespace

void generate_homes(const GeneratorSettings& settings, const std::function<void(const core::Event&)>& emit,
                    const Planted& planted) {
    constexpr std::int64_t kDay = 86'400'000'000;
    for (int number = 1; number <= settings.homes; ++number) {
        Dice dice{settings.seed * 1'000'003 + static_cast<std::uint64_t>(number)};
        const core::Scope scope{"default", fmt::format("home-{:03}", number), "resident"};
        Home home{scope, settings.range, dice};
        const auto within = [&](const PlantedIncident& incident) {
            if (incident.window.since >= settings.range.since && incident.window.until < settings.range.until) planted(incident);
        };
        Silences finale;
        plan_finale(home, scope, settings.range, finale, within);
        const auto local = settings.zone.to_local_us(settings.range.since);
        for (auto midnight = local - local % kDay;; midnight += kDay) {
            const Day day{settings.zone, midnight};
            if (day.at(0) >= settings.range.until) break;
            Silences silences = finale;
            plan_incident(home, dice, day, scope, silences, within);
            if (dice.chance(70)) plan_errand(home, dice, day, scope, silences, within);
            const auto up = day.at(dice.between(6 * 60 + 30, 8 * 60));
            const auto bed = day.at(dice.between(22 * 60, 23 * 60 + 30));
            sleep(home, dice, day.at(0), up, silences);
            be_awake(home, dice, up, bed, silences);
            sleep(home, dice, bed, day.at(24 * 60), silences);
        }
        home.hand_over(emit);
    }
}

}  // namespace varde::app
