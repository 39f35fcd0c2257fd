#pragma once
#include "core/error.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace varde::ingest {

/// Cuts a stream of text into its items: the lines of JSON lines, or the elements of one JSON array (told by the first character).
/// Finds the borders only; the items are for the JSON reader to judge. Holds one item at most.
class TextSplitter {
  public:
    /// `line` is where the item starts, from 1. `too_long`: the item was longer than the limit, and `item` is only its start.
    using Take = std::function<core::Result<void>(std::string_view item, std::int64_t line, bool too_long)>;

    TextSplitter(std::size_t max_item_bytes, Take take) : max_item_bytes_{max_item_bytes}, take_{std::move(take)} {}

    /// The next piece of the stream. An error is `take`'s, or Errc::invalid_argument for text after the array's end.
    core::Result<void> feed(std::string_view piece);
    /// The end of the stream. Errc::invalid_argument: the array was not closed.
    core::Result<void> finish();

  private:
    enum class Shape { unknown, lines, array, after_array };

    core::Result<void> feed_character(char c);
    core::Result<void> feed_element_character(char c);
    core::Result<void> emit();
    void keep(std::string_view text);

    std::size_t max_item_bytes_;
    Take take_;
    Shape shape_ = Shape::unknown;
    std::string item_;
    std::int64_t line_ = 1;
    std::int64_t item_line_ = 1;
    std::int64_t elements_ = 0;  ///< of the array so far
    int depth_ = 0;              ///< of brackets inside the array element
    bool in_string_ = false;
    bool escaped_ = false;
    bool too_long_ = false;
};

}  // namespace varde::ingest
