// no activity in the window. See README.md.
#include <varde/home/state.hpp>

namespace {

constexpr std::string_view kTitle = "Ingen bevegelse registrert i valgt tidsvindu";
constexpr std::string_view kExplanation =
    "Det finnes ingen bevegelse-/aktivitetshendelser i vurdert tidsvindu. Sjekk sensor, dekning eller om personen har vært "
    "inaktiv/ute.";

class NoMotion {
  public:
    explicit NoMotion(varde::Setup& setup) {
        const varde::Value params = setup.params().nested();
        const auto categories = params.words("motion_categories", {params.word("motion_category", "motion")});
        for (const std::string& category : categories) names_ += (names_.empty() ? "" : ", ") + category;
        motion_ = setup.window(setup.literals(categories));
        state_ = setup.keys(params.words("payload_state_keys", {"state", "value"}));
        on_ = setup.word(params.word("motion_on_value", "on"));
        typed_ = params.flag("typed_states", false) && varde::lower(on_.text()) == "on";
    }

    void evaluate(const varde::Window& window, varde::Findings& out) const {
        const auto last = window.rows(motion_).last_if([&](varde::Row row) { return active(row); });
        const std::string minutes = std::to_string(varde::floor_minutes(window.length())) + " minutes";
        if (out.explains()) explain(window, last.has_value(), minutes, out);
        if (last) {
            const auto age = varde::floor_minutes(window.until() - last->time());
            out.reason("the newest activity of " + names_ + " is " + std::to_string(age) + " minutes old; " + minutes +
                       " are looked at");
            // Holds until that event has left the window, which keeps its length.
            return out.valid_until(last->time() + window.length() + varde::microseconds(1));
        }
        out.finding({varde::Severity::medium, kTitle, kExplanation}).field("event_ids", std::vector<varde::Row>{});
        const bool heard = !window.rows(motion_).empty();
        out.reason((heard ? "none of the events of " : "no event of ") + names_ + " in " + minutes + (heard ? " is active" : ""));
        out.valid_until_new_event();
    }

  private:
    void explain(const varde::Window& window, bool moved, const std::string& minutes, varde::Findings& out) const {
        int64_t rows = 0, awake = 0;
        for (const varde::Row row : window.rows(motion_)) {
            ++rows;
            awake += active(row) ? 1 : 0;
        }
        out.note(std::to_string(rows) + " events of " + names_ + " in " + minutes + ", " + std::to_string(awake) +
                 " of them active");
        out.step(!moved, "no event is active");
    }

    // A sensor that gives no state at all reports activity by reporting.
    [[nodiscard]] bool active(varde::Row row) const {
        if (typed_) {
            const auto state = varde::home::typed_state(row.first_not_null(state_));
            return state == varde::home::State::on || state == varde::home::State::none;
        }
        const varde::Cell state = row.first_present(state_);
        return !state.present() || state.is(on_);
    }

    varde::Read motion_;
    std::string names_;
    varde::Keys state_;
    varde::Word on_;
    bool typed_{};
};

}  // namespace

VARDE_RULE(NoMotion, "R-001", "1.0.0")
