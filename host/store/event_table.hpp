#pragma once
#include "core/event.hpp"
#include "store/event_key.hpp"
#include "store/page_keys.hpp"
#include "store/session.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>

namespace varde::store {

/// The hot statements on the table `events`, as each engine does them fastest. Without state: what is prepared belongs to the session.
/// Everything throws SqlFailure.
class EventTable {
  public:
    struct Row {
        const core::Event* event;
        std::int64_t seq;
        std::int64_t key_hash;
    };
    /// Where a key may be stored.
    struct Probe {
        std::int64_t bucket;  ///< KeyFilter::bucket_of(seq)
        std::int64_t key_hash;
    };
    using VisitKey = std::function<void(std::int64_t seq, std::int64_t key_hash)>;
    using VisitStored = std::function<void(std::int64_t seq, std::int64_t key_hash, const EventIdentity& identity)>;
    using VisitEvent = std::function<void(const core::Event&)>;

    virtual ~EventTable() = default;

    /// Begins a transaction that keeps every other appender of the database out until it ends; then as read_keys().
    virtual void begin_append(Session& session, std::int64_t from, int limit, const VisitKey& visit) = 0;
    /// The keys of up to `limit` rows with seq >= from, in the order of seq.
    virtual void read_keys(Session& session, std::int64_t from, int limit, const VisitKey& visit) = 0;
    /// The keys of all rows of complete pages, in any order.
    virtual void read_page_keys(Session& session, const VisitKey& visit) = 0;
    /// The rows that are really there, in any order.
    virtual void find(Session& session, std::span<const Probe> probes, const VisitStored& visit) = 0;
    virtual void find_rows(Session& session, std::span<const std::int64_t> seqs, const VisitStored& visit) = 0;
    /// The end of an append: with the COMMIT. If the connection is lost in it, the rows may be there or not. Pages that `rows`
    /// complete get their keys into the table event_keys.
    virtual void insert_and_commit(Session& session, std::span<const Row> rows) = 0;
    /// Those that are there already stay.
    virtual void insert_scopes(Session& session, std::span<const core::Scope> scopes) = 0;

    virtual void read_after(Session& session, std::int64_t after, std::int64_t limit, const VisitEvent& visit) = 0;
    virtual void read_range(Session& session, const core::Scope& scope, core::Window range, const VisitEvent& visit) = 0;
    /// Deletes up to `limit` rows that are older, with their keys, and never the newest one. Inside the caller's transaction.
    virtual std::int64_t prune(Session& session, core::Instant before, std::int64_t limit) = 0;

  protected:
    /// The rows [first, end) of the pages that become complete with `rows`; empty if none does.
    struct Completed {
        std::int64_t first;
        std::int64_t end;
    };
    [[nodiscard]] static Completed completed_by(std::span<const Row> rows) {
        const std::int64_t first = PageKeys::page_of(rows.front().seq);
        const std::int64_t end = PageKeys::page_of(rows.back().seq + 1);
        return {first << PageKeys::page_bits, end << PageKeys::page_bits};
    }
};

[[nodiscard]] std::unique_ptr<EventTable> make_sqlite_event_table();
[[nodiscard]] std::unique_ptr<EventTable> make_postgres_event_table();

}  // namespace varde::store
