#include "evaluate/live_columns.hpp"

#include <algorithm>
#include <numeric>

namespace varde::evaluate {
namespace {

varde_text put_text(std::string& area, std::string_view text) {
    const auto offset = static_cast<std::uint32_t>(area.size());
    area += text;
    return {offset, static_cast<std::uint32_t>(text.size())};
}

void move_texts(std::string& area, std::vector<varde_text>& places) {
    std::string kept;
    for (varde_text& place : places) place = put_text(kept, std::string_view{area}.substr(place.offset, place.length));
    area = std::move(kept);
}

template <class T>
void reorder(std::vector<T>& column, std::size_t first, const std::vector<std::size_t>& order) {
    std::vector<T> moved;
    moved.reserve(order.size());
    for (const std::size_t from : order) moved.push_back(column[from]);
    std::copy(moved.begin(), moved.end(), column.begin() + static_cast<std::ptrdiff_t>(first));
}

}  // namespace

LiveColumns::LiveColumns(std::shared_ptr<const ColumnPlan> plan) : plan_{std::move(plan)}, symbols_{plan_} {
    rows_.keys.resize(plan_->keys().size());
    older_.keys.resize(plan_->keys().size());
}

void LiveColumns::append_to(Rows& rows, const core::Event& event, PayloadReader& reader) {
    thread_local std::vector<ColumnValue> values;  // scratch
    const std::uint8_t kind = reader.read(event.payload, *plan_, symbols_, values);
    rows.time.push_back(core::to_us(event.time));
    rows.sequence.push_back(event.seq);
    rows.category.push_back(symbols_.intern(event.category, SymbolTable::Of::open));
    rows.room.push_back(event.room_id.empty() ? 0 : symbols_.intern(event.room_id, SymbolTable::Of::open));
    rows.stream.push_back(event.stream_id.empty() ? 0 : symbols_.intern(event.stream_id, SymbolTable::Of::open));
    rows.payload_kind.push_back(kind);
    for (std::size_t i = 0; i < values.size(); ++i) {
        rows.keys[i].kind.push_back(values[i].kind);
        rows.keys[i].value.push_back(values[i].value);
    }
    rows.event_id.push_back(put_text(rows.id_text, event.event_id));
    if ((plan_->wants() & VARDE_WANT_PAYLOAD) != 0) rows.payload.push_back(put_text(rows.payload_text, event.payload));
}

void LiveColumns::append(const core::Event& event, PayloadReader& reader) {
    append_to(rows_, event, reader);
    const std::size_t last = rows_.size() - 1;
    if (sorted_ == last && (last == head_ || !comes_before(last, last - 1))) ++sorted_;
}

bool LiveColumns::comes_before(std::size_t a, std::size_t b) const {
    return rows_.time[a] != rows_.time[b] ? rows_.time[a] < rows_.time[b] : rows_.sequence[a] < rows_.sequence[b];
}

void LiveColumns::settle() {
    if (sorted_ == rows_.size()) return;
    std::vector<std::size_t> order(rows_.size() - sorted_);
    std::iota(order.begin(), order.end(), sorted_);
    const auto before = [this](std::size_t a, std::size_t b) { return comes_before(a, b); };
    std::sort(order.begin(), order.end(), before);
    // Only rows from the earliest late event's place on have to move.
    std::size_t first = head_;
    std::size_t last = sorted_;
    while (first < last) {
        const std::size_t middle = first + (last - first) / 2;
        if (comes_before(order.front(), middle))
            last = middle;
        else
            first = middle + 1;
    }
    std::vector<std::size_t> kept(sorted_ - first);
    std::iota(kept.begin(), kept.end(), first);
    std::vector<std::size_t> merged;
    merged.reserve(kept.size() + order.size());
    std::merge(kept.begin(), kept.end(), order.begin(), order.end(), std::back_inserter(merged), before);
    rows_.for_each_column([&](auto& column) { reorder(column, first, merged); });
    sorted_ = rows_.size();
}

std::size_t LiveColumns::lower_bound(core::Instant at) const {
    const auto first = rows_.time.begin() + static_cast<std::ptrdiff_t>(head_);
    return static_cast<std::size_t>(std::lower_bound(first, rows_.time.end(), core::to_us(at)) - rows_.time.begin());
}

bool LiveColumns::evict_before(core::Instant since) {
    const std::size_t before = head_;
    head_ = lower_bound(since);
    const bool any = head_ != before;
    if (head_ > 1024 && head_ > rows_.size() / 2) drop_dead_rows();
    return any;
}

void LiveColumns::drop_dead_rows() {
    rows_.for_each_column(
        [&](auto& column) { column.erase(column.begin(), column.begin() + static_cast<std::ptrdiff_t>(head_)); });
    sorted_ -= head_;
    head_ = 0;
    move_texts(rows_.id_text, rows_.event_id);
    move_texts(rows_.payload_text, rows_.payload);
    drop_dead_symbols();
}

// Payload texts may be as many as events (serial numbers, say): without this the table would grow for ever and be copied into every
// window.
void LiveColumns::drop_dead_symbols() {
    const auto own = static_cast<std::uint32_t>(symbols_.own().size());
    if (own < 256 || own < 2 * symbols_after_compaction_) return;
    forget_older();
    const varde_symbol first = symbols_.first_own();
    std::vector<bool> used(own, false);
    const auto each_symbol = [&](auto visit) {
        for (auto* column : {&rows_.category, &rows_.room, &rows_.stream})
            for (varde_symbol& symbol : *column) visit(symbol);
        for (Rows::Key& key : rows_.keys)
            for (std::size_t i = 0; i < key.kind.size(); ++i)
                if (holds_symbol(key.kind[i])) visit(key.value[i]);
    };
    each_symbol([&](auto symbol) {
        if (static_cast<varde_symbol>(symbol) >= first) used[static_cast<varde_symbol>(symbol) - first] = true;
    });
    const std::vector<varde_symbol> renamed = symbols_.keep(used);
    each_symbol([&](auto& symbol) {
        if (static_cast<varde_symbol>(symbol) >= first) symbol = renamed[static_cast<varde_symbol>(symbol) - first];
    });
    symbols_after_compaction_ = static_cast<std::uint32_t>(symbols_.own().size());
}

std::optional<std::size_t> LiveColumns::latest(const LatestFilter& filter, core::Instant before) const {
    const auto matches = [&](std::size_t row) {
        if (!filter.stream.empty() && symbols_.text_of(rows_.stream[row]) != filter.stream) return false;
        if (filter.categories.empty()) return true;
        const std::string_view category = symbols_.text_of(rows_.category[row]);
        return std::find(filter.categories.begin(), filter.categories.end(), category) != filter.categories.end();
    };
    std::optional<std::size_t> found;
    for (std::size_t row = lower_bound(before); row > head_; --row) {
        if (found && rows_.time[row - 1] != rows_.time[*found]) break;
        if (matches(row - 1)) found = row - 1;
    }
    return found;
}

const LiveColumns::Older* LiveColumns::find_older(const LatestFilter& filter, core::Instant before) const {
    for (const Older& older : older_index_)
        if (older.before == before && older.filter == filter) return &older;
    return nullptr;
}

const LiveColumns::Older& LiveColumns::add_older(LatestFilter filter, core::Instant before,
                                                 const std::optional<core::Event>& event, PayloadReader& reader) {
    Older older{std::move(filter), before, std::nullopt};
    if (event) {
        older.row = older_.size();
        append_to(older_, *event, reader);
    }
    older_index_.push_back(std::move(older));
    return older_index_.back();
}

void LiveColumns::forget_older() {
    older_ = {};
    older_.keys.resize(plan_->keys().size());
    older_index_.clear();
}

}  // namespace varde::evaluate
