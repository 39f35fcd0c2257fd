#include "wire/replay_bundle.hpp"

#include "wire/control_layout.hpp"

namespace varde::wire {
namespace {

constexpr std::uint64_t bundle_magic = 0x32424452'45445256u;  // "VRDERDB2", little endian
constexpr std::size_t max_rows = 16u << 20;

std::size_t bound_of(const ReplayBundle& bundle) {
    std::size_t bytes = request_bytes + bundle.image.size();
    for (const std::string& id : bundle.event_ids) bytes += id.size() + sizeof(std::uint32_t);
    return bytes;
}

}  // namespace

std::vector<std::byte> encode(const ReplayBundle& bundle) {
    std::vector<std::byte> file(bound_of(bundle));
    ByteWriter out{file};
    out.put(bundle_magic);
    for (const auto* text :
         {&bundle.rule_id, &bundle.version, &bundle.sha256, &bundle.org_id, &bundle.home_id, &bundle.subject_id})
        out.put_text(*text);
    out.put(bundle.timeout_ms);
    out.put(bundle.memory_bytes);
    put(out, bundle.params);
    put_texts(out, bundle.unknown_zones);
    put(out, bundle.binding);
    Item item = bundle.item;
    item.state = bundle.state;
    put(out, item);
    put_texts(out, bundle.event_ids);
    out.put_array(std::span{bundle.image});
    file.resize(out.ok() ? out.size() : 0);
    return file;
}

std::optional<ReplayBundle> decode_bundle(std::span<const std::byte> file) {
    ReplayBundle bundle;
    ByteReader in{file};
    if (in.take<std::uint64_t>() != bundle_magic) return std::nullopt;
    for (auto* text : {&bundle.rule_id, &bundle.version, &bundle.sha256, &bundle.org_id, &bundle.home_id, &bundle.subject_id})
        *text = in.take_text();
    bundle.timeout_ms = in.take<std::uint64_t>();
    bundle.memory_bytes = in.take<std::uint64_t>();
    take(in, bundle.params);
    take_texts(in, bundle.unknown_zones, max_zones);
    take(in, bundle.binding);
    take(in, bundle.item);
    bundle.state = bundle.item.state;
    bundle.item.state = {};  // it borrows from `file`
    take_texts(in, bundle.event_ids, max_rows);
    in.take_array(bundle.image, file.size());
    if (!in.ok() || !in.at_end()) return std::nullopt;
    return bundle;
}

}  // namespace varde::wire
