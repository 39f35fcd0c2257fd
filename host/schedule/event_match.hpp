#pragma once
#include "core/event.hpp"
#include "core/trigger.hpp"

#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include <nlohmann/json_fwd.hpp>

namespace varde::schedule {

/// The same for values that are equal, so that filters can be found by what they ask for; empty for what no filter can ask for.
[[nodiscard]] std::string value_key(const nlohmann::json& value);

/// The `where` of an EventMatch, read once for many events.
class EventFilter {
  public:
    explicit EventFilter(const core::EventMatch& match);
    ~EventFilter();
    EventFilter(EventFilter&&) noexcept;
    EventFilter& operator=(EventFilter&&) = delete;

    /// A member that it asks for, and the value_key() of what that must be; an empty one: it asks for nothing.
    [[nodiscard]] std::pair<std::string, std::string> first_member() const;

  private:
    friend class EventPayload;
    std::unique_ptr<const nlohmann::json> where_;
};

/// The payload of an event, read when somebody first asks. The event must outlive it. One thread.
class EventPayload {
  public:
    explicit EventPayload(const core::Event& event);
    ~EventPayload();
    EventPayload(EventPayload&&) noexcept;
    EventPayload& operator=(EventPayload&&) = delete;

    /// Whether it has all that the filter asks for. Texts equal texts, numbers equal numbers (1 and 1.0), truths equal truths. A payload
    /// that is no object has only what an empty filter asks for.
    [[nodiscard]] bool has_all_of(const EventFilter& filter) const;
    /// A member, or what lies at the end of a way: "user.id" is the member of that name, or `id` of the object `user`. nullptr: there is
    /// none.
    [[nodiscard]] const nlohmann::json* member(std::string_view way) const;

  private:
    const core::Event* event_;
    mutable std::unique_ptr<const nlohmann::json> payload_;
};

/// Whether a schedule of that organisation means the event. For a few; who asks about many keeps filters and payloads.
[[nodiscard]] bool means(const core::EventMatch& match, std::string_view org_id, const core::Event& event);

}  // namespace varde::schedule
