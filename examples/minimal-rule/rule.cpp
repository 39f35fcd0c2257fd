// somebody rang the doorbell at least `rings` times in the window, and no door was opened.
#include <varde/rule.hpp>

class Unanswered {
  public:
    explicit Unanswered(varde::Setup& setup) {
        rings_ = setup.params().get_int("rings", 2, 1, 100);
        bell_ = setup.window({setup.literal("doorbell")});
        door_ = setup.window({setup.literal("door")});
        state_ = {setup.key("state")};
        open_ = setup.word("open");
    }

    void evaluate(const varde::Window& window, varde::Findings& out) const {
        std::vector<varde::Row> rung;
        for (const varde::Row row : window.rows(bell_)) rung.push_back(row);
        const auto opened = window.rows(door_).first_if([&](varde::Row row) { return row.first_present(state_).is(open_); });
        if (opened || std::ssize(rung) < rings_) return;
        out.finding({varde::Severity::low, "Nobody answered the door"}).field("event_ids", rung);
    }

  private:
    int64_t rings_;
    varde::Read bell_, door_;
    varde::Keys state_;
    varde::Word open_;
};

VARDE_RULE(Unanswered, "X-001", "1.0.0")
