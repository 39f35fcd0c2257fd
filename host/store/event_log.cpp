#include "store/event_log.hpp"

#include "store/append_batch.hpp"
#include "store/database_impl.hpp"
#include "store/event_queries.hpp"
#include "store/event_table.hpp"
#include "store/key_filter.hpp"
#include "store/page_keys.hpp"

#include <algorithm>
#include <unordered_set>

#include <fmt/format.h>

namespace varde::store {

using ports::Appended;

class SqlEventLog::Impl {
  public:
    explicit Impl(Database::Impl& database)
        : database_{database},
          table_{database.engine() == Engine::sqlite ? make_sqlite_event_table() : make_postgres_event_table()} {}

    void load(Session& session);
    core::Result<std::vector<Appended>> append(std::span<const core::Event> events);
    [[nodiscard]] Database::Impl& database() { return database_; }
    [[nodiscard]] EventTable& table() { return *table_; }

  private:
    std::vector<Appended> store(Session& session, const AppendBatch& batch);
    void read_all_keys(Session& session);
    void begin_append(Session& session);
    void take_row(std::int64_t seq, std::int64_t key_hash);
    /// Where repeats may be: in complete pages, and in rows of the newest one.
    struct Suspects {
        std::vector<EventTable::Probe> probes;
        std::vector<std::int64_t> rows;
    };
    void add_suspects(std::int64_t bucket, std::int64_t key_hash, Suspects& suspects) const;
    void find_stored(Session& session, const AppendBatch& batch, std::vector<Appended>& results);
    [[nodiscard]] std::vector<core::Scope> new_scopes(std::span<const EventTable::Row> rows) const;

    Database::Impl& database_;
    const std::unique_ptr<EventTable> table_;
    long long seed_ = 0;
    FairLock appenders_;  // guards what follows
    KeyFilter filter_;    // has every committed row with seq <= known_, and maybe some that were never committed
    PageKeys newest_;     // has the committed rows of the page of known_ + 1 with seq <= known_
    std::int64_t known_ = 0;
    std::int64_t known_hash_ = 0;                              // of the row known_
    std::unordered_set<core::Scope, core::ScopeHash> scopes_;  // in the table scopes for certain
};

void SqlEventLog::Impl::load(Session& session) {
    session.sql << "SELECT seed FROM event_key_seed", soci::into(seed_);
    read_all_keys(session);
}

/// Rows come in the order of seq.
void SqlEventLog::Impl::take_row(std::int64_t seq, std::int64_t key_hash) {
    filter_.add(seq, key_hash);
    newest_.add(seq, key_hash);
    known_ = seq;
    known_hash_ = key_hash;
}

void SqlEventLog::Impl::read_all_keys(Session& session) {
    static constexpr int part = 5'000;
    filter_.clear();
    newest_.clear();
    scopes_.clear();
    known_ = 0;  // until all are read
    std::int64_t paged = -1;
    table_->read_page_keys(session, [&](std::int64_t seq, std::int64_t key_hash) {
        filter_.add(seq, key_hash);
        paged = std::max(paged, PageKeys::page_of(seq));
    });
    std::vector<core::Scope> scopes = event_scopes(session);
    scopes_ = {scopes.begin(), scopes.end()};
    // From the last row of the last complete page: that is known_ if there is no other.
    std::int64_t from = std::max<std::int64_t>(((paged + 1) << PageKeys::page_bits) - 1, 0);
    for (int rows = part; rows == part; from = known_ + 1) {
        rows = 0;
        table_->read_keys(session, from, part, [&](std::int64_t seq, std::int64_t key_hash) {
            ++rows;
            take_row(seq, key_hash);
        });
    }
}

/// Takes in the rows that other processes have added. The row known_ itself is asked for too: if it is gone or another, this is not the
/// database of before (restored, failed over), and nothing that is remembered of it holds.
void SqlEventLog::Impl::begin_append(Session& session) {
    static constexpr int part = 5'000;
    std::int64_t from = known_;
    bool same_database = from == 0;
    int rows = 0;
    const auto take = [&](std::int64_t seq, std::int64_t key_hash) {
        ++rows;
        if (seq == from) same_database = same_database || key_hash == known_hash_;
        if (!same_database || seq == from) return;
        take_row(seq, key_hash);
    };
    table_->begin_append(session, from, part, take);
    while (same_database && rows == part) {
        rows = 0;
        from = known_;
        table_->read_keys(session, from, part, take);
    }
    if (!same_database) read_all_keys(session);
}

void SqlEventLog::Impl::add_suspects(std::int64_t bucket, std::int64_t key_hash, Suspects& suspects) const {
    const std::int64_t newest = PageKeys::page_of(known_ + 1);
    const std::int64_t newest_begins = newest << PageKeys::page_bits;
    if (bucket << KeyFilter::bucket_bits < newest_begins) suspects.probes.push_back({bucket, key_hash});
    if (bucket != KeyFilter::bucket_of(newest_begins)) return;
    newest_.rows_with(key_hash, [&](std::int64_t seq) {
        if (PageKeys::page_of(seq) == newest) suspects.rows.push_back(seq);
    });
}

void SqlEventLog::Impl::find_stored(Session& session, const AppendBatch& batch, std::vector<Appended>& results) {
    static constexpr std::size_t ahead = 8;
    Suspects suspects;
    for (std::size_t i = 0; i < batch.size(); ++i) {
        if (i + ahead < batch.size()) filter_.prefetch(batch.key_hash(i + ahead));
        if (batch.first_of(i) != i) continue;
        filter_.buckets_with(batch.key_hash(i), [&](std::int64_t bucket) { add_suspects(bucket, batch.key_hash(i), suspects); });
    }
    const auto take = [&](std::int64_t seq, std::int64_t key_hash, const EventIdentity& identity) {
        const auto i = batch.find(key_hash, identity);
        if (i && (results[*i].seq == 0 || seq < results[*i].seq)) results[*i] = Appended{seq, true};
    };
    if (!suspects.probes.empty()) table_->find(session, suspects.probes, take);
    if (!suspects.rows.empty()) table_->find_rows(session, suspects.rows, take);
}

std::vector<core::Scope> SqlEventLog::Impl::new_scopes(std::span<const EventTable::Row> rows) const {
    std::unordered_set<core::Scope, core::ScopeHash> found;
    const core::Scope* last = nullptr;
    for (const EventTable::Row& row : rows) {
        const core::Scope& scope = row.event->scope;
        if (last && *last == scope) continue;
        last = &scope;
        if (!scopes_.contains(scope)) found.insert(scope);
    }
    return {found.begin(), found.end()};
}

std::vector<Appended> SqlEventLog::Impl::store(Session& session, const AppendBatch& batch) {
    const WriteTransaction transaction{database_, session, WriteTransaction::Begin::by_caller};
    begin_append(session);
    std::vector<Appended> results(batch.size());
    find_stored(session, batch, results);
    std::vector<EventTable::Row> rows;
    rows.reserve(batch.size());
    std::int64_t seq = known_;
    for (std::size_t i = 0; i < batch.size(); ++i) {
        if (batch.first_of(i) != i) {
            results[i] = Appended{results[batch.first_of(i)].seq, true};
        } else if (!results[i].deduped) {
            results[i].seq = ++seq;
            rows.push_back({&batch.event(i), seq, batch.key_hash(i)});
        }
    }
    if (rows.empty()) return results;
    const std::vector<core::Scope> scopes = new_scopes(rows);
    if (!scopes.empty()) table_->insert_scopes(session, scopes);
    for (const EventTable::Row& row : rows) filter_.add(row.seq, row.key_hash);  // now: its memory was just read
    table_->insert_and_commit(session, rows);
    // Only now, and not if the commit is in doubt: then the next append reads back what became of it.
    for (const EventTable::Row& row : rows) newest_.add(row.seq, row.key_hash);
    scopes_.insert(scopes.begin(), scopes.end());
    known_ = seq;
    known_hash_ = rows.back().key_hash;
    return results;
}

core::Result<std::vector<Appended>> SqlEventLog::Impl::append(std::span<const core::Event> events) {
    static constexpr std::size_t limit = 10'000;
    if (events.empty()) return std::vector<Appended>{};
    if (events.size() > limit) {
        return core::fail(core::Errc::too_large, fmt::format("storing events: {} at once; at most {}", events.size(), limit));
    }
    const AppendBatch batch{events, seed_};
    // Before the session is taken: waiting appenders leave the sessions to readers.
    const auto timeout = database_.settings().busy_timeout;
    if (!appenders_.acquire(timeout)) {
        return core::fail(core::Errc::database_unavailable,
                          fmt::format("storing events: other events were being stored for {} ms", timeout.count()));
    }
    const FairLock::Guard turn{appenders_};
    return database_.run("storing events", [&](Session& session) { return store(session, batch); });
}

SqlEventLog::SqlEventLog(std::unique_ptr<Impl> impl) : impl_{std::move(impl)} {}
SqlEventLog::~SqlEventLog() = default;

core::Result<std::unique_ptr<SqlEventLog>> SqlEventLog::open(Database& database) {
    auto impl = std::make_unique<Impl>(database.impl());
    auto loaded = database.impl().run("reading the keys of the stored events", [&](Session& session) { impl->load(session); });
    if (!loaded) return tl::unexpected{loaded.error()};
    return std::unique_ptr<SqlEventLog>{new SqlEventLog{std::move(impl)}};
}

core::Result<std::vector<Appended>> SqlEventLog::append(std::span<const core::Event> events) { return impl_->append(events); }

core::Result<std::int64_t> SqlEventLog::read_after(std::int64_t after, std::size_t limit,
                                                   const std::function<void(const core::Event&)>& visit) {
    return impl_->database().run("reading new events", [&](Session& session) {
        std::int64_t last = after;
        impl_->table().read_after(session, after, static_cast<std::int64_t>(std::min(limit, std::size_t{INT64_MAX})),
                                  [&](const core::Event& event) {
                                      last = event.seq;
                                      visit(event);
                                  });
        return last;
    });
}

core::Result<void> SqlEventLog::read_range(const core::Scope& scope, core::Window range,
                                           const std::function<void(const core::Event&)>& visit) {
    return impl_->database().run("reading a window of events",
                                 [&](Session& session) { impl_->table().read_range(session, scope, range, visit); });
}

core::Result<std::optional<core::Event>> SqlEventLog::latest(const core::Scope& scope, std::span<const std::string> categories,
                                                             const std::string& stream_id, core::Instant before) {
    return impl_->database().run("reading the latest event",
                                 [&](Session& session) { return latest_event(session, scope, categories, stream_id, before); });
}

core::Result<std::int64_t> SqlEventLog::first_seq_since(core::Instant since) {
    return impl_->database().run("finding the first recent event",
                                 [&](Session& session) { return first_event_seq_since(session, since); });
}

core::Result<std::vector<core::Scope>> SqlEventLog::scopes() {
    return impl_->database().run("listing scopes", [](Session& session) { return event_scopes(session); });
}

core::Result<std::vector<core::Event>> SqlEventLog::list(const ports::EventQuery& query) {
    if (query.limit < 1 || query.limit > 1000) return core::fail(core::Errc::invalid_argument, "events: limit must be 1 to 1000");
    return impl_->database().run("listing events", [&](Session& session) { return list_events(session, query); });
}

// What appenders remember of deleted rows does no harm: it is only where to look, and there is nothing to be found there.
core::Result<std::int64_t> SqlEventLog::prune(core::Instant before, std::int64_t limit) {
    if (limit < 1 || limit > 10'000)
        return core::fail(core::Errc::invalid_argument, "deleting old events: limit must be 1 to 10000");
    return impl_->database().write("deleting old events",
                                   [&](Session& session) { return impl_->table().prune(session, before, limit); });
}

}  // namespace varde::store
