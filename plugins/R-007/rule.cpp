// somebody walks from room to room at night. See README.md.
#include <varde/home/local_hours.hpp>
#include <varde/home/room.hpp>
#include <varde/home/state.hpp>

namespace {

namespace home = varde::home;
using varde::Row;

constexpr std::string_view kTitle = "Uvanlig mye aktivitet på natt";
constexpr std::string_view kExplanation =
    "Mange romskifter på natt kan indikere uro eller desorientering. Følg med og vurder tiltak.";
constexpr std::size_t kMostListed = 100;

class NightWandering {
  public:
    explicit NightWandering(varde::Setup& setup) {
        const varde::Value params = setup.params();
        tz_ = params.get_str("tz", "Europe/Oslo");
        zone_ = setup.zone_or_utc(tz_);
        night_ = home::read_hours(params, "night", 22, 7, home::EqualHours::never);
        gap_ = params.get_int("switch_gap_max_min", 10);
        threshold_ = params.get_int("switch_threshold", 6);
        within_ = params.strict_int("switch_within_minutes", 0, 0, 24 * 60);
        front_door_ = setup.word(params.get_str("front_door_room_id", "inngang"));
        containing_ = params.flag("night_containing_until", false);
        rooms_ = home::Rooms(setup, params.flag("use_derived_room", false));
        states_ = home::States(setup, {"state", "value"}, home::Deciding::truthy, params.flag("typed_states", false));
        const auto day = containing_ ? varde::Day::containing : varde::Day::of_until;
        activity_ = night_.read(setup, zone_, day, setup.literals(params.words("activity_categories", {"presence", "motion"})));
        doors_ = night_.read(setup, zone_, day, {setup.literal("door")});
    }

    void evaluate(const varde::Window& window, varde::Findings& out) const {
        // The reference looks at the night of until's own date, which another one takes the place of at midnight.
        out.valid_until(containing_ ? night_.next_start(window, zone_, window.until())
                                    : home::next_local_hour(window, zone_, window.until(), 0));
        const varde::Span night = span(window);
        Walk walk = walk_in(window.rows(activity_).between(night.since, night.until));
        if (within_ > 0) walk.entered = densest(walk.entered);
        out.reason(reason(walk));
        if (walk.steps < 2 || std::ssize(walk.entered) < threshold_) return;
        const bool door = window.rows(doors_)
                              .between(night.since, night.until)
                              .first_if([&](Row row) { return rooms_.is(row, front_door_); })
                              .has_value();
        const auto severity = door ? varde::Severity::high : varde::Severity::medium;
        write(out.finding({severity, kTitle, kExplanation, night}), walk, door);
        if (door) out.reason(reason(walk) + "; the front door was used");
    }

  private:
    struct Walk {
        int64_t steps = 0;         ///< events that say where somebody is
        std::vector<Row> entered;  ///< those that came soon after one in another room
    };

    [[nodiscard]] varde::Span span(const varde::Window& window) const {
        varde::Span night = window.span(activity_);
        if (night_.start() == night_.end()) night.until = night.since;
        if (containing_) night.until = std::min(night.until, window.until());
        return night;
    }

    [[nodiscard]] Walk walk_in(const varde::Rows& rows) const {
        Walk walk;
        std::optional<Row> previous;
        std::string was;
        for (const Row row : rows) {
            if (!states_.active(row) || !rooms_.has(row)) continue;
            std::string room = rooms_.of(row);
            if (previous && varde::floor_minutes(row.time() - previous->time()) <= gap_ && room != was)
                walk.entered.push_back(row);
            previous = row;
            was = std::move(room);
            ++walk.steps;
        }
        return walk;
    }

    // The first span of the given minutes that has most of them.
    [[nodiscard]] std::vector<Row> densest(const std::vector<Row>& entered) const {
        auto best = entered.begin(), best_end = entered.begin(), end = entered.begin();
        for (auto first = entered.begin(); first != entered.end(); ++first) {
            while (end != entered.end() && end->time() < first->time() + varde::minutes(within_)) ++end;
            if (end - first > best_end - best) best = first, best_end = end;
        }
        return {best, best_end};
    }

    void write(varde::Evidence evidence, const Walk& walk, bool door) const {
        const auto most = std::min(walk.entered.size(), kMostListed);
        evidence.field("tz", tz_).field("night_start_hour", night_.start()).field("night_end_hour", night_.end());
        evidence.field("switch_gap_max_min", gap_).field("switch_threshold", threshold_);
        evidence.field("room_switches", walk.entered.size()).field("door_involved", door);
        evidence.field("front_door_room_id", front_door_.text());
        evidence.field("event_ids", std::vector(walk.entered.begin(), walk.entered.begin() + static_cast<std::ptrdiff_t>(most)));
    }

    [[nodiscard]] std::string reason(const Walk& walk) const {
        const std::string span = within_ > 0 ? " in " + std::to_string(within_) + " minutes" : "";
        return std::to_string(walk.entered.size()) + " changes of room" + span + ", at most " + std::to_string(gap_) +
               " minutes apart, among " + std::to_string(walk.steps) + " events of the night; " + std::to_string(threshold_) +
               " are wandering";
    }

    std::string tz_;
    varde::Zone zone_;
    home::LocalHours night_;
    int64_t gap_{}, threshold_{}, within_{};  // minutes, changes, minutes
    varde::Word front_door_;
    bool containing_{};
    home::Rooms rooms_;
    home::States states_;
    varde::Read activity_, doors_;
};

}  // namespace

VARDE_RULE(NightWandering, "R-007", "1.0.0")
