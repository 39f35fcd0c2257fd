#include "jobs/api_sync_job.hpp"

#include "jobs/sync_items.hpp"
#include "unit/jobs/job_call.hpp"
#include "unit/jobs/schedule_book.hpp"
#include "unit/jobs/small_server.hpp"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

using namespace varde;
using nlohmann::json;
using testing::SmallServer;

namespace {

json item_of(const std::string& id, int hour = 2, int pages = 50) {
    return {{"domain_config_id", id},
            {"data",
             {{"domain", id + ".example.com"},
              {"maxPages", pages},
              {"schedule", {{"frequency", "daily"}, {"time", {{"hour", hour}, {"minute", 0}}}}}}}};
}

/// A sync between a server and a book of schedules.
struct Sync {
    json list = json::array();  ///< what the server has
    std::function<std::optional<SmallServer::Response>()> answer = [this] {
        return SmallServer::answer(200, json{{"data", list}}.dump());
    };
    SmallServer server{[this](const auto&) { return answer(); }};
    testing::ScheduleBook book;
    testing::Call call;
    jobs::ApiSyncJob job{book.control, book.repository, [](const std::string&) { return std::nullopt; }};

    Sync() {
        call.schedule.schedule_id = "sites";
        call.schedule.org_id = "acme";
    }
    ports::JobAnswer run(json params = json::object()) {
        params["url"] = server.url("/configs?token=secret");
        params["target_kind"] = "scan";
        return job.run(call.with(params.dump()));
    }
    void add(std::initializer_list<const char*> ids) {
        for (const auto* id : ids) list.push_back(item_of(id));
    }
    [[nodiscard]] const core::Schedule& row(const std::string& id) const { return book.rows.at("sync:sites:" + id); }
};

/// Without the reasons.
json counts(const ports::JobAnswer& answer) {
    auto result = json::parse(answer.result);
    result.erase("reasons");
    return result;
}
json counted(int created, int updated, int unchanged, int skipped, int removed = 0) {
    return {{"created", created}, {"updated", updated}, {"unchanged", unchanged}, {"skipped", skipped}, {"removed", removed}};
}

std::string problem(const std::string& params) {
    const auto checked = Sync{}.job.check(params);
    return checked ? "" : checked.error().context;
}

}  // namespace

TEST_CASE("5 new, 3 changed, 2 invalid and 4 unchanged items are counted so; again, and nothing is written") {
    Sync sync;
    sync.add({"u1", "u2", "u3", "u4", "c1", "c2", "c3"});
    REQUIRE(counts(sync.run()) == counted(7, 0, 0, 0));
    sync.list = json::array();
    sync.add({"u1", "u2", "u3", "u4", "n1", "n2", "n3", "n4", "n5"});
    sync.list.push_back(item_of("c1", 3));
    sync.list.push_back(item_of("c2", 2, 51));
    sync.list.push_back(item_of("c3", 4, 52));
    sync.list.push_back(item_of("bad1", 24));
    sync.list.push_back({{"domain_config_id", "bad2"}, {"data", {{"domain", "x"}}}});

    const auto answer = sync.run();
    CHECK(answer.ok);
    CHECK(counts(answer) == counted(5, 3, 4, 2));
    const auto reasons = json::parse(answer.result)["reasons"];
    REQUIRE(reasons.size() == 2);
    CHECK(reasons[0]["id"] == "bad1");
    CHECK(reasons[0]["reason"].get<std::string>().starts_with("time_config.hour: "));
    CHECK(reasons[1] == json{{"id", "bad2"}, {"reason", "data.schedule: is missing"}});
    CHECK(sync.book.rows.size() == 12);
    CHECK(sync.row("c1").trigger.expression == "0 3 * * *");
    CHECK(json::parse(sync.row("c2").params)["max_pages"] == 51);
    CHECK(sync.row("c3").version == 2);
    CHECK(sync.row("u1").version == 1);
    CHECK(sync.row("n1").source == "sync:sites");
    CHECK(sync.row("n1").org_id == "acme");
    CHECK(sync.book.by.back() == "sync:sites");

    const int writes = sync.book.writes;
    CHECK(counts(sync.run()) == counted(0, 0, 12, 2));
    CHECK(sync.book.writes == writes);
}

TEST_CASE("an answer that is no list changes nothing and fails, and says why") {
    Sync sync;
    sync.add({"a", "b"});
    REQUIRE(sync.run().ok);
    const auto before = sync.book.rows;
    const auto fails = [&](std::optional<SmallServer::Response> response, const std::string& why, bool retry) {
        sync.answer = [=] { return response; };
        const auto answer = sync.run({{"missing", "delete"}, {"timeout", "100ms"}});
        CHECK_FALSE(answer.ok);
        CHECK(answer.error == sync.server.url("") + why);
        CHECK(answer.retry == retry);
        CHECK(answer.result.empty());
        CHECK(sync.book.rows == before);
    };
    fails(SmallServer::answer(500), " answered 500", true);
    fails(SmallServer::answer(404, R"({"data": []})"), " answered 404", false);
    fails(SmallServer::redirect("/elsewhere"), " answered 302, a redirect that was not followed", false);
    fails(SmallServer::answer(200, R"({"data": [)"), " answered no JSON", true);
    fails(SmallServer::answer(200, "<html>"), " answered no JSON", true);
    fails(SmallServer::answer(200, R"({"data": []})"), ": the list is empty", true);
    fails(SmallServer::answer(200, R"({"error": "x"})"), R"(: the answer is no {"data": [...]})", true);
    fails(std::nullopt, " did not answer within 100 ms", true);
    CHECK(sync.book.writes == 2);
}

TEST_CASE("schedules whose items are gone are kept, disabled or deleted, as the params say") {
    Sync sync;
    sync.add({"a", "b", "c"});
    REQUIRE(sync.run().ok);
    sync.list = {item_of("a")};
    CHECK(counts(sync.run()) == counted(0, 0, 1, 0, 0));
    CHECK(sync.book.rows.size() == 3);
    CHECK(counts(sync.run({{"missing", "disable"}})) == counted(0, 0, 1, 0, 2));
    CHECK(sync.row("b").state == core::ScheduleState::disabled);
    CHECK(sync.row("a").state == core::ScheduleState::active);
    CHECK(counts(sync.run({{"missing", "disable"}})) == counted(0, 0, 1, 0, 0));
    sync.add({"b"});
    CHECK(counts(sync.run({{"missing", "disable"}})) == counted(0, 1, 1, 0, 0));
    CHECK(sync.row("b").state == core::ScheduleState::active);
    CHECK(counts(sync.run({{"missing", "delete"}})) == counted(0, 0, 2, 0, 1));
    CHECK(sync.book.rows.size() == 2);
}

TEST_CASE("an item that cannot be used is not missing") {
    Sync sync;
    sync.add({"a", "b"});
    REQUIRE(sync.run().ok);
    sync.list = {item_of("a"), item_of("b", 24)};
    CHECK(counts(sync.run({{"missing", "delete"}})) == counted(0, 0, 1, 1, 0));
    CHECK(sync.book.rows.size() == 2);
}

TEST_CASE("nothing is removed while an item has no id: it may be the missing one") {
    Sync sync;
    sync.add({"a", "b"});
    REQUIRE(sync.run().ok);
    sync.list = {item_of("a"), {{"data", {{"domain", "b.example.com"}}}}};
    const auto answer = sync.run({{"missing", "delete"}});
    CHECK(counts(answer) == counted(0, 0, 1, 2, 0));
    CHECK(json::parse(answer.result)["reasons"][1]["reason"].get<std::string>().starts_with("nothing was removed"));
    CHECK(sync.book.rows.size() == 2);
}

TEST_CASE("schedules of other sources are neither changed nor removed") {
    Sync sync;
    core::Schedule own;
    own.schedule_id = "sync:sites:a";
    own.org_id = "acme";
    own.source = "api";
    sync.book.rows[own.schedule_id] = own;
    sync.add({"a", "b"});
    const auto answer = sync.run({{"missing", "delete"}});
    CHECK(answer.ok);
    CHECK(counts(answer) == counted(1, 0, 0, 1));
    CHECK(json::parse(answer.result)["reasons"][0] == json{{"id", "sync:sites:a"}, {"reason", "the id is taken"}});
    CHECK(sync.row("a") == own);
}

TEST_CASE("a schedule that changed hands since it was listed is left alone") {
    Sync sync;
    sync.add({"a"});
    REQUIRE(sync.run().ok);
    sync.list = {item_of("a", 5)};
    sync.book.before_edit = [&] { sync.book.rows.begin()->second.source = "api"; };
    const auto answer = sync.run();
    CHECK(json::parse(answer.result)["reasons"][0]["reason"] == "the schedule belongs to api");
    CHECK(counts(answer) == counted(0, 0, 0, 1));
    CHECK(sync.row("a").trigger.expression == "0 2 * * *");
}

TEST_CASE("a schedule that is refused is skipped; a database that fails ends the attempt, with what was committed") {
    Sync sync;
    sync.add({"a", "b", "c"});
    sync.book.allow = [](const core::Schedule& row) -> core::Result<void> {
        if (row.schedule_id.ends_with(":b")) return core::fail(core::Errc::invalid_argument, "params.domain: unknown key");
        return {};
    };
    const auto refused = sync.run();
    CHECK(refused.ok);
    CHECK(counts(refused) == counted(2, 0, 0, 1));
    CHECK(json::parse(refused.result)["reasons"][0]["reason"] == "params.domain: unknown key");

    sync.book.rows.clear();
    sync.book.allow = [](const core::Schedule& row) -> core::Result<void> {
        if (row.schedule_id.ends_with(":b")) return core::fail(core::Errc::database_unavailable, "storing a schedule: gone");
        return {};
    };
    const auto gone = sync.run();
    CHECK_FALSE(gone.ok);
    CHECK(gone.retry);
    CHECK(gone.error == "storing a schedule: gone");
    CHECK(counts(gone) == counted(1, 0, 0, 0));
}

TEST_CASE("a list of which no item can be used fails") {
    Sync sync;
    sync.list = {item_of("a", 24), item_of("b", 25)};
    const auto answer = sync.run();
    CHECK_FALSE(answer.ok);
    CHECK(answer.error.starts_with("none of the 2 items can be used: time_config.hour: "));
    CHECK(counts(answer) == counted(0, 0, 0, 2));
}

TEST_CASE("a sync that is stopped ends after the schedule that it is at") {
    Sync sync;
    sync.add({"a", "b", "c"});
    sync.book.allow = [&](const core::Schedule& row) -> core::Result<void> {
        if (row.schedule_id.ends_with(":b")) sync.call.source.request_stop();
        return {};
    };
    const auto answer = sync.run();
    CHECK_FALSE(answer.ok);
    CHECK(answer.error == "stopped before every schedule was written");
    CHECK(counts(answer) == counted(2, 0, 0, 0));
    CHECK(sync.book.rows.size() == 2);
}

TEST_CASE("of many schedules and many reasons all are counted, and the answer stays small") {
    Sync sync;
    for (int i = 0; i < 1'100; ++i) sync.list.push_back(item_of("s" + std::to_string(i)));
    for (int i = 0; i < 200; ++i) sync.list.push_back(item_of(std::string(200, '\x01') + std::to_string(i), 24));
    CHECK(counts(sync.run()) == counted(1'100, 0, 0, 200));
    const auto answer = sync.run();
    CHECK(counts(answer) == counted(0, 0, 1'100, 200));
    CHECK(answer.result.size() <= 65'536);
    CHECK(json::parse(answer.result)["reasons"].size() <= 100);
    CHECK(json::parse(answer.result)["reasons"].size() > 50);
}

TEST_CASE("params that a sync cannot use are named when the schedule is made") {
    const auto with = [](const std::string& rest) {
        return problem(R"({"url": "http://a/", "target_kind": "scan", )" + rest + "}");
    };
    CHECK(problem(R"({"url": "http://a/", "target_kind": "scan"})").empty());
    CHECK(with(R"("target_params": {"a": 1}, "target_policy": {"overlap": "skip"}, "missing": "disable", "item_key": "body")")
              .empty());
    CHECK(with(R"("timezone": "Europe/Oslo", "headers": {"X-Key": "env:VARDE_JOB_KEY"}, "timeout": 20)").empty());
    CHECK(problem("{}").find("params.url: is missing") == 0);
    CHECK(problem("{}").find("params.target_kind: is missing") != std::string::npos);
    CHECK(problem(R"({"url": "file:///x", "target_kind": "scan"})").starts_with("params.url: must begin with http"));
    CHECK(problem(R"({"url": "http://a/", "target_kind": "scam"})") == "params.target_kind: there is no job kind 'scam'");
    CHECK(problem(R"({"url": "http://a/", "target_kind": "api_sync"})").starts_with("params.target_kind: must be another kind"));
    CHECK(with(R"("target_params": [])") == "params.target_params: must be an object");
    CHECK(with(R"("target_policy": {"overlap": "wait"})").starts_with("params.target_policy: policy.overlap: must be one of"));
    CHECK(with(R"("timezone": "Oslo")").starts_with("params.timezone: trigger.timezone: there is no IANA time zone"));
    CHECK(with(R"("missing": "drop")") == "params.missing: must be one of keep, disable, delete");
    CHECK(with(R"("method": "POST")").starts_with("params.method: unknown key"));
}
