#pragma once
#include "wire/message.hpp"
#include "wire/window_image.hpp"

#include <span>
#include <vector>

#include <varde/rule.h>

namespace varde::worker {

/// Shows one window image to a rule as the varde_window of varde/rule.h. Keeps its arrays between windows.
class WindowView {
  public:
    /// From now on images lie in `batch`, the window memory that the host sent last.
    void attach(std::span<const std::byte> batch) { batch_ = batch; }
    [[nodiscard]] std::span<const std::byte> attached() const { return batch_; }

    /// nullptr if the item does not fit the batch memory; else valid until the next call.
    [[nodiscard]] const varde_window* show(const wire::Item& item, const wire::Binding& binding);

  private:
    [[nodiscard]] bool fits(const wire::Item& item) const;

    std::span<const std::byte> batch_;
    varde_window window_{};
    std::vector<varde_column> keys_;
    std::vector<varde_zone> zones_;
};

}  // namespace varde::worker
