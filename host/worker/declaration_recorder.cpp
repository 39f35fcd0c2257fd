#include "worker/declaration_recorder.hpp"

#include "worker/rule_log.hpp"

#include "wire/control_layout.hpp"
#include "worker/caught.hpp"

#include <unistd.h>
#include <algorithm>
#include <cstddef>
#include <cstring>

namespace varde::worker {

DeclarationRecorder::DeclarationRecorder(std::vector<std::string> unknown_zones) : unknown_zones_{std::move(unknown_zones)} {
    host_.struct_size = sizeof host_;
    host_.abi_major = VARDE_ABI_MAJOR;
    host_.abi_minor = VARDE_ABI_MINOR;
    host_.ctx = this;
    host_.declare_key = [](void* ctx, const char* key, std::uint32_t length) {
        return self(ctx).declare_text(self(ctx).declared_.keys, wire::max_keys, key, length, "declare_key");
    };
    host_.declare_literal = [](void* ctx, const char* text, std::uint32_t length) {
        return self(ctx).declare_text(self(ctx).declared_.literals, wire::max_literals, text, length, "declare_literal");
    };
    host_.declare_zone = [](void* ctx, const char* name, std::uint32_t length, std::uint32_t flags) {
        return self(ctx).declare_zone(name, length, flags);
    };
    host_.declare_read = [](void* ctx, const varde_read* read) { return self(ctx).declare_read(read); };
    host_.declare_wants = [](void* ctx, std::uint32_t wants) {
        if ((wants & ~(VARDE_WANT_EVENT_ID | VARDE_WANT_PAYLOAD)) != 0)
            return self(ctx).misuse(VARDE_E_ARGUMENT, "declare_wants: not a VARDE_WANT_*");
        self(ctx).declared_.wants |= wants;
        return VARDE_OK;
    };
    host_.fail = [](void* ctx, const char* param, std::uint32_t param_length, const char* text, std::uint32_t text_length) {
        constexpr auto limit = static_cast<std::uint32_t>(wire::max_message_bytes);
        if (param != nullptr) self(ctx).param_.assign(param, std::min<std::uint32_t>(param_length, 200));
        if (text != nullptr) self(ctx).failure_.assign(text, std::min(text_length, limit));
        return VARDE_OK;
    };
    host_.log = [](void*, std::int32_t level, const char* text, std::uint32_t length) { write_log_line(level, text, length); };
    host_.query = [](void*, const char*) -> const void* { return nullptr; };
}

std::int32_t DeclarationRecorder::misuse(std::int32_t code, const char* text) {
    if (misuse_.empty()) misuse_ = text;
    return code;
}

std::int32_t DeclarationRecorder::declare_text(std::vector<std::string>& list, std::size_t limit, const char* text,
                                               std::uint32_t length, const char* what) {
    if ((text == nullptr && length > 0) || length > wire::max_declared_text_bytes) return misuse(VARDE_E_ARGUMENT, what);
    const std::string_view wanted{text, length};
    const auto found = std::find(list.begin(), list.end(), wanted);
    if (found != list.end()) return static_cast<std::int32_t>(found - list.begin());
    if (list.size() == limit) return misuse(VARDE_E_LIMIT, what);
    list.emplace_back(wanted);
    return static_cast<std::int32_t>(list.size() - 1);
}

std::int32_t DeclarationRecorder::declare_zone(const char* name, std::uint32_t length, std::uint32_t flags) {
    if (name == nullptr || length > 200) return misuse(VARDE_E_ARGUMENT, "declare_zone");
    const std::string_view wanted{name, length};
    if ((flags & VARDE_ZONE_REQUIRED) != 0 &&
        std::find(unknown_zones_.begin(), unknown_zones_.end(), wanted) != unknown_zones_.end())
        return VARDE_E_PARAM;
    for (std::size_t i = 0; i < declared_.zones.size(); ++i) {
        if (declared_.zones[i].name != wanted) continue;
        declared_.zones[i].flags |= flags;
        return static_cast<std::int32_t>(i);
    }
    if (declared_.zones.size() == wire::max_zones) return misuse(VARDE_E_LIMIT, "declare_zone");
    declared_.zones.push_back({std::string{wanted}, flags});
    return static_cast<std::int32_t>(declared_.zones.size() - 1);
}

std::int32_t DeclarationRecorder::declare_read(const varde_read* given) {
    if (given == nullptr || given->struct_size < offsetof(varde_read, reserved)) return misuse(VARDE_E_ARGUMENT, "declare_read");
    if (declared_.reads.size() == wire::max_reads) return misuse(VARDE_E_LIMIT, "declare_read");
    wire::ReadDeclaration read;
    read.kind = given->kind;
    read.begin_anchor = given->begin_anchor;
    read.end_anchor = given->end_anchor;
    read.begin_offset_us = given->begin_offset_us;
    read.end_offset_us = given->end_offset_us;
    const bool all_zero = given->kind == VARDE_READ_RANGE && given->begin_anchor == 0 && given->end_anchor == 0 &&
                          given->begin_offset_us == 0 && given->end_offset_us == 0;
    if (all_zero) read.end_anchor = VARDE_AT_UNTIL;
    if (given->n_categories > wire::max_literals || (given->n_categories > 0 && given->categories == nullptr))
        return misuse(VARDE_E_ARGUMENT, "declare_read: categories");
    read.categories.assign(given->categories, given->categories + given->n_categories);
    for (const std::uint32_t category : read.categories)
        if (category >= declared_.literals.size())
            return misuse(VARDE_E_ARGUMENT, "declare_read: a category is no literal's handle");
    // In a zero-filled struct of another kind 0 is no handle.
    read.stream = wire::is_latest(read) ? given->stream : -1;
    read.zone = given->kind == VARDE_READ_LOCAL_DAY ? given->zone : -1;
    read.local_pick = given->local_pick;
    read.local_begin_us = given->local_begin_us;
    read.local_end_us = given->local_end_us;
    declared_.reads.push_back(std::move(read));
    return static_cast<std::int32_t>(declared_.reads.size() - 1);
}

std::variant<wire::Declarations, wire::Fault> DeclarationRecorder::create(const varde_rule_entry& entry,
                                                                          const wire::ParamsTree& tree, varde_rule*& rule) {
    varde_params params{};
    params.struct_size = sizeof params;
    params.n_nodes = static_cast<std::uint32_t>(tree.nodes.size());
    params.nodes = tree.nodes.data();
    params.text = tree.text.data();
    std::int32_t status = VARDE_E_RULE;
    try {
        status = entry.create(&host_, &params, &rule);
    } catch (...) {
        return fault_of_current_exception("create");
    }
    using enum wire::FaultReason;
    if (status < 0) {
        if (failure_.empty()) failure_ = "create returned " + std::to_string(status) + " without saying why";
        return wire::Fault{create_failed, param_, failure_};
    }
    if (!misuse_.empty()) return wire::Fault{bad_result, {}, "create declared something impossible or too much: " + misuse_};
    if (rule == nullptr) return wire::Fault{bad_result, {}, "create returned success but no instance"};
    return declared_;
}

}  // namespace varde::worker
