// the front door was opened and nothing moved afterwards. See README.md.
#include <varde/rule.hpp>

namespace {

constexpr std::string_view kTitle = "Mulig uvanlig hendelse etter dør";
constexpr int64_t kYear = 366 * 24 * 60;  // minutes

class NoMotionAfterDoor {
  public:
    explicit NoMotionAfterDoor(varde::Setup& setup) {
        const varde::Value params = setup.params();
        followup_ = varde::minutes(params.strict_int("followup_minutes", 10, -kYear, kYear));
        only_complete_ = params.flag("judge_only_complete_followup", false);
        doors_ = setup.window({setup.literal(params.str_of("door_category", "door"))});
        const auto motion = setup.literals(params.words("motion_categories", {params.word("motion_category", "motion")}));
        motion_ = setup.range(varde::at_since, varde::at_until + std::max(followup_, varde::microseconds(0)), motion);
        state_ = setup.keys(params.words("payload_state_keys", {"state", "value"}));
        name_ = setup.keys(params.words("door_name_keys", {"door", "name"}));
        open_ = setup.word(params.str_of("door_open_value", "open"));
        front_ = setup.word(params.str_of("required_door_name", "front"));
        on_ = setup.word(params.str_of("motion_on_value", "on"));
    }

    void evaluate(const varde::Window& window, varde::Findings& out) const {
        out.valid_until_new_event();
        for (const varde::Row door : window.rows(doors_)) {
            if (!door.first_not_null(state_).is(open_) || !door.first_not_null(name_).is(front_) || followed(window, door))
                continue;
            const varde::Instant over = door.time() + followup_;
            if (only_complete_ && over > window.until()) return out.valid_until(over);  // doors after it are over even later
            out.finding({varde::Severity::medium, kTitle, explanation()}).field("event_ids", std::vector{door});
            return out.valid_until(door.time() + window.length() + varde::microseconds(1));  // then the door leaves the window
        }
    }

  private:
    [[nodiscard]] bool followed(const varde::Window& window, varde::Row door) const {
        for (const varde::Row row : window.rows(motion_).between(door.time(), door.time() + followup_))
            if (const varde::Cell state = row.first_not_null(state_); !state.present() || state.is(on_)) return true;
        return false;
    }

    [[nodiscard]] std::string explanation() const {
        return "Døren ble åpnet, men systemet registrerte ingen aktivitet i de neste " +
               std::to_string(std::chrono::duration_cast<varde::minutes>(followup_).count()) +
               " minuttene. Det kan være at personen gikk ut, falt, eller at sensorer ikke registrerte aktivitet.";
    }

    varde::microseconds followup_{};
    bool only_complete_{};
    varde::Read doors_, motion_;
    varde::Keys state_, name_;
    varde::Word open_, front_, on_;
};

}  // namespace

VARDE_RULE(NoMotionAfterDoor, "R-003", "1.0.0")
