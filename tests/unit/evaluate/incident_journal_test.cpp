#include "evaluate/incident_journal.hpp"

#include "evaluate/guard_text.hpp"
#include "guard_fixture.hpp"

#include <nlohmann/json.hpp>

using namespace varde;
using namespace varde::guard_test;
using namespace std::chrono_literals;

namespace {

struct Journal {
    fakes::IncidentRepository repository;
    fakes::LogSink log;
    int last_id = 0;
    evaluate::IncidentJournal journal{repository, {1000, 600s}, log, [this] { return "incident-" + std::to_string(++last_id); }};

    std::string note(const core::Failed& what, double second, const std::string& rule_id = "R-001",
                     const std::string& sha256 = "aa11") {
        const auto entry = journal.entry_for(rule_id, sha256, what, at(second));
        if (entry.is_new) {
            core::Incident incident;
            incident.incident_id = entry.incident_id;
            incident.at = incident.last_at = at(second);
            incident.failure = what;
            journal.add(incident);
        }
        return entry.incident_id;
    }
    [[nodiscard]] std::vector<std::string> stored() const {
        std::vector<std::string> ids;
        for (const auto& one : repository.stored()) ids.push_back(one.incident_id);
        return ids;
    }
};

core::Failed crash_at(const std::string& module, std::uint64_t offset, FailureReason reason = FailureReason::segmentation_fault) {
    core::Evidence evidence;
    evidence.frames = {{module, offset, ""}, {"libc.so.6", 1, ""}};
    return failed_with(evidence, reason);
}

core::BreakerRecord quarantined(const std::string& rule_id) {
    core::BreakerRecord record;
    record.rule_id = rule_id;
    record.state = BreakerState::quarantined;
    return record;
}

}  // namespace

TEST_SUITE("incident journal") {
    TEST_CASE("of one kind are failures of one rule, file, reason, phase and signal") {
        Journal j;
        CHECK(j.note(failed(), 0) == "incident-1");
        CHECK(j.note(failed(), 1) == "incident-1");
        CHECK(j.note(failed(), 2, "R-002") == "incident-2");
        CHECK(j.note(failed(), 3, "R-001", "aa12") == "incident-3");
        CHECK(j.note(failed(FailureReason::deadline), 4) == "incident-4");
        auto other = failed();
        other.phase = core::Phase::create;
        CHECK(j.note(other, 5) == "incident-5");
        other = failed();
        other.signal = 7;
        CHECK(j.note(other, 6) == "incident-6");
        other = failed();
        other.message = "says it in other words";
        CHECK(j.note(other, 7) == "incident-1");
    }

    TEST_CASE("crashes at two places are two incidents; a deadline strikes anywhere") {
        Journal j;
        CHECK(j.note(crash_at("R-001.so", 16), 0) == "incident-1");
        CHECK(j.note(crash_at("R-001.so", 32), 1) == "incident-2");
        CHECK(j.note(crash_at("R-001.so", 16), 2) == "incident-1");
        CHECK(j.note(crash_at("R-001.so", 16, FailureReason::deadline), 3) == "incident-3");
        CHECK(j.note(crash_at("R-001.so", 32, FailureReason::deadline), 4) == "incident-3");
    }

    TEST_CASE("repeats are one incident as long as they are not further apart than the window") {
        Journal j;
        CHECK(j.note(failed(), 0) == "incident-1");
        CHECK(j.note(failed(), 599) == "incident-1");
        CHECK(j.note(failed(), 1198) == "incident-1");
        CHECK(j.note(failed(), 1798) == "incident-2");
        j.journal.flush(at(1800));
        const auto stored = j.repository.stored();
        REQUIRE(stored.size() == 2);
        CHECK(stored[1].repeats == 0);
    }

    TEST_CASE("repeats are stored once a flush, as a number") {
        Journal j;
        for (int i = 0; i < 100; ++i) (void)j.note(failed(), i);
        j.journal.flush(at(100));
        CHECK(j.repository.calls() == 2);
        CHECK(j.repository.stored()[0].repeats == 99);
        CHECK(j.repository.stored()[0].last_at == at(99));
        j.journal.flush(at(101));
        CHECK(j.repository.calls() == 2);
        (void)j.note(failed(), 102);
        j.journal.flush(at(102));
        CHECK(j.repository.stored()[0].repeats == 100);
    }

    TEST_CASE("a database that is away is tried every five seconds, and nothing is lost but the oldest of more than a hundred") {
        Journal j;
        j.repository.fail_with(core::Errc::database_unavailable);
        for (int i = 0; i < 103; ++i) (void)j.note(failed(), i, "R-" + std::to_string(i));
        j.journal.save(quarantined("R-001"));
        j.journal.flush(at(103));
        CHECK(j.repository.calls() == 1);
        j.journal.flush(at(104));
        CHECK_FALSE(j.journal.look(at(105)).has_value());
        CHECK(j.repository.calls() == 1);
        j.journal.flush(at(108));
        CHECK(j.repository.calls() == 2);
        CHECK(j.log.count("incidents_database_unavailable") == 1);

        j.repository.fail_with(std::nullopt);
        j.journal.flush(at(110));
        CHECK(j.stored().empty());
        j.journal.flush(at(113));
        CHECK(j.stored().size() == 100);
        CHECK(j.stored().front() == "incident-4");
        CHECK(j.repository.breaker("R-001").has_value());
        REQUIRE(j.log.count("incidents_database_available") == 1);
        CHECK(std::get<std::int64_t>(j.log.entries().back().fields.at("dropped")) == 3);

        j.repository.fail_with(core::Errc::database_unavailable);
        j.journal.save(quarantined("R-002"));
        j.journal.flush(at(200));
        CHECK(j.log.count("incidents_database_unavailable") == 2);
    }

    TEST_CASE("what the database refuses is logged and does not stand in the way of the rest") {
        Journal j;
        j.repository.fail_with(core::Errc::database_failed);
        (void)j.note(failed(), 0);
        j.journal.save(quarantined("R-001"));
        j.journal.flush(at(0));
        CHECK(j.log.count("incident_not_stored") == 2);
        const auto error = std::get<ports::Json>(j.log.entries().front().fields.at("error")).text;
        CHECK(nlohmann::json::parse(error).at("type") == "database_failed");
        CHECK_FALSE(j.journal.look(at(0)).has_value());
        CHECK(j.log.count("incident_not_stored") == 2);
        j.repository.fail_with(std::nullopt);
        (void)j.note(failed(FailureReason::aborted), 1);
        j.journal.flush(at(1));
        CHECK(j.stored() == std::vector<std::string>{"incident-2"});
    }

    TEST_CASE("of a breaker only the last state is stored") {
        Journal j;
        j.journal.save(quarantined("R-001"));
        auto later = quarantined("R-001");
        later.state = BreakerState::probing;
        j.journal.save(later);
        j.journal.flush(at(0));
        CHECK(j.repository.calls() == 1);
        CHECK(j.repository.breaker("R-001")->state == BreakerState::probing);
    }

    TEST_CASE("a row that was there and is gone was released; one that never was there was not") {
        Journal j;
        CHECK(j.repository.save(quarantined("R-001")).has_value());
        auto look = j.journal.look(at(0));
        CHECK(look->rows.size() == 1);
        CHECK(look->released.empty());
        j.journal.save(quarantined("R-002"));
        j.journal.save(quarantined("R-003"));
        j.journal.flush(at(0));
        CHECK(j.repository.release("R-001").value());
        CHECK(j.repository.release("R-003").value());
        look = j.journal.look(at(1));
        CHECK(look->released == std::set<std::string>{"R-001", "R-003"});
        CHECK(j.journal.look(at(2))->released.empty());
    }

    TEST_CASE("what waits to be stored of a rule that was released is dropped") {
        Journal j;
        j.journal.save(quarantined("R-001"));
        j.journal.flush(at(0));
        CHECK(j.repository.release("R-001").value());
        j.journal.save(quarantined("R-001"));
        CHECK(j.journal.look(at(1))->released.contains("R-001"));
        j.journal.flush(at(1));
        CHECK_FALSE(j.repository.breaker("R-001").has_value());
    }

    TEST_CASE("thousands of kinds do not stay in memory for ever") {
        Journal j;
        for (int i = 0; i < 1000; ++i) (void)j.note(failed(), 0, "R-" + std::to_string(i));
        (void)j.note(failed(), 700, "R-1000");
        CHECK(j.note(failed(), 700, "R-0") == "incident-1002");  // forgotten, and too long ago anyway
        CHECK(j.note(failed(), 701, "R-1000") == "incident-1001");
    }
}

TEST_CASE("a reason is cut between characters") {
    auto long_one = failed(FailureReason::rule_error, std::string(287, 'x') + "\xC3\xA6\xC3\xA6");
    const auto text = evaluate::short_reason(long_one);
    CHECK(text.size() == 299);
    CHECK(text.starts_with("rule_error: xxx"));
    CHECK(text.ends_with("x"));
    long_one.message = "short";
    CHECK(evaluate::short_reason(long_one) == "rule_error: short");
}

TEST_CASE("the system's chance gives different ids and numbers between 0 and 1") {
    auto chance = evaluate::GuardChance::of_system();
    const auto id = chance.incident_id();
    CHECK(id.size() == 36);
    CHECK(id.find_first_not_of("0123456789abcdef-") == std::string::npos);
    CHECK(chance.incident_id() != id);
    for (int i = 0; i < 100; ++i) {
        const double unit = chance.unit();
        CHECK(unit >= 0);
        CHECK(unit < 1);
    }
}
