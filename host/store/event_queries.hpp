#pragma once
#include "ports/event_log.hpp"
#include "store/session.hpp"

#include <optional>
#include <span>
#include <string>
#include <vector>

/// The seldom reads of the event log, one SQL for both engines, through SOCI. They throw SqlFailure and soci::soci_error.
namespace varde::store {

[[nodiscard]] std::optional<core::Event> latest_event(Session& session, const core::Scope& scope,
                                                      std::span<const std::string> categories, const std::string& stream_id,
                                                      core::Instant before);
[[nodiscard]] std::int64_t first_event_seq_since(Session& session, core::Instant since);
[[nodiscard]] std::vector<core::Scope> event_scopes(Session& session);
[[nodiscard]] std::vector<core::Event> list_events(Session& session, const ports::EventQuery& query);

}  // namespace varde::store
