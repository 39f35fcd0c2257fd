// a presence sensor has been on for too long. See README.md.
#include <varde/home/liveness.hpp>
#include <varde/home/room.hpp>
#include <varde/home/state.hpp>

#include <algorithm>
#include <map>

namespace {

namespace home = varde::home;
using varde::Instant;
using varde::Row;

constexpr std::string_view kTitle = "Sensor kan ha hengt seg";
constexpr std::string_view kExplanation =
    "Hvis en sensor står på \"tilstede\" lenge uten å slå av, kan sensoren eller tolkningen være feil. "
    "Sjekk rommene som er listet og vurder tiltak.";
constexpr std::size_t kMostRooms = 300;  // in the evidence, which holds 4096 fields

/// What the sensor of one room said last.
struct Signal {
    std::optional<Row> first_on;  ///< since the last off
    std::optional<Row> last_on;   ///< of several at the same instant the first
    std::optional<Instant> last_off;

    void on(Row row) {
        if (!last_on || last_on->time() != row.time()) last_on = row;
        if (!first_on || released()) first_on = row;
    }
    void off(Row row) {
        last_off = row.time();
        first_on.reset();
    }
    /// An off releases a sensor also when it comes at the same instant as the on.
    [[nodiscard]] bool released() const { return !first_on || (last_off && *last_off >= first_on->time()); }
};

struct Stuck {
    varde::Severity severity;
    Row since;  ///< what it is counted from
    Row last_on;
};
using StuckRooms = std::map<std::string, Stuck>;  // in order of their names' bytes, which is the order of code points

class SensorStuck {
  public:
    explicit SensorStuck(varde::Setup& setup) {
        const varde::Value params = setup.params();
        stuck_ = home::get_minutes(params, "stuck_minutes", 240);
        lookback_ = home::get_minutes(params, "lookback_minutes", stuck_ + 60);
        other_stuck_ = home::strict_minutes(params, "other_rooms_stuck_minutes", 0);
        if (other_stuck_ == 0) other_stuck_ = stuck_;
        medium_ = params.words("medium_rooms", {"baderom", "inngang"});
        low_ = params.words("low_rooms", {});
        use_low_ = params.flag("use_low_rooms", false);
        from_first_ = params.flag("count_from_first_on", false);
        list_event_ids_ = params.flag("list_event_ids", false);
        memory_ = memory_of(params);
        presence_ = setup.range(varde::at_until - varde::minutes(std::max(memory_, int64_t{0})), varde::at_until,
                                {setup.literal("presence")});
        rooms_ = home::Rooms(setup, params.flag("use_derived_room", false));
        states_ = home::States(setup, {"state", "value"}, home::Deciding::not_null, params.flag("typed_states", false));
        shared_liveness_ = params.flag("shared_liveness", false);
        liveness_ = {setup, shared_liveness_ ? home::LivenessTerms::of(params) : home::LivenessTerms::of_reference_gate(params)};
    }

    void evaluate(const varde::Window& window, varde::Findings& out) const {
        out.valid_until_new_event();
        const auto alive = liveness_.judge(window);
        if (alive.changes) out.valid_until(*alive.changes);
        if (!alive.alive) return say_silent(out, "the home is silent: " + alive.reason);
        StuckRooms stuck;
        std::string longest = "no room is on";
        int64_t longest_minutes = -1;
        for (const auto& [room, signal] : signals(window)) {
            const auto severity = severity_of(room);
            if (!severity || signal.released()) continue;
            const Row since = from_first_ ? *signal.first_on : *signal.last_on;
            const int64_t limit = limit_of(room);
            const int64_t minutes = varde::floor_minutes(window.until() - since.time());
            if (minutes > longest_minutes)
                longest =
                    room + " has been on for " + std::to_string(minutes) + " minutes, " + std::to_string(limit) + " are stuck";
            longest_minutes = std::max(longest_minutes, minutes);
            out.valid_until(next_change(signal, since, limit, window.until()));
            if (since.time() <= window.until() - varde::minutes(limit))
                stuck.emplace(room, Stuck{*severity, since, *signal.last_on});
        }
        out.reason(longest);
        if (!stuck.empty()) report(window, std::move(stuck), out);
    }

  private:
    [[nodiscard]] int64_t memory_of(const varde::Value& params) const {
        const int64_t memory = home::strict_minutes(params, "memory_minutes", 0);
        const std::string name = memory == 0 ? "lookback_minutes" : "memory_minutes";
        const int64_t reach = memory == 0 ? lookback_ : memory;
        const int64_t needed = std::max(stuck_, other_stuck_);
        if (from_first_ && reach <= needed)
            params[name].refuse(std::to_string(reach) + " is not longer than the " + std::to_string(needed) + " of " +
                                (needed == stuck_ ? "stuck_minutes" : "other_rooms_stuck_minutes") +
                                ": an on is forgotten before it counts as stuck");
        return reach;
    }

    // To the reference this is "nothing found", and what was found before goes stale; sound is that nothing is known.
    void say_silent(varde::Findings& out, const std::string& why) const {
        if (shared_liveness_)
            out.no_data(why);
        else
            out.reason(why);
    }

    [[nodiscard]] std::map<std::string, Signal> signals(const varde::Window& window) const {
        std::map<std::string, Signal> by_room;
        for (const Row row : window.rows(presence_)) {
            const home::State state = states_.of(row);
            if (state != home::State::on && state != home::State::off) continue;
            const std::string room = rooms_.of(row);
            if (room.empty()) continue;
            Signal& signal = by_room[room];
            state == home::State::on ? signal.on(row) : signal.off(row);
        }
        return by_room;
    }

    static bool contains(const std::vector<std::string>& list, const std::string& room) {
        return std::find(list.begin(), list.end(), room) != list.end();
    }
    /// Nothing: the room is not judged.
    [[nodiscard]] std::optional<varde::Severity> severity_of(const std::string& room) const {
        if (use_low_ && contains(low_, room)) return varde::Severity::low;
        if (contains(medium_, room)) return varde::Severity::medium;
        if (use_low_ && !low_.empty()) return std::nullopt;
        return varde::Severity::low;
    }
    [[nodiscard]] int64_t limit_of(const std::string& room) const { return contains(medium_, room) ? stuck_ : other_stuck_; }

    /// When it becomes stuck, else when what is remembered of it begins to be forgotten.
    [[nodiscard]] Instant next_change(const Signal& signal, Row since, int64_t limit, Instant until) const {
        const Instant stuck = since.time() + varde::minutes(limit);
        const Instant forgotten =
            (from_first_ ? *signal.first_on : since).time() + varde::minutes(memory_) + varde::microseconds(1);
        return stuck > until ? std::min(stuck, forgotten) : forgotten;
    }

    void report(const varde::Window& window, StuckRooms stuck, varde::Findings& out) const {
        auto severity = varde::Severity::low;
        for (const auto& [room, one] : stuck) severity = std::max(severity, one.severity);
        if (stuck.size() > kMostRooms) stuck.erase(std::next(stuck.begin(), kMostRooms), stuck.end());
        std::vector<std::string> rooms;
        std::vector<Row> since;
        for (const auto& [room, one] : stuck) {
            rooms.push_back(room);
            since.push_back(one.since);
        }
        const varde::Span span{window.until() - varde::minutes(memory_), window.until()};
        auto evidence = out.finding({severity, kTitle, kExplanation, span});
        evidence.field("stuck_minutes", stuck_).field("lookback_minutes", lookback_);
        evidence.field("cutoff_ts", span.until - varde::minutes(stuck_)).field("stuck_rooms", rooms);
        write_rooms(evidence, stuck);
        evidence.field("liveness_gated_by", "R-009");
        if (list_event_ids_) evidence.field("event_ids", since);
    }

    // In the reference's order: the room that said on last comes first.
    void write_rooms(varde::Evidence& evidence, const StuckRooms& stuck) const {
        std::vector<StuckRooms::const_iterator> order;
        for (auto it = stuck.begin(); it != stuck.end(); ++it) order.push_back(it);
        std::sort(order.begin(), order.end(), [](const auto& a, const auto& b) {
            const Row one = a->second.last_on, other = b->second.last_on;
            return one.time() != other.time() ? one.time() > other.time() : one.index() < other.index();
        });
        evidence.begin_object("per_room");
        for (const auto& it : order) {
            const Stuck& one = it->second;
            evidence.begin_object(it->first).field("severity", varde::name_of(one.severity));
            evidence.field("last_on_ts", one.last_on.time()).field("last_on_event_id", one.last_on);
            if (from_first_) evidence.field("on_since_ts", one.since.time()).field("on_since_event_id", one.since);
            evidence.end();
        }
        evidence.end();
    }

    int64_t stuck_{}, other_stuck_{}, lookback_{}, memory_{};  // minutes
    std::vector<std::string> medium_, low_;
    bool use_low_{}, from_first_{}, list_event_ids_{}, shared_liveness_{};
    varde::Read presence_;
    home::Rooms rooms_;
    home::States states_;
    home::Liveness liveness_;
};

}  // namespace

VARDE_RULE(SensorStuck, "R-010", "1.0.0")
