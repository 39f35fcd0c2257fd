#pragma once
#include "core/error.hpp"
#include "core/scope.hpp"
#include "evaluate/event_columns.hpp"
#include "evaluate/window_writer.hpp"
#include "wire/message.hpp"

#include <memory>
#include <optional>

namespace varde::evaluate {

/// One scope's events as an evaluation sees them: the live columns, a range read from the event log, or events that were given.
class ScopeView {
  public:
    /// The live columns of the scope; none at all if it has no recent events.
    static ScopeView live(EventColumns& events, const core::Scope& scope);
    /// Only [since, until) is in `columns`.
    static ScopeView ranged(EventColumns& events, const core::Scope& scope, std::shared_ptr<LiveColumns> columns);
    /// These are all the events there are.
    static ScopeView given(std::shared_ptr<LiveColumns> columns);

    [[nodiscard]] const LiveColumns& columns() const { return *columns_; }
    /// The row a VARDE_READ_LATEST* is about; it may have to be fetched from the event log.
    [[nodiscard]] core::Result<std::optional<RowRef>> latest(const wire::ReadDeclaration& read, const wire::Declarations& rule,
                                                             core::Window window);

  private:
    enum class Source { live, ranged, given };
    ScopeView(Source source, EventColumns* events, core::Scope scope, std::shared_ptr<LiveColumns> owned, LiveColumns* columns)
        : source_{source}, events_{events}, scope_{std::move(scope)}, owned_{std::move(owned)}, columns_{columns} {}
    [[nodiscard]] core::Result<std::optional<RowRef>> from_log(const LatestFilter& filter, core::Instant before);

    Source source_;
    EventColumns* events_;
    core::Scope scope_;
    std::shared_ptr<LiveColumns> owned_;
    LiveColumns* columns_;
};

}  // namespace varde::evaluate
