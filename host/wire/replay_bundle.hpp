#pragma once
#include "wire/message.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace varde::wire {

/// One evaluation as a file: everything the rule saw. The bytes of the plugin lie beside it, named by their hash.
struct ReplayBundle {
    std::string rule_id;
    std::string version;
    std::string sha256;
    std::string org_id;
    std::string home_id;
    std::string subject_id;
    std::uint64_t timeout_ms = 0;
    std::uint64_t memory_bytes = 0;
    ParamsTree params;
    std::vector<std::string> unknown_zones;
    Binding binding;
    Item item;                           ///< image_offset is 0; its state is `state`
    std::string state;                   ///< what the rule had kept
    std::vector<std::string> event_ids;  ///< of the rows the rule saw
    std::vector<std::byte> image;        ///< the window image
};

[[nodiscard]] std::vector<std::byte> encode(const ReplayBundle& bundle);
/// nullopt: not a bundle of this version, or cut off.
[[nodiscard]] std::optional<ReplayBundle> decode_bundle(std::span<const std::byte> file);

}  // namespace varde::wire
