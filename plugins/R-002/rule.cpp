// an outer door was opened at night. See README.md.
#include <varde/home/room.hpp>
#include <varde/home/state.hpp>

#include <algorithm>

namespace {

constexpr std::string_view kTitle = "Ytterdør åpnet på natt";
constexpr std::string_view kExplanation = "Det er registrert at ytterdør ble åpnet i nattetid. Sjekk om dette var forventet.";
constexpr std::size_t kMostListed = 4000;  // the host takes 4096 values of evidence

class DoorAtNight {
  public:
    explicit DoorAtNight(varde::Setup& setup) {
        const varde::Value params = setup.params().nested();
        doors_ = setup.window({setup.literal(params.word("category", "door"))});
        state_ = setup.keys(params.words("payload_state_keys", {"state", "value"}));
        open_ = setup.word(params.word("trigger_value", "open"));
        typed_ = params.flag("typed_states", false) && varde::lower(open_.text()) == "open";
        entity_ = setup.key("entity_id");
        for (const std::string& id : params.words("allowed_entity_ids", {}))
            if (const auto trimmed = varde::trim(id); !trimmed.empty()) allowed_.push_back(setup.word(std::string(trimmed)));
        outer_rooms_ = setup.words(params.words("outer_door_room_ids", {}));
        rooms_ = varde::home::Rooms(setup, params.flag("use_derived_room", false));
        zone_ = setup.zone(params.word("timezone", "Europe/Oslo"), params["timezone"].path());
        const varde::Value night = params["night_window"];
        start_ = night.local_time("start_local_time", "23:00:00");
        end_ = night.local_time("end_local_time", "06:00:00");
    }

    void evaluate(const varde::Window& window, varde::Findings& out) const {
        std::vector<varde::Row> opened;
        for (const varde::Row row : window.rows(doors_))
            if (is_opening(row) && at_night(window.local_time_of_day(zone_, row.time()))) opened.push_back(row);
        const auto minutes = varde::floor_minutes(window.length());
        out.reason("openings of an outer door at night in the last " + std::to_string(minutes) +
                   " minutes: " + std::to_string(opened.size()));
        if (opened.empty()) return out.valid_until_new_event();
        const varde::Instant first = opened.front().time();
        if (opened.size() > kMostListed) opened.erase(opened.begin() + kMostListed, opened.end());
        out.finding({varde::Severity::high, kTitle, kExplanation}).field("event_ids", opened);
        out.valid_until(first + window.length() + varde::microseconds(1));  // then it leaves the window
    }

  private:
    [[nodiscard]] bool is_opening(varde::Row row) const { return is_open(row) && is_outer(row); }

    // Without any list every door is an outer door. With rooms a door of which nobody knows the room is one too, unless doors are named:
    // an alarm too many tells that it has to be.
    [[nodiscard]] bool is_outer(varde::Row row) const {
        if (!allowed_.empty())
            if (const varde::Cell entity = row[entity_]; entity.truthy() && entity.is_any(allowed_)) return true;
        if (outer_rooms_.empty() || !rooms_.has(row)) return allowed_.empty();
        return std::ranges::any_of(outer_rooms_, [&](const varde::Word& room) { return rooms_.is(row, room); });
    }

    [[nodiscard]] bool is_open(varde::Row row) const {
        if (typed_) return varde::home::typed_state(row.first_not_null(state_)) == varde::home::State::on;
        const varde::Cell state = row.first_present(state_);
        return state.present_not_null() && state.is(open_);
    }

    // Equal ends mean never; a night that spans midnight has its start after its end.
    [[nodiscard]] bool at_night(varde::microseconds time) const {
        return start_ > end_ ? time >= start_ || time < end_ : start_ <= time && time < end_;
    }

    varde::Read doors_;
    varde::Keys state_;
    varde::Key entity_;
    varde::Word open_;
    bool typed_{};
    std::vector<varde::Word> allowed_, outer_rooms_;
    varde::home::Rooms rooms_;
    varde::Zone zone_;
    varde::microseconds start_{};
    varde::microseconds end_{};
};

}  // namespace

VARDE_RULE(DoorAtNight, "R-002", "1.0.0")
