// no activity in the window. See README.md.
#include <varde/rule.hpp>

namespace {

constexpr std::string_view kTitle = "Ingen bevegelse registrert i valgt tidsvindu";
constexpr std::string_view kExplanation =
    "Det finnes ingen bevegelse-/aktivitetshendelser i vurdert tidsvindu. Sjekk sensor, dekning eller om personen har vært "
    "inaktiv/ute.";

class NoMotion {
  public:
    explicit NoMotion(varde::Setup& setup) {
        const varde::Value params = setup.params().nested();
        motion_ = setup.window(setup.literals(params.words("motion_categories", {params.word("motion_category", "motion")})));
        state_ = setup.keys(params.words("payload_state_keys", {"state", "value"}));
        on_ = setup.word(params.word("motion_on_value", "on"));
    }

    void evaluate(const varde::Window& window, varde::Findings& out) const {
        const auto last = window.rows(motion_).last_if([&](varde::Row row) { return active(row); });
        if (last) {  // holds until that event has left the window, which keeps its length
            out.valid_until(last->time() + window.length() + varde::microseconds(1));
            return;
        }
        out.finding({varde::Severity::medium, kTitle, kExplanation}).field("event_ids", std::vector<varde::Row>{});
        out.valid_until_new_event();
    }

  private:
    // A sensor that gives no state at all reports activity by reporting.
    [[nodiscard]] bool active(varde::Row row) const {
        const varde::Cell state = row.first_present(state_);
        return !state.present() || state.is(on_);
    }

    varde::Read motion_;
    varde::Keys state_;
    varde::Word on_;
};

}  // namespace

VARDE_RULE(NoMotion, "R-001", "1.0.0")
