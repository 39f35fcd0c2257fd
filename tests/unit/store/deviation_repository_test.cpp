#include "store/deviation_repository.hpp"

#include "fixture.hpp"

#include <map>
#include <vector>

using namespace varde;
using namespace varde::store::testing;
using core::DeviationStatus;
using core::Severity;

namespace {

core::Deviation deviation_of(const std::string& rule_id, const std::string& subject_key = "default", core::Scope scope = {}) {
    core::Deviation row;
    row.rule_id = rule_id;
    row.scope = std::move(scope);
    row.subject_key = subject_key;
    row.finding.severity = Severity::high;
    row.finding.title = "Ingen bevegelse på kjøkkenet";
    row.finding.explanation = "It's quiet; since 09:00";
    row.finding.evidence = R"({"event_ids":["a","b"]})";
    row.finding.window = {at_second(0), at_second(3600)};
    row.finding.timestamp = at_second(1800);
    row.started_at = at_second(3600);
    row.last_seen_at = at_second(3600);
    return row;
}

void check_same(const core::Deviation& a, const core::Deviation& b) {
    CHECK(a.rule_id == b.rule_id);
    CHECK(a.scope == b.scope);
    CHECK(a.subject_key == b.subject_key);
    CHECK(a.status == b.status);
    CHECK(a.finding.severity == b.finding.severity);
    CHECK(a.finding.title == b.finding.title);
    CHECK(a.finding.explanation == b.finding.explanation);
    CHECK(a.finding.evidence == b.finding.evidence);
    CHECK(a.finding.window == b.finding.window);
    CHECK(a.finding.timestamp == b.finding.timestamp);
    CHECK(a.started_at == b.started_at);
    CHECK(a.last_seen_at == b.last_seen_at);
    CHECK(a.closed_at == b.closed_at);
    CHECK(a.close_reason == b.close_reason);
    CHECK(a.ack_by == b.ack_by);
    CHECK(a.ack_comment == b.ack_comment);
    CHECK(a.ack_until == b.ack_until);
    CHECK(a.episode == b.episode);
    CHECK(a.test_mode == b.test_mode);
}

std::int64_t store_one(store::SqlDeviationRepository& repository, const core::Deviation& row) {
    const auto transaction = value_of(repository.begin());
    const std::int64_t id = value_of(transaction->insert(row));
    value_of(transaction->commit());
    return id;
}

core::Deviation read_one(store::SqlDeviationRepository& repository, std::int64_t id) {
    auto row = value_of(repository.find(id));
    REQUIRE(row.has_value());
    return *row;
}

}  // namespace

TEST_CASE_TEMPLATE("a deviation is read back as it was stored", On, ON_EACH_ENGINE) {
    Fixture<On> fixture;
    if (!fixture.ready()) return;
    store::SqlDeviationRepository repository{fixture.database()};
    core::Deviation row = deviation_of("R-001", "door-1", {"org", "home", "subject"});
    row.status = DeviationStatus::closed;
    row.closed_at = at_second(7200);
    row.close_reason = "stale";
    row.ack_by = "kari";
    row.ack_comment = "sett på";
    row.ack_until = at_second(9000);
    row.episode = 3;
    row.test_mode = true;
    row.deviation_id = store_one(repository, row);
    CHECK(row.deviation_id > 0);
    check_same(read_one(repository, row.deviation_id), row);
    check_same(read_one(repository, store_one(repository, deviation_of("R-002"))), deviation_of("R-002"));
    CHECK_FALSE(value_of(repository.find(4711)).has_value());
}

TEST_CASE_TEMPLATE("nothing is stored without a commit", On, ON_EACH_ENGINE) {
    Fixture<On> fixture;
    if (!fixture.ready()) return;
    store::SqlDeviationRepository repository{fixture.database()};
    {
        const auto transaction = value_of(repository.begin());
        value_of(transaction->insert(deviation_of("R-001")));
        CHECK(value_of(transaction->active()).size() == 1);
    }
    CHECK(value_of(repository.list({})).empty());
}

TEST_CASE_TEMPLATE("a savepoint undoes the writes of one rule and keeps the others", On, ON_EACH_ENGINE) {
    Fixture<On> fixture;
    if (!fixture.ready()) return;
    store::SqlDeviationRepository repository{fixture.database()};
    core::Deviation first = deviation_of("R-001");
    first.deviation_id = store_one(repository, first);
    const auto transaction = value_of(repository.begin());
    CHECK(value_of(transaction->active()).size() == 1);

    value_of(transaction->begin_savepoint());  // of a rule that writes nothing
    value_of(transaction->release_savepoint());

    value_of(transaction->begin_savepoint());
    value_of(transaction->insert(deviation_of("R-002")));
    value_of(transaction->release_savepoint());

    value_of(transaction->begin_savepoint());
    core::Deviation closed = first;
    closed.status = DeviationStatus::closed;
    value_of(transaction->update(closed));
    value_of(transaction->insert(deviation_of("R-003")));
    value_of(transaction->rollback_savepoint());

    value_of(transaction->begin_savepoint());
    value_of(transaction->rollback_savepoint());

    // The row is OPEN again for this transaction too.
    first.last_seen_at = at_second(5000);
    value_of(transaction->update(first));
    value_of(transaction->insert(deviation_of("R-004")));
    value_of(transaction->commit());

    std::vector<std::string> rules;
    for (const auto& row : value_of(repository.list({}))) rules.push_back(row.rule_id);
    CHECK(rules == std::vector<std::string>{"R-001", "R-004", "R-002"});
    CHECK(read_one(repository, first.deviation_id).status == DeviationStatus::open);
}

TEST_CASE_TEMPLATE("the database keeps a second active row of a key out", On, ON_EACH_ENGINE) {
    Fixture<On> fixture;
    if (!fixture.ready()) return;
    store::SqlDeviationRepository repository{fixture.database()};
    store_one(repository, deviation_of("R-001"));
    const auto transaction = value_of(repository.begin());
    CHECK(transaction->insert(deviation_of("R-001")).error().code == core::Errc::conflict);
    // The transaction goes on after it.
    value_of(transaction->insert(deviation_of("R-001", "other")));
    value_of(transaction->insert(deviation_of("R-001", "default", {"other", "default", "default"})));
    core::Deviation closed = deviation_of("R-001");
    closed.status = DeviationStatus::closed;
    value_of(transaction->insert(closed));
    value_of(transaction->insert(closed));
    value_of(transaction->commit());
    CHECK(value_of(repository.list({})).size() == 5);
}

TEST_CASE_TEMPLATE("episodes of a key are counted", On, ON_EACH_ENGINE) {
    Fixture<On> fixture;
    if (!fixture.ready()) return;
    store::SqlDeviationRepository repository{fixture.database()};
    const auto transaction = value_of(repository.begin());
    CHECK(value_of(transaction->next_episode("R-001", {}, "default")) == 1);
    core::Deviation row = deviation_of("R-001");
    row.status = DeviationStatus::closed;
    value_of(transaction->insert(row));
    row.episode = 2;
    value_of(transaction->insert(row));
    CHECK(value_of(transaction->next_episode("R-001", {}, "default")) == 3);
    CHECK(value_of(transaction->next_episode("R-001", {}, "other")) == 1);
    CHECK(value_of(transaction->next_episode("R-001", {"other", "default", "default"}, "default")) == 1);
    CHECK(value_of(transaction->next_episode("R-002", {}, "default")) == 1);
}

TEST_CASE_TEMPLATE("a run does not overwrite what an operator did meanwhile", On, ON_EACH_ENGINE) {
    Fixture<On> fixture;
    if (!fixture.ready()) return;
    store::SqlDeviationRepository repository{fixture.database()};
    core::Deviation row = deviation_of("R-001");
    row.deviation_id = store_one(repository, row);
    const auto transaction = value_of(repository.begin());
    core::Deviation seen = value_of(transaction->active()).at(0);
    core::Deviation acknowledged = row;
    acknowledged.status = DeviationStatus::ack;
    acknowledged.ack_by = "kari";
    value_of(repository.update_if(acknowledged, DeviationStatus::open));

    seen.last_seen_at = at_second(9000);
    CHECK(transaction->update(seen).error().code == core::Errc::conflict);
    value_of(transaction->insert(deviation_of("R-002")));
    value_of(transaction->commit());
    check_same(read_one(repository, row.deviation_id), acknowledged);
}

TEST_CASE_TEMPLATE("a run reads while others write, until it writes itself", On, ON_EACH_ENGINE) {
    Fixture<On> fixture;
    if (!fixture.ready()) return;
    store::SqlDeviationRepository repository{fixture.database()};
    const auto log = fixture.open_log();
    const auto transaction = value_of(repository.begin());
    CHECK(value_of(transaction->active()).empty());
    value_of(transaction->begin_savepoint());
    value_of(log->append(std::vector{event_of("a", 1)}));
    value_of(transaction->insert(deviation_of("R-001")));
    value_of(transaction->release_savepoint());
    value_of(transaction->commit());
    // The next writer need not wait for the transaction to be destroyed.
    value_of(log->append(std::vector{event_of("b", 1)}));
}

TEST_CASE_TEMPLATE("an update of an unknown row is refused, of an unread one is made", On, ON_EACH_ENGINE) {
    Fixture<On> fixture;
    if (!fixture.ready()) return;
    store::SqlDeviationRepository repository{fixture.database()};
    core::Deviation row = deviation_of("R-001");
    row.deviation_id = store_one(repository, row);
    const auto transaction = value_of(repository.begin());
    row.finding.severity = Severity::critical;
    value_of(transaction->update(row));
    row.deviation_id += 1;
    CHECK(transaction->update(row).error().code == core::Errc::not_found);
    value_of(transaction->commit());
    CHECK(read_one(repository, row.deviation_id - 1).finding.severity == Severity::critical);
}

TEST_CASE_TEMPLATE("an operator's change needs the status the operator saw", On, ON_EACH_ENGINE) {
    Fixture<On> fixture;
    if (!fixture.ready()) return;
    store::SqlDeviationRepository repository{fixture.database()};
    core::Deviation row = deviation_of("R-001");
    row.deviation_id = store_one(repository, row);
    row.status = DeviationStatus::closed;
    row.closed_at = at_second(8000);
    row.close_reason = "operator";
    CHECK(repository.update_if(row, DeviationStatus::ack).error().code == core::Errc::conflict);
    value_of(repository.update_if(row, DeviationStatus::open));
    check_same(read_one(repository, row.deviation_id), row);
    CHECK(repository.update_if(row, DeviationStatus::open).error().code == core::Errc::conflict);
    row.deviation_id = 4711;
    CHECK(repository.update_if(row, DeviationStatus::open).error().code == core::Errc::conflict);
}

TEST_CASE_TEMPLATE("lists are filtered, and sorted by severity and last seen", On, ON_EACH_ENGINE) {
    Fixture<On> fixture;
    if (!fixture.ready()) return;
    store::SqlDeviationRepository repository{fixture.database()};
    const auto put = [&](const char* rule_id, Severity severity, std::int64_t seen, core::Scope scope, DeviationStatus status) {
        core::Deviation row = deviation_of(rule_id, rule_id, std::move(scope));
        row.finding.severity = severity;
        row.last_seen_at = at_second(seen);
        row.status = status;
        store_one(repository, row);
    };
    const core::Scope a{"a", "1", "x"}, b{"b", "1", "x"};
    put("low", Severity::low, 90, a, DeviationStatus::open);
    put("high-old", Severity::high, 10, a, DeviationStatus::ack);
    put("high-new", Severity::high, 20, b, DeviationStatus::open);
    put("critical", Severity::critical, 5, b, DeviationStatus::closed);
    const auto list = [&](void (*narrow)(ports::DeviationQuery&)) {
        ports::DeviationQuery query;
        narrow(query);
        std::vector<std::string> rules;
        for (const auto& row : value_of(repository.list(query))) rules.push_back(row.rule_id);
        return rules;
    };
    using Rules = std::vector<std::string>;
    CHECK(list([](auto&) {}) == Rules{"critical", "high-new", "high-old", "low"});
    CHECK(list([](auto& query) { query.limit = 2; }) == Rules{"critical", "high-new"});
    CHECK(list([](auto& query) { query.scope.org_id = "a"; }) == Rules{"high-old", "low"});
    CHECK(list([](auto& query) { query.status = DeviationStatus::open; }) == Rules{"high-new", "low"});
    CHECK(list([](auto& query) { query.subject_key = "low"; }) == Rules{"low"});
    CHECK(list([](auto& query) { query.rule_id = "critical"; }) == Rules{"critical"});
    CHECK(list([](auto& query) { query.rule_id = "' OR 1 = 1 --"; }).empty());
    for (const int limit : {0, 501}) {
        ports::DeviationQuery query;
        query.limit = limit;
        CHECK(repository.list(query).error().code == core::Errc::invalid_argument);
    }
}

TEST_CASE_TEMPLATE("rows are counted by rule, whatever their status, scope and subject", On, ON_EACH_ENGINE) {
    Fixture<On> fixture;
    if (!fixture.ready()) return;
    store::SqlDeviationRepository repository{fixture.database()};
    CHECK(value_of(repository.count_by_rule()).empty());
    core::Deviation row = deviation_of("R-001", "a", {"a", "1", "x"});
    store_one(repository, row);
    row.scope.org_id = "b";
    row.status = DeviationStatus::ack;
    store_one(repository, row);
    row.status = DeviationStatus::closed;
    store_one(repository, row);
    row.episode = 2;
    store_one(repository, row);
    store_one(repository, deviation_of("R-002; '\"--"));
    using Counts = std::map<std::string, std::int64_t>;
    CHECK(value_of(repository.count_by_rule()) == Counts{{"R-001", 4}, {"R-002; '\"--", 1}});
}

TEST_CASE_TEMPLATE("active rows are those that are not closed, of every scope", On, ON_EACH_ENGINE) {
    Fixture<On> fixture;
    if (!fixture.ready()) return;
    store::SqlDeviationRepository repository{fixture.database()};
    core::Deviation row = deviation_of("R-001", "a", {"a", "1", "x"});
    store_one(repository, row);
    row.scope.org_id = "b";
    row.status = DeviationStatus::ack;
    store_one(repository, row);
    row.status = DeviationStatus::closed;
    store_one(repository, row);
    const auto transaction = value_of(repository.begin());
    const auto rows = value_of(transaction->active());
    REQUIRE(rows.size() == 2);
    CHECK(rows[0].status == DeviationStatus::open);
    CHECK(rows[1].status == DeviationStatus::ack);
}

TEST_CASE_TEMPLATE("what a rule keeps is stored byte for byte, replaced, and forgotten", On, ON_EACH_ENGINE) {
    Fixture<On> fixture;
    if (!fixture.ready()) return;
    store::SqlDeviationRepository repository{fixture.database()};
    std::string bytes;
    for (int i = 0; i < 65'536; ++i) bytes += static_cast<char>(i * 31);
    const core::RuleState ola{"R-001", {"org", "home", "ola"}, bytes};
    core::RuleState kari{"R-001", {"org", "home", "kari"}, std::string("\0", 1)};
    const auto keep = [&](const core::RuleState& state) {
        const auto transaction = value_of(repository.begin());
        value_of(transaction->keep_state(state, at_second(1)));
        value_of(transaction->commit());
    };
    keep(ola);
    keep(kari);
    CHECK((value_of(repository.rule_states()) == std::vector{kari, ola}));
    kari.bytes = "12";
    keep(kari);
    CHECK((value_of(repository.rule_states()) == std::vector{kari, ola}));
    keep({"R-001", ola.scope, ""});
    CHECK((value_of(repository.rule_states()) == std::vector{kari}));
}

TEST_CASE_TEMPLATE("what a rule keeps is undone with its savepoint and with its transaction", On, ON_EACH_ENGINE) {
    Fixture<On> fixture;
    if (!fixture.ready()) return;
    store::SqlDeviationRepository repository{fixture.database()};
    const auto transaction = value_of(repository.begin());
    value_of(transaction->begin_savepoint());
    value_of(transaction->keep_state({"R-001", {}, "first"}, at_second(1)));
    value_of(transaction->rollback_savepoint());
    value_of(transaction->begin_savepoint());
    value_of(transaction->keep_state({"R-002", {}, "second"}, at_second(1)));
    value_of(transaction->release_savepoint());
    value_of(transaction->commit());
    CHECK((value_of(repository.rule_states()) == std::vector{core::RuleState{"R-002", {}, "second"}}));
    {
        const auto given_up = value_of(repository.begin());
        value_of(given_up->keep_state({"R-003", {}, "third"}, at_second(1)));
    }
    CHECK(value_of(repository.rule_states()).size() == 1);
}
