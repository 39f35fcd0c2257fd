/// What a rule sees: rows of events, their columns, local time. All views; valid until evaluate() returns.
#pragma once
#include <varde/rule.h>

#include <bit>
#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <varde/text.hpp>

namespace varde {

/// A point in time, UTC.
using Instant = std::chrono::sys_time<std::chrono::microseconds>;
using std::chrono::hours;
using std::chrono::microseconds;
using std::chrono::minutes;
using std::chrono::seconds;

[[nodiscard]] inline Instant instant(int64_t us) { return Instant(microseconds(us)); }
[[nodiscard]] inline int64_t us(Instant at) { return at.time_since_epoch().count(); }

/// Whole minutes, rounded down also below zero.
[[nodiscard]] inline int64_t floor_minutes(microseconds span) { return std::chrono::floor<minutes>(span).count(); }

// What Setup hands out while the rule is made, to be kept in its members.

struct Literal {
    uint32_t handle = 0;
};                                      ///< a text to compare categories, rooms and streams with
using Literals = std::vector<Literal>;  ///< any of several; empty means none
struct Key {
    uint32_t handle = 0;
};                              ///< a payload key
using Keys = std::vector<Key>;  ///< several, in order of precedence
struct Zone {
    uint32_t handle = 0;
};  ///< a time zone
struct Read {
    uint32_t handle = 0;
    Literals categories;
};  ///< a declared read; no categories means every category

/// A text that payload values are compared with as Python's `str(value) == text` would: "1" equals 1 and "1", not 1.0 and not true.
/// All the conversion is done here, once; comparing is one look-up and one integer comparison.
class Word {
  public:
    Word() = default;
    /// `any_case`: compare `str(value).lower()` instead; `text` is in lower case then.
    Word(std::string text, Literal literal, bool any_case) : text_(std::move(text)), literal_(literal), any_case_(any_case) {
        const auto same = [&](std::string_view python) {
            return any_case_ ? lower(std::string(python)) == text_ : python == text_;
        };
        possible_[VARDE_NULL] = same("None");
        possible_[VARDE_FALSE] = same("False");
        possible_[VARDE_TRUE] = same("True");
        if (const auto number = read_int(text_); number && std::to_string(*number) == text_) {
            possible_[VARDE_INTEGER] = true;
            integer_ = *number;
        }
        double real = 0;
        const auto end = std::from_chars(text_.data(), text_.data() + text_.size(), real);
        if (end.ec == std::errc() && end.ptr == text_.data() + text_.size() && repr(real) == text_) {
            possible_[VARDE_REAL] = true;
            real_ = std::bit_cast<int64_t>(real);
        }
        possible_[VARDE_TEXT] = possible_[VARDE_BIG_INTEGER] = true;
        possible_[VARDE_LIST] = text_.starts_with('[');
        possible_[VARDE_OBJECT] = text_.starts_with('{');
    }
    [[nodiscard]] const std::string& text() const { return text_; }

  private:
    friend class Cell;
    std::string text_;
    Literal literal_{};
    int64_t integer_ = 0;
    int64_t real_ = 0;
    bool any_case_ = false;
    bool possible_[16] = {};
};

/// One payload value of one row.
class Cell {
  public:
    Cell(const varde_window& window, uint8_t kind, int64_t value) : window_(&window), value_(value), kind_(kind) {}

    [[nodiscard]] uint8_t kind() const { return kind_; }
    [[nodiscard]] bool present() const { return kind_ != VARDE_ABSENT; }
    [[nodiscard]] bool present_not_null() const { return kind_ > VARDE_NULL; }

    /// Python's truth: not for an absent value, null, false, 0, 0.0, "", [] and {}.
    [[nodiscard]] bool truthy() const {
        switch (kind_) {
            case VARDE_TRUE:
            case VARDE_BIG_INTEGER: return true;
            case VARDE_INTEGER: return value_ != 0;
            case VARDE_REAL: return std::bit_cast<double>(value_) != 0.0;
            case VARDE_TEXT: return !symbol_text().empty();
            case VARDE_LIST:
            case VARDE_OBJECT: return symbol_text().size() > 2;
            default: return false;
        }
    }

    /// str(value) == word; never for an absent value. No allocation, except for lists and objects.
    [[nodiscard]] bool is(const Word& word) const {
        if (!word.possible_[kind_ & 15u]) return false;
        switch (kind_) {
            case VARDE_TEXT: return word.any_case_ ? same_any_case(word.text_) : value_ == symbol_of(word);
            case VARDE_BIG_INTEGER: return value_ == symbol_of(word);
            case VARDE_INTEGER: return value_ == word.integer_;
            case VARDE_REAL: return value_ == word.real_;
            case VARDE_LIST:
            case VARDE_OBJECT: return (word.any_case_ ? lower(str()) : str()) == word.text_;
            default: return true;
        }
    }

    /// str(value) is one of `words`.
    [[nodiscard]] bool is_any(const std::vector<Word>& words) const {
        for (const Word& word : words)
            if (is(word)) return true;
        return false;
    }

    /// Python's str(); empty for an absent value.
    [[nodiscard]] std::string str() const {
        switch (kind_) {
            case VARDE_NULL: return "None";
            case VARDE_FALSE: return "False";
            case VARDE_TRUE: return "True";
            case VARDE_INTEGER: return std::to_string(value_);
            case VARDE_REAL: return repr(std::bit_cast<double>(value_));
            case VARDE_TEXT:
            case VARDE_BIG_INTEGER: return std::string(symbol_text());
            case VARDE_LIST:
            case VARDE_OBJECT: return json_to_python(symbol_text());
            default: return {};
        }
    }

    /// The text of a VARDE_TEXT; JSON text of a list, an object, a big integer; else empty.
    [[nodiscard]] std::string_view text() const {
        const bool has = kind_ == VARDE_TEXT || kind_ == VARDE_LIST || kind_ == VARDE_OBJECT || kind_ == VARDE_BIG_INTEGER;
        return has ? symbol_text() : std::string_view();
    }
    /// The value as a number; nothing for other kinds.
    [[nodiscard]] std::optional<double> number() const {
        if (kind_ == VARDE_INTEGER) return static_cast<double>(value_);
        if (kind_ == VARDE_REAL) return std::bit_cast<double>(value_);
        return std::nullopt;
    }
    /// Equal kind and value: then str() is equal too. Made for grouping rows without making texts.
    [[nodiscard]] bool same(const Cell& other) const { return kind_ == other.kind_ && value_ == other.value_; }

  private:
    [[nodiscard]] std::string_view symbol_text() const {
        const varde_text text = window_->symbols[value_];
        return {window_->text + text.offset, text.length};
    }
    [[nodiscard]] int64_t symbol_of(const Word& word) const { return window_->literals[word.literal_.handle]; }
    [[nodiscard]] bool same_any_case(std::string_view text) const {
        const std::string_view mine = symbol_text();
        if (mine.size() != text.size()) return false;
        for (std::size_t i = 0; i < mine.size(); ++i)
            if (lower(mine[i]) != text[i]) return false;
        return true;
    }

    const varde_window* window_;
    int64_t value_;
    uint8_t kind_;
};

/// One event.
class Row {
  public:
    Row(const varde_window& window, uint32_t index) : window_(&window), index_(index) {}

    [[nodiscard]] uint32_t index() const { return index_; }
    [[nodiscard]] Instant time() const { return instant(window_->time_us[index_]); }
    [[nodiscard]] bool is(Literal category) const { return window_->category[index_] == window_->literals[category.handle]; }
    [[nodiscard]] bool is_any(const Literals& categories) const { return contains(categories, window_->category[index_]); }
    [[nodiscard]] bool in_room(Literal room) const { return window_->room[index_] == window_->literals[room.handle]; }
    [[nodiscard]] bool in_any_room(const Literals& rooms) const { return contains(rooms, window_->room[index_]); }
    [[nodiscard]] bool in_stream(Literal stream) const { return window_->stream[index_] == window_->literals[stream.handle]; }
    [[nodiscard]] std::string_view category() const { return text(window_->category[index_]); }
    [[nodiscard]] std::string_view room() const { return text(window_->room[index_]); }  ///< the derived room, empty if none
    [[nodiscard]] varde_symbol room_symbol() const { return window_->room[index_]; }     ///< 0 if none
    [[nodiscard]] bool has_object() const { return window_->payload_kind[index_] == VARDE_OBJECT; }

    [[nodiscard]] Cell operator[](Key key) const {
        const varde_column& column = window_->keys[key.handle];
        return {*window_, column.kind[index_], column.value[index_]};
    }
    /// The value of the first key that is there, null too; absent if none is.
    [[nodiscard]] Cell first_present(const Keys& keys) const {
        return first(keys, [](const Cell& cell) { return cell.present(); });
    }
    /// The value of the first key that is there and not null; absent if none is.
    [[nodiscard]] Cell first_not_null(const Keys& keys) const {
        return first(keys, [](const Cell& cell) { return cell.present_not_null(); });
    }
    /// Python's `a or b or c`: the first truthy value, else that of the last key, whatever it is.
    [[nodiscard]] Cell first_truthy(const Keys& keys) const {
        const Cell found = first(keys, [](const Cell& cell) { return cell.truthy(); });
        return found.present() || keys.empty() ? found : (*this)[keys.back()];
    }
    [[nodiscard]] std::string_view event_id() const {
        return row_text(window_->event_id);
    }  ///< empty unless Setup::want_event_id()
    [[nodiscard]] std::string_view payload() const { return row_text(window_->payload); }  ///< JSON; empty unless want_payload()

    friend bool operator==(const Row& a, const Row& b) { return a.index_ == b.index_; }

  private:
    template <class Accept>
    [[nodiscard]] Cell first(const Keys& keys, Accept accept) const {
        for (const Key key : keys)
            if (const Cell cell = (*this)[key]; accept(cell)) return cell;
        return {*window_, VARDE_ABSENT, 0};
    }
    [[nodiscard]] bool contains(const Literals& literals, varde_symbol symbol) const {
        for (const Literal literal : literals)
            if (window_->literals[literal.handle] == symbol) return true;
        return false;
    }
    [[nodiscard]] std::string_view text(varde_symbol symbol) const {
        if (symbol == 0) return {};
        return {window_->text + window_->symbols[symbol].offset, window_->symbols[symbol].length};
    }
    [[nodiscard]] std::string_view row_text(const varde_text* column) const {
        if (column == nullptr) return {};
        return {window_->row_text + column[index_].offset, column[index_].length};
    }

    const varde_window* window_;
    uint32_t index_;
};

/// Rows of one declared read in time order, of its categories only. For use in a range-for, or searched from either end.
class Rows {
  public:
    Rows(const varde_window& window, const Literals& categories, uint32_t first, uint32_t last)
        : window_(&window), categories_(&categories), first_(first), last_(last) {}

    class Iterator {
      public:
        Iterator(const Rows& rows, uint32_t index) : rows_(&rows), index_(index) { skip(); }
        Row operator*() const { return {*rows_->window_, index_}; }
        Iterator& operator++() {
            ++index_;
            skip();
            return *this;
        }
        friend bool operator==(const Iterator& a, const Iterator& b) { return a.index_ == b.index_; }

      private:
        void skip() {
            while (index_ < rows_->last_ && !rows_->wanted({*rows_->window_, index_})) ++index_;
        }
        const Rows* rows_;
        uint32_t index_;
    };
    [[nodiscard]] Iterator begin() const { return {*this, first_}; }
    [[nodiscard]] Iterator end() const { return {*this, last_}; }
    [[nodiscard]] bool empty() const { return begin() == end(); }

    /// Those with begin <= time < end.
    [[nodiscard]] Rows between(Instant begin, Instant end) const {
        const varde_slice slice{0, 0, first_, last_ - first_};
        const uint32_t low = varde_lower_bound(window_, &slice, us(begin));
        const uint32_t high = varde_lower_bound(window_, &slice, us(end));
        return {*window_, *categories_, low, high < low ? low : high};
    }
    /// The first, or last, row that `accept(row)` holds for.
    template <class Accept>
    [[nodiscard]] std::optional<Row> first_if(Accept accept) const {
        for (uint32_t i = first_; i < last_; ++i)
            if (const Row row(*window_, i); wanted(row) && accept(row)) return row;
        return std::nullopt;
    }
    template <class Accept>
    [[nodiscard]] std::optional<Row> last_if(Accept accept) const {
        for (uint32_t i = last_; i-- > first_;)
            if (const Row row(*window_, i); wanted(row) && accept(row)) return row;
        return std::nullopt;
    }
    [[nodiscard]] std::optional<Row> front() const {
        return first_if([](Row) { return true; });
    }
    [[nodiscard]] std::optional<Row> back() const {
        return last_if([](Row) { return true; });
    }

  private:
    [[nodiscard]] bool wanted(Row row) const { return categories_->empty() || row.is_any(*categories_); }
    const varde_window* window_;
    const Literals* categories_;
    uint32_t first_;
    uint32_t last_;
};

/// begin <= time < end
struct Span {
    Instant since;
    Instant until;
};

class Window {
  public:
    explicit Window(const varde_window& window) : window_(&window) {}

    [[nodiscard]] Instant since() const { return instant(window_->since_us); }
    [[nodiscard]] Instant until() const { return instant(window_->until_us); }
    [[nodiscard]] Instant now() const { return instant(window_->now_us); }  ///< the only clock a rule has
    [[nodiscard]] microseconds length() const { return until() - since(); }

    [[nodiscard]] Rows rows(const Read& read) const {
        const varde_slice& slice = window_->reads[read.handle];
        return {*window_, read.categories, slice.first, slice.first + slice.count};
    }
    Rows rows(Read&&) const = delete;  // keep the Read in the rule

    /// The range of a read as the host resolved it; {0, 0} for latest().
    [[nodiscard]] Span span(const Read& read) const {
        const varde_slice& slice = window_->reads[read.handle];
        return {instant(slice.since_us), instant(slice.until_us)};
    }

    /// Time since local midnight; UTC if the zone is unknown.
    [[nodiscard]] microseconds local_time_of_day(Zone zone, Instant at) const {
        return microseconds(varde_local_time_of_day_us(&window_->zones[zone.handle], us(at)));
    }
    [[nodiscard]] int local_hour(Zone zone, Instant at) const {
        return static_cast<int>(local_time_of_day(zone, at) / std::chrono::hours(1));
    }
    [[nodiscard]] bool knows(Zone zone) const { return window_->zones[zone.handle].n_transitions > 0; }

    [[nodiscard]] const varde_window& raw() const { return *window_; }

  private:
    const varde_window* window_;
};

}  // namespace varde
