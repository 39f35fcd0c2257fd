#include "wire/message.hpp"

#include "wire/control_layout.hpp"

namespace varde::wire {
namespace {

constexpr std::size_t max_nodes = request_bytes / sizeof(varde_node);
constexpr std::size_t max_zone_name_bytes = 200;

void put_read(ByteWriter& out, const ReadDeclaration& read) {
    out.put(read.kind);
    out.put(read.begin_anchor);
    out.put(read.end_anchor);
    out.put(read.begin_offset_us);
    out.put(read.end_offset_us);
    out.put_array(std::span{read.categories});
    out.put(read.stream);
    out.put(read.zone);
    out.put(read.local_pick);
    out.put(read.local_begin_us);
    out.put(read.local_end_us);
}

ReadDeclaration take_read(ByteReader& in) {
    ReadDeclaration read;
    read.kind = in.take<std::uint32_t>();
    read.begin_anchor = in.take<std::uint32_t>();
    read.end_anchor = in.take<std::uint32_t>();
    read.begin_offset_us = in.take<std::int64_t>();
    read.end_offset_us = in.take<std::int64_t>();
    in.take_array(read.categories, max_literals);
    read.stream = in.take<std::int32_t>();
    read.zone = in.take<std::int32_t>();
    read.local_pick = in.take<std::uint32_t>();
    read.local_begin_us = in.take<std::int64_t>();
    read.local_end_us = in.take<std::int64_t>();
    return read;
}

bool is_consistent(const ReadDeclaration& read, const Declarations& all) {
    // A hundred years either way: sums of a window's edge and an offset cannot overflow.
    constexpr std::int64_t far = std::int64_t{100} * 366 * 86'400 * 1'000'000;
    constexpr std::int64_t day = std::int64_t{86'400} * 1'000'000;
    const auto is_literal = [&](std::uint32_t handle) { return handle < all.literals.size(); };
    for (const std::uint32_t category : read.categories)
        if (!is_literal(category)) return false;
    if (is_latest(read) && read.stream >= 0 && !is_literal(static_cast<std::uint32_t>(read.stream))) return false;
    if (read.kind == VARDE_READ_LATEST) return true;
    if (read.kind == VARDE_READ_LOCAL_DAY)
        return read.zone >= 0 && static_cast<std::size_t>(read.zone) < all.zones.size() &&
               read.local_pick <= VARDE_DAY_CONTAINING && read.local_begin_us >= 0 && read.local_begin_us <= day &&
               read.local_end_us >= 0 && read.local_end_us <= day;
    return (read.kind == VARDE_READ_RANGE || read.kind == VARDE_READ_LATEST_BEFORE) && read.begin_anchor <= VARDE_AT_UNTIL &&
           read.end_anchor <= VARDE_AT_UNTIL && read.begin_offset_us >= -far && read.begin_offset_us <= far &&
           read.end_offset_us >= -far && read.end_offset_us <= far;
}

}  // namespace

void take_texts(ByteReader& in, std::vector<std::string>& out, std::size_t limit) {
    out.clear();
    for (std::uint32_t left = in.take_count(limit); left > 0 && in.ok(); --left) {
        const std::string_view text = in.take_text();
        if (text.size() > max_declared_text_bytes) in.refuse();
        out.emplace_back(text);
    }
}

void put_texts(ByteWriter& out, const std::vector<std::string>& texts) {
    out.put(static_cast<std::uint32_t>(texts.size()));
    for (const std::string& text : texts) out.put_text(text);
}

void put(ByteWriter& out, const ParamsTree& tree) {
    out.put_array(std::span{tree.nodes});
    out.put_text(tree.text);
}

void take(ByteReader& in, ParamsTree& tree) {
    in.take_array(tree.nodes, max_nodes);
    tree.text = in.take_text();
    if (tree.nodes.empty()) in.refuse();
}

void put(ByteWriter& out, const Binding& binding) {
    out.put_array(std::span{binding.keys});
    out.put_array(std::span{binding.literals});
    out.put_array(std::span{binding.zones});
}

void take(ByteReader& in, Binding& binding) {
    in.take_array(binding.keys, max_keys);
    in.take_array(binding.literals, max_literals);
    in.take_array(binding.zones, max_zones);
}

void put(ByteWriter& out, const Item& item) {
    out.put(item.image_offset);
    out.put(item.since_us);
    out.put(item.until_us);
    out.put(item.now_us);
    out.put(item.first_row);
    out.put(item.n_rows);
    out.put_array(std::span{item.slices});
    out.put(item.explain);
    out.put_text(item.state);
}

void take(ByteReader& in, Item& item) {
    item.image_offset = in.take<std::uint64_t>();
    item.since_us = in.take<std::int64_t>();
    item.until_us = in.take<std::int64_t>();
    item.now_us = in.take<std::int64_t>();
    item.first_row = in.take<std::uint32_t>();
    item.n_rows = in.take<std::uint32_t>();
    in.take_array(item.slices, max_reads);
    item.explain = in.take<std::uint32_t>();
    item.state = in.take_text();
    if (item.state.size() > max_state_bytes) in.refuse();
}

void put(ByteWriter& out, const SectionHead& head) {
    out.put(head.slot);
    out.put(head.n_items);
    out.put(head.timeout_ns);
}

void put(ByteWriter& out, const Declarations& declarations) {
    put_texts(out, declarations.keys);
    put_texts(out, declarations.literals);
    out.put(static_cast<std::uint32_t>(declarations.zones.size()));
    for (const ZoneDeclaration& zone : declarations.zones) {
        out.put_text(zone.name);
        out.put(zone.flags);
    }
    out.put(static_cast<std::uint32_t>(declarations.reads.size()));
    for (const ReadDeclaration& read : declarations.reads) put_read(out, read);
    out.put(declarations.wants);
}

void take(ByteReader& in, SectionHead& head) {
    head.slot = in.take<std::uint32_t>();
    head.n_items = in.take<std::uint32_t>();
    head.timeout_ns = in.take<std::uint64_t>();
}

void take(ByteReader& in, Declarations& declarations) {
    take_texts(in, declarations.keys, max_keys);
    take_texts(in, declarations.literals, max_literals);
    declarations.zones.clear();
    for (std::uint32_t left = in.take_count(max_zones); left > 0 && in.ok(); --left) {
        const std::string_view name = in.take_text();
        if (name.size() > max_zone_name_bytes) in.refuse();
        declarations.zones.push_back({std::string{name}, in.take<std::uint32_t>()});
    }
    declarations.reads.clear();
    for (std::uint32_t left = in.take_count(max_reads); left > 0 && in.ok(); --left) declarations.reads.push_back(take_read(in));
    declarations.wants = in.take<std::uint32_t>();
    if ((declarations.wants & ~(VARDE_WANT_EVENT_ID | VARDE_WANT_PAYLOAD)) != 0) in.refuse();
    for (const ReadDeclaration& read : declarations.reads)
        if (!is_consistent(read, declarations)) in.refuse();
}

void put(ByteWriter& out, const Fault& fault) {
    out.put(fault.reason);
    out.put_text(fault.param);
    out.put_text(fault.message);
}

void take(ByteReader& in, Fault& fault) {
    const auto reason = in.take<std::uint32_t>();
    if (reason < 1 || reason > static_cast<std::uint32_t>(FaultReason::protocol)) in.refuse();
    fault.reason = static_cast<FaultReason>(reason);
    fault.param = in.take_text().substr(0, max_message_bytes);
    fault.message = in.take_text().substr(0, max_message_bytes);
}

void put(ByteWriter& out, const JobRequest& request) {
    out.put(request.attempt);
    out.put(request.nominal_us);
    out.put(request.now_us);
    out.put(request.deadline_us);
    out.put(request.timeout_ns);
    out.put_text(request.slot);
    out.put_text(request.params_text);
    put(out, request.params);
}

void take(ByteReader& in, JobRequest& request) {
    request.attempt = in.take<std::uint32_t>();
    request.nominal_us = in.take<std::int64_t>();
    request.now_us = in.take<std::int64_t>();
    request.deadline_us = in.take<std::int64_t>();
    request.timeout_ns = in.take<std::uint64_t>();
    request.slot = in.take_text();
    request.params_text = in.take_text();
    take(in, request.params);
}

void put(ByteWriter& out, const JobEnd& end) {
    out.put(end.status);
    out.put_text(end.error);
    out.put_text(end.result);
}

void take(ByteReader& in, JobEnd& end) {
    end.status = in.take<std::int32_t>();
    end.error = in.take_text().substr(0, max_message_bytes);
    const auto result = in.take_text();
    if (result.size() > max_result_bytes) in.refuse();
    end.result = result;
}

}  // namespace varde::wire
