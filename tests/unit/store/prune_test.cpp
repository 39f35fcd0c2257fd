#include "fixture.hpp"
#include "store/database_impl.hpp"
#include "store/deviation_repository.hpp"
#include "store/event_log.hpp"
#include "store/event_table.hpp"

#include <type_traits>
#include <vector>

using namespace varde;
using namespace varde::store::testing;
using core::DeviationStatus;

namespace {

using Ids = std::vector<std::string>;

Ids stored_ids(store::SqlEventLog& log) {
    Ids ids;
    value_of(log.read_after(0, 1000, [&](const core::Event& event) { ids.push_back(event.event_id); }));
    return ids;
}

core::Deviation deviation_of(const std::string& rule_id, const std::string& subject_key = "default") {
    core::Deviation row;
    row.rule_id = rule_id;
    row.subject_key = subject_key;
    row.finding.title = "Stille";
    row.finding.evidence = "{}";
    return row;
}

std::int64_t store_one(store::SqlDeviationRepository& repository, const core::Deviation& row) {
    const auto transaction = value_of(repository.begin());
    const std::int64_t id = value_of(transaction->insert(row));
    value_of(transaction->commit());
    return id;
}

}  // namespace

TEST_CASE_TEMPLATE("old events are deleted in parts, and never the newest one", On, ON_EACH_ENGINE) {
    Fixture<On> fixture;
    if (!fixture.ready()) return;
    const auto log = fixture.open_log();
    CHECK(value_of(log->prune(at_second(100), 10)) == 0);
    const core::Scope other{"other", "1", "x"};
    value_of(log->append(std::vector{event_of("a", 10), event_of("b", 20), event_of("c", 90), event_of("d", 30, "motion", other),
                                     event_of("e", 50), event_of("late", 5)}));
    CHECK(value_of(log->prune(at_second(50), 2)) == 2);
    CHECK(value_of(log->prune(at_second(50), 10)) == 1);
    CHECK(value_of(log->prune(at_second(50), 10)) == 0);
    CHECK(stored_ids(*log) == Ids{"c", "e", "late"});  // "late" is old, but no later one may get its seq
    CHECK(value_of(log->scopes()).size() == 2);
    CHECK(value_of(log->append(std::vector{event_of("f", 60)}))[0].seq == 7);
    CHECK(value_of(log->prune(at_second(50), 10)) == 1);
    CHECK(stored_ids(*log) == Ids{"c", "e", "f"});
    CHECK(log->prune(at_second(50), 0).error().code == core::Errc::invalid_argument);
    CHECK(log->prune(at_second(50), 10'001).error().code == core::Errc::invalid_argument);
}

TEST_CASE_TEMPLATE("a scope's oldest events are deleted first", On, ON_EACH_ENGINE) {
    Fixture<On> fixture;
    if (!fixture.ready()) return;
    const auto log = fixture.open_log();
    value_of(log->append(std::vector{event_of("c", 30), event_of("a", 10), event_of("b", 20), event_of("newest", 40)}));
    CHECK(value_of(log->prune(at_second(40), 2)) == 2);
    CHECK(stored_ids(*log) == Ids{"c", "newest"});
}

TEST_CASE_TEMPLATE("after old events were deleted repeats of the others are recognised, by every host and after a restart", On,
                   ON_EACH_ENGINE) {
    Fixture<On> fixture;
    if (!fixture.ready()) return;
    const auto one = fixture.open_log();
    const auto other = fixture.open_log();
    // Complete pages, whose keys are in event_keys, and 616 rows of the newest one. Every event with an odd number is old.
    constexpr int rows = 2 * 16'384 + 616;
    std::vector<core::Event> part;
    for (int i = 1; i <= rows; ++i) {
        part.push_back(event_of("event-" + std::to_string(i), i % 2 == 1 ? i - 1'000'000 : i));
        if (part.size() < 10'000 && i < rows) continue;
        value_of(one->append(part));
        part.clear();
    }
    std::int64_t gone = 0;
    for (std::int64_t batch = 5'000; batch == 5'000; gone += batch) batch = value_of(one->prune(at_second(0), 5'000));
    CHECK(gone == rows / 2);
    const auto table = std::is_same_v<On, OnSqlite> ? store::make_sqlite_event_table() : store::make_postgres_event_table();
    int keys = 0, orphans = 0;
    value_of(fixture.database().impl().run("reading keys", [&](store::Session& session) {
        table->read_page_keys(session, [&](std::int64_t seq, std::int64_t) {
            ++keys;
            if (seq % 2 == 1) ++orphans;
        });
    }));
    // The pages end with seq 32,767: half of that was deleted.
    CHECK(keys == 16'383);
    CHECK(orphans == 0);

    const auto restarted = fixture.open_log();
    for (const auto& log : {one.get(), other.get(), restarted.get()}) {
        const auto again = value_of(log->append(std::vector{event_of("event-2", 2), event_of("event-16384", 1),
                                                            event_of("event-32768", 1), event_of("event-33384", 1)}));
        CHECK(again[0].seq == 2);
        CHECK(again[1].seq == 16'384);
        CHECK(again[2].seq == 32'768);
        CHECK(again[3].seq == rows);
        for (const auto& result : again) CHECK(result.deduped);
    }
    // One that went is new again, once.
    const auto back = value_of(other->append(std::vector{event_of("event-1", 1), event_of("event-33383", 1)}));
    CHECK(back[0].seq == rows + 1);
    CHECK(back[1].seq == rows + 2);
    const auto repeated = value_of(one->append(std::vector{event_of("event-1", 1), event_of("event-33383", 1)}));
    CHECK(repeated[0].deduped);
    CHECK(repeated[0].seq == rows + 1);
    CHECK(repeated[1].seq == rows + 2);
}

TEST_CASE_TEMPLATE("a log of which only the newest event is left goes on after a restart", On, ON_EACH_ENGINE) {
    Fixture<On> fixture;
    if (!fixture.ready()) return;
    auto log = fixture.open_log();
    std::vector<core::Event> page;
    for (int i = 1; i <= 16'383; ++i) page.push_back(event_of("event-" + std::to_string(i), i));  // completes the page of seq 0
    value_of(log->append(std::span{page}.first(10'000)));
    value_of(log->append(std::span{page}.subspan(10'000)));
    while (value_of(log->prune(at_second(1'000'000), 10'000)) > 0) {
    }
    CHECK(stored_ids(*log) == Ids{"event-16383"});
    log = fixture.open_log();
    const auto results = value_of(log->append(std::vector{event_of("event-16383", 1), event_of("event-1", 1)}));
    CHECK(results[0].deduped);
    CHECK(results[1].seq == 16'384);
}

TEST_CASE_TEMPLATE("deviations that were closed long ago are deleted in parts, open and acknowledged ones never", On,
                   ON_EACH_ENGINE) {
    Fixture<On> fixture;
    if (!fixture.ready()) return;
    store::SqlDeviationRepository repository{fixture.database()};
    const auto closed = [&](const std::string& key, std::int64_t second) {
        auto row = deviation_of("R-001", key);
        row.status = DeviationStatus::closed;
        row.closed_at = at_second(second);
        return store_one(repository, row);
    };
    const auto first = closed("a", 500);
    const auto second = closed("b", 400);
    const auto third = closed("c", 300);
    const auto kept = closed("d", 1000);
    const auto open = store_one(repository, deviation_of("R-001", "e"));
    auto acked_row = deviation_of("R-001", "f");
    acked_row.status = DeviationStatus::ack;
    acked_row.closed_at = at_second(1);  // never so; and yet it would stay
    const auto acked = store_one(repository, acked_row);

    CHECK(value_of(repository.prune(at_second(1000), 2)) == 2);
    CHECK_FALSE(value_of(repository.find(first)).has_value());
    CHECK_FALSE(value_of(repository.find(second)).has_value());
    CHECK(value_of(repository.find(third)).has_value());
    CHECK(value_of(repository.prune(at_second(1000), 2)) == 1);
    CHECK(value_of(repository.prune(at_second(1000), 2)) == 0);
    for (const auto id : {kept, open, acked}) CHECK(value_of(repository.find(id)).has_value());
}

TEST_CASE_TEMPLATE("episodes go on counting after the first ones were deleted", On, ON_EACH_ENGINE) {
    Fixture<On> fixture;
    if (!fixture.ready()) return;
    store::SqlDeviationRepository repository{fixture.database()};
    for (int episode = 1; episode <= 3; ++episode) {
        auto row = deviation_of("R-001");
        row.status = DeviationStatus::closed;
        row.closed_at = at_second(episode * 100);
        row.episode = episode;
        store_one(repository, row);
    }
    CHECK(value_of(repository.prune(at_second(300), 10)) == 2);
    const auto transaction = value_of(repository.begin());
    CHECK(value_of(transaction->next_episode("R-001", {}, "default")) == 4);
}
