#include "store/incident_repository.hpp"

#include "fixture.hpp"
#include "store/incident_json.hpp"

using namespace varde;
using namespace varde::store::testing;
using core::BreakerState;
using Repository = store::SqlIncidentRepository;

namespace {

core::Evidence evidence() {
    core::Evidence evidence;
    evidence.path = "plugins/R-001.so";
    evidence.version = "1.2.0";
    evidence.sdk = "c++ 1.0";
    evidence.sha256 = "aa11";
    evidence.build_id = "beef";
    evidence.pid = 4711;
    evidence.incarnation = 3;
    evidence.uptime = std::chrono::milliseconds{1500};
    evidence.evaluation = 12;
    evidence.posture = "A";
    evidence.signal_code = 1;
    evidence.address_class = "wild";
    evidence.address = 0xFFFF'FFFF'FFFF'FFF0;
    evidence.syscall = "socket (41)";
    evidence.frames = {{"R-001.so", 0x1234, ""}, {"libc.so.6", 0xFFFF'FFFF'0000'0001, "raise"}};
    evidence.stack_note = "two frames only";
    evidence.wall = std::chrono::nanoseconds{123'456'789};
    evidence.cpu = std::chrono::nanoseconds{99};
    evidence.run_delay = std::chrono::nanoseconds{7};
    evidence.max_rss_bytes = 5ull << 30;
    evidence.limit = "timeout_ms";
    evidence.limit_measured = 2003;
    evidence.limit_value = 2000;
    evidence.window = {at_second(-3600), at_second(0)};
    evidence.first_seq = 17;
    evidence.last_seq = 170'000'000'000;
    evidence.events = 153;
    evidence.stderr_tail = "line 1\nline 2 \"quoted\" \xC3\xA6";
    evidence.consecutive_failures = 3;
    evidence.breaker = "quarantined";
    evidence.action = "quarantined for 32 s";
    evidence.out_until = at_second(32);
    evidence.clear_hint = "varde rules release R-001";
    evidence.bundle = "var/incidents/x";
    return evidence;
}

core::Incident incident_of(const std::string& id, std::int64_t second, const std::string& rule_id = "R-001",
                           const core::Scope& scope = {}) {
    core::Incident incident;
    incident.incident_id = id;
    incident.at = incident.last_at = at_second(second);
    incident.rule_id = rule_id;
    incident.scope = scope;
    incident.failure.reason = core::FailureReason::segmentation_fault;
    incident.failure.phase = core::Phase::create;
    incident.failure.message = "SIGSEGV: it's \"broken\"";
    incident.failure.signal = 11;
    return incident;
}

/// 00000001-0000-4000-8000-000000000000, ...
std::string id_of(int number) {
    auto text = std::to_string(number);
    return std::string(8 - text.size(), '0') + text + "-0000-4000-8000-000000000000";
}

std::vector<std::string> ids(const std::vector<core::Incident>& incidents) {
    std::vector<std::string> list;
    for (const auto& one : incidents) list.push_back(one.incident_id.substr(7, 1));
    return list;
}

core::BreakerRecord breaker_of(const std::string& rule_id, BreakerState state = BreakerState::quarantined) {
    core::BreakerRecord breaker;
    breaker.rule_id = rule_id;
    breaker.sha256 = "aa11";
    breaker.state = state;
    breaker.until = at_second(32);
    breaker.level = 5;
    breaker.consecutive = 3;
    breaker.clean = 2;
    breaker.recent = {at_second(-5), at_second(-1)};
    breaker.reason = "deadline: no answer within 50 ms; it's \"late\"";
    breaker.incident_id = id_of(1);
    breaker.changed_at = at_second(0);
    return breaker;
}

}  // namespace

TEST_CASE_TEMPLATE("an incident comes back as it was stored, every field of its evidence too", On, ON_EACH_ENGINE) {
    Fixture<On> fixture;
    if (!fixture.ready()) return;
    Repository repository{fixture.database()};
    auto stored = incident_of(id_of(1), 5, "R-001", {"org", "home", "subject"});
    stored.last_at = at_second(9);
    stored.repeats = 4;
    stored.failure.exit_code = 3;
    stored.failure.duration = std::chrono::nanoseconds{77};
    stored.failure.evidence = std::make_shared<const core::Evidence>(evidence());
    value_of(repository.add(stored, 10));
    const auto found = value_of(repository.find(id_of(1)));
    REQUIRE(found.has_value());
    CHECK(found->incident_id == id_of(1));
    CHECK(found->at == at_second(5));
    CHECK(found->last_at == at_second(9));
    CHECK(found->repeats == 4);
    CHECK(found->rule_id == "R-001");
    CHECK(found->scope == core::Scope{"org", "home", "subject"});
    const auto& failure = found->failure;
    CHECK(failure.reason == core::FailureReason::segmentation_fault);
    CHECK(failure.phase == core::Phase::create);
    CHECK(failure.message == "SIGSEGV: it's \"broken\"");
    CHECK(failure.signal == 11);
    CHECK(failure.exit_code == 3);
    CHECK(failure.duration == std::chrono::nanoseconds{77});
    CHECK(failure.incident_id == id_of(1));
    REQUIRE(failure.evidence);
    const auto& got = *failure.evidence;
    const auto put = evidence();
    CHECK(got.path == put.path);
    CHECK(got.version == put.version);
    CHECK(got.sdk == put.sdk);
    CHECK(got.sha256 == put.sha256);
    CHECK(got.build_id == put.build_id);
    CHECK(got.pid == put.pid);
    CHECK(got.incarnation == put.incarnation);
    CHECK(got.uptime == put.uptime);
    CHECK(got.evaluation == put.evaluation);
    CHECK(got.posture == put.posture);
    CHECK(got.signal_code == put.signal_code);
    CHECK(got.address_class == put.address_class);
    CHECK(got.address == put.address);
    CHECK(got.syscall == put.syscall);
    CHECK(got.frames == put.frames);
    CHECK(got.stack_note == put.stack_note);
    CHECK(got.wall == put.wall);
    CHECK(got.cpu == put.cpu);
    CHECK(got.run_delay == put.run_delay);
    CHECK(got.max_rss_bytes == put.max_rss_bytes);
    CHECK(got.limit == put.limit);
    CHECK(got.limit_measured == put.limit_measured);
    CHECK(got.limit_value == put.limit_value);
    CHECK(got.window == put.window);
    CHECK(got.first_seq == put.first_seq);
    CHECK(got.last_seq == put.last_seq);
    CHECK(got.events == put.events);
    CHECK(got.stderr_tail == put.stderr_tail);
    CHECK(got.consecutive_failures == put.consecutive_failures);
    CHECK(got.breaker == put.breaker);
    CHECK(got.action == put.action);
    CHECK(got.out_until == put.out_until);
    CHECK(got.clear_hint == put.clear_hint);
    CHECK(got.bundle == put.bundle);
}

TEST_CASE_TEMPLATE("a failure without evidence, and one whose texts are no UTF-8, can be stored", On, ON_EACH_ENGINE) {
    Fixture<On> fixture;
    if (!fixture.ready()) return;
    Repository repository{fixture.database()};
    value_of(repository.add(incident_of(id_of(1), 1), 10));
    auto odd = incident_of(id_of(2), 2);
    odd.failure.message = std::string{"a\0b\xFF", 4};
    core::Evidence what;
    what.stderr_tail = "\xC3";
    odd.failure.evidence = std::make_shared<const core::Evidence>(what);
    value_of(repository.add(odd, 10));
    CHECK(value_of(repository.find(id_of(1)))->failure.evidence == nullptr);
    const auto found = value_of(repository.find(id_of(2)));
    REQUIRE(found.has_value());
    CHECK(found->failure.message == std::string{"a\0b\xEF\xBF\xBD", 6});
    CHECK(found->failure.evidence->stderr_tail == "\xEF\xBF\xBD");
}

TEST_CASE_TEMPLATE("only the newest are kept, counted from when they happened last", On, ON_EACH_ENGINE) {
    Fixture<On> fixture;
    if (!fixture.ready()) return;
    Repository repository{fixture.database()};
    for (int i = 1; i <= 3; ++i) value_of(repository.add(incident_of(id_of(i), i), 3));
    value_of(repository.repeat(id_of(1), at_second(100), 1));
    value_of(repository.add(incident_of(id_of(4), 4), 3));
    CHECK(ids(value_of(repository.list({}))) == std::vector<std::string>{"4", "3", "1"});
    value_of(repository.add(incident_of(id_of(5), 5), 1));
    CHECK(ids(value_of(repository.list({}))) == std::vector<std::string>{"1"});
}

TEST_CASE_TEMPLATE("repeats are added up; one of an incident that is gone is no error", On, ON_EACH_ENGINE) {
    Fixture<On> fixture;
    if (!fixture.ready()) return;
    Repository repository{fixture.database()};
    value_of(repository.add(incident_of(id_of(1), 1), 10));
    value_of(repository.repeat(id_of(1), at_second(7), 2));
    value_of(repository.repeat(id_of(1), at_second(8), 5));
    value_of(repository.repeat(id_of(9), at_second(8), 5));
    const auto found = value_of(repository.find(id_of(1)));
    CHECK(found->repeats == 7);
    CHECK(found->last_at == at_second(8));
    CHECK(found->at == at_second(1));
}

TEST_CASE_TEMPLATE("an incident that is stored twice is one", On, ON_EACH_ENGINE) {
    Fixture<On> fixture;
    if (!fixture.ready()) return;
    Repository repository{fixture.database()};
    value_of(repository.add(incident_of(id_of(1), 1), 10));
    value_of(repository.add(incident_of(id_of(1), 2), 10));
    const auto rows = value_of(repository.list({}));
    REQUIRE(rows.size() == 1);
    CHECK(rows.front().at == at_second(1));
}

TEST_CASE_TEMPLATE("lists are newest first, filtered by rule and scope, and paged by time and id", On, ON_EACH_ENGINE) {
    Fixture<On> fixture;
    if (!fixture.ready()) return;
    Repository repository{fixture.database()};
    value_of(repository.add(incident_of(id_of(1), 1, "R-001", {"a", "h1", "s"}), 10));
    value_of(repository.add(incident_of(id_of(2), 2, "R-002", {"a", "h2", "s"}), 10));
    value_of(repository.add(incident_of(id_of(3), 2, "R-001", {"b", "h1", "s"}), 10));
    value_of(repository.add(incident_of(id_of(4), 3, "R-001", {"", "", ""}), 10));
    using List = std::vector<std::string>;
    ports::IncidentRepository::Query query;
    CHECK(ids(value_of(repository.list(query))) == List{"4", "3", "2", "1"});
    query.rule_id = "R-001";
    CHECK(ids(value_of(repository.list(query))) == List{"4", "3", "1"});
    query.scope = {"a", "", ""};
    CHECK(ids(value_of(repository.list(query))) == List{"1"});
    query.rule_id.clear();
    query.scope.home_id = "h2";
    CHECK(ids(value_of(repository.list(query))) == List{"2"});
    query = {};
    query.limit = 2;
    CHECK(ids(value_of(repository.list(query))) == List{"4", "3"});
    query.before = at_second(2);
    query.before_id = id_of(3);
    CHECK(ids(value_of(repository.list(query))) == List{"2", "1"});
    query.limit = 501;
    CHECK(repository.list(query).error().code == core::Errc::invalid_argument);
}

TEST_CASE_TEMPLATE("an id may be cut off as long as it is unique and has eight characters", On, ON_EACH_ENGINE) {
    Fixture<On> fixture;
    if (!fixture.ready()) return;
    Repository repository{fixture.database()};
    value_of(repository.add(incident_of("aaaaaaaa-0000-4000-8000-000000000001", 1), 10));
    value_of(repository.add(incident_of("aaaaaaaa-0000-4000-8000-000000000002", 2), 10));
    value_of(repository.add(incident_of("aaaaaaab-0000-4000-8000-000000000003", 3), 10));
    const auto found = [&](const std::string& id) {
        const auto one = value_of(repository.find(id));
        return one ? one->incident_id.substr(35) : "none";
    };
    CHECK(found("aaaaaaab") == "3");
    CHECK(found("aaaaaaaa-0000-4000-8000-000000000002") == "2");
    CHECK(found("aaaaaaaa") == "none");
    CHECK(found("aaaaaaa") == "none");
    CHECK(found("ffffffff") == "none");
    CHECK(found("AAAAAAAB") == "none");
    CHECK(found("%%%%%%%%") == "none");
    CHECK(found(std::string(40, 'a')) == "none");
}

TEST_CASE_TEMPLATE("names found later are put to the frames they belong to", On, ON_EACH_ENGINE) {
    Fixture<On> fixture;
    if (!fixture.ready()) return;
    Repository repository{fixture.database()};
    auto incident = incident_of(id_of(1), 1);
    incident.failure.evidence = std::make_shared<const core::Evidence>(evidence());
    value_of(repository.add(incident, 10));
    auto frames = evidence().frames;
    frames[0].function = "Unanswered::evaluate";
    value_of(repository.symbolise(id_of(1), frames));
    CHECK(value_of(repository.find(id_of(1)))->failure.evidence->frames == frames);
    value_of(repository.symbolise(id_of(1), {frames[0]}));  // another number of frames: not of this incident
    CHECK(value_of(repository.find(id_of(1)))->failure.evidence->frames == frames);
    value_of(repository.symbolise(id_of(9), frames));
    CHECK(value_of(repository.find(id_of(1)))->failure.message == incident.failure.message);
}

TEST_CASE_TEMPLATE("a breaker is kept once a rule, and comes back as it was", On, ON_EACH_ENGINE) {
    Fixture<On> fixture;
    if (!fixture.ready()) return;
    Repository repository{fixture.database()};
    CHECK(value_of(repository.breakers()).empty());
    value_of(repository.save(breaker_of("R-002")));
    value_of(repository.save(breaker_of("R-001", BreakerState::suspect)));
    auto changed = breaker_of("R-001", BreakerState::probing);
    changed.sha256 = "bb22";
    changed.until = {};
    changed.recent.clear();
    changed.level = 7;
    value_of(repository.save(changed));
    CHECK(value_of(repository.breakers()) == std::vector{changed, breaker_of("R-002")});
}

TEST_CASE_TEMPLATE("a release forgets the breaker and says whether there was one that kept the rule out", On, ON_EACH_ENGINE) {
    Fixture<On> fixture;
    if (!fixture.ready()) return;
    Repository repository{fixture.database()};
    value_of(repository.save(breaker_of("R-001")));
    value_of(repository.save(breaker_of("R-002", BreakerState::healthy)));
    CHECK(value_of(repository.release("R-001")));
    CHECK_FALSE(value_of(repository.release("R-001")));
    CHECK_FALSE(value_of(repository.release("R-002")));
    CHECK(value_of(repository.breakers()).empty());
}

TEST_CASE("a row that somebody damaged is still an incident") {
    const auto cut = store::failure_from_json("{", "deadline", "load");
    CHECK(cut.reason == core::FailureReason::deadline);
    CHECK(cut.phase == core::Phase::load);
    CHECK(cut.message == "the stored details of this incident cannot be read");
    const auto other = store::failure_from_json(
        R"({"message":7,"signal":6,"evidence":{"frames":3,"pid":"x","path":"p","window":1,"uptime_ns":"1"}})", "no_such_reason",
        "");
    CHECK(other.signal == 6);
    CHECK(other.message.empty());
    REQUIRE(other.evidence);
    CHECK(other.evidence->path == "p");
    CHECK(other.evidence->pid == 0);
    CHECK(other.evidence->frames.empty());
    CHECK(store::instants_from_json("null").empty());
    CHECK(store::instants_from_json("[").empty());
    CHECK(store::instants_from_json("[1,2]") == std::vector{core::instant_from_us(1), core::instant_from_us(2)});
}

TEST_CASE("every reason and phase finds its way back from its name") {
    for (int i = 0; i <= static_cast<int>(core::FailureReason::quarantined); ++i) {
        const auto reason = static_cast<core::FailureReason>(i);
        CHECK(store::failure_from_json("{}", core::name_of(reason), "evaluate").reason == reason);
    }
    for (int i = 0; i <= static_cast<int>(core::Phase::destroy); ++i) {
        const auto phase = static_cast<core::Phase>(i);
        CHECK(store::failure_from_json("{}", "deadline", core::name_of(phase)).phase == phase);
    }
}
