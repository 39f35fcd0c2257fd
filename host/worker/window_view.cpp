#include "worker/window_view.hpp"

namespace varde::worker {
namespace {

template <class T>
const T* at(const wire::ImageHeader* image, std::uint64_t offset) {
    return reinterpret_cast<const T*>(reinterpret_cast<const std::byte*>(image) + offset);
}

template <class T>
const T* rows(const wire::ImageHeader* image, std::uint64_t offset, std::uint32_t first) {
    return offset == 0 ? nullptr : at<T>(image, offset) + first;
}

}  // namespace

// The image is the host's own work and the request area could only be changed by this very process: a wrong offset can harm nobody
// else. So only what could go wrong by a defect is checked.
bool WindowView::fits(const wire::Item& item) const {
    if (item.image_offset % wire::image_alignment != 0 || item.image_offset + sizeof(wire::ImageHeader) > batch_.size())
        return false;
    const auto* image = reinterpret_cast<const wire::ImageHeader*>(batch_.data() + item.image_offset);
    return image->magic == wire::image_magic && image->size <= batch_.size() - item.image_offset &&
           std::uint64_t{item.first_row} + item.n_rows <= image->n_rows;
}

const varde_window* WindowView::show(const wire::Item& item, const wire::Binding& binding) {
    if (!fits(item)) return nullptr;
    const auto* image = reinterpret_cast<const wire::ImageHeader*>(batch_.data() + item.image_offset);
    const auto first = item.first_row;
    keys_.clear();
    for (const std::uint32_t key : binding.keys) {
        if (key >= image->n_keys) return nullptr;
        const auto& column = at<wire::ImageKey>(image, image->keys)[key];
        keys_.push_back({rows<std::uint8_t>(image, column.kind, first), rows<std::int64_t>(image, column.value, first)});
    }
    zones_.clear();
    for (const std::uint32_t zone : binding.zones) {
        if (zone >= image->n_zones) return nullptr;
        const auto& entry = at<wire::ImageZone>(image, image->zones)[zone];
        zones_.push_back({at<varde_transition>(image, entry.transitions), entry.n_transitions, 0});
    }
    window_.struct_size = sizeof window_;
    window_.n_rows = item.n_rows;
    window_.since_us = item.since_us;
    window_.until_us = item.until_us;
    window_.now_us = item.now_us;
    window_.time_us = rows<std::int64_t>(image, image->time, first);
    window_.sequence = rows<std::int64_t>(image, image->sequence, first);
    window_.category = rows<varde_symbol>(image, image->category, first);
    window_.room = rows<varde_symbol>(image, image->room, first);
    window_.stream = rows<varde_symbol>(image, image->stream, first);
    window_.payload_kind = rows<std::uint8_t>(image, image->payload_kind, first);
    window_.keys = keys_.data();
    window_.reads = item.slices.data();
    window_.literals = binding.literals.data();
    window_.zones = zones_.data();
    window_.symbols = at<varde_text>(image, image->symbols);
    window_.text = at<char>(image, image->text);
    window_.event_id = rows<varde_text>(image, image->event_id, first);
    window_.payload = rows<varde_text>(image, image->payload, first);
    window_.row_text = at<char>(image, image->row_text);
    window_.n_keys = static_cast<std::uint32_t>(keys_.size());
    window_.n_reads = static_cast<std::uint32_t>(item.slices.size());
    window_.n_literals = static_cast<std::uint32_t>(binding.literals.size());
    window_.n_zones = static_cast<std::uint32_t>(zones_.size());
    window_.n_symbols = image->n_symbols;
    return &window_;
}

}  // namespace varde::worker
