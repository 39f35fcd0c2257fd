// no activity in the window. See README.md.
#include <varde/home/local_hours.hpp>
#include <varde/home/room.hpp>
#include <varde/home/sensor.hpp>
#include <varde/home/state.hpp>

#include <algorithm>

namespace {

namespace home = varde::home;
using varde::Instant;
using varde::Row;
using varde::Window;

constexpr std::string_view kTitle = "Ingen bevegelse registrert i valgt tidsvindu";
constexpr std::string_view kExplanation =
    "Det finnes ingen bevegelse-/aktivitetshendelser i vurdert tidsvindu. Sjekk sensor, dekning eller om personen har vært "
    "inaktiv/ute.";

/// The newest sign of life, and how long nothing may follow it.
struct Silence {
    std::optional<Instant> since;     ///< nothing: there is no sign as far back as is looked
    std::optional<Instant> known_to;  ///< from then on the sign is not known for one any more
    varde::microseconds allowed{};
    std::string why;  ///< " at night", if it is not the length of the window

    [[nodiscard]] Instant over() const { return std::min(*since + allowed, known_to.value_or(Instant::max())); }
};

class NoMotion {
  public:
    explicit NoMotion(varde::Setup& setup) {
        const varde::Value params = setup.params().nested();
        const auto categories = params.words("motion_categories", {params.word("motion_category", "motion")});
        for (const std::string& category : categories) names_ += (names_.empty() ? "" : ", ") + category;
        state_ = setup.keys(params.words("payload_state_keys", {"state", "value"}));
        on_ = setup.word(params.word("motion_on_value", "on"));
        typed_ = params.flag("typed_states", false) && varde::lower(on_.text()) == "on";
        rooms_ = home::Rooms(setup, params.flag("use_derived_room", false));
        count_ends_ = params.flag("count_ends", false);
        sensor_ = home::NeededSensor(setup, params, setup.literals(categories));
        read_night(setup, params);
        read_leaving(setup, params);
        // Beyond the window by all that can be allowed, and what led to it.
        const auto memory = std::max(night_quiet_, leaving_ + (leaving_ > varde::minutes(0) ? away_at_most_ : varde::minutes(0)));
        motion_ = setup.range(varde::at_since - memory, varde::at_until, setup.literals(categories));
        if (leaving_ > varde::minutes(0))
            doors_ = setup.range(varde::at_since - memory, varde::at_until, {setup.literal("door")});
    }

    void evaluate(const Window& window, varde::Findings& out) const {
        out.valid_until_new_event();
        if (sensor_.missing(window, out)) return;
        const Silence silence = silence_of(window);
        const bool over = !silence.since || window.until() > silence.over();
        const std::string minutes = text_of(window.until() - window.span(motion_).since);
        if (out.explains()) explain(window, silence.since && over, over, minutes, out);
        if (silence.since) out.reason(reason(window, silence));
        if (!over) return out.valid_until(silence.over() + varde::microseconds(1));
        out.finding({varde::Severity::medium, kTitle, kExplanation}).field("event_ids", std::vector<Row>{});
        if (silence.since) return;
        const bool heard = !window.rows(motion_).empty();
        out.reason((heard ? "none of the events of " : "no event of ") + names_ + " in " + minutes + (heard ? " is active" : ""));
    }

  private:
    void read_night(varde::Setup& setup, const varde::Value& params) {
        night_quiet_ = varde::minutes(params.strict_int("night_quiet_minutes", 0, 0, kWeek));
        if (night_quiet_ == varde::minutes(0)) return;
        zone_ = setup.zone(params.word("tz", "Europe/Oslo"), params["tz"].path());
        night_ = home::read_hours(params, "night", 22, 7, home::EqualHours::never);
    }

    void read_leaving(varde::Setup& setup, const varde::Value& params) {
        leaving_ = varde::minutes(params.strict_int("presume_away_after_door_minutes", 0, 0, kWeek));
        away_at_most_ = varde::minutes(params.strict_int("away_at_most_minutes", 12 * 60, 1, kWeek));
        if (leaving_ == varde::minutes(0)) return;
        if (away_at_most_ <= leaving_)
            params["away_at_most_minutes"].refuse(std::to_string(away_at_most_.count()) +
                                                  " is not longer than presume_away_after_door_minutes, " +
                                                  std::to_string(leaving_.count()));
        front_door_ = setup.word(params.get_str("front_door_room_id", "inngang"));
    }

    [[nodiscard]] Silence silence_of(const Window& window) const {
        Silence silence;
        silence.allowed = window.length();
        note_last_activity(window, silence);
        const auto door = leaving_ > varde::minutes(0) ? last_opening(window) : std::nullopt;
        if (door && (!silence.since || *silence.since < *door)) silence.since = door, silence.known_to = std::nullopt;
        if (!silence.since) return silence;
        const auto allow = [&](varde::microseconds time, const char* why) {
            if (time > silence.allowed) silence.allowed = time, silence.why = why;
        };
        if (night_quiet_ > varde::minutes(0) && night_.hold(window, zone_, *silence.since)) {
            const Instant morning = home::next_local_hour(window, zone_, *silence.since, night_.end());
            allow(std::min<varde::microseconds>(night_quiet_, morning - *silence.since + window.length()), " at night");
        }
        if (door && left_by(window, *door)) allow(away_at_most_, " after somebody left");
        return silence;
    }

    void note_last_activity(const Window& window, Silence& silence) const {
        std::optional<Row> begin;
        const auto last = window.rows(motion_).last_if([&](Row row) {
            if (active(row)) return true;
            if (count_ends_) begin = begin_of(window, row);
            return begin.has_value();
        });
        if (!last) return;
        silence.since = last->time();
        if (begin) silence.known_to = begin->time() + (window.until() - window.span(motion_).since);
    }

    // The activity that `row` ends: a presence sensor goes off when somebody gets up. One that says "off" again and again ends nothing.
    [[nodiscard]] std::optional<Row> begin_of(const Window& window, Row row) const {
        const std::string room = rooms_.of(row);
        const auto before = window.rows(motion_).last_if([&](Row other) {
            return other.index() < row.index() && other.category() == row.category() && rooms_.of(other) == room;
        });
        return before && active(*before) ? before : std::nullopt;
    }

    [[nodiscard]] std::optional<Instant> last_opening(const Window& window) const {
        const auto door = window.rows(doors_).last_if([&](Row row) {
            return rooms_.is(row, front_door_) && home::typed_state(row.first_not_null(state_)) == home::State::on;
        });
        return door ? std::optional(door->time()) : std::nullopt;
    }

    // Who comes home was not seen before the door was opened, or only at the door: motion sensors are often quicker than the door's. Who
    // stays is seen after it.
    [[nodiscard]] bool left_by(const Window& window, Instant door) const {
        const auto seen = [&](Instant begin, Instant end) {
            return window.rows(motion_).between(begin, end).first_if([&](Row row) { return active(row); }).has_value();
        };
        return seen(door - leaving_, door - kAtTheDoor) && !seen(door + leaving_, window.until());
    }

    void explain(const Window& window, bool too_old, bool over, const std::string& minutes, varde::Findings& out) const {
        int64_t rows = 0, awake = 0;
        for (const Row row : window.rows(motion_)) {
            ++rows;
            awake += active(row) ? 1 : 0;
        }
        out.note(std::to_string(rows) + " events of " + names_ + " in " + minutes + ", " + std::to_string(awake) +
                 " of them active");
        out.step(over, too_old ? "the newest sign of life is too old" : "no event is active");
    }

    [[nodiscard]] std::string reason(const Window& window, const Silence& silence) const {
        const std::string age = text_of(window.until() - *silence.since);
        return "the newest activity of " + names_ + " is " + age + " old; " + text_of(silence.allowed) +
               (silence.why.empty() ? " are looked at" : " are allowed" + silence.why);
    }

    // A sensor that gives no state at all reports activity by reporting.
    [[nodiscard]] bool active(Row row) const {
        if (typed_) {
            const auto state = home::typed_state(row.first_not_null(state_));
            return state == home::State::on || state == home::State::none;
        }
        const varde::Cell state = row.first_present(state_);
        return !state.present() || state.is(on_);
    }

    [[nodiscard]] static std::string text_of(varde::microseconds span) {
        return std::to_string(varde::floor_minutes(span)) + " minutes";
    }

    static constexpr varde::seconds kAtTheDoor{20};
    static constexpr int64_t kWeek = 7 * 24 * 60;  // minutes

    varde::Read motion_, doors_;
    std::string names_;
    varde::Keys state_;
    varde::Word on_, front_door_;
    bool typed_{}, count_ends_{};
    varde::minutes night_quiet_{}, leaving_{}, away_at_most_{};
    varde::Zone zone_;
    home::LocalHours night_;
    home::Rooms rooms_;
    home::NeededSensor sensor_;
};

}  // namespace

VARDE_RULE(NoMotion, "R-001", "1.0.0")
