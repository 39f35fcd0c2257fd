#include "store/event_log.hpp"

#include "fixture.hpp"
#include "store/database_impl.hpp"

#include <vector>

using namespace varde;
using namespace varde::store::testing;

namespace {

std::vector<core::Event> read_all(store::SqlEventLog& log, std::int64_t after = 0, std::size_t limit = 1000) {
    std::vector<core::Event> events;
    const std::int64_t last = value_of(log.read_after(after, limit, [&](const core::Event& event) { events.push_back(event); }));
    CHECK(last == (events.empty() ? after : events.back().seq));
    return events;
}

std::vector<std::string> ids_of(const std::vector<core::Event>& events) {
    std::vector<std::string> ids;
    for (const core::Event& event : events) ids.push_back(event.event_id);
    return ids;
}

std::vector<std::string> window_ids(store::SqlEventLog& log, const core::Scope& scope, std::int64_t since, std::int64_t until) {
    std::vector<std::string> ids;
    value_of(log.read_range(scope, {at_second(since), at_second(until)},
                            [&](const core::Event& event) { ids.push_back(event.event_id); }));
    return ids;
}

using Ids = std::vector<std::string>;

}  // namespace

TEST_CASE_TEMPLATE("an appended event is read back as it was given", On, ON_EACH_ENGINE) {
    Fixture<On> fixture;
    if (!fixture.ready()) return;
    const auto log = fixture.open_log();
    core::Event event = event_of("id-1", 5, "door", {"org", "home", "subject"});
    event.stream_id = "test";
    event.room_id = "";
    event.payload = "{\"text\":\"bl\xc3\xa5 'quoted' \\\\ \",\"nothing\":null}";
    event.time = core::instant_from_us(1'768'478'400'123'456);
    const auto results = value_of(log->append(std::vector{event}));
    REQUIRE(results.size() == 1);
    CHECK(results[0].seq == 1);
    CHECK_FALSE(results[0].deduped);
    const auto events = read_all(*log);
    REQUIRE(events.size() == 1);
    CHECK(events[0].seq == 1);
    CHECK(events[0].event_id == event.event_id);
    CHECK(events[0].scope == event.scope);
    CHECK(events[0].stream_id == event.stream_id);
    CHECK(events[0].time == event.time);
    CHECK(events[0].category == event.category);
    CHECK(events[0].room_id == event.room_id);
    CHECK(events[0].payload == event.payload);
    CHECK(events[0].received_at == event.received_at);
}

TEST_CASE_TEMPLATE("a repeated event is reported with the first one's seq and not stored again", On, ON_EACH_ENGINE) {
    Fixture<On> fixture;
    if (!fixture.ready()) return;
    const auto log = fixture.open_log();
    value_of(log->append(std::vector{event_of("a", 1), event_of("b", 2)}));
    const auto results = value_of(log->append(std::vector{event_of("b", 99, "door"), event_of("c", 3), event_of("a", 1)}));
    CHECK(results[0].deduped);
    CHECK(results[0].seq == 2);
    CHECK_FALSE(results[1].deduped);
    CHECK(results[1].seq == 3);
    CHECK(results[2].deduped);
    CHECK(results[2].seq == 1);
    const auto events = read_all(*log);
    CHECK(ids_of(events) == Ids{"a", "b", "c"});
    CHECK(events[1].category == "motion");
}

TEST_CASE_TEMPLATE("a repeated event within one call is stored once", On, ON_EACH_ENGINE) {
    Fixture<On> fixture;
    if (!fixture.ready()) return;
    const auto log = fixture.open_log();
    value_of(log->append(std::vector{event_of("old", 1)}));
    const auto results =
        value_of(log->append(std::vector{event_of("new", 2), event_of("old", 1), event_of("new", 2), event_of("old", 1)}));
    CHECK_FALSE(results[0].deduped);
    CHECK(results[2].deduped);
    CHECK(results[2].seq == results[0].seq);
    CHECK(results[1].deduped);
    CHECK(results[3].deduped);
    CHECK(results[3].seq == 1);
    CHECK(read_all(*log).size() == 2);
}

TEST_CASE_TEMPLATE("the same id in another scope or stream is another event", On, ON_EACH_ENGINE) {
    Fixture<On> fixture;
    if (!fixture.ready()) return;
    const auto log = fixture.open_log();
    core::Event other_stream = event_of("id", 1);
    other_stream.stream_id = "test";
    const std::vector events{event_of("id", 1), other_stream, event_of("id", 1, "motion", {"b", "default", "default"}),
                             event_of("id", 1, "motion", {"default", "b", "default"}),
                             event_of("id", 1, "motion", {"default", "default", "b"})};
    for (const auto& result : value_of(log->append(events))) CHECK_FALSE(result.deduped);
    for (const auto& result : value_of(log->append(events))) CHECK(result.deduped);
}

TEST_CASE_TEMPLATE("repeats are recognised after a restart", On, ON_EACH_ENGINE) {
    Fixture<On> fixture;
    if (!fixture.ready()) return;
    value_of(fixture.open_log()->append(std::vector{event_of("a", 1), event_of("b", 2)}));
    const auto database = fixture.connect();
    const auto log = fixture.open_log(*database);
    const auto results = value_of(log->append(std::vector{event_of("c", 3), event_of("a", 1)}));
    CHECK(results[0].seq == 3);
    CHECK(results[1].deduped);
    CHECK(results[1].seq == 1);
}

TEST_CASE_TEMPLATE("repeats are recognised when another host stored the first one", On, ON_EACH_ENGINE) {
    Fixture<On> fixture;
    if (!fixture.ready()) return;
    const auto log = fixture.open_log();
    const auto database = fixture.connect();
    const auto other = fixture.open_log(*database);
    value_of(log->append(std::vector{event_of("a", 1)}));
    CHECK(value_of(other->append(std::vector{event_of("a", 1), event_of("b", 1)}))[0].deduped);
    const auto results = value_of(log->append(std::vector{event_of("b", 1), event_of("c", 1)}));
    CHECK(results[0].deduped);
    CHECK(results[0].seq == 2);
    CHECK(results[1].seq == 3);
}

TEST_CASE_TEMPLATE("a database that was replaced under the log is read anew", On, ON_EACH_ENGINE) {
    Fixture<On> fixture;
    if (!fixture.ready()) return;
    const auto log = fixture.open_log();
    value_of(log->append(std::vector{event_of("a", 1), event_of("b", 2), event_of("c", 3, "motion", {"org", "home", "x"})}));
    // A backup from before "b" is put back, and another host goes on with it: the numbers are used a second time.
    value_of(fixture.database().impl().run("restoring", [](store::Session& session) {
        session.exec("DELETE FROM events WHERE seq >= 2; DELETE FROM scopes WHERE org_id = 'org'");
    }));
    const auto database = fixture.connect();
    value_of(fixture.open_log(*database)->append(std::vector{event_of("d", 4), event_of("e", 5), event_of("f", 6)}));
    const auto results = value_of(log->append(std::vector{event_of("d", 4), event_of("b", 2), event_of("f", 6),
                                                          event_of("c", 3, "motion", {"org", "home", "x"}), event_of("a", 1)}));
    CHECK(results[0].seq == 2);
    CHECK(results[0].deduped);
    CHECK(results[1].seq == 5);
    CHECK_FALSE(results[1].deduped);
    CHECK(results[2].deduped);
    CHECK_FALSE(results[3].deduped);
    CHECK(results[4].deduped);
    CHECK(value_of(log->scopes()).size() == 2);
}

TEST_CASE_TEMPLATE("windows are half open, of one scope, and in the order of time and arrival", On, ON_EACH_ENGINE) {
    Fixture<On> fixture;
    if (!fixture.ready()) return;
    const auto log = fixture.open_log();
    const core::Scope other{"default", "default", "other"};
    value_of(log->append(std::vector{event_of("late", 30), event_of("second", 10), event_of("first", 5), event_of("tie", 10),
                                     event_of("foreign", 10, "motion", other), event_of("end", 40)}));
    CHECK(window_ids(*log, {}, 5, 40) == Ids{"first", "second", "tie", "late"});
    CHECK(window_ids(*log, {}, 6, 30) == Ids{"second", "tie"});
    CHECK(window_ids(*log, other, 0, 100) == Ids{"foreign"});
    CHECK(window_ids(*log, {"default", "default", "nobody"}, 0, 100).empty());
}

TEST_CASE_TEMPLATE("new events are read in parts", On, ON_EACH_ENGINE) {
    Fixture<On> fixture;
    if (!fixture.ready()) return;
    const auto log = fixture.open_log();
    value_of(log->append(std::vector{event_of("a", 1), event_of("b", 2), event_of("c", 3)}));
    CHECK(ids_of(read_all(*log, 0, 2)) == Ids{"a", "b"});
    CHECK(ids_of(read_all(*log, 2, 2)) == Ids{"c"});
    CHECK(read_all(*log, 3, 2).empty());
}

TEST_CASE_TEMPLATE("a reader that throws leaves the log in order", On, ON_EACH_ENGINE) {
    Fixture<On> fixture;
    if (!fixture.ready()) return;
    const auto log = fixture.open_log();
    value_of(log->append(std::vector{event_of("a", 1), event_of("b", 2)}));
    for (int i = 0; i < 10; ++i) {  // more often than there are sessions
        CHECK_THROWS_AS((void)log->read_after(0, 10, [](const core::Event&) { throw std::runtime_error{"reader"}; }),
                        std::runtime_error);
    }
    CHECK(read_all(*log).size() == 2);
    CHECK_FALSE(value_of(log->append(std::vector{event_of("c", 3)}))[0].deduped);
}

TEST_CASE_TEMPLATE("the latest event is the newest of its categories and stream, at any age", On, ON_EACH_ENGINE) {
    Fixture<On> fixture;
    if (!fixture.ready()) return;
    const auto log = fixture.open_log();
    core::Event test_stream = event_of("stream", 50, "door");
    test_stream.stream_id = "test";
    value_of(log->append(std::vector{event_of("old-door", -9'000'000, "door"), event_of("motion-1", 10), event_of("motion-2", 20),
                                     event_of("motion-tie", 20), event_of("light", 30, "light"), test_stream}));
    const auto latest = [&](std::vector<std::string> categories, const std::string& stream, std::int64_t before) {
        const auto found = value_of(log->latest({}, categories, stream, at_second(before)));
        return found ? found->event_id : std::string{"none"};
    };
    CHECK(latest({}, "", 100) == "stream");
    CHECK(latest({}, "prod", 100) == "light");
    CHECK(latest({"motion"}, "prod", 100) == "motion-2");
    CHECK(latest({"motion"}, "prod", 20) == "motion-1");
    CHECK(latest({"door", "window"}, "prod", 100) == "old-door");
    CHECK(latest({"door", "light"}, "prod", 100) == "light");
    CHECK(latest({"gas"}, "", 100) == "none");
    CHECK_FALSE(value_of(log->latest({"nobody", "", ""}, {}, "", at_second(100))).has_value());
}

TEST_CASE_TEMPLATE("readers of recent events learn where to start", On, ON_EACH_ENGINE) {
    Fixture<On> fixture;
    if (!fixture.ready()) return;
    const auto log = fixture.open_log();
    CHECK(value_of(log->first_seq_since(at_second(0))) == 1);
    value_of(log->append(std::vector{event_of("a", 10), event_of("b", 30, "motion", {"x", "y", "z"}), event_of("c", 20)}));
    CHECK(value_of(log->first_seq_since(at_second(0))) == 1);
    CHECK(value_of(log->first_seq_since(at_second(10))) == 1);
    CHECK(value_of(log->first_seq_since(at_second(15))) == 2);
    CHECK(value_of(log->first_seq_since(at_second(30))) == 2);
    CHECK(value_of(log->first_seq_since(at_second(31))) == 4);
}

TEST_CASE_TEMPLATE("scopes with events are listed once", On, ON_EACH_ENGINE) {
    Fixture<On> fixture;
    if (!fixture.ready()) return;
    const auto log = fixture.open_log();
    CHECK(value_of(log->scopes()).empty());
    const core::Scope a{"a", "1", "x"}, b{"b", "1", "x"};
    value_of(log->append(std::vector{event_of("1", 1, "m", b), event_of("1", 1, "m", a), event_of("2", 2, "m", b)}));
    value_of(log->append(std::vector{event_of("3", 3, "m", a)}));
    CHECK(value_of(log->scopes()) == std::vector{a, b});
}

TEST_CASE_TEMPLATE("lists are newest first over all scopes that a token admits", On, ON_EACH_ENGINE) {
    Fixture<On> fixture;
    if (!fixture.ready()) return;
    const auto log = fixture.open_log();
    const core::Scope a{"a", "1", "x"}, a2{"a", "2", "x"}, b{"b", "1", "x"};
    value_of(log->append(std::vector{event_of("a10", 10, "m", a), event_of("a40", 40, "door", a), event_of("a2-20", 20, "m", a2),
                                     event_of("b30", 30, "m", b), event_of("b30-tie", 30, "m", b), event_of("b5", 5, "m", b)}));
    const auto list = [&](
                          const core::ScopeFilter& scope, int limit, void (*narrow)(ports::EventQuery&) = [](auto&) {}) {
        ports::EventQuery query;
        query.scope = scope;
        query.limit = limit;
        narrow(query);
        return ids_of(value_of(log->list(query)));
    };
    CHECK(list({}, 100) == Ids{"a40", "b30-tie", "b30", "a2-20", "a10", "b5"});
    CHECK(list({}, 2) == Ids{"a40", "b30-tie"});
    CHECK(list({}, 3) == Ids{"a40", "b30-tie", "b30"});
    CHECK(list({"a", "", ""}, 100) == Ids{"a40", "a2-20", "a10"});
    CHECK(list({"a", "1", "x"}, 100) == Ids{"a40", "a10"});
    CHECK(list({"", "1", ""}, 4) == Ids{"a40", "b30-tie", "b30", "a10"});
    CHECK(list({}, 100, [](auto& query) { query.category = "door"; }) == Ids{"a40"});
    CHECK(list({}, 100, [](auto& query) { query.stream_id = "test"; }).empty());
    const auto middle = [](ports::EventQuery& query) {
        query.since = at_second(10);
        query.until = at_second(40);
    };
    CHECK(list({}, 100, middle) == Ids{"b30-tie", "b30", "a2-20", "a10"});
    CHECK(list({}, 100, [](auto& query) {
              query.since = at_second(10);
              query.until = at_second(40);
              query.before = at_second(30);
          }) == Ids{"a2-20", "a10"});
}

TEST_CASE_TEMPLATE("a list has a limit of 1 to 1000", On, ON_EACH_ENGINE) {
    Fixture<On> fixture;
    if (!fixture.ready()) return;
    const auto log = fixture.open_log();
    for (const int limit : {0, 1001, -1}) {
        ports::EventQuery query;
        query.limit = limit;
        CHECK(log->list(query).error().code == core::Errc::invalid_argument);
    }
}

TEST_CASE_TEMPLATE("too many events at once are refused, none are stored", On, ON_EACH_ENGINE) {
    Fixture<On> fixture;
    if (!fixture.ready()) return;
    const auto log = fixture.open_log();
    CHECK(value_of(log->append({})).empty());
    const std::vector<core::Event> events(10'001, event_of("same", 1));
    CHECK(log->append(events).error().code == core::Errc::too_large);
    CHECK(read_all(*log).empty());
}

TEST_CASE_TEMPLATE("repeats are recognised across the borders of the key buckets", On, ON_EACH_ENGINE) {
    Fixture<On> fixture;
    if (!fixture.ready()) return;
    auto log = fixture.open_log();
    constexpr int rows = 140'000;  // more than one bucket of 131,072
    std::vector<core::Event> part;
    for (int i = 0; i < rows; ++i) {
        part.push_back(event_of("event-" + std::to_string(i), i));
        if (part.size() == 10'000) {
            for (const auto& result : value_of(log->append(part))) REQUIRE_FALSE(result.deduped);
            part.clear();
        }
    }
    const auto check = [&] {
        const std::vector probes{event_of("event-0", 0), event_of("event-131070", 0), event_of("event-131071", 0),
                                 event_of("event-139999", 0)};
        const auto results = value_of(log->append(probes));
        CHECK(results[0].seq == 1);
        CHECK(results[1].seq == 131'071);
        CHECK(results[2].seq == 131'072);
        CHECK(results[3].seq == 140'000);
        for (const auto& result : results) CHECK(result.deduped);
    };
    check();
    log = fixture.open_log();
    check();
    CHECK(value_of(log->append(std::vector{event_of("new", 1)}))[0].seq == rows + 1);
}

TEST_CASE_TEMPLATE("two hosts recognise each other's events while one completes a page of keys", On, ON_EACH_ENGINE) {
    Fixture<On> fixture;
    if (!fixture.ready()) return;
    const auto one = fixture.open_log();
    const auto other = fixture.open_log();
    const auto numbered = [](int first, int last) {
        std::vector<core::Event> events;
        for (int i = first; i <= last; ++i) events.push_back(event_of("event-" + std::to_string(i), i));
        return events;
    };
    // The page of seq 0 .. 16,383 is complete with event 16,383. Each border: just before, exactly at, and beyond it.
    int stored = 0;
    for (const int last : {16'382, 16'383, 16'384, 16'400}) {
        while (stored < last) {
            const int next = std::min(stored + 10'000, last);
            for (const auto& result : value_of(one->append(numbered(stored + 1, next)))) REQUIRE_FALSE(result.deduped);
            stored = next;
        }
        const auto third = fixture.open_log();
        for (const auto& log : {one.get(), other.get(), third.get()}) {
            const auto again =
                value_of(log->append(std::vector{event_of("event-1", 1), event_of("event-" + std::to_string(last), 1)}));
            CHECK(again[0].seq == 1);
            CHECK(again[1].seq == last);
        }
    }
    CHECK(value_of(other->append(std::vector{event_of("new", 1)}))[0].seq == 16'401);
    CHECK(value_of(one->append(std::vector{event_of("new", 1)}))[0].seq == 16'401);
}

TEST_CASE("a text that PostgreSQL cannot hold is the caller's error") {
    Fixture<OnPostgres> fixture;
    if (!fixture.ready()) return;
    const auto log = fixture.open_log();
    for (const std::string& payload : {std::string{"{\"a\":\"\xff\"}"}, std::string{"a\0b", 3}}) {
        core::Event event = event_of("bad", 1);
        event.payload = payload;
        const auto refused = log->append(std::vector{event_of("good", 1), event});
        REQUIRE_FALSE(refused.has_value());
        CHECK(refused.error().code == core::Errc::invalid_argument);
        CHECK(refused.error().context.find("bad") == std::string::npos);
    }
    CHECK(read_all(*log).empty());
    CHECK_FALSE(value_of(log->append(std::vector{event_of("good", 1)}))[0].deduped);
}
