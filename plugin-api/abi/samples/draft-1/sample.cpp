// SAMPLE-D1-CPP: a rule on the C++ layer of draft 1, with what the layer offers on top of the C interface: readings of parameters,
// words, rows, rooms, nested evidence, exceptions at the edge. Built once, loaded for ever: see built.txt. Kept for the reader.
#include <varde/rule.hpp>

namespace {

class Sample {
  public:
    explicit Sample(varde::Setup& setup) {
        const varde::Value params = setup.params().nested();
        limit_ = params.get_int("limit", 2, 1, 100);
        zone_ = setup.zone(params.get_str("zone", "Europe/Oslo"), "zone");
        quiet_from_ = params.local_time("quiet_from", "22:00");
        doors_ = {setup.literal("door")};
        if (params.flag("rooms", false)) rooms_ = setup.literals({"stue", "kjøkken"});
        window_ = setup.window(doors_);
        day_ = setup.range(varde::at_until - varde::hours(24), varde::at_until + varde::minutes(5), doors_);
        night_ = setup.local_day(zone_, quiet_from_, varde::hours(7), varde::Day::of_until, doors_);
        latest_ = setup.latest(doors_);
        state_ = setup.keys(params.words("keys", {"state", "value"}));
        open_ = setup.words(params.words("open", {"open", "1", "True"}));
        setup.want_event_id();
    }

    void evaluate(const varde::Window& window, varde::Findings& out) const {
        std::vector<varde::Row> opened;
        for (const varde::Row row : window.rows(window_)) {
            if (row.first_present(state_).is_any(open_) && (rooms_.empty() || row.in_any_room(rooms_))) opened.push_back(row);
        }
        if (window.rows(day_).empty()) return out.no_data("no door in a day");
        if (std::ssize(opened) > 100) throw std::runtime_error("more than a hundred doors");
        if (std::ssize(opened) < limit_) {
            out.reason("too few");
            out.valid_until(window.until() + varde::hours(1));
            return;
        }
        auto evidence = out.finding({.severity = varde::Severity::high,
                                     .title = "Sample: doors",
                                     .explanation = "Opened often.",
                                     .window = window.span(night_)});
        evidence.field("event_ids", opened).begin_object("per_room");
        for (const varde::Row row : opened) {
            evidence.begin_object(row.room().empty() ? std::string(row.event_id()) : std::string(row.room()))
                .field("state", row.first_present(state_).str())
                .field("hour", window.local_hour(zone_, row.time()))
                .field("at", row.time())
                .end();
        }
        evidence.end().field("latest", window.rows(latest_).back()).field("limit", limit_).field("half", 0.5);
        out.valid_until_new_event();
    }

  private:
    int64_t limit_ = 0;
    varde::Zone zone_;
    varde::microseconds quiet_from_{};
    varde::Literals doors_, rooms_;
    varde::Read window_, day_, night_, latest_;
    varde::Keys state_;
    std::vector<varde::Word> open_;
};

}  // namespace

VARDE_RULE(Sample, "SAMPLE-D1-CPP", "1.0.0")
