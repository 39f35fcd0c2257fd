// nobody used the bathroom for a day. See README.md.
#include <varde/home/liveness.hpp>
#include <varde/home/room.hpp>
#include <varde/home/state.hpp>

#include <map>

namespace {

namespace home = varde::home;
using varde::Row;

constexpr std::string_view kTitle = "Ingen aktivitet på badet på lenge";
constexpr std::string_view kExplanation =
    "Det er ikke registrert baderomsaktivitet i perioden. Kan indikere endret rutine eller at sensor ikke fanger opp.";
constexpr int64_t kHundredYears = int64_t{100} * 366 * 24;  // hours

/// The clock hours in which somebody was seen, and when the last such event of each was.
using SeenHours = std::map<varde::Instant, varde::Instant>;

class NoBathroomActivity {
  public:
    explicit NoBathroomActivity(varde::Setup& setup) {
        const varde::Value params = setup.params();
        bathroom_ = setup.word(params.get_str("bathroom_room_id", "baderom"));
        lookback_ = varde::hours(params.get_int("lookback_hours", 24, -kHundredYears, kHundredYears));
        const varde::Edge since = varde::at_until - std::max(lookback_, varde::hours(0));
        activity_ = setup.range(since, varde::at_until, setup.literals(params.words("activity_categories", {"presence"})));
        rooms_ = home::Rooms(setup, params.flag("use_derived_room", false));
        states_ = home::States(setup, {"state", "value"}, home::Deciding::truthy, params.flag("typed_states", false));
        shared_liveness_ = params.flag("shared_liveness", false);
        liveness_ = {setup, shared_liveness_ ? home::LivenessTerms::of(params) : home::LivenessTerms::of_reference_gate(params)};
        min_seen_hours_ = params.strict_int("min_seen_hours", 0, 0, kHundredYears);
        if (min_seen_hours_ > 0 && min_seen_hours_ > lookback_.count())
            params["min_seen_hours"].refuse(std::to_string(min_seen_hours_) + " hours never fit into lookback_hours, " +
                                            std::to_string(lookback_.count()));
        if (min_seen_hours_ > 0) somebody_ = setup.range(since, varde::at_until, setup.literals({"presence", "motion", "door"}));
    }

    void evaluate(const varde::Window& window, varde::Findings& out) const {
        out.valid_until_new_event();
        const auto used = window.rows(activity_).last_if([&](Row row) { return in_bathroom(row) && states_.active(row); });
        if (used) {
            out.reason("activity in " + bathroom_.text() + " " +
                       std::to_string(varde::floor_minutes(window.until() - used->time())) + " minutes ago, " + looked_back());
            return out.valid_until(used->time() + lookback_ + varde::microseconds(1));
        }
        const auto alive = liveness_.judge(window);
        if (alive.changes) out.valid_until(*alive.changes);
        if (!alive.alive) return say_silent(out, "the home is silent: " + alive.reason);
        const SeenHours seen = seen_hours(window);
        if (std::ssize(seen) < min_seen_hours_)
            return out.no_data("somebody was seen in " + std::to_string(seen.size()) + " hours, " +
                               std::to_string(min_seen_hours_) + " are needed, " + looked_back());
        if (min_seen_hours_ > 0) {  // the hours beyond those that are needed may leave
            const auto decisive = std::prev(seen.end(), min_seen_hours_);
            out.valid_until(decisive->second + lookback_ + varde::microseconds(1));
        }
        out.reason("no activity in " + bathroom_.text() + ", " + looked_back() + "; " + alive.reason);
        report(window, out);
    }

  private:
    [[nodiscard]] bool in_bathroom(Row row) const { return rooms_.is(row, bathroom_); }
    [[nodiscard]] std::string looked_back() const { return "looked back " + std::to_string(lookback_.count()) + " hours"; }

    // To the reference this is "nothing found", and what was found before goes stale; sound is that nothing is known.
    void say_silent(varde::Findings& out, const std::string& why) const {
        if (shared_liveness_)
            out.no_data(why);
        else
            out.reason(why);
    }

    [[nodiscard]] SeenHours seen_hours(const varde::Window& window) const {
        SeenHours hours;
        if (min_seen_hours_ == 0) return hours;
        for (const Row row : window.rows(somebody_))
            if (states_.active(row)) hours[std::chrono::floor<varde::hours>(row.time())] = row.time();
        return hours;
    }

    void report(const varde::Window& window, varde::Findings& out) const {
        const varde::Span span{window.until() - lookback_, window.until()};
        out.finding({varde::Severity::low, kTitle, kExplanation, span})
            .field("room_id", bathroom_.text())
            .field("lookback_hours", lookback_.count())
            .field("since_ts", span.since)
            .field("last_bathroom_ts", nullptr)
            .field("event_ids", std::vector<Row>{})
            .field("liveness_gated_by", "R-009");
    }

    varde::Word bathroom_;
    varde::hours lookback_{};
    bool shared_liveness_{};
    int64_t min_seen_hours_{};
    varde::Read activity_, somebody_;
    home::Rooms rooms_;
    home::States states_;
    home::Liveness liveness_;
};

}  // namespace

VARDE_RULE(NoBathroomActivity, "R-005", "1.0.0")
