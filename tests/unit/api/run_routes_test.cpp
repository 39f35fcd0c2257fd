#include "unit/api/running_server.hpp"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

using namespace varde;
using core::RunState;
using core::SlotReason;
using nlohmann::json;
using ports::Role;
using testing::at;
using testing::HttpAnswer;
using testing::HttpClient;
using testing::RunningServer;

namespace {

std::string key_line(RunningServer& server, Role role, const core::ScopeFilter& scope = {}) {
    return "X-API-Key: " + server.add_token(role, scope) + "\r\n";
}

json body(const HttpAnswer& answer) { return json::parse(answer.body); }

std::vector<std::int64_t> ids(const HttpAnswer& answer) {
    std::vector<std::int64_t> found;
    const auto parsed = body(answer);
    for (const auto& row : parsed["rows"]) found.push_back(row["run_id"]);
    return found;
}

using Ids = std::vector<std::int64_t>;

core::Run run(const char* nominal, RunState state, const char* org = "default") {
    core::Run made;
    made.schedule_id = "nightly";
    made.org_id = org;
    made.job_kind = "http";
    made.nominal_at = made.run_at = made.created_at = at(nominal);
    made.state = state;
    return made;
}

/// Runs 1 to 4: success, failed, skipped, running.
void fill(RunningServer& server) {
    auto good = run("2026-01-12T03:00:00Z", RunState::success);
    good.generation = 2;
    good.attempt = 1;
    good.owner = "host-1";
    good.epoch = 9;
    good.started_at = at("2026-01-12T03:00:00.250Z");
    good.finished_at = at("2026-01-12T03:00:02.750Z");
    good.result = R"({"status":200})";
    server.slot_runs.put(good);
    auto bad = run("2026-01-13T03:00:00Z", RunState::failed);
    bad.finished_at = at("2026-01-13T03:00:01Z");
    bad.error = "it said no";
    bad.job_kind = "noop";
    server.slot_runs.put(bad);
    auto left_out = run("2026-01-14T03:00:00Z", RunState::skipped);
    left_out.reason = SlotReason::misfire;
    left_out.detail = "the host was away";
    left_out.nominal_from = at("2026-01-14T01:00:00Z");
    left_out.slots = 3;
    left_out.finished_at = at("2026-01-14T04:00:00Z");
    server.slot_runs.put(left_out);
    auto live = run("2026-01-15T03:00:00Z", RunState::running);
    live.kind = core::SlotKind::manual;
    live.lease_until = at("2026-01-15T12:00:10Z");
    server.slot_runs.put(live);
}

/// The schedule that the runs are of.
void add_schedule(RunningServer& server) {
    core::Schedule schedule;
    schedule.schedule_id = "nightly";
    schedule.kind = "http";
    schedule.created_at = at("2026-01-01T00:00:00Z");
    REQUIRE(server.schedules.create(schedule).has_value());
}

}  // namespace

TEST_SUITE("run routes") {
    TEST_CASE("a run is shown with everything that is known of it") {
        RunningServer server;
        fill(server);
        HttpClient client{server.start()};
        const auto shown = client.get("/v1/runs/1");
        CHECK(shown.status == 200);
        CHECK(body(shown) == json::parse(R"({"run_id":1,"schedule_id":"nightly","org_id":"default","generation":2,
            "job_kind":"http","kind":"scheduled","nominal_at":"2026-01-12T03:00:00Z","nominal_from":null,"slots":1,
            "more_slots":false,"state":"success","reason":null,"reason_text":null,"detail":null,"attempt":1,"priority":0,
            "queue":"default","run_at":"2026-01-12T03:00:00Z","start_by":null,"owner":"host-1","epoch":9,"lease_until":null,
            "cancel_requested":false,"requested_by":null,"idempotency_key":null,"input":null,
            "created_at":"2026-01-12T03:00:00Z","started_at":"2026-01-12T03:00:00.250000Z",
            "finished_at":"2026-01-12T03:00:02.750000Z","duration_s":2.5,"error":null,"result":{"status":200}})"));
        const auto skipped = body(client.get("/runs/3"));
        CHECK(skipped["reason"] == "misfire");
        CHECK(skipped["reason_text"] == "nobody could start it within its grace, and the catch-up policy leaves it out");
        CHECK(skipped["detail"] == "the host was away");
        CHECK(skipped["slots"] == 3);
        CHECK(skipped["nominal_from"] == "2026-01-14T01:00:00Z");
        CHECK(skipped["duration_s"].is_null());
        CHECK(body(client.get("/v1/runs/2"))["error"] == "it said no");
        CHECK(client.get("/v1/runs/99").status == 404);
        CHECK(client.get("/v1/runs/x").status == 404);
    }

    TEST_CASE("the list has pages, newest first") {
        RunningServer server;
        fill(server);
        HttpClient client{server.start()};
        const auto first = client.get("/v1/runs?limit=3");
        CHECK(ids(first) == Ids{4, 3, 2});
        CHECK(body(first)["next"] == 2);
        const auto last = client.get("/v1/runs?limit=3&before=2");
        CHECK(ids(last) == Ids{1});
        CHECK(body(last)["next"].is_null());
        CHECK(body(client.get("/v1/runs?limit=4"))["next"].is_null());
    }

    TEST_CASE("the list is filtered by schedule, state, reason, kind and time") {
        RunningServer server;
        fill(server);
        auto other = run("2026-01-15T04:00:00Z", RunState::pending);
        other.schedule_id = "hourly";
        server.slot_runs.put(other);
        HttpClient client{server.start()};
        const auto found = [&](const std::string& query) { return ids(client.get("/v1/runs?" + query)); };
        CHECK(found("schedule_id=hourly") == Ids{5});
        CHECK(found("state=success") == Ids{1});
        CHECK(found("state=success,failed") == Ids{2, 1});
        CHECK(found("state=success&state=running,failed") == Ids{4, 2, 1});
        CHECK(found("reason=misfire") == Ids{3});
        CHECK(found("kind=manual") == Ids{4});
        CHECK(found("job_kind=noop") == Ids{2});
        CHECK(found("since=2026-01-13T03:00:00Z&until=2026-01-15T03:00:00Z") == Ids{3, 2});
        for (const char* wrong : {"state=tired", "state=", "state=success,", "reason=bored", "reason=", "kind=http", "limit=0",
                                  "limit=501", "before=x", "before=0", "since=yesterday", "schedule_id="}) {
            CHECK_MESSAGE(client.get("/v1/runs?" + std::string{wrong}).status == 400, wrong);
        }
    }

    TEST_CASE("a run is cancelled once; one that is over is a conflict") {
        RunningServer server;
        fill(server);
        server.slot_runs.put(run("2026-01-15T04:00:00Z", RunState::pending));
        HttpClient client{server.start()};
        const auto waiting = client.post("/v1/runs/5/cancel", "");
        CHECK(waiting.status == 200);
        CHECK(body(waiting)["state"] == "cancelled");
        CHECK(body(waiting)["reason"] == "cancelled");
        const auto live = body(client.post("/v1/runs/4/cancel", ""));
        CHECK(live["state"] == "running");
        CHECK(live["cancel_requested"] == true);
        CHECK(client.post("/v1/runs/5/cancel", "").status == 409);
        CHECK(client.post("/v1/runs/99/cancel", "").status == 404);
    }

    TEST_CASE("a run that is over is run again, as a new one") {
        RunningServer server;
        add_schedule(server);
        auto old = run("2026-01-12T03:00:00Z", RunState::failed);
        old.input = R"({"n":1})";
        server.slot_runs.put(old);
        HttpClient client{server.start()};
        const auto again = client.post("/v1/runs/1/retry", "");
        CHECK(again.status == 201);
        CHECK(body(again)["run_id"] == 2);
        CHECK(body(again)["kind"] == "manual");
        CHECK(body(again)["input"] == json{{"n", 1}});
        CHECK(client.post("/v1/runs/2/retry", "").status == 409);
        CHECK(client.post("/v1/runs/99/retry", "").status == 404);
    }

    TEST_CASE("statistics name every state, and are of seven days unless something else is said") {
        RunningServer server;
        fill(server);
        HttpClient client{server.start()};
        CHECK(body(client.get("/v1/runs/stats")) == json::parse(R"({"total":4,
            "by_state":{"waiting":0,"pending":0,"running":1,"success":1,"failed":1,"cancelled":0,"skipped":1,"timed_out":0,
                        "abandoned":0},
            "skipped_slots":3,"success_rate":25.0,"success_rate_finished":null,
            "duration_s":{"average":null,"minimum":null,"maximum":null,"median":null,"p95":null}})"));
        CHECK(server.slot_runs.asked().since == at("2026-01-08T12:00:00Z"));
        CHECK(body(client.get("/v1/runs/stats?days=2"))["total"] == 2);
        CHECK(body(client.get("/v1/runs/stats?since=2026-01-15T00:00:00Z"))["total"] == 1);
        CHECK(body(client.get("/v1/runs/stats?schedule_id=other"))["success_rate"] == 0);
        CHECK(client.get("/v1/runs/stats?days=0").status == 400);
        CHECK(client.get("/v1/runs/stats?days=2&since=2026-01-15T00:00:00Z").status == 400);
    }

    TEST_CASE("the history is cleaned up, never what is alive, and says how much went") {
        RunningServer server;
        fill(server);
        for (int i = 0; i < 2'500; ++i) {
            auto old = run("2025-01-01T00:00:00Z", RunState::success);
            old.finished_at = at("2025-01-01T00:00:01Z");
            server.slot_runs.put(old);
        }
        HttpClient client{server.start()};
        CHECK(body(client.post("/v1/runs/cleanup", "")) == json{{"status", "ok"}, {"deleted", 2'500}});
        CHECK(body(client.post("/v1/runs/cleanup", R"({"days":90})"))["deleted"] == 0);
        CHECK(body(client.post("/v1/runs/cleanup", R"({"days":2})"))["deleted"] == 2);
        CHECK(body(client.post("/v1/runs/cleanup", R"({"days":0})"))["deleted"] == 1);
        CHECK(ids(client.get("/v1/runs")) == Ids{4});
        for (const char* wrong : {R"({"days":-1})", R"({"days":"90"})", R"({"days":36501})", R"({"day":9})", "[]"}) {
            CHECK_MESSAGE(client.post("/v1/runs/cleanup", wrong).status == 422, wrong);
        }
        CHECK(client.post("/v1/runs/cleanup", "{").status == 400);
    }

    TEST_CASE("why a schedule did not run is explained") {
        RunningServer server;
        add_schedule(server);
        HttpClient client{server.start()};
        const auto explained = client.get("/v1/explain?schedule=nightly&at=2026-01-15T03:30:00Z");
        CHECK(explained.status == 200);
        CHECK(body(explained) == json{{"schedule_id", "nightly"},
                                      {"at", "2026-01-15T03:30:00Z"},
                                      {"answer", "not_due"},
                                      {"text", "it is no full hour"},
                                      {"run_id", nullptr},
                                      {"nominal_at", nullptr}});
        CHECK(body(client.get("/v1/explain?schedule=nightly"))["at"] == "2026-01-15T12:00:00Z");
        CHECK(client.get("/v1/explain?schedule=nobody").status == 404);
        CHECK(client.get("/v1/explain").status == 400);
        CHECK(client.get("/v1/explain?schedule=nightly&at=noon").status == 400);
    }

    TEST_CASE("job kinds and the hosts that run jobs are listed") {
        RunningServer server;
        server.slot_runs.put({"abc", 7, "host-1", at("2026-01-15T11:00:00Z"), at("2026-01-15T11:59:58Z")});
        HttpClient client{server.start()};
        CHECK(body(client.get("/v1/job_kinds"))["rows"] ==
              json::parse(R"([{"name":"http","summary":"calls"},{"name":"noop","summary":"rests"}])"));
        CHECK(body(client.get("/v1/job_hosts"))["rows"] ==
              json::parse(R"([{"host_id":"abc","epoch":7,"name":"host-1","started_at":"2026-01-15T11:00:00Z",
                               "beat_at":"2026-01-15T11:59:58Z"}])"));
    }

    TEST_CASE("a token of an organisation finds its own runs; those of others do not exist for it") {
        RunningServer server;
        server.slot_runs.put(run("2026-01-14T03:00:00Z", RunState::pending, "north"));
        server.slot_runs.put(run("2026-01-14T03:00:00Z", RunState::pending, "south"));
        const auto north = key_line(server, Role::admin, {"north", "", ""});
        const auto all = key_line(server, Role::admin);
        const auto home = key_line(server, Role::admin, {"north", "h1", ""});
        HttpClient client{server.start()};
        CHECK(ids(client.get("/v1/runs", north)) == Ids{1});
        CHECK(ids(client.get("/v1/runs", all)) == Ids{2, 1});
        CHECK(ids(client.get("/v1/runs?org_id=south", all)) == Ids{2});
        CHECK(client.get("/v1/runs?org_id=south", north).status == 403);
        CHECK(client.get("/v1/runs/2", north).status == 404);
        CHECK(client.post("/v1/runs/2/cancel", "", north).status == 404);
        CHECK(client.post("/v1/runs/2/retry", "", north).status == 404);
        CHECK(body(client.get("/v1/runs/stats", north))["total"] == 1);
        CHECK(body(client.get("/v1/runs/stats", all))["total"] == 2);
        for (const char* path : {"/runs", "/runs/1", "/runs/stats", "/explain?schedule=nightly", "/job_kinds", "/job_hosts"}) {
            CHECK_MESSAGE(client.get(path, home).status == 403, path);
        }
        CHECK(client.post("/v1/runs/1/cancel", "", north).status == 200);
        CHECK(client.post("/v1/runs/2/cancel", "", all).status == 200);
        CHECK(body(client.post("/v1/runs/cleanup", R"({"days":0})", north))["deleted"] == 0);
        server.clock.set(at("2026-01-16T12:00:00Z"));
        CHECK(body(client.post("/v1/runs/cleanup", R"({"days":0})", north))["deleted"] == 1);
        CHECK(ids(client.get("/v1/runs", all)) == Ids{2});
    }

    TEST_CASE("viewers read, operators cancel and retry, admins clean up") {
        RunningServer server;
        fill(server);
        add_schedule(server);
        server.settings.require_tokens = true;
        const auto viewer = key_line(server, Role::viewer);
        const auto own = key_line(server, Role::operator_);
        HttpClient client{server.start()};
        for (const char* path : {"/runs", "/runs/1", "/runs/stats", "/explain?schedule=nightly", "/job_kinds", "/job_hosts"}) {
            CHECK_MESSAGE(client.get(path, viewer).status == 200, path);
            CHECK_MESSAGE(client.get(path).status == 401, path);
        }
        CHECK(client.post("/runs/4/cancel", "", viewer).status == 403);
        CHECK(client.post("/runs/1/retry", "", viewer).status == 403);
        CHECK(client.post("/runs/4/cancel", "", own).status == 200);
        CHECK(client.post("/runs/cleanup", "", own).status == 403);
        CHECK(client.get("/runs/cleanup", viewer).status == 405);
    }

    TEST_CASE("a database that is away is 503") {
        RunningServer server;
        fill(server);
        HttpClient client{server.start()};
        server.slot_runs.fail_with(core::Errc::database_unavailable);
        for (const char* path : {"/runs", "/runs/1", "/runs/stats", "/job_hosts"}) {
            CHECK_MESSAGE(client.get(path).status == 503, path);
        }
        CHECK(client.post("/runs/cleanup", "").status == 503);
    }
}
