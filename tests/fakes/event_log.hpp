#pragma once
#include "fakes/gate.hpp"
#include "ports/event_log.hpp"

#include <algorithm>
#include <mutex>
#include <set>
#include <tuple>

namespace varde::fakes {

/// An EventLog in memory that keeps the port's promises. Thread-safe.
class EventLog final : public ports::EventLog {
  public:
    /// Append calls pass it before anything happens.
    Gate append_gate;
    /// read_range() passes it before it reads.
    Gate read_gate;

    /// While set, every call fails with it.
    void fail_with(std::optional<core::Errc> code) {
        const std::lock_guard lock{mutex_};
        failure_ = code;
    }
    /// Appends that contain this event id fail with Errc::database_failed.
    void refuse_event(std::string event_id) {
        const std::lock_guard lock{mutex_};
        refused_event_ = std::move(event_id);
    }
    [[nodiscard]] std::vector<core::Event> stored() const {
        const std::lock_guard lock{mutex_};
        return rows_;
    }
    /// How many events each append call carried, failed ones included.
    [[nodiscard]] std::vector<std::size_t> append_sizes() const {
        const std::lock_guard lock{mutex_};
        return append_sizes_;
    }

    core::Result<std::vector<ports::Appended>> append(std::span<const core::Event> events) override {
        append_gate.pass();
        const std::lock_guard lock{mutex_};
        append_sizes_.push_back(events.size());
        if (failure_) return core::fail(*failure_, "fake event log: append");
        for (const auto& event : events) {
            if (!refused_event_.empty() && event.event_id == refused_event_) {
                return core::fail(core::Errc::database_failed, "fake event log: refused event");
            }
        }
        std::vector<ports::Appended> result;
        for (const auto& event : events) {
            const auto same = std::ranges::find_if(rows_, [&](const core::Event& row) {
                return row.scope == event.scope && row.stream_id == event.stream_id && row.event_id == event.event_id;
            });
            if (same != rows_.end()) {
                result.push_back({same->seq, true});
                continue;
            }
            rows_.push_back(event);
            rows_.back().seq = ++last_seq_;
            result.push_back({rows_.back().seq, false});
        }
        return result;
    }

    core::Result<std::int64_t> read_after(std::int64_t after, std::size_t limit,
                                          const std::function<void(const core::Event&)>& visit) override {
        const std::lock_guard lock{mutex_};
        if (failure_) return core::fail(*failure_, "fake event log: read_after");
        auto last = after;
        for (const auto& row : rows_) {
            if (row.seq <= after) continue;
            if (limit-- == 0) break;
            visit(row);
            last = row.seq;
        }
        return last;
    }

    core::Result<void> read_range(const core::Scope& scope, core::Window range,
                                  const std::function<void(const core::Event&)>& visit) override {
        read_gate.pass();
        const std::lock_guard lock{mutex_};
        if (failure_) return core::fail(*failure_, "fake event log: read_range");
        std::vector<core::Event> found;
        std::ranges::copy_if(rows_, std::back_inserter(found), [&](const core::Event& row) {
            return row.scope == scope && row.time >= range.since && row.time < range.until;
        });
        std::ranges::stable_sort(found, {}, &core::Event::time);
        std::ranges::for_each(found, visit);
        return {};
    }

    core::Result<std::optional<core::Event>> latest(const core::Scope& scope, std::span<const std::string> categories,
                                                    const std::string& stream_id, core::Instant before) override {
        const std::lock_guard lock{mutex_};
        if (failure_) return core::fail(*failure_, "fake event log: latest");
        std::optional<core::Event> best;
        for (const auto& row : rows_) {
            const bool wanted = row.scope == scope && row.time < before && (stream_id.empty() || row.stream_id == stream_id) &&
                                (categories.empty() || std::ranges::find(categories, row.category) != categories.end());
            if (wanted && (!best || row.time > best->time)) best = row;
        }
        return best;
    }

    core::Result<std::int64_t> first_seq_since(core::Instant since) override {
        const std::lock_guard lock{mutex_};
        if (failure_) return core::fail(*failure_, "fake event log: first_seq_since");
        for (const auto& row : rows_) {
            if (row.time >= since) return row.seq;
        }
        return last_seq_ + 1;
    }

    core::Result<std::vector<core::Scope>> scopes() override {
        const std::lock_guard lock{mutex_};
        if (failure_) return core::fail(*failure_, "fake event log: scopes");
        std::set<core::Scope> found;
        for (const auto& row : rows_) found.insert(row.scope);
        return std::vector<core::Scope>{found.begin(), found.end()};
    }

    core::Result<std::vector<core::Event>> list(const ports::EventQuery& query) override {
        const std::lock_guard lock{mutex_};
        if (failure_) return core::fail(*failure_, "fake event log: list");
        std::vector<core::Event> found;
        std::ranges::copy_if(rows_, std::back_inserter(found), [&](const core::Event& row) {
            return query.scope.admits(row.scope) && (!query.stream_id || row.stream_id == *query.stream_id) &&
                   (!query.category || row.category == *query.category) && (!query.since || row.time >= *query.since) &&
                   (!query.until || row.time < *query.until) && (!query.before || row.time < *query.before);
        });
        std::ranges::stable_sort(
            found, [](const core::Event& a, const core::Event& b) { return std::tie(a.time, a.seq) > std::tie(b.time, b.seq); });
        if (found.size() > static_cast<std::size_t>(query.limit)) found.resize(static_cast<std::size_t>(query.limit));
        return found;
    }

    core::Result<std::int64_t> prune(core::Instant before, std::int64_t limit) override {
        const std::lock_guard lock{mutex_};
        if (failure_) return core::fail(*failure_, "fake event log: prune");
        const auto newest = rows_.empty() ? 0 : rows_.back().seq;
        const auto gone =
            std::erase_if(rows_, [&](const core::Event& row) { return row.time < before && row.seq != newest && limit-- > 0; });
        return static_cast<std::int64_t>(gone);
    }

  private:
    mutable std::mutex mutex_;
    std::optional<core::Errc> failure_;
    std::string refused_event_;
    std::vector<core::Event> rows_;
    std::int64_t last_seq_ = 0;
    std::vector<std::size_t> append_sizes_;
};

}  // namespace varde::fakes
