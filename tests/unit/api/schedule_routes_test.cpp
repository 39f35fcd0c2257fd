#include "unit/api/running_server.hpp"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

using namespace varde;
using nlohmann::json;
using testing::HttpAnswer;
using testing::HttpClient;
using testing::RunningServer;

namespace {

constexpr const char* kNightly =
    R"({"id":"nightly","name":"Tidy up","kind":"noop","trigger":{"cron":"0 3 * * *","timezone":"Europe/Oslo"}})";

std::string definition(const std::string& id, const std::string& rest = "") {
    return R"({"id":")" + id + R"(","kind":"noop","trigger":{"manual":true})" + rest + "}";
}

json body(const HttpAnswer& answer) { return json::parse(answer.body); }
std::string detail(const HttpAnswer& answer) { return body(answer).value("detail", ""); }

std::vector<std::string> ids(const HttpAnswer& answer) {
    std::vector<std::string> found;
    const auto parsed = body(answer);
    for (const auto& row : parsed["rows"]) found.push_back(row["id"]);
    return found;
}

using Ids = std::vector<std::string>;

}  // namespace

TEST_SUITE("schedule routes") {
    TEST_CASE("a schedule is made, read, and gone when it was deleted") {
        RunningServer server;
        HttpClient client{server.start()};
        const auto made = client.post("/v1/schedules", kNightly);
        CHECK(made.status == 201);
        CHECK(made.header("etag") == "\"1\"");
        const auto schedule = body(made);
        CHECK(schedule["id"] == "nightly");
        CHECK(schedule["name"] == "Tidy up");
        CHECK(schedule["kind"] == "noop");
        CHECK(schedule["org_id"] == "default");
        CHECK(schedule["state"] == "active");
        CHECK(schedule["source"] == "api");
        CHECK(schedule["version"] == 1);
        CHECK(schedule["generation"] == 1);
        CHECK(schedule["created_at"] == "2026-01-15T12:00:00Z");
        CHECK(schedule["next_at"] == "2026-01-15T13:00:00Z");
        for (const char* key : {"last_nominal_at", "last_run_id", "last_status", "last_run_at"}) CHECK(schedule[key].is_null());
        CHECK(schedule["definition"]["trigger"] == json{{"cron", "0 3 * * *"},
                                                        {"timezone", "Europe/Oslo"},
                                                        {"day_match", "either"},
                                                        {"gap", "run_once"},
                                                        {"repeated_hour", "auto"}});
        const auto read = client.get("/schedules/nightly");
        CHECK(read.status == 200);
        CHECK(read.header("etag") == "\"1\"");
        CHECK(body(read) == schedule);
        const auto gone = client.request("DELETE", "/v1/schedules/nightly");
        CHECK(gone.status == 204);
        CHECK(gone.body.empty());
        CHECK(gone.header("content-length").empty());
        CHECK(client.get("/v1/schedules/nightly").status == 404);
        CHECK(client.request("DELETE", "/v1/schedules/nightly").status == 404);
        CHECK(server.desk.by() == "local");
    }

    TEST_CASE("seed 003's form makes a schedule too") {
        RunningServer server;
        HttpClient client{server.start()};
        const auto made = client.post("/v1/schedules", R"({"id":"scan","kind":"http","domain":"a.example","frequency":"weekly",
            "time_config":{"day_of_week":"Friday","hour":9,"minute":0}})");
        CHECK(made.status == 201);
        CHECK(body(made)["definition"]["trigger"]["cron"] == "0 9 * * FRI");
        CHECK(body(made)["definition"]["params"] == json{{"domain", "a.example"}});
        const auto wrong = client.patch("/v1/schedules/scan", R"({"frequency":"weekly","time_config":{"hour":9,"minute":0}})");
        CHECK(wrong.status == 422);
        CHECK(detail(wrong) == "time_config.day: is missing: a weekday, such as monday; day_of_week is the same");
        const auto monthly =
            client.patch("/v1/schedules/scan", R"({"frequency":"monthly","time_config":{"day":30,"hour":9,"minute":0}})");
        CHECK(monthly.status == 200);
        CHECK(body(monthly)["definition"]["trigger"]["cron"] == "0 9 30L * *");
    }

    TEST_CASE("a definition with faults is refused with all of their places, and nothing is stored") {
        RunningServer server;
        HttpClient client{server.start()};
        CHECK(client.post("/v1/schedules", "{").status == 400);
        const auto list = client.post("/v1/schedules", "[]");
        CHECK(list.status == 422);
        CHECK(detail(list) == "the body must be a JSON object");
        const auto two = client.post("/v1/schedules", R"({"kind":"noop","trigger":{"every":"5x"},"policy":{"priority":500}})");
        CHECK(two.status == 422);
        CHECK(detail(two) ==
              "trigger.every: '5x' is no duration such as 30s, 5m, 1h30m or 1d; "
              "policy.priority: must be a whole number from -100 to 100");
        const auto kind = client.post("/v1/schedules", R"({"id":"a","kind":"dance","trigger":{"manual":true}})");
        CHECK(kind.status == 422);
        CHECK(detail(kind) == "kind: there is no job kind 'dance'");
        const auto waits = client.post("/v1/schedules", definition("b", R"(,"policy":{"depends_on":["nobody"]})"));
        CHECK(waits.status == 422);
        CHECK(detail(waits) == "policy.depends_on: there is no schedule nobody");
        const auto deep = client.post(
            "/v1/schedules", definition("c", R"(,"params":{"a":)" + std::string(50'000, '[') + std::string(50'000, ']') + "}"));
        CHECK(deep.status == 422);
        CHECK(detail(deep) == "the body is nested deeper than 32 levels");
        CHECK(ids(client.get("/v1/schedules")).empty());
    }

    TEST_CASE("an id that is taken and a circle of dependencies are conflicts") {
        RunningServer server;
        HttpClient client{server.start()};
        CHECK(client.post("/v1/schedules", definition("a")).status == 201);
        CHECK(client.post("/v1/schedules", definition("a")).status == 409);
        CHECK(client.post("/v1/schedules", definition("b", R"(,"policy":{"depends_on":["a"]})")).status == 201);
        const auto circle = client.patch("/v1/schedules/a", R"({"policy":{"depends_on":["b"]}})");
        CHECK(circle.status == 409);
        CHECK(detail(circle).starts_with("cycle: "));
        CHECK(client.request("DELETE", "/v1/schedules/a").status == 409);
        CHECK(client.request("DELETE", "/v1/schedules/a?force=true&purge=true").status == 204);
        CHECK(server.desk.purged());
        CHECK(client.request("DELETE", "/v1/schedules/b?force=yes").status == 400);
    }

    TEST_CASE("PUT takes the place of the whole definition, and makes no schedule") {
        RunningServer server;
        HttpClient client{server.start()};
        CHECK(client.request("PUT", "/v1/schedules/nightly", kNightly).status == 404);
        CHECK(client.post("/v1/schedules", kNightly).status == 201);
        const auto replaced = client.request("PUT", "/v1/schedules/nightly", R"({"kind":"http","trigger":{"every":"5m"}})");
        CHECK(replaced.status == 200);
        CHECK(replaced.header("etag") == "\"2\"");
        CHECK(body(replaced)["name"] == "");
        CHECK(body(replaced)["definition"]["trigger"] == json{{"every", "5m"}});
        const auto renamed = client.request("PUT", "/v1/schedules/nightly", definition("other"));
        CHECK(renamed.status == 422);
        CHECK(detail(renamed) == "id: cannot be changed; leave it out, or make another schedule");
        CHECK(client.request("PUT", "/v1/schedules/nightly", definition("nightly")).status == 200);
    }

    TEST_CASE("what GET shows as the definition can be sent back as it is") {
        RunningServer server;
        HttpClient client{server.start()};
        CHECK(client.post("/v1/schedules", kNightly).status == 201);
        const auto before = body(client.get("/v1/schedules/nightly"))["definition"];
        const auto after = client.request("PUT", "/v1/schedules/nightly", before.dump());
        CHECK(after.status == 200);
        CHECK(body(after)["definition"] == before);
    }

    TEST_CASE("PATCH merges: what is not said stays, null is the default again") {
        RunningServer server;
        HttpClient client{server.start()};
        CHECK(client.post("/v1/schedules", kNightly).status == 201);
        const auto patched = client.patch("/v1/schedules/nightly", R"({"policy":{"priority":7,"retry":{"max_attempts":3}}})");
        CHECK(patched.status == 200);
        const auto changed = body(patched)["definition"];
        CHECK(changed["name"] == "Tidy up");
        CHECK(changed["policy"]["priority"] == 7);
        CHECK(changed["policy"]["retry"] ==
              json{{"max_attempts", 3}, {"backoff", "1s"}, {"max_backoff", "5m"}, {"exponential", true}});
        const auto back =
            body(client.patch("/v1/schedules/nightly", R"({"name":null,"policy":{"priority":null}})"))["definition"];
        CHECK(back["name"] == "");
        CHECK(back["policy"]["priority"] == 0);
        CHECK(back["policy"]["retry"]["max_attempts"] == 3);
        const auto fault = client.patch("/v1/schedules/nightly", R"({"policy":{"prio":1}})");
        CHECK(fault.status == 422);
        CHECK(detail(fault) == "policy.prio: unknown key; did you mean 'priority'?");
        CHECK(client.patch("/v1/schedules/nobody", R"({"name":"x"})").status == 404);
    }

    TEST_CASE("PATCH of the same kind of trigger keeps the rest of it, another kind takes its place") {
        RunningServer server;
        HttpClient client{server.start()};
        CHECK(client.post("/v1/schedules", kNightly).status == 201);
        const auto later = body(client.patch("/v1/schedules/nightly", R"({"trigger":{"cron":"0 4 * * *"}})"))["definition"];
        CHECK(later["trigger"]["cron"] == "0 4 * * *");
        CHECK(later["trigger"]["timezone"] == "Europe/Oslo");
        const auto other = body(client.patch("/v1/schedules/nightly", R"({"trigger":{"every":"5m"}})"))["definition"];
        CHECK(other["trigger"] == json{{"every", "5m"}});
    }

    TEST_CASE("a change that If-Match holds for another version is not made") {
        RunningServer server;
        HttpClient client{server.start()};
        CHECK(client.post("/v1/schedules", kNightly).status == 201);
        const char* const change = R"({"name":"new"})";
        CHECK(client.request("PATCH", "/v1/schedules/nightly", change, "If-Match: \"1\"\r\n").status == 200);
        const auto stale = client.request("PATCH", "/v1/schedules/nightly", R"({"name":"late"})", "If-Match: \"1\"\r\n");
        CHECK(stale.status == 412);
        CHECK(body(stale)["title"] == "Precondition Failed");
        CHECK(detail(stale) == "the schedule has version 2: read it again");
        CHECK(client.request("PUT", "/v1/schedules/nightly", kNightly, "If-Match: 2\r\n").status == 412);
        CHECK(client.request("DELETE", "/v1/schedules/nightly", {}, "If-Match: \"1\"\r\n").status == 412);
        CHECK(body(client.get("/v1/schedules/nightly"))["name"] == "new");
        CHECK(client.request("PUT", "/v1/schedules/nightly", kNightly, "If-Match: *\r\n").status == 200);
        CHECK(client.request("DELETE", "/v1/schedules/nightly", {}, "If-Match: \"3\"\r\n").status == 204);
    }

    TEST_CASE("a schedule is switched, and switching it twice changes nothing") {
        RunningServer server;
        HttpClient client{server.start()};
        CHECK(client.post("/v1/schedules", kNightly).status == 201);
        const auto act = [&](const std::string& what) { return body(client.post("/v1/schedules/nightly/" + what, "")); };
        CHECK(act("disable")["state"] == "disabled");
        const auto again = act("disable");
        CHECK(again["version"] == 2);
        CHECK(again["definition"]["enabled"] == false);
        CHECK(act("enable")["state"] == "active");
        server.clock.set(testing::at("2026-01-15T15:30:00Z"));
        CHECK(act("pause")["state"] == "paused");
        CHECK(act("resume?catch_up=true")["next_at"] == "2026-01-15T13:00:00Z");
        CHECK(act("pause")["state"] == "paused");
        CHECK(act("resume")["next_at"] == "2026-01-15T16:00:00Z");
        CHECK(client.post("/v1/schedules/nightly/resume?catch_up=1", "").status == 400);
        CHECK(client.post("/v1/schedules/nobody/enable", "").status == 404);
        CHECK(client.get("/v1/schedules/nightly/enable").status == 405);
    }

    TEST_CASE("the list has pages and filters") {
        RunningServer server;
        HttpClient client{server.start()};
        for (int i = 0; i < 5; ++i) {
            server.clock.set(testing::at("2026-01-15T12:00:00Z") + std::chrono::seconds{i / 2});
            const auto rest = i == 3 ? R"(,"labels":{"team":"care"},"name":"Night scan","enabled":false)" : "";
            REQUIRE(client.post("/v1/schedules", definition("s" + std::to_string(i), rest)).status == 201);
        }
        const auto first = client.get("/v1/schedules?limit=2");
        CHECK(ids(first) == Ids{"s4", "s2"});
        const auto second = client.get("/v1/schedules?limit=2&after=" + body(first)["next"].get<std::string>());
        CHECK(ids(second) == Ids{"s3", "s0"});
        const auto last = client.get("/v1/schedules?limit=2&after=" + body(second)["next"].get<std::string>());
        CHECK(ids(last) == Ids{"s1"});
        CHECK(body(last)["next"].is_null());
        CHECK(body(client.get("/v1/schedules?limit=5"))["next"].is_null());
        CHECK(ids(client.get("/v1/schedules?label=team%3Dcare")) == Ids{"s3"});
        CHECK(ids(client.get("/v1/schedules?q=Night")) == Ids{"s3"});
        CHECK(ids(client.get("/v1/schedules?state=disabled")) == Ids{"s3"});
        CHECK(ids(client.get("/v1/schedules?kind=http")).empty());
        CHECK(ids(client.get("/v1/schedules?source=api")).size() == 5);
        for (const char* wrong : {"limit=0", "limit=501", "state=tired", "label=team", "after=x", "after=5", "q="}) {
            CHECK_MESSAGE(client.get("/v1/schedules?" + std::string{wrong}).status == 400, wrong);
        }
    }

    TEST_CASE("what a schedule waits for, and what waits for it") {
        RunningServer server;
        HttpClient client{server.start()};
        CHECK(client.post("/v1/schedules", definition("a")).status == 201);
        CHECK(client.post("/v1/schedules", definition("b", R"(,"policy":{"depends_on":["a"]})")).status == 201);
        CHECK(client.post("/v1/schedules", definition("c", R"(,"policy":{"depends_on":["b"]})")).status == 201);
        const auto rows = [&](const std::string& path) { return body(client.get("/v1/schedules/" + path))["rows"]; };
        CHECK(rows("c/dependencies") == json{"b"});
        CHECK(rows("c/dependencies?transitive=true") == json{"b", "a"});
        CHECK(rows("a/dependents") == json{"b"});
        CHECK(rows("a/dependents?transitive=true") == json{"b", "c"});
        CHECK(rows("a/dependencies").empty());
        CHECK(client.get("/v1/schedules/nobody/dependents").status == 404);
        CHECK(client.get("/v1/schedules/a/dependents?transitive=2").status == 400);
    }

    TEST_CASE("a preview of a schedule, and of a definition that is not stored") {
        RunningServer server;
        HttpClient client{server.start()};
        CHECK(client.post("/v1/schedules", kNightly).status == 201);
        const auto stored = body(client.get("/v1/schedules/nightly/preview?count=2&after=2026-02-01T00:30:00Z"))["rows"];
        CHECK(stored.size() == 2);
        CHECK(stored[0] == json{{"nominal_at", "2026-02-01T01:00:00Z"},
                                {"local", "2026-02-01T02:00:00+01:00"},
                                {"starts_at", "2026-02-01T01:00:00Z"},
                                {"fires", true},
                                {"reason", "natural"},
                                {"text", ""}});
        CHECK(body(client.get("/v1/schedules/nightly/preview"))["rows"].size() == 10);
        CHECK(client.get("/v1/schedules/nightly/preview?count=1001").status == 400);
        CHECK(client.get("/v1/schedules/nobody/preview").status == 404);
        const auto unstored = client.post("/v1/schedules/preview?count=3", definition("new"));
        CHECK(unstored.status == 200);
        CHECK(body(unstored)["rows"].size() == 3);
        CHECK(client.get("/v1/schedules/new").status == 404);
        CHECK(client.post("/v1/schedules/preview", R"({"kind":"dance","trigger":{"manual":true}})").status == 422);
        CHECK(client.post("/v1/schedules/preview", "{}").status == 422);
    }

    TEST_CASE("a run is asked for; the same key asks once; a live run is named") {
        RunningServer server;
        HttpClient client{server.start()};
        CHECK(client.post("/v1/schedules", kNightly).status == 201);
        const auto first = client.post("/v1/schedules/nightly/run", R"({"input":{"n":1}})", "Idempotency-Key: k1\r\n");
        CHECK(first.status == 201);
        const auto run = body(first);
        CHECK(run["run_id"] == 1);
        CHECK(run["kind"] == "manual");
        CHECK(run["state"] == "pending");
        CHECK(run["input"] == json{{"n", 1}});
        CHECK(run["idempotency_key"] == "k1");
        CHECK(run["requested_by"] == "local");
        const auto again = client.post("/v1/schedules/nightly/run", "", "Idempotency-Key: k1\r\n");
        CHECK(again.status == 200);
        CHECK(body(again) == run);
        const auto other = client.post("/v1/schedules/nightly/run", "", "Idempotency-Key: k2\r\n");
        CHECK(other.status == 409);
        CHECK(body(other)["run_id"] == 1);
        CHECK(client.post("/v1/schedules/nobody/run", "").status == 404);
        for (const char* wrong : {"[]", R"({"input":1})", R"({"inputs":{}})"}) {
            CHECK_MESSAGE(client.post("/v1/schedules/nightly/run", wrong).status == 422, wrong);
        }
    }
}
