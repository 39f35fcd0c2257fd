// somebody has been in the bathroom for unusually long. See README.md.
#include <varde/home/local_hours.hpp>
#include <varde/home/minutes.hpp>
#include <varde/home/room.hpp>
#include <varde/home/segments.hpp>

#include <algorithm>

namespace {

namespace home = varde::home;
using home::State;
using varde::Instant;
using varde::Row;
using varde::Severity;

constexpr std::string_view kTitle = "Uvanlig lang tid på badet";
constexpr std::string_view kExplanation =
    "Det er registrert sammenhengende tilstedeværelse på badet utover terskelverdien. Sjekk om alt er OK.";
constexpr int64_t kVeryLong = 90;  // minutes from which a stay is HIGH at any hour

/// What is thought of one stay.
struct Judged {
    const home::Segment* stay = nullptr;
    int64_t minutes = 0;
    int64_t threshold = 0;
    bool night = false;
    bool fault = false;
    std::optional<Severity> severity;  ///< nothing: it is not unusual
    std::optional<Instant> changes;    ///< when this changes if no event comes
};

class LongBathroomStay {
  public:
    explicit LongBathroomStay(varde::Setup& setup) {
        const varde::Value params = setup.params();
        bathroom_ = setup.word(params.get_str("bathroom_room_id", "baderom"));
        day_ = home::get_minutes(params, "day_threshold_min", 45);
        night_ = home::get_minutes(params, "night_threshold_min", 25);
        stuck_ = home::get_minutes(params, "sensor_stuck_min", 240);
        silence_ = home::get_minutes(params, "silence_after_min", 30);
        tz_ = params.get_str("tz", "Europe/Oslo");
        zone_ = setup.zone_or_utc(tz_);
        hours_ = home::read_hours(params, "night", 22, 7, home::EqualHours::never,
                                  params.flag("strict_hours", false) ? home::OtherHours::refused : home::OtherHours::never_come);
        only_complete_ = params.flag("judge_only_complete_silence", false);
        typed_ = params.flag("typed_states", false);
        rooms_ = home::Rooms(setup, params.flag("use_derived_room", false));
        states_ = home::States(setup, state_keys(params), home::Deciding::present, typed_);
        memory_ = memory_of(params);
        presence_ = seen(setup, {"presence"});
        activity_ = seen(setup, params.words("activity_categories", {"presence", "motion"}));
    }

    void evaluate(const varde::Window& window, varde::Findings& out) const {
        const auto stays = home::segments_of(window.rows(presence_),
                                             [&](Row row) { return rooms_.is(row, bathroom_) ? states_.of(row) : State::none; });
        Judged best, longest;
        out.valid_until_new_event();
        for (const home::Segment& stay : stays) {
            if (is_history(stay, window)) continue;
            const Judged judged = judge(stay, window);
            if (judged.changes) out.valid_until(*judged.changes);
            if (longest.stay == nullptr || judged.minutes > longest.minutes) longest = judged;
            if (is_worse(judged, best)) best = judged;
        }
        out.reason(reason(best.severity ? best : longest));
        if (best.severity) report(window, best, out);
    }

  private:
    static std::vector<std::string> state_keys(const varde::Value& params) {
        const varde::Value keys = params["payload_state_keys"];
        for (const varde::Value& key : keys.is_list() ? keys.children() : std::vector<varde::Value>())
            if (key.is_list() || key.is_object()) key.refuse(key.python() + " is not the name of a payload key");
        return params.words("payload_state_keys", {"state", "value"});
    }

    [[nodiscard]] int64_t memory_of(const varde::Value& params) const {
        const int64_t memory = home::strict_minutes(params, "memory_minutes", 0);
        if (memory == 0) return 0;
        const auto most = std::max<std::pair<int64_t, std::string>>(
            {{stuck_, "sensor_stuck_min"}, {day_, "day_threshold_min"}, {night_, "night_threshold_min"}});
        const int64_t silence = std::max(silence_, int64_t{0});
        if (memory <= most.first + silence)
            params["memory_minutes"].refuse(
                std::to_string(memory) + " is not longer than the " + std::to_string(most.first + silence) + " that " +
                most.second + " " + std::to_string(most.first) + " and silence_after_min " + std::to_string(silence) + " need");
        return memory;
    }

    varde::Read seen(varde::Setup& setup, const std::vector<std::string>& categories) const {
        if (memory_ == 0) return setup.window(setup.literals(categories));
        return setup.range(varde::at_until - varde::minutes(memory_), varde::at_until, setup.literals(categories));
    }

    /// With a memory beyond the window a stay is told for as long after its end as the window is long.
    [[nodiscard]] bool is_history(const home::Segment& stay, const varde::Window& window) const {
        return memory_ > 0 && stay.end && *stay.end < window.since();
    }

    [[nodiscard]] Judged judge(const home::Segment& stay, const varde::Window& window) const {
        Judged judged;
        judged.stay = &stay;
        judged.minutes = stay.minutes_at(window.until());
        judged.night = hours_.hold(window, zone_, stay.start);
        judged.threshold = judged.night ? night_ : day_;
        judged.fault = judged.minutes >= stuck_;
        if (judged.fault)
            judged.severity = Severity::low;
        else if (judged.minutes >= judged.threshold)
            judged.severity = judged.night || judged.minutes >= kVeryLong ? Severity::high : Severity::medium;
        if (judged.severity == Severity::medium && stay.end) weigh_silence(judged, window);
        note_changes(judged, window);
        return judged;
    }

    // After a closed stay somebody should be seen elsewhere.
    void weigh_silence(Judged& judged, const varde::Window& window) const {
        const Instant end = *judged.stay->end;
        const Instant over = end + varde::minutes(silence_);
        const auto after = window.rows(activity_).between(end, std::min(window.until(), over));
        if (after.first_if([&](Row row) { return is_elsewhere(row); })) return;
        if (only_complete_ && over > window.until())
            judged.changes = over;
        else
            judged.severity = Severity::high;
    }
    [[nodiscard]] bool is_elsewhere(Row row) const { return !rooms_.is(row, bathroom_) && (!typed_ || states_.active(row)); }

    void note_changes(Judged& judged, const varde::Window& window) const {
        const home::Segment& stay = *judged.stay;
        const auto at = [&](Instant instant) { judged.changes = std::min(judged.changes.value_or(instant), instant); };
        if (!stay.end) {
            for (const int64_t mark : {judged.threshold, kVeryLong, stuck_})
                if (mark > judged.minutes) at(stay.start + varde::minutes(mark));
            if (judged.severity) at(stay.start + varde::minutes(judged.minutes + 1));  // people see the minutes
        }
        if (stay.end && judged.minutes < std::min({day_, night_, stuck_})) return;  // what is left of it is shorter still
        at(stay.start + (memory_ > 0 ? varde::minutes(memory_) : window.length()) + varde::microseconds(1));
        if (stay.end && memory_ > 0) at(*stay.end + window.length() + varde::microseconds(1));
    }

    static bool is_worse(const Judged& one, const Judged& best) {
        if (!one.severity) return false;
        if (!best.severity || *one.severity != *best.severity) return !best.severity || *one.severity > *best.severity;
        return one.minutes > best.minutes;
    }

    [[nodiscard]] std::string reason(const Judged& judged) const {
        if (judged.stay == nullptr) return "no stay in " + bathroom_.text();
        const std::string minutes = std::to_string(judged.minutes) + " minutes";
        std::string text = judged.stay->end ? "a stay of " + minutes + " in " + bathroom_.text()
                                            : "somebody has been in " + bathroom_.text() + " for " + minutes;
        if (judged.fault) return text + ", from " + std::to_string(stuck_) + " the sensor is at fault";
        text += ", " + std::to_string(judged.threshold) + " are long " + (judged.night ? "at night" : "by day");
        if (judged.severity != Severity::high || judged.night || judged.minutes >= kVeryLong) return text;
        return text + "; nobody was seen elsewhere in the " + std::to_string(silence_) + " minutes after";
    }

    void report(const varde::Window& window, const Judged& judged, varde::Findings& out) const {
        const home::Segment& stay = *judged.stay;
        std::vector<Row> rows = stay.rows;
        if (rows.size() > kMostRows) rows.erase(rows.begin() + kMostRows - 1, rows.end() - 1);  // the first ones and the last
        out.finding({*judged.severity, kTitle, kExplanation, window.span(presence_), window.until()})
            .field("room_id", bathroom_.text())
            .field("day_threshold_min", day_)
            .field("night_threshold_min", night_)
            .field("sensor_stuck_min", stuck_)
            .field("silence_after_min", silence_)
            .field("start_ts", stay.start)
            .field("end_ts", stay.end)
            .field("observed_minutes", judged.minutes)
            .field("event_ids", rows)
            .field("sensor_fault", judged.fault)
            .field("night_start_hour", hours_.start())
            .field("night_end_hour", hours_.end())
            .field("tz", tz_);
    }

    static constexpr std::ptrdiff_t kMostRows = 4000;  // in the evidence, which holds 4096 fields

    varde::Word bathroom_;
    int64_t day_{}, night_{}, stuck_{}, silence_{}, memory_{};  // minutes
    std::string tz_;
    varde::Zone zone_;
    home::LocalHours hours_;
    bool only_complete_{}, typed_{};
    home::Rooms rooms_;
    home::States states_;
    varde::Read presence_, activity_;
};

}  // namespace

VARDE_RULE(LongBathroomStay, "R-004", "1.0.0")
