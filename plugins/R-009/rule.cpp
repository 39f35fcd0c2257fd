// the home sends nothing any more. See README.md.
#include <varde/home/liveness.hpp>

namespace {

constexpr std::string_view kTitle = "Datainnhenting har stoppet";
constexpr std::string_view kExplanation =
    "Systemet har ikke mottatt nye hendelser innen forventet tid. Sjekk sensorer, nettverk eller integrasjon.";

class IngestStopped {
  public:
    explicit IngestStopped(varde::Setup& setup) : liveness_(setup, varde::home::LivenessTerms::of(setup.params().nested())) {}

    void evaluate(const varde::Window& window, varde::Findings& out) const {
        const auto home = liveness_.judge(window);
        out.reason(home.reason);
        out.valid_until_new_event();
        if (home.changes) out.valid_until(*home.changes);
        if (home.alive) return;
        if (home.lag_changes) out.valid_until(*home.lag_changes);  // people see the minutes
        out.finding({varde::Severity::high, kTitle, kExplanation})
            .field("max_age_minutes", home.allowed_minutes)
            .field("last_event_ts", home.last)
            .field("lag_minutes", home.lag_minutes)
            .field("categories", liveness_.terms().categories)
            .field("event_ids", std::vector<varde::Row>{});
    }

  private:
    varde::home::Liveness liveness_;
};

}  // namespace

VARDE_RULE(IngestStopped, "R-009", "1.0.0")
