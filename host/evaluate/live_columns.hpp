#pragma once
#include "core/event.hpp"
#include "core/instant.hpp"
#include "evaluate/payload_reader.hpp"
#include "evaluate/symbol_table.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace varde::evaluate {

/// Whether a cell of that VARDE_* kind has a symbol as its value.
[[nodiscard]] inline bool holds_symbol(std::uint8_t kind) {
    return kind == VARDE_TEXT || kind == VARDE_LIST || kind == VARDE_OBJECT || kind == VARDE_BIG_INTEGER;
}

/// Events as columns: element i of every vector is event i. Texts lie in one string per kind of text.
struct Rows {
    struct Key {
        std::vector<std::uint8_t> kind;
        std::vector<std::int64_t> value;
    };
    std::vector<std::int64_t> time;
    std::vector<std::int64_t> sequence;
    std::vector<varde_symbol> category;
    std::vector<varde_symbol> room;
    std::vector<varde_symbol> stream;
    std::vector<std::uint8_t> payload_kind;
    std::vector<Key> keys;
    std::vector<varde_text> event_id;
    std::vector<varde_text> payload;  ///< empty unless the plan wants it
    std::string id_text;
    std::string payload_text;

    [[nodiscard]] std::size_t size() const { return time.size(); }
    [[nodiscard]] std::string_view id(std::size_t row) const {
        return std::string_view{id_text}.substr(event_id[row].offset, event_id[row].length);
    }
    [[nodiscard]] std::string_view payload_of(std::size_t row) const {
        return std::string_view{payload_text}.substr(payload[row].offset, payload[row].length);
    }
    /// Calls f(vector) for each column.
    template <class F>
    void for_each_column(F f) {
        f(time), f(sequence), f(category), f(room), f(stream), f(payload_kind), f(event_id);
        if (!payload.empty()) f(payload);
        for (Key& key : keys) f(key.kind), f(key.value);
    }
};

/// Which events VARDE_READ_LATEST and VARDE_READ_LATEST_BEFORE are about.
struct LatestFilter {
    std::vector<std::string> categories;  ///< empty: all
    std::string stream;                   ///< empty: any
    friend bool operator==(const LatestFilter&, const LatestFilter&) = default;
};

/// The events of one scope from some instant on, as columns in (time, sequence) order. One thread.
class LiveColumns {
  public:
    explicit LiveColumns(std::shared_ptr<const ColumnPlan> plan);

    /// In any order; call settle() before reading. `reader` is only lent: its buffers serve all scopes.
    void append(const core::Event& event, PayloadReader& reader);
    /// Puts late events where they belong.
    void settle();
    /// Forgets events before `since`. True if there were any.
    bool evict_before(core::Instant since);

    [[nodiscard]] const Rows& rows() const { return rows_; }
    /// First row with time >= at. Rows below begin() do not count any more.
    [[nodiscard]] std::size_t lower_bound(core::Instant at) const;
    [[nodiscard]] std::size_t begin() const { return head_; }
    [[nodiscard]] std::size_t end() const { return rows_.size(); }
    [[nodiscard]] const SymbolTable& symbols() const { return symbols_; }
    [[nodiscard]] const ColumnPlan& plan() const { return *plan_; }

    /// The newest row (time, then lowest sequence) with time < before, if there is one.
    [[nodiscard]] std::optional<std::size_t> latest(const LatestFilter& filter, core::Instant before) const;

    /// Single events from before the columns' time, found by `latest` reads; kept until forget_older().
    struct Older {
        LatestFilter filter;
        core::Instant before;            ///< no later than the columns' begin
        std::optional<std::size_t> row;  ///< of older(); nullopt: there is none
    };
    [[nodiscard]] const Rows& older() const { return older_; }
    [[nodiscard]] const Older* find_older(const LatestFilter& filter, core::Instant before) const;
    const Older& add_older(LatestFilter filter, core::Instant before, const std::optional<core::Event>& event,
                           PayloadReader& reader);
    void forget_older();

  private:
    void append_to(Rows& rows, const core::Event& event, PayloadReader& reader);
    [[nodiscard]] bool comes_before(std::size_t a, std::size_t b) const;
    void drop_dead_rows();
    void drop_dead_symbols();

    std::shared_ptr<const ColumnPlan> plan_;
    SymbolTable symbols_;
    Rows rows_;
    std::size_t head_ = 0;    ///< first live row
    std::size_t sorted_ = 0;  ///< rows below are in order
    std::uint32_t symbols_after_compaction_ = 0;
    Rows older_;
    std::vector<Older> older_index_;
};

}  // namespace varde::evaluate
