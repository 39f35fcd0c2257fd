/// What a sensor says of itself: on, off, something else, or nothing.
#pragma once
#include <varde/rule.hpp>

#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace varde::home {

enum class State {
    none,     ///< the event carries no state; for many sensors reporting is the activity
    on,       ///< somebody is there, it is open, it is moving
    off,      ///< nobody, closed, still
    unknown,  ///< a state that is neither: "unavailable", "", 21.5, [..]
};

/// The one typed reading of a state, for rules that are not bound to the reference. Texts are trimmed and compared without case.
/// true, 1 and 1.0 are on, false, 0 and 0.0 are off: a falsy state is a state. Absent and null are none.
[[nodiscard]] inline State typed_state(const Cell& cell) {
    const auto any_of = [](std::string_view text, std::initializer_list<std::string_view> words) {
        for (const std::string_view word : words) {
            bool same = word.size() == text.size();
            for (std::size_t i = 0; same && i < word.size(); ++i) same = lower(text[i]) == word[i];
            if (same) return true;
        }
        return false;
    };
    switch (cell.kind()) {
        case VARDE_ABSENT:
        case VARDE_NULL: return State::none;
        case VARDE_TRUE: return State::on;
        case VARDE_FALSE: return State::off;
        case VARDE_TEXT: break;
        default: {
            const auto number = cell.number();
            return number == 1.0 ? State::on : number == 0.0 ? State::off : State::unknown;
        }
    }
    const std::string_view text = trim(cell.text());
    if (any_of(text, {"on", "1", "1.0", "true", "yes", "open", "opened", "detected", "occupied", "home", "present", "active"}))
        return State::on;
    if (any_of(text, {"off", "0", "0.0", "false", "no", "closed", "clear", "cleared", "not_home", "away", "idle", "inactive"}))
        return State::off;
    return State::unknown;
}

/// Which of several payload keys decides, in the reference. Its rules differ; the typed reading is always not_null.
enum class Deciding {
    present,   ///< the first that is there, also null (R-004): a null is unknown then
    not_null,  ///< the first that is there and not null (R-010)
    truthy,  ///< Python's `a or b` (R-005 to R-008): 0, false and "" give way to the next key, and count as no state if that is null
};

/// Reads the state of a row. Kept in the rule; made once in its constructor.
///
/// Without `typed` as the reference does: str(value).lower() is on if it is one of `on`, off if it is "off".
/// With `typed` by typed_state(); `deciding` and `on` are not used.
class States {
  public:
    States() = default;
    States(Setup& setup, const std::vector<std::string>& keys, Deciding deciding, bool typed,
           const std::vector<std::string>& on = {"on"})
        : keys_(setup.keys(keys)), deciding_(deciding), typed_(typed), off_(setup.word_any_case("off")) {
        for (const std::string& word : on) on_.push_back(setup.word_any_case(word));
    }

    [[nodiscard]] State of(Row row) const {
        if (typed_) return typed_state(row.first_not_null(keys_));
        const Cell cell = deciding_cell(row);
        if (!cell.present_not_null()) return deciding_ == Deciding::present && cell.present() ? State::unknown : State::none;
        return cell.is_any(on_) ? State::on : cell.is(off_) ? State::off : State::unknown;
    }

    /// Whether the event says that somebody is there: on, or no state at all.
    [[nodiscard]] bool active(Row row) const {
        const State state = of(row);
        return state == State::on || state == State::none;
    }

  private:
    [[nodiscard]] Cell deciding_cell(Row row) const {
        switch (deciding_) {
            case Deciding::present: return row.first_present(keys_);
            case Deciding::not_null: return row.first_not_null(keys_);
            default: return row.first_truthy(keys_);
        }
    }

    Keys keys_;
    Deciding deciding_ = Deciding::not_null;
    bool typed_ = false;
    std::vector<Word> on_;
    Word off_;
};

}  // namespace varde::home
