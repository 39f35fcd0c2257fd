#include "ingest/text_splitter.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace varde::ingest {

using core::Errc;
using core::Result;

namespace {
[[nodiscard]] bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }
}  // namespace

Result<void> TextSplitter::feed(std::string_view piece) {
    for (std::size_t i = 0; i < piece.size(); ++i) {
        if (shape_ == Shape::lines) {  // whole lines at once: most of a large file
            const auto end = std::min(piece.find('\n', i), piece.size());
            keep(piece.substr(i, end - i));
            i = end;
            if (end == piece.size()) break;
            if (auto taken = emit(); !taken) return taken;
            item_line_ = ++line_;
            continue;
        }
        if (auto fed = feed_character(piece[i]); !fed) return fed;
        if (piece[i] == '\n') ++line_;
    }
    return {};
}

Result<void> TextSplitter::feed_character(char c) {
    switch (shape_) {
        case Shape::unknown:
            if (is_blank(c)) return {};
            item_line_ = line_;
            shape_ = c == '[' ? Shape::array : Shape::lines;
            if (shape_ == Shape::lines) keep({&c, 1});
            return {};
        case Shape::array: return feed_element_character(c);
        case Shape::after_array:
            if (is_blank(c)) return {};
            return core::fail(Errc::invalid_argument, fmt::format("line {}: text after the end of the array", line_));
        case Shape::lines: break;
    }
    return {};
}

Result<void> TextSplitter::feed_element_character(char c) {
    if (in_string_) {
        in_string_ = c != '"' || escaped_;
        escaped_ = c == '\\' && !escaped_;
    } else if (depth_ == 0 && (c == ',' || c == ']')) {
        const bool last = c == ']';
        // "[]" has no element; any other border without text before it is an empty item, which the JSON reader refuses.
        const bool taken_any = elements_ > 0;
        if (last) shape_ = Shape::after_array;
        if (last && !taken_any && item_.empty()) return {};
        ++elements_;
        return emit();
    } else if (c == '"') {
        in_string_ = true;
    } else if (c == '{' || c == '[') {
        ++depth_;
    } else if (c == '}' || c == ']') {
        --depth_;
    }
    if (item_.empty() && is_blank(c)) return {};
    if (item_.empty()) item_line_ = line_;
    keep({&c, 1});
    return {};
}

Result<void> TextSplitter::finish() {
    if (shape_ == Shape::array) return core::fail(Errc::invalid_argument, fmt::format("line {}: the array is not closed", line_));
    return shape_ == Shape::lines && !item_.empty() ? emit() : Result<void>{};
}

Result<void> TextSplitter::emit() {
    auto taken = take_(item_, item_line_, too_long_);
    item_.clear();
    too_long_ = false;
    return taken;
}

void TextSplitter::keep(std::string_view text) {
    const auto room = max_item_bytes_ - item_.size();
    too_long_ = too_long_ || text.size() > room;
    item_.append(text.substr(0, room));
}

}  // namespace varde::ingest
