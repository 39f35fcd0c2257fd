// many events of the front door in a short time. See README.md.
#include <varde/home/local_hours.hpp>
#include <varde/home/room.hpp>
#include <varde/home/state.hpp>

namespace {

namespace home = varde::home;
using varde::Row;

constexpr std::string_view kTitle = "Mange dørhendelser på kort tid";
constexpr std::string_view kExplanation =
    "Mange dørhendelser på kort tid kan tyde på uro, forvirring eller at noen forlater/ankommer ofte. Følg med og vurder tiltak.";
constexpr int64_t kYear = 366 * 24 * 60;  // minutes
constexpr std::ptrdiff_t kMostListed = 200;

/// The minutes after the last door event.
struct Silence {
    std::optional<varde::Instant> since, until;  ///< what of them was judged; nothing: not asked for, or not over yet
    std::optional<varde::Instant> over;          ///< when they can be judged, if that is still to come
    bool quiet = false;
};

struct Burst {
    std::vector<Row> doors;
    std::optional<varde::Instant> last;
    bool night = false;
    Silence silence;
};

class DoorBurst {
  public:
    explicit DoorBurst(varde::Setup& setup) {
        const varde::Value params = setup.params();
        room_ = setup.word(params.get_str("front_door_room_id", "inngang"));
        tz_ = params.get_str("tz", "Europe/Oslo");
        zone_ = setup.zone_or_utc(tz_);
        lookback_ = params.get_int("lookback_minutes", 30, -kYear, kYear);
        threshold_ = params.get_int("burst_threshold", 6);
        quiet_ = params.get_int("quiet_after_minutes", 0, -kYear, kYear);
        quiet_categories_ = params.words("quiet_categories", {"presence", "motion"});
        only_complete_ = params.flag("judge_only_complete_quiet_window", false);
        if (only_complete_ && quiet_ > 0 && quiet_ >= lookback_)
            params["quiet_after_minutes"].refuse(std::to_string(quiet_) + " is not shorter than lookback_minutes, " +
                                                 std::to_string(lookback_) + ": the doors are forgotten before it is over");
        list_event_ids_ = params.flag("list_event_ids", false);
        night_ = home::read_hours(params, "night", 22, 7, home::EqualHours::always,
                                  params.flag("strict_hours", false) ? home::OtherHours::refused : home::OtherHours::never_come);
        rooms_ = home::Rooms(setup, params.flag("use_derived_room", false));
        states_ = home::States(setup, {"state", "value"}, home::Deciding::truthy, params.flag("typed_states", false),
                               {"on", "open", "true", "1"});
        const varde::Edge since = varde::at_until - varde::minutes(lookback_);
        doors_ = setup.range(since, varde::at_until, {setup.literal("door")});
        activity_ = setup.range(since, varde::at_until, setup.literals(quiet_categories_));
    }

    void evaluate(const varde::Window& window, varde::Findings& out) const {
        Burst burst;
        for (const Row row : window.rows(doors_))
            if (rooms_.is(row, room_)) burst.doors.push_back(row);
        if (!burst.doors.empty()) {
            burst.last = burst.doors.back().time();
            burst.silence = silence_after(window, *burst.last);
        }
        burst.night = night_.hold(window, zone_, window.until());
        out.reason(reason(burst));
        out.valid_until_new_event();
        if (std::ssize(burst.doors) < threshold_) return;
        const auto severity = burst.night || burst.silence.quiet ? varde::Severity::high : varde::Severity::medium;
        write(out.finding({severity, kTitle, kExplanation, recent(window)}), burst);
        if (!burst.doors.empty()) out.valid_until(burst.doors.front().time() + recent_length() + varde::microseconds(1));
        if (burst.silence.over) out.valid_until(*burst.silence.over);
        if (const auto change = night_.next_change(window, zone_, window.until())) out.valid_until(*change);
    }

  private:
    [[nodiscard]] varde::microseconds recent_length() const { return varde::minutes(lookback_); }
    [[nodiscard]] varde::Span recent(const varde::Window& window) const {
        return {window.until() - recent_length(), window.until()};
    }

    [[nodiscard]] Silence silence_after(const varde::Window& window, varde::Instant last) const {
        Silence silence;
        const varde::Instant over = last + varde::minutes(quiet_);
        if (quiet_ <= 0) return silence;
        if (only_complete_ && over > window.until()) {
            silence.over = over;
            return silence;
        }
        silence.since = last;
        silence.until = std::min(window.until(), over);
        const auto active = [&](Row row) { return states_.active(row); };
        silence.quiet = !window.rows(activity_).between(last, *silence.until).first_if(active);
        return silence;
    }

    void write(varde::Evidence evidence, const Burst& burst) const {
        const auto listed =
            std::vector(burst.doors.begin(), burst.doors.begin() + std::min(std::ssize(burst.doors), kMostListed));
        evidence.field("front_door_room_id", room_.text()).field("lookback_minutes", lookback_);
        evidence.field("burst_threshold", threshold_).field("door_event_count", burst.doors.size());
        evidence.field("door_event_ids", listed).field("night", burst.night).field("tz", tz_);
        evidence.field("night_start_hour", night_.start()).field("night_end_hour", night_.end());
        evidence.field("quiet_after_minutes", quiet_).field("quiet_categories", quiet_categories_);
        if (burst.silence.over)
            evidence.field("quiet_after", nullptr);
        else
            evidence.field("quiet_after", burst.silence.quiet);
        evidence.field("last_door_ts", burst.last).begin_object("quiet_window");
        evidence.field("since", burst.silence.since).field("until", burst.silence.until).end();
        if (list_event_ids_) evidence.field("event_ids", listed);
    }

    [[nodiscard]] std::string reason(const Burst& burst) const {
        std::string text = std::to_string(burst.doors.size()) + " door events in " + room_.text() + " in " +
                           std::to_string(lookback_) + " minutes, " + std::to_string(threshold_) + " are a burst";
        if (std::ssize(burst.doors) < threshold_) return text;
        if (burst.night) text += "; it is night";
        const std::string after = std::to_string(quiet_) + " minutes after the last";
        if (burst.silence.over) return text + "; the " + after + " are not over";
        if (burst.silence.since) text += (burst.silence.quiet ? "; nothing" : "; something") + (" moved in the " + after);
        return text;
    }

    varde::Word room_;
    std::string tz_;
    varde::Zone zone_;
    int64_t lookback_{}, threshold_{}, quiet_{};  // minutes, events, minutes
    std::vector<std::string> quiet_categories_;
    bool only_complete_{}, list_event_ids_{};
    home::LocalHours night_;
    home::Rooms rooms_;
    home::States states_;
    varde::Read doors_, activity_;
};

}  // namespace

VARDE_RULE(DoorBurst, "R-008", "1.0.0")
