#include "unit/api/running_server.hpp"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

using namespace varde;
using nlohmann::json;
using ports::Role;
using testing::HttpAnswer;
using testing::HttpClient;
using testing::RunningServer;

namespace {

constexpr const char* kNorway = R"({"name":"Norway","weekdays":["sun"],"dates":["2026-12-25"]})";

std::string key_line(RunningServer& server, Role role, const core::ScopeFilter& scope = {}) {
    return "X-API-Key: " + server.add_token(role, scope) + "\r\n";
}

json body(const HttpAnswer& answer) { return json::parse(answer.body); }
std::string detail(const HttpAnswer& answer) { return body(answer).value("detail", ""); }

}  // namespace

TEST_SUITE("calendar routes") {
    TEST_CASE("a calendar is put, read, changed, and gone when it was deleted") {
        RunningServer server;
        HttpClient client{server.start()};
        const auto made = client.request("PUT", "/v1/calendars/no", kNorway);
        CHECK(made.status == 201);
        CHECK(made.header("etag") == "\"1\"");
        CHECK(body(made) ==
              json{{"id", "no"},
                   {"name", "Norway"},
                   {"org_id", "default"},
                   {"version", 1},
                   {"created_at", "2026-01-15T12:00:00Z"},
                   {"updated_at", "2026-01-15T12:00:00Z"},
                   {"definition",
                    {{"id", "no"}, {"name", "Norway"}, {"weekdays", {"sun"}}, {"dates", json::array({"2026-12-25"})}}}});
        CHECK(body(client.get("/calendars/no")) == body(made));
        const auto changed = client.request("PUT", "/v1/calendars/no", R"({"id":"no"})");
        CHECK(changed.status == 200);
        CHECK(changed.header("etag") == "\"2\"");
        CHECK(body(changed)["definition"]["dates"].empty());
        CHECK(body(client.get("/v1/calendars"))["rows"].size() == 1);
        CHECK(client.request("DELETE", "/v1/calendars/no").status == 204);
        CHECK(client.request("DELETE", "/v1/calendars/no").status == 404);
        CHECK(client.get("/v1/calendars/no").status == 404);
        CHECK(server.calendars.by() == "local");
    }

    TEST_CASE("a definition with faults is refused with its places, and nothing is stored") {
        RunningServer server;
        HttpClient client{server.start()};
        CHECK(client.request("PUT", "/v1/calendars/no", "{").status == 400);
        const auto dates = client.request("PUT", "/v1/calendars/no", R"({"dates":["2026-13-01"],"weekday":["mon"]})");
        CHECK(dates.status == 422);
        CHECK(detail(dates) ==
              "dates[0]: '2026-13-01' is no day of any calendar; weekday: unknown key; did you mean 'weekdays'?");
        const auto other = client.request("PUT", "/v1/calendars/no", R"({"id":"se"})");
        CHECK(other.status == 422);
        CHECK(detail(other) == "id: must be that of the path, or left out");
        CHECK(client.request("PUT", "/v1/calendars/n%20o", "{}").status == 422);
        CHECK(client.request("PUT", "/v1/calendars/" + std::string(101, 'a'), "{}").status == 422);
        CHECK(body(client.get("/v1/calendars"))["rows"].empty());
    }

    TEST_CASE("an iCalendar file is a definition too") {
        RunningServer server;
        HttpClient client{server.start()};
        const auto put = [&](const char* body) {
            return client.request("PUT", "/v1/calendars/no", body, "Content-Type: text/calendar; charset=utf-8\r\n");
        };
        const auto made =
            put("BEGIN:VCALENDAR\r\nX-WR-CALNAME:Norway\r\n"
                "BEGIN:VEVENT\r\nDTSTART;VALUE=DATE:20261225\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n");
        CHECK(made.status == 201);
        CHECK(body(made)["definition"].dump() == R"({"dates":["2026-12-25"],"id":"no","name":"Norway","weekdays":[]})");
        const auto refused = put("{}");
        CHECK(refused.status == 422);
        CHECK(detail(refused) == "iCalendar: must be one VCALENDAR, from BEGIN:VCALENDAR to END:VCALENDAR");
    }

    TEST_CASE("If-Match changes one version only; one in use is kept") {
        RunningServer server;
        HttpClient client{server.start()};
        CHECK(client.request("PUT", "/v1/calendars/no", "{}", "If-Match: \"1\"\r\n").status == 412);
        CHECK(client.request("PUT", "/v1/calendars/no", "{}").status == 201);
        CHECK(client.request("PUT", "/v1/calendars/no", "{}", "If-Match: \"1\"\r\n").status == 200);
        CHECK(client.request("PUT", "/v1/calendars/no", "{}", "If-Match: \"1\"\r\n").status == 412);
        CHECK(client.request("PUT", "/v1/calendars/no", "{}", "If-Match: 2\r\n").status == 412);
        CHECK(client.request("PUT", "/v1/calendars/no", "{}", "If-Match: *\r\n").status == 200);
        CHECK(client.request("DELETE", "/v1/calendars/no", "", "If-Match: \"2\"\r\n").status == 412);
        CHECK(client.request("DELETE", "/v1/calendars/no", "", "If-Match: \"3\"\r\n").status == 204);
        CHECK(client.request("PUT", "/v1/calendars/used", "{}").status == 201);
        const auto kept = client.request("DELETE", "/v1/calendars/used");
        CHECK(kept.status == 409);
        CHECK(detail(kept) == "calendar used cannot be removed: nightly uses it");
    }

    TEST_CASE("viewers read and admins change, each in the token's organisation") {
        RunningServer server;
        server.settings.require_tokens = true;
        const auto viewer = key_line(server, Role::viewer);
        const auto own = key_line(server, Role::operator_);
        const auto south = key_line(server, Role::admin, {"south", "", ""});
        const auto north = key_line(server, Role::admin, {"north", "", ""});
        const auto home = key_line(server, Role::admin, {"south", "h1", ""});
        HttpClient client{server.start()};
        CHECK(client.request("PUT", "/v1/calendars/no", kNorway).status == 401);
        CHECK(client.request("PUT", "/v1/calendars/no", kNorway, own).status == 403);
        CHECK(client.request("PUT", "/v1/calendars/no", kNorway, home).status == 403);
        CHECK(client.request("PUT", "/v1/calendars/no", kNorway, south).status == 201);
        CHECK(client.request("DELETE", "/v1/calendars/no", "", own).status == 403);
        CHECK(client.get("/v1/calendars/no", north).status == 404);
        CHECK(client.request("DELETE", "/v1/calendars/no", "", north).status == 404);
        CHECK(body(client.get("/v1/calendars", north))["rows"].empty());
        CHECK(body(client.get("/v1/calendars", south))["rows"][0]["org_id"] == "south");
        CHECK(body(client.get("/v1/calendars", viewer))["rows"].size() == 1);
        CHECK(client.get("/v1/calendars/no", viewer).status == 404);  // of "default"
        CHECK(client.get("/v1/calendars/no?org_id=south", viewer).status == 200);
    }

    TEST_CASE("a host without schedules, or without calendars, says so") {
        RunningServer server;
        server.scheduling.calendars = nullptr;
        HttpClient client{server.start()};
        CHECK(client.get("/v1/calendars").status == 503);
        CHECK(client.request("PUT", "/v1/calendars/no", "{}").status == 503);
    }
}
