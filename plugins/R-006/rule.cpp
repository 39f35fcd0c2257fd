// nobody was in the living room by day. See README.md.
#include <varde/home/local_hours.hpp>
#include <varde/home/room.hpp>
#include <varde/home/state.hpp>

namespace {

namespace home = varde::home;
using varde::Row;

constexpr std::string_view kTitle = "Ingen aktivitet i stuen på dagtid";
constexpr std::string_view kExplanation =
    "Det er ikke registrert aktivitet i stuen i dagvinduet. Kan indikere at personen ikke er oppe, eller at rutinen er endret.";
constexpr std::size_t kMostListed = 50;

class LivingRoomUnused {
  public:
    explicit LivingRoomUnused(varde::Setup& setup) {
        const varde::Value params = setup.params().nested();
        tz_ = params.get_str("tz", "Europe/Oslo");
        zone_ = setup.zone_or_utc(tz_);
        day_ = home::read_hours(params, "day", 8, 20, home::EqualHours::never);
        living_room_ = setup.word(params.get_str("living_room_id", "stue"));
        front_door_ = setup.word(params.get_str("front_door_room_id", "inngang"));
        at_until_ = params.flag("evaluate_at_until", false);
        minimum_ = params.strict_int("minimum_elapsed_minutes", 0, 0, 24 * 60);
        if (const int64_t day = (day_.end() - day_.start()) * 60; day > 0 && minimum_ >= day)
            params["minimum_elapsed_minutes"].refuse(std::to_string(minimum_) + " is not shorter than the day, " +
                                                     std::to_string(day) + " minutes: it would never speak");
        rooms_ = home::Rooms(setup, params.flag("use_derived_room", false));
        states_ = home::States(setup, {"state", "value"}, home::Deciding::truthy, params.flag("typed_states", false));
        door_ = setup.literal("door");
        presence_ = setup.literals(params.words("presence_categories", {"presence"}));
        varde::Literals all{setup.literal("presence"), setup.literal("motion"), door_};
        all.insert(all.end(), presence_.begin(), presence_.end());
        sensor_days_ = params.strict_int("sensor_memory_days", 0, 0, 31);
        if (sensor_days_ > 0)
            sensors_ = setup.range(varde::at_until - varde::hours(24 * sensor_days_), varde::at_until, presence_);
        must_be_seen_ = params.flag("must_be_seen_elsewhere", false);
        events_ = day_.read(setup, zone_, varde::Day::of_until, all);
    }

    void evaluate(const varde::Window& window, varde::Findings& out) const {
        if (day_.end() <= day_.start()) {
            out.valid_until_new_event();
            return out.reason("the day has no hours: " + hours_text());
        }
        const varde::Span day = window.span(events_);
        const varde::Instant at = at_until_ ? window.until() : window.now(), earliest = day.since + varde::minutes(minimum_);
        // The reference looks at two clocks. Where they differ it is asked about the past, which nobody carries over.
        if (at == window.until())
            out.valid_until(at < earliest ? earliest : day_.next_start(window, zone_, at) + varde::minutes(minimum_));
        if (at < day.since || at >= day.until) return out.reason("it is not day: " + hours_text());
        const auto passed = std::to_string(varde::floor_minutes(at - day.since)) + " minutes of the day";
        if (at < earliest) return out.reason("only " + passed + " have passed, " + std::to_string(minimum_) + " are waited for");
        const varde::Span seen{day.since, at_until_ ? window.until() : day.until};
        const Day found = look(window.rows(events_).between(seen.since, seen.until));
        out.reason(reason(found, passed));
        if (found.in_living_room || (found.door && found.elsewhere)) return;
        if (at == window.until()) out.valid_until(day.until);
        if (must_be_seen_ && !found.elsewhere) return out.no_data("nobody was seen at all in " + passed);
        if (sensor_days_ > 0) {
            const auto sensor = window.rows(sensors_).last_if([&](Row row) { return rooms_.is(row, living_room_); });
            if (!sensor)
                return out.no_data(living_room_.text() + " has sent nothing in " + std::to_string(sensor_days_) + " days");
            if (at == window.until()) out.valid_until(sensor->time() + varde::hours(24 * sensor_days_) + varde::microseconds(1));
        }
        write(out.finding({varde::Severity::low, kTitle, kExplanation, seen}), found);
    }

  private:
    struct Day {
        std::vector<Row> listed;  ///< the first events
        bool door = false;        ///< the front door was used
        bool elsewhere = false;   ///< somebody was in another room
        bool in_living_room = false;
    };

    [[nodiscard]] Day look(const varde::Rows& rows) const {
        Day day;
        for (const Row row : rows) {
            if (day.listed.size() < kMostListed) day.listed.push_back(row);
            if (row.is(door_) && rooms_.is(row, front_door_)) day.door = true;
            if (!row.is_any(presence_) || !rooms_.has(row) || !states_.active(row)) continue;
            (rooms_.is(row, living_room_) ? day.in_living_room : day.elsewhere) = true;
        }
        return day;
    }

    void write(varde::Evidence evidence, const Day& day) const {
        evidence.field("tz", tz_).field("day_start_hour", day_.start()).field("day_end_hour", day_.end());
        evidence.field("living_room_id", living_room_.text()).field("front_door_room_id", front_door_.text());
        evidence.field("door_seen", day.door).field("other_presence", day.elsewhere).field("event_ids", day.listed);
    }

    [[nodiscard]] std::string hours_text() const {
        return std::to_string(day_.start()) + " to " + std::to_string(day_.end()) + " in " + tz_;
    }
    [[nodiscard]] std::string reason(const Day& day, const std::string& passed) const {
        const std::string& room = living_room_.text();
        if (day.in_living_room) return "somebody was in " + room + " in " + passed;
        const std::string nobody = "nobody was in " + room + " in " + passed;
        if (day.door && day.elsewhere) return nobody + ", but the front door was used and somebody was in another room";
        return nobody + (day.door ? "; the front door was used" : day.elsewhere ? "; somebody was in another room" : "");
    }

    std::string tz_;
    varde::Zone zone_;
    home::LocalHours day_;
    varde::Word living_room_, front_door_;
    bool at_until_{};
    int64_t minimum_{};  // minutes
    home::Rooms rooms_;
    home::States states_;
    varde::Literal door_;
    varde::Literals presence_;
    int64_t sensor_days_{};
    bool must_be_seen_{};
    varde::Read events_, sensors_;
};

}  // namespace

VARDE_RULE(LivingRoomUnused, "R-006", "1.0.0")
