#include "evaluate/window_writer.hpp"

#include "wire/window_image.hpp"

#include <algorithm>
#include <cstring>

namespace varde::evaluate {
namespace {

using wire::ImageHeader;
using wire::ImageKey;
using wire::ImageZone;

constexpr std::uint64_t aligned(std::uint64_t offset) {
    return (offset + wire::image_alignment - 1) / wire::image_alignment * wire::image_alignment;
}

/// Writes one image at `base`. First everything gets its place, then, if there is room, it is copied.
class ImageBuilder {
  public:
    explicit ImageBuilder(const WindowContent& content)
        : content_{content}, columns_{*content.columns}, n_rows_{content.n_rows()} {
        for (const std::string& key : content.access->keys) plan_keys_.push_back(columns_.plan().key(key).value());
    }

    std::uint64_t measure() {
        header_.magic = wire::image_magic;
        header_.n_rows = n_rows_;
        header_.n_keys = static_cast<std::uint32_t>(plan_keys_.size());
        header_.n_symbols = columns_.symbols().size();
        header_.n_zones = static_cast<std::uint32_t>(content_.zones->size());
        header_.time = place(n_rows_ * sizeof(std::int64_t));
        header_.sequence = place(n_rows_ * sizeof(std::int64_t));
        header_.category = place(n_rows_ * sizeof(varde_symbol));
        header_.room = place(n_rows_ * sizeof(varde_symbol));
        header_.stream = place(n_rows_ * sizeof(varde_symbol));
        header_.payload_kind = place(n_rows_);
        header_.keys = place(header_.n_keys * sizeof(ImageKey));
        for (std::uint32_t i = 0; i < header_.n_keys; ++i) {
            const std::uint64_t kind = place(n_rows_);
            keys_.push_back({kind, place(n_rows_ * sizeof(std::int64_t))});
        }
        header_.zones = place(header_.n_zones * sizeof(ImageZone));
        for (const auto& zone : *content_.zones)
            zones_.push_back({place(zone.size() * sizeof(varde_transition)), static_cast<std::uint32_t>(zone.size()), 0});
        header_.symbols = place(header_.n_symbols * sizeof(varde_text));
        choose_symbols();
        header_.text = place(text_bytes_);
        measure_row_texts(content_.access->wants);
        header_.size = aligned(end_);
        return header_.size;
    }

    void write(std::byte* base) {
        base_ = base;
        std::memcpy(base_, &header_, sizeof header_);
        column<std::int64_t>(
            header_.time, [](const Rows& rows) -> const auto& { return rows.time; });
        column<std::int64_t>(
            header_.sequence, [](const Rows& rows) -> const auto& { return rows.sequence; });
        column<varde_symbol>(
            header_.category, [](const Rows& rows) -> const auto& { return rows.category; });
        column<varde_symbol>(
            header_.room, [](const Rows& rows) -> const auto& { return rows.room; });
        column<varde_symbol>(
            header_.stream, [](const Rows& rows) -> const auto& { return rows.stream; });
        column<std::uint8_t>(
            header_.payload_kind, [](const Rows& rows) -> const auto& { return rows.payload_kind; });
        copy(header_.keys, keys_.data(), keys_.size());
        for (std::size_t i = 0; i < keys_.size(); ++i) {
            const std::uint32_t key = plan_keys_[i];
            column<std::uint8_t>(
                keys_[i].kind, [key](const Rows& rows) -> const auto& { return rows.keys[key].kind; });
            column<std::int64_t>(
                keys_[i].value, [key](const Rows& rows) -> const auto& { return rows.keys[key].value; });
        }
        copy(header_.zones, zones_.data(), zones_.size());
        for (std::size_t i = 0; i < zones_.size(); ++i)
            copy(zones_[i].transitions, (*content_.zones)[i].data(), (*content_.zones)[i].size());
        write_symbols();
        write_row_texts();
    }

  private:
    std::uint64_t place(std::uint64_t bytes) {
        const std::uint64_t offset = aligned(end_);
        end_ = offset + bytes;
        return offset;
    }
    template <class T>
    void copy(std::uint64_t offset, const T* from, std::size_t count) {
        if (count > 0) std::memcpy(base_ + offset, from, count * sizeof(T));
    }
    template <class T, class Select>
    void column(std::uint64_t offset, Select select) {
        copy(offset, select(columns_.rows()).data() + content_.first, content_.count);
        auto* extra = reinterpret_cast<T*>(base_ + offset) + content_.count;
        for (const RowRef& ref : content_.extras) *extra++ = select(ref.older ? columns_.older() : columns_.rows())[ref.row];
    }
    // A text that only stands in payload keys which nobody here may know keeps its number, but is not shown.
    void choose_symbols() {
        const SymbolTable& symbols = columns_.symbols();
        const varde_symbol first = symbols.first_own();
        shown_.resize(symbols.own().size());
        for (std::size_t i = 0; i < shown_.size(); ++i) shown_[i] = symbols.is_open(i) ? 1 : 0;
        const auto show = [&](const Rows& rows, std::uint32_t key, std::size_t row) {
            if (!holds_symbol(rows.keys[key].kind[row])) return;
            const auto symbol = static_cast<varde_symbol>(rows.keys[key].value[row]);
            if (symbol >= first) shown_[symbol - first] = 1;
        };
        for (const std::uint32_t key : plan_keys_) {
            for (std::size_t row = content_.first; row < content_.first + content_.count; ++row) show(columns_.rows(), key, row);
            for (const RowRef& ref : content_.extras) show(ref.older ? columns_.older() : columns_.rows(), key, ref.row);
        }
        for (const std::string& literal : columns_.plan().literals()) text_bytes_ += literal.size();
        for (std::size_t i = 0; i < shown_.size(); ++i)
            if (shown_[i] != 0) text_bytes_ += symbols.own()[i].length;
    }
    void write_symbols() {
        auto* place = reinterpret_cast<varde_text*>(base_ + header_.symbols);
        auto* text = reinterpret_cast<char*>(base_ + header_.text);
        std::uint32_t offset = 0;
        const auto put = [&](std::string_view shown) {
            *place++ = {offset, static_cast<std::uint32_t>(shown.size())};
            if (!shown.empty()) std::memcpy(text + offset, shown.data(), shown.size());
            offset += static_cast<std::uint32_t>(shown.size());
        };
        put({});
        for (const std::string& literal : columns_.plan().literals()) put(literal);
        const SymbolTable& symbols = columns_.symbols();
        const std::string_view own = symbols.own_text();
        for (std::size_t i = 0; i < shown_.size(); ++i)
            put(shown_[i] != 0 ? own.substr(symbols.own()[i].offset, symbols.own()[i].length) : std::string_view{});
    }
    template <class Visit>
    void each_row(Visit visit) const {
        for (std::size_t row = content_.first; row < content_.first + content_.count; ++row) visit(columns_.rows(), row);
        for (const RowRef& ref : content_.extras) visit(ref.older ? columns_.older() : columns_.rows(), ref.row);
    }
    void measure_row_texts(std::uint32_t wants) {
        std::uint64_t bytes = 0;
        if ((wants & VARDE_WANT_EVENT_ID) != 0) {
            header_.event_id = place(n_rows_ * sizeof(varde_text));
            each_row([&](const Rows& rows, std::size_t row) { bytes += rows.event_id[row].length; });
        }
        if ((wants & VARDE_WANT_PAYLOAD) != 0) {
            header_.payload = place(n_rows_ * sizeof(varde_text));
            each_row([&](const Rows& rows, std::size_t row) { bytes += rows.payload[row].length; });
        }
        header_.row_text = place(bytes);
    }
    void write_row_texts() {
        std::uint32_t used = 0;
        const auto put = [&](std::uint64_t offset, auto text_of) {
            if (offset == 0) return;
            auto* place = reinterpret_cast<varde_text*>(base_ + offset);
            each_row([&](const Rows& rows, std::size_t row) {
                const std::string_view text = text_of(rows, row);
                if (!text.empty()) std::memcpy(base_ + header_.row_text + used, text.data(), text.size());
                *place++ = {used, static_cast<std::uint32_t>(text.size())};
                used += static_cast<std::uint32_t>(text.size());
            });
        };
        put(header_.event_id, [](const Rows& rows, std::size_t row) { return rows.id(row); });
        put(header_.payload, [](const Rows& rows, std::size_t row) { return rows.payload_of(row); });
    }

    const WindowContent& content_;
    const LiveColumns& columns_;
    std::uint32_t n_rows_;
    ImageHeader header_{};
    std::vector<ImageKey> keys_;
    std::vector<ImageZone> zones_;
    std::vector<std::uint32_t> plan_keys_;  ///< of the columns: place in the plan
    std::vector<std::uint8_t> shown_;       ///< by own symbol
    std::uint64_t text_bytes_ = 0;
    std::uint64_t end_ = sizeof(ImageHeader);
    std::byte* base_ = nullptr;
};

}  // namespace

std::string_view WindowContent::event_id(std::uint32_t row) const {
    if (row < count) return columns->rows().id(first + row);
    const RowRef& ref = extras.at(row - count);
    return (ref.older ? columns->older() : columns->rows()).id(ref.row);
}

std::optional<std::uint64_t> WindowWriter::write(const WindowContent& content) {
    ImageBuilder image{content};
    const std::uint64_t size = image.measure();
    if (size > batch_.size() - used_) return std::nullopt;
    const std::uint64_t offset = used_;
    image.write(batch_.data() + offset);
    used_ += size;
    return offset;
}

}  // namespace varde::evaluate
