// the front door was opened and nothing moved afterwards. See README.md.
#include <varde/home/local_hours.hpp>
#include <varde/home/sensor.hpp>
#include <varde/home/state.hpp>

namespace {

namespace home = varde::home;

constexpr std::string_view kTitle = "Mulig uvanlig hendelse etter dør";
constexpr int64_t kYear = 366 * 24 * 60;  // minutes
constexpr varde::microseconds kRepeatedWithin = varde::minutes(60);

class NoMotionAfterDoor {
  public:
    explicit NoMotionAfterDoor(varde::Setup& setup) {
        const varde::Value params = setup.params();
        followup_ = varde::minutes(params.strict_int("followup_minutes", 10, -kYear, kYear));
        only_complete_ = params.flag("judge_only_complete_followup", false);
        doors_ = setup.window({setup.literal(params.str_of("door_category", "door"))});
        const auto motion = setup.literals(params.words("motion_categories", {params.word("motion_category", "motion")}));
        sensor_ = home::NeededSensor(setup, params, motion);
        state_categories_ = setup.literals(params.words("state_categories", {}));
        const bool looks_back = !state_categories_.empty();  // from any activity after a door, however early in the window
        motion_ = setup.range(looks_back ? varde::at_since - kRepeatedWithin : varde::at_since,
                              varde::at_until + std::max(followup_, varde::microseconds(0)), motion);
        if (looks_back) entity_ = setup.key("entity_id");
        state_ = setup.keys(params.words("payload_state_keys", {"state", "value"}));
        name_ = setup.keys(params.words("door_name_keys", {"door", "name"}));
        open_ = setup.word(params.str_of("door_open_value", "open"));
        front_ = setup.word(params.str_of("required_door_name", "front"));
        on_ = setup.word(params.str_of("motion_on_value", "on"));
        const bool typed = params.flag("typed_states", false);
        typed_open_ = typed && varde::lower(open_.text()) == "open";
        typed_on_ = typed && varde::lower(on_.text()) == "on";
        high_at_night_ = params.flag("high_at_night", false);
        if (!high_at_night_) return;
        zone_ = setup.zone(params.word("tz", "Europe/Oslo"), params["tz"].path());
        night_ = home::read_hours(params, "night", 22, 7, home::EqualHours::never);
    }

    void evaluate(const varde::Window& window, varde::Findings& out) const {
        out.valid_until_new_event();
        if (sensor_.missing(window, out)) return;
        int64_t openings = 0;
        for (const varde::Row door : window.rows(doors_)) {
            if (!is(door.first_not_null(state_), open_, typed_open_) || !door.first_not_null(name_).is(front_)) continue;
            ++openings;
            const bool moved = followed(window, door);
            if (out.explains()) explain(window, door, openings, moved, out);
            if (!moved) return judge(window, door, out);
        }
        if (out.explains()) out.note(std::to_string(openings) + " openings of the front door were looked at");
        out.reason(openings == 0 ? "the front door was not opened"
                                 : "the front door was opened " + std::to_string(openings) +
                                       " times, and something moved within " + minutes_text() + " each time");
    }

  private:
    /// Doors after one that nothing followed are not looked at, so they have no step.
    void explain(const varde::Window& window, varde::Row door, int64_t opening, bool moved, varde::Findings& out) const {
        const auto age = std::to_string(varde::floor_minutes(window.until() - door.time()));
        out.step(!moved, "opening " + std::to_string(opening) + " of the front door, " + age +
                             " minutes ago: nothing moved within " + minutes_text());
        if (moved || !only_complete_) return;
        out.step(door.time() + followup_ <= window.until(), "the " + minutes_text() + " after it are over");
    }

    void judge(const varde::Window& window, varde::Row door, varde::Findings& out) const {
        const varde::Instant over = door.time() + followup_;
        const auto age = std::to_string(varde::floor_minutes(window.until() - door.time()));
        if (only_complete_ && over > window.until()) {  // doors after it are over even later
            out.reason("the front door was opened " + age + " minutes ago; " + minutes_text() + " are waited for");
            return out.valid_until(over);
        }
        const bool night = high_at_night_ && night_.hold(window, zone_, door.time());
        const auto severity = night ? varde::Severity::high : varde::Severity::medium;
        out.finding({severity, kTitle, explanation()}).field("event_ids", std::vector{door});
        out.reason("the front door was opened " + age + " minutes ago" + (night ? ", at night," : "") +
                   " and nothing moved within " + minutes_text());
        out.valid_until(door.time() + window.length() + varde::microseconds(1));  // then the door leaves the window
    }

    [[nodiscard]] bool followed(const varde::Window& window, varde::Row door) const {
        for (const varde::Row row : window.rows(motion_).between(door.time(), door.time() + followup_))
            if (is_active(row) && !repeats(window, row)) return true;
        return false;
    }

    [[nodiscard]] bool is_active(varde::Row row) const {
        const varde::Cell state = row.first_not_null(state_);
        return !state.present() || is(state, on_, typed_on_);
    }

    /// Says on again of what was on already, maybe since before the door was opened: nothing moved.
    [[nodiscard]] bool repeats(const varde::Window& window, varde::Row row) const {
        if (!row.is_any(state_categories_)) return false;
        const auto same_sensor = [&](varde::Row other) {
            return other.category() == row.category() && other.room_symbol() == row.room_symbol() &&
                   other[entity_].same(row[entity_]);
        };
        const auto before = window.rows(motion_).between(row.time() - kRepeatedWithin, row.time()).last_if(same_sensor);
        return before && is_active(*before);
    }

    [[nodiscard]] static bool is(const varde::Cell& state, const varde::Word& wanted, bool typed) {
        return typed ? home::typed_state(state) == home::State::on : state.is(wanted);
    }

    [[nodiscard]] int64_t minutes() const { return std::chrono::duration_cast<varde::minutes>(followup_).count(); }
    [[nodiscard]] std::string minutes_text() const { return std::to_string(minutes()) + " minutes"; }

    [[nodiscard]] std::string explanation() const {
        return "Døren ble åpnet, men systemet registrerte ingen aktivitet i de neste " + std::to_string(minutes()) +
               " minuttene. Det kan være at personen gikk ut, falt, eller at sensorer ikke registrerte aktivitet.";
    }

    varde::microseconds followup_{};
    bool only_complete_{}, typed_open_{}, typed_on_{}, high_at_night_{};
    home::LocalHours night_;
    home::NeededSensor sensor_;
    varde::Zone zone_;
    varde::Read doors_, motion_;
    varde::Literals state_categories_;
    varde::Key entity_{};
    varde::Keys state_, name_;
    varde::Word open_, front_, on_;
};

}  // namespace

VARDE_RULE(NoMotionAfterDoor, "R-003", "1.0.0")
