#include "evaluate/scope_view.hpp"

#include "evaluate/read_resolution.hpp"

#include <algorithm>

namespace varde::evaluate {

ScopeView ScopeView::live(EventColumns& events, const core::Scope& scope) {
    if (LiveColumns* columns = events.find(scope)) return {Source::live, &events, scope, nullptr, columns};
    auto empty = std::make_shared<LiveColumns>(events.plan());
    LiveColumns* columns = empty.get();
    return {Source::live, &events, scope, std::move(empty), columns};
}

ScopeView ScopeView::ranged(EventColumns& events, const core::Scope& scope, std::shared_ptr<LiveColumns> columns) {
    LiveColumns* borrowed = columns.get();
    return {Source::ranged, &events, scope, std::move(columns), borrowed};
}

ScopeView ScopeView::given(std::shared_ptr<LiveColumns> columns) {
    LiveColumns* borrowed = columns.get();
    return {Source::given, nullptr, {}, std::move(columns), borrowed};
}

core::Result<std::optional<RowRef>> ScopeView::latest(const wire::ReadDeclaration& read, const wire::Declarations& rule,
                                                      core::Window window) {
    LatestFilter filter;
    for (const std::uint32_t category : read.categories) filter.categories.push_back(rule.literals.at(category));
    if (read.stream >= 0) filter.stream = rule.literals.at(static_cast<std::size_t>(read.stream));
    const core::Instant before =
        read.kind == VARDE_READ_LATEST ? core::Instant::max() : edge_of(read.end_anchor, read.end_offset_us, window);
    if (source_ == Source::ranged) return from_log(filter, before);
    if (const auto row = columns_->latest(filter, before)) return RowRef{false, *row};
    if (source_ == Source::given) return std::optional<RowRef>{};
    return from_log(filter, before);
}

core::Result<std::optional<RowRef>> ScopeView::from_log(const LatestFilter& filter, core::Instant before) {
    // Live columns hold everything from live_since on: what they lack is older than that, whatever `before` says. Asked once, until
    // an older event comes or a live one is evicted.
    const bool is_live = source_ == Source::live;
    const core::Instant key = is_live && before >= events_->live_since() ? core::Instant::max() : before;
    if (const auto* known = columns_->find_older(filter, key))
        return known->row ? std::optional{RowRef{true, *known->row}} : std::nullopt;
    auto event = events_->read_latest(scope_, filter, is_live ? std::min(before, events_->live_since()) : before);
    if (!event) return tl::unexpected{event.error()};
    if (*event && !is_live) {  // it may be one of the rows
        for (std::size_t row = columns_->lower_bound((*event)->time); row < columns_->end(); ++row)
            if (columns_->rows().sequence[row] == (*event)->seq) return RowRef{false, row};
    }
    const auto& added = columns_->add_older(filter, key, *event, events_->reader());
    return added.row ? std::optional{RowRef{true, *added.row}} : std::nullopt;
}

}  // namespace varde::evaluate
