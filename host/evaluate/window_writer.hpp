#pragma once
#include "evaluate/live_columns.hpp"
#include "evaluate/payload_access.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include <varde/rule.h>

namespace varde::evaluate {

/// A row of columns or of their `older` events.
struct RowRef {
    bool older = false;
    std::size_t row = 0;
    friend bool operator==(const RowRef&, const RowRef&) = default;
};

/// What a window image is made of: rows [first, first + count) of the columns, then single rows from elsewhere.
struct WindowContent {
    const LiveColumns* columns = nullptr;
    std::size_t first = 0;
    std::size_t count = 0;
    std::vector<RowRef> extras;
    const std::vector<std::vector<varde_transition>>* zones = nullptr;  ///< by zone of the plan
    const PayloadAccess* access = nullptr;  ///< the keys that become columns, in this order; all of them in the columns' plan

    [[nodiscard]] std::uint32_t n_rows() const { return static_cast<std::uint32_t>(count + extras.size()); }
    /// Of a row of the image.
    [[nodiscard]] std::string_view event_id(std::uint32_t row) const;
};

/// Writes window images one after the other into the batch memory.
class WindowWriter {
  public:
    explicit WindowWriter(std::span<std::byte> batch) : batch_{batch} {}

    /// Offset of the image, or nullopt if there is no room for it now.
    [[nodiscard]] std::optional<std::uint64_t> write(const WindowContent& content);
    /// Starts from the beginning; images written before are lost.
    void reset() { used_ = 0; }
    [[nodiscard]] bool empty() const { return used_ == 0; }

  private:
    std::span<std::byte> batch_;
    std::uint64_t used_ = 0;
};

}  // namespace varde::evaluate
