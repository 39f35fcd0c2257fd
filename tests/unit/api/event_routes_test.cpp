#include "unit/api/running_server.hpp"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

using namespace varde;
using nlohmann::json;
using testing::at;
using testing::HttpClient;
using testing::RunningServer;

namespace {
core::Event event(const std::string& id, std::string_view time, const std::string& category = "motion") {
    core::Event e;
    e.event_id = id;
    e.time = at(time);
    e.category = category;
    e.payload = R"({"state":"on","v":1.0})";
    e.room_id = "bath";
    return e;
}
}  // namespace

TEST_SUITE("event routes") {
    TEST_CASE("a stored event is answered as the reference does") {
        RunningServer server;
        HttpClient client{server.start()};
        const auto answer = client.post("/event", R"({"id":"e-1"})", "Content-Type: application/json\r\n");
        CHECK(answer.status == 200);
        CHECK(answer.body == R"({"received":true,"deduped":false})");
        CHECK(answer.header("content-type") == "application/json");
        const auto sent = server.intake.submissions();
        REQUIRE(sent.size() == 1);
        CHECK(sent[0].body == R"({"id":"e-1"})");
        CHECK(sent[0].format == ports::BodyFormat::single);
        CHECK(sent[0].context.stream_id == "prod");
        CHECK(sent[0].context.received_at == server.clock.now());
        CHECK(sent[0].context.allowed == core::ScopeFilter{});
        CHECK(sent[0].context.check_future);
    }

    TEST_CASE("a repeated event says that it was deduped") {
        RunningServer server;
        server.intake.answer_with(std::vector<ports::IntakeItem>{{"e-1", true, true, {}, {}}});
        HttpClient client{server.start()};
        CHECK(client.post("/v1/event", "{}").body == R"({"received":true,"deduped":true})");
    }

    TEST_CASE("the stream of the query is the event's unless it names one") {
        RunningServer server;
        HttpClient client{server.start()};
        CHECK(client.post("/event?stream_id=demo", "{}").status == 200);
        CHECK(server.intake.submissions().at(0).context.stream_id == "demo");
        CHECK(client.post("/event?stream_id=", "{}").status == 400);
    }

    TEST_CASE("an event that is not valid is a 422 that names the field") {
        RunningServer server;
        server.intake.answer_with(
            std::vector<ports::IntakeItem>{{"e-1", false, false, "timestamp", "timestamp names a date that does not exist"}});
        HttpClient client{server.start()};
        const auto answer = client.post("/event", "{}");
        CHECK(answer.status == 422);
        CHECK(answer.header("content-type") == "application/problem+json");
        const auto body = json::parse(answer.body);
        CHECK(body["detail"] == "timestamp names a date that does not exist");
        CHECK(body["field"] == "timestamp");
        CHECK(body["status"] == 422);
    }

    TEST_CASE("what the intake cannot take becomes the status that says so") {
        struct Row {
            core::Errc code;
            int status;
        };
        for (const auto& row : {Row{core::Errc::invalid_argument, 400}, Row{core::Errc::too_large, 413},
                                Row{core::Errc::overloaded, 503}, Row{core::Errc::database_unavailable, 503},
                                Row{core::Errc::stopping, 503}, Row{core::Errc::database_failed, 500}}) {
            RunningServer server;
            server.intake.answer_with(core::fail(row.code, "words for the log"));
            HttpClient client{server.start()};
            const auto answer = client.post("/event", "{");
            CHECK(answer.status == row.status);
            CHECK(answer.header("retry-after") == (row.status == 503 ? "1" : ""));
            CHECK_FALSE(json::parse(answer.body)["detail"].get<std::string>().empty());
        }
    }

    TEST_CASE("what a database error says stays in the log") {
        RunningServer server;
        server.intake.answer_with(core::fail(core::Errc::database_failed, "secret internals"));
        HttpClient client{server.start()};
        CHECK(client.post("/event", "{}").body.find("secret internals") == std::string::npos);
        CHECK(server.log.count("http_request_failed") == 1);
    }

    TEST_CASE("a bulk answer judges each item and counts") {
        RunningServer server;
        server.intake.answer_with(std::vector<ports::IntakeItem>{
            {"a", true, false, {}, {}}, {"b", true, true, {}, {}}, {"c\"", false, false, "category", "category is missing"}});
        HttpClient client{server.start()};
        const auto answer = client.post("/v1/events", "[1,2,3]");
        CHECK(answer.status == 200);
        const auto body = json::parse(answer.body);
        CHECK(body["accepted"] == 1);
        CHECK(body["deduped"] == 1);
        CHECK(body["refused"] == 1);
        CHECK(body["results"][0] == json{{"id", "a"}, {"status", "accepted"}});
        CHECK(body["results"][1] == json{{"id", "b"}, {"status", "deduped"}});
        CHECK(body["results"][2] ==
              json{{"id", "c\""}, {"status", "refused"}, {"field", "category"}, {"detail", "category is missing"}});
    }

    TEST_CASE("a bulk body is an array if it starts like one, else one object a line") {
        RunningServer server;
        HttpClient client{server.start()};
        CHECK(client.post("/v1/events", " \n[{}]").status == 200);
        CHECK(client.post("/v1/events", "{}\n{}\n", "Content-Type: application/x-ndjson\r\n").status == 200);
        const auto sent = server.intake.submissions();
        CHECK(sent.at(0).format == ports::BodyFormat::array);
        CHECK(sent.at(1).format == ports::BodyFormat::ndjson);
    }

    TEST_CASE("a long body is taken whole") {
        RunningServer server;
        HttpClient client{server.start()};
        const auto body = "[\"" + std::string(1u << 20, 'x') + "\"]";
        CHECK(client.post("/v1/events", body).status == 200);
        CHECK(server.intake.submissions().at(0).body == body);
    }

    TEST_CASE("events are listed newest first with the four keys of the reference") {
        RunningServer server;
        (void)server.events.append(std::vector{event("a", "2026-01-15T10:00:00Z"), event("b", "2026-01-15T11:00:00Z", "door")});
        HttpClient client{server.start()};
        const auto answer = client.get("/events");
        CHECK(answer.status == 200);
        const auto body = json::parse(answer.body);
        REQUIRE(body.size() == 2);
        CHECK(body[0]["id"] == "b");
        CHECK(body[0]["timestamp"] == "2026-01-15T11:00:00Z");
        CHECK(body[0]["category"] == "door");
        CHECK(body[0]["payload"] == json{{"state", "on"}, {"v", 1.0}});
        CHECK(answer.body.find(R"("payload":{"state":"on","v":1.0})") != std::string::npos);
        CHECK(body[0]["room_id"] == "bath");
    }

    TEST_CASE("events are filtered by category, time, stream and number") {
        RunningServer server;
        auto other = event("c", "2026-01-15T11:30:00Z");
        other.stream_id = "demo";
        (void)server.events.append(
            std::vector{event("a", "2026-01-15T10:00:00Z"), event("b", "2026-01-15T11:00:00Z", "door"), other});
        HttpClient client{server.start()};
        const auto ids = [&](std::string_view query) {
            std::string found;
            for (const auto& row : json::parse(client.get("/v1/events?" + std::string{query}).body)) found += row["id"];
            return found;
        };
        CHECK(ids("category=motion") == "a");
        CHECK(ids("limit=1") == "b");
        CHECK(ids("stream_id=demo") == "c");
        CHECK(ids("since=2026-01-15T10:30:00Z") == "b");
        CHECK(ids("until=2026-01-15T11:00:00Z") == "a");
        CHECK(ids("before=2026-01-15T11:00:00%2B00:00") == "a");
        CHECK(ids("since=2026-01-15T11:00:00+00:00") == "b");  // an unescaped + is what curl users write
        CHECK(ids("org_id=other").empty());
    }

    TEST_CASE("a query value that cannot be read is a 400 that names it") {
        RunningServer server;
        HttpClient client{server.start()};
        for (const std::string query : {"limit=0", "limit=1001", "limit=ten", "since=yesterday", "until=2026-01-15T10:00:00",
                                        "before=2026-02-31T10:00:00Z", "category=", "org_id=%FF"}) {
            const auto answer = client.get("/events?" + query);
            CHECK(answer.status == 400);
            const auto key = query.substr(0, query.find('='));
            CHECK(json::parse(answer.body)["detail"].get<std::string>().starts_with(key));
        }
        CHECK(json::parse(client.get("/events?since=2026-01-15T10:00:00").body)["detail"] ==
              "since must be timezone-aware UTC (ISO 8601, e.g. 2025-01-01T00:00:00Z)");
    }

    TEST_CASE("an unavailable database is a 503 that says when to come back") {
        RunningServer server;
        server.events.fail_with(core::Errc::database_unavailable);
        HttpClient client{server.start()};
        const auto answer = client.get("/events");
        CHECK(answer.status == 503);
        CHECK(answer.header("retry-after") == "1");
    }
}
