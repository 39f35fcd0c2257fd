#pragma once
#include "core/event.hpp"

#include <cstdint>
#include <string_view>

namespace varde::store {

/// What makes two events the same one.
struct EventIdentity {
    std::string_view org_id;
    std::string_view home_id;
    std::string_view subject_id;
    std::string_view stream_id;
    std::string_view event_id;
    friend bool operator==(const EventIdentity&, const EventIdentity&) = default;
};

[[nodiscard]] inline EventIdentity identity_of(const core::Event& event) {
    return {event.scope.org_id, event.scope.home_id, event.scope.subject_id, event.stream_id, event.event_id};
}

/// XXH3 (64 bits) of the five parts, each led by its length, as the database keeps it. Different identities may share a hash.
[[nodiscard]] std::int64_t key_hash_of(const EventIdentity& identity, std::int64_t seed);

}  // namespace varde::store
