#include "jobs/http_job.hpp"

#include "jobs/http_client.hpp"
#include "unit/jobs/job_call.hpp"
#include "unit/jobs/small_server.hpp"

#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <chrono>
#include <map>
#include <nlohmann/json.hpp>

using namespace varde;
using nlohmann::json;
using std::chrono::steady_clock;
using testing::Call;
using testing::SmallServer;

namespace {

const jobs::Environment no_variables = [](const std::string&) { return std::nullopt; };

/// A job against a server that always answers the same.
struct Conversation {
    explicit Conversation(SmallServer::Response response)
        : server{[answer = std::move(response)](const SmallServer::Request&) { return std::optional{answer}; }} {}
    ports::JobAnswer run(json params, const std::string& target = "/path?key=secret") {
        params["url"] = server.url(target);
        return job.run(call.with(params.dump()));
    }
    [[nodiscard]] std::string server_name() const { return server.url(""); }
    [[nodiscard]] std::string sent(const std::string& header) const {
        const auto requests = server.requests();
        REQUIRE(requests.size() == 1);
        return requests[0][header];
    }

    SmallServer server;
    jobs::HttpJob job{[](const std::string& name) {
        return name == "VARDE_JOB_TOKEN" ? std::optional<std::string>{"Bearer s3cret"} : std::nullopt;
    }};
    Call call;
};

std::string problem(const std::string& params) {
    const auto checked = jobs::HttpJob{no_variables}.check(params);
    return checked ? "" : checked.error().context;
}

bool refused(const std::string& text) {
    sockaddr_in6 six{};
    sockaddr_in four{};
    if (::inet_pton(AF_INET6, text.c_str(), &six.sin6_addr) == 1) {
        six.sin6_family = AF_INET6;
        return jobs::is_refused(reinterpret_cast<const sockaddr&>(six));
    }
    REQUIRE(::inet_pton(AF_INET, text.c_str(), &four.sin_addr) == 1);
    four.sin_family = AF_INET;
    return jobs::is_refused(reinterpret_cast<const sockaddr&>(four));
}

}  // namespace

TEST_CASE("an answer in JSON is kept as JSON") {
    Conversation talk{SmallServer::answer(200, R"({"sent": 3})")};
    const auto answer = talk.run({{"method", "POST"}, {"body", {{"home", "h1"}}}});
    CHECK(answer.ok);
    CHECK(answer.result == R"({"status":200,"body":{"sent":3},"truncated":false})");
    const auto requests = talk.server.requests();
    REQUIRE(requests.size() == 1);
    CHECK(requests[0].method_string() == "POST");
    CHECK(requests[0].target() == "/path?key=secret");
    CHECK(requests[0].body() == R"({"home":"h1"})");
    CHECK(requests[0]["Content-Type"] == "application/json");
}

TEST_CASE("other answers are kept as text, without their end if they are long") {
    Conversation talk{SmallServer::answer(200,
                                          "sm\xc3\xb8rbr\xc3\xb8"
                                          "d",
                                          "text/plain")};
    CHECK(talk.run({}).result ==
          "{\"status\":200,\"body\":\"sm\xc3\xb8rbr\xc3\xb8"
          "d\",\"truncated\":false}");
    CHECK(talk.run({{"keep", 7}}).result == "{\"status\":200,\"body\":\"sm\xc3\xb8rbr\",\"truncated\":true}");
    CHECK(talk.run({{"keep", 0}}).result == R"({"status":200,"body":"","truncated":true})");
}

TEST_CASE("what is kept of an answer is never more than a run can keep") {
    Conversation talk{SmallServer::answer(200, std::string(32'768, '\x01'), "application/octet-stream")};
    const auto answer = talk.run({{"keep", 32'768}});
    CHECK(answer.ok);
    CHECK(answer.result.size() <= 65'536);
    CHECK(json::parse(answer.result)["truncated"] == true);
    CHECK(json::parse(answer.result)["body"].get<std::string>().size() == 8'192);
}

TEST_CASE("an answer that is nested too deep to be read as JSON is text") {
    Conversation talk{SmallServer::answer(200, std::string(10'000, '[') + std::string(10'000, ']'))};
    CHECK(json::parse(talk.run({{"keep", 32'768}}).result)["body"].is_string());
}

TEST_CASE("an answer of more than 1 MiB is an error that does not go away") {
    Conversation talk{SmallServer::answer(200, std::string((1U << 20) + 1, 'x'), "text/plain")};
    const auto answer = talk.run({});
    CHECK_FALSE(answer.ok);
    CHECK(answer.error == talk.server_name() + " answered more than 1048576 bytes");
    CHECK_FALSE(answer.retry);
}

TEST_CASE("unexpected statuses fail; another attempt is made where it may help") {
    const std::map<int, bool> retried{{400, false}, {401, false}, {404, false}, {408, true},
                                      {429, true},  {500, true},  {503, true}};
    for (const auto& [status, retry] : retried) {
        CAPTURE(status);
        Conversation talk{SmallServer::answer(status, R"({"reason":"x"})")};
        const auto answer = talk.run({});
        CHECK_FALSE(answer.ok);
        CHECK(answer.error == talk.server_name() + " answered " + std::to_string(status));
        CHECK(answer.retry == retry);
        CHECK(json::parse(answer.result) == json{{"status", status}, {"body", {{"reason", "x"}}}, {"truncated", false}});
    }
}

TEST_CASE("the expected statuses can be named") {
    Conversation missing{SmallServer::answer(404)};
    CHECK(missing.run({{"expect", {200, 404}}}).ok);
    Conversation found{SmallServer::answer(201)};
    CHECK_FALSE(found.run({{"expect", {200, 404}}}).ok);
}

TEST_CASE("a call carries the slot's key, the fence and the given headers") {
    Conversation talk{SmallServer::answer(204)};
    REQUIRE(talk.run({{"headers", {{"X-Home", "h1"}, {"X-Empty", ""}}}}).ok);
    CHECK(talk.sent("Idempotency-Key") == "nightly/1/2026-01-15T03:00:00Z/scheduled");
    CHECK(talk.sent("X-Varde-Fence") == "7.2");
    CHECK(talk.sent("User-Agent") == "varde");
    CHECK(talk.sent("X-Home") == "h1");
    CHECK(talk.server.requests()[0].count("X-Empty") == 1);
    CHECK(talk.server.requests()[0].count("Expect") == 0);
}

TEST_CASE("a header from the environment is read when the call is made, and without it none is made") {
    Conversation talk{SmallServer::answer(204)};
    const auto missing = talk.run({{"headers", {{"Authorization", "env:VARDE_JOB_OTHER"}}}});
    CHECK(missing.error == "params.headers.Authorization: the host has no VARDE_JOB_OTHER");
    CHECK_FALSE(missing.retry);
    CHECK(talk.server.requests().empty());
    REQUIRE(talk.run({{"headers", {{"Authorization", "env:VARDE_JOB_TOKEN"}}}}).ok);
    CHECK(talk.sent("Authorization") == "Bearer s3cret");
}

TEST_CASE("a variable with a line end is not sent: it would be another header") {
    SmallServer server{[](const auto&) { return SmallServer::answer(204); }};
    jobs::HttpJob job{[](const std::string&) { return std::optional<std::string>{"a\r\nX-Admin: 1"}; }};
    const auto answer = job.run(Call{}.with(json{{"url", server.url("/")}, {"headers", {{"X-Key", "env:VARDE_JOB_K"}}}}.dump()));
    CHECK(answer.error == "params.headers.X-Key: VARDE_JOB_K is not one line");
    CHECK(server.requests().empty());
}

TEST_CASE("errors say neither path, query, headers nor body") {
    Conversation talk{SmallServer::answer(500, "hush")};
    const auto answer = talk.run({{"method", "POST"},
                                  {"body", {{"pin", "4711"}}},
                                  {"headers", {{"Authorization", "env:VARDE_JOB_TOKEN"}, {"X-Key", "k3y"}}}});
    for (const auto* secret : {"secret", "path", "s3cret", "k3y", "4711", "hush"}) {
        CHECK(answer.error.find(secret) == std::string::npos);
    }
}

TEST_CASE("a redirect is not followed unless that is wished") {
    SmallServer server{[](const SmallServer::Request& request) -> std::optional<SmallServer::Response> {
        return request.target() == "/old" ? SmallServer::redirect("/new") : SmallServer::answer(200, "7");
    }};
    jobs::HttpJob job{no_variables};
    const Call call;
    const auto stays = job.run(call.with(json{{"url", server.url("/old")}}.dump()));
    CHECK_FALSE(stays.ok);
    CHECK_FALSE(stays.retry);
    CHECK(stays.error == server.url("") + " answered 302, a redirect that was not followed");
    CHECK(server.requests().size() == 1);
    const auto follows = job.run(call.with(json{{"url", server.url("/old")}, {"follow_redirects", true}}.dump()));
    CHECK(follows.result == R"({"status":200,"body":7,"truncated":false})");
}

TEST_CASE("a redirect leads neither to files nor to where clouds hand out credentials") {
    for (const auto* target : {"file:///etc/passwd", "ftp://127.0.0.1/x", "http://169.254.169.254/latest/meta-data/"}) {
        CAPTURE(target);
        Conversation talk{SmallServer::redirect(target)};
        const auto answer = talk.run({{"follow_redirects", true}});
        CHECK_FALSE(answer.ok);
        CHECK_FALSE(answer.retry);
        CHECK(answer.result.empty());
    }
}

TEST_CASE("a redirect that never ends is given up") {
    Conversation talk{SmallServer::redirect("/path")};
    CHECK_FALSE(talk.run({{"follow_redirects", true}}).ok);
    CHECK(talk.server.requests().size() == 6);
}

TEST_CASE("link-local addresses are refused before anything is sent to them") {
    const auto answer = jobs::HttpJob{no_variables}.run(Call{}.with(R"({"url": "http://169.254.169.254/latest/meta-data/"})"));
    CHECK_FALSE(answer.ok);
    CHECK(answer.error == "http://169.254.169.254: its address is link-local, which jobs do not connect to");
    CHECK_FALSE(answer.retry);
    CHECK(refused("169.254.0.1"));
    CHECK(refused("fe80::1"));
    CHECK(refused("febf::1"));
    CHECK(refused("::ffff:169.254.169.254"));
    CHECK(refused("fd00:ec2::254"));
    CHECK_FALSE(refused("169.253.0.1"));
    CHECK_FALSE(refused("127.0.0.1"));
    CHECK_FALSE(refused("::1"));
    CHECK_FALSE(refused("fec0::1"));
    CHECK_FALSE(refused("::ffff:10.0.0.1"));
}

TEST_CASE("a server that does not answer in time may answer next time") {
    SmallServer server{[](const auto&) { return std::nullopt; }};
    jobs::HttpJob job{no_variables};
    Call call;
    const auto answer = job.run(call.with(json{{"url", server.url("/")}, {"timeout", "50ms"}}.dump()));
    CHECK_FALSE(answer.ok);
    CHECK(answer.error == server.url("") + " did not answer within 50 ms");
    CHECK(answer.retry);
    call.schedule.policy.run_timeout = std::chrono::milliseconds{60};
    CHECK(job.run(call.with(json{{"url", server.url("/")}}.dump())).error == server.url("") + " did not answer within 60 ms");
}

TEST_CASE("a call ends soon after it is stopped") {
    Call call;
    steady_clock::time_point stopped;
    SmallServer server{[&](const auto&) {
        stopped = steady_clock::now();
        call.source.request_stop();
        return std::nullopt;
    }};
    const auto answer = jobs::HttpJob{no_variables}.run(call.with(json{{"url", server.url("/")}}.dump()));
    CHECK(steady_clock::now() - stopped < std::chrono::seconds{2});  // without it: 30 s
    CHECK_FALSE(answer.ok);
    CHECK(answer.error == server.url("") + ": stopped before it had answered");
}

TEST_CASE("a port that nobody listens on may be listened on later") {
    boost::asio::io_context loop;
    boost::asio::ip::tcp::acceptor silent{loop, boost::asio::ip::tcp::v4()};
    silent.bind({boost::asio::ip::make_address_v4("127.0.0.1"), 0});  // bound, so that nobody else gets it; not listening
    const auto server = "http://127.0.0.1:" + std::to_string(silent.local_endpoint().port());
    const auto answer = jobs::HttpJob{no_variables}.run(Call{}.with(json{{"url", server + "/?key=secret"}}.dump()));
    CHECK_FALSE(answer.ok);
    CHECK(answer.error == server + ": Couldn't connect to server");
    CHECK(answer.retry);
}

TEST_CASE("params that cannot be used are named when the schedule is made") {
    CHECK(problem(R"({"url": "https://example.org/hook"})").empty());
    CHECK(problem(R"({"url": "http://[::1]:8080/", "method": "PUT", "body": null, "expect": [204], "timeout": "1m"})").empty());
    CHECK(problem("{}") == "params.url: is missing");
    CHECK(problem("7") == "params: must be an object; params.url: is missing");
    for (const auto* url :
         {"file:///etc/passwd", "ftp://example.org/", "gopher://example.org/", "example.org", "//example.org/", ""}) {
        CAPTURE(url);
        CHECK(problem(json{{"url", url}}.dump()).starts_with("params.url: must "));
    }
    CHECK(problem(R"({"url": "https://example.org/a b"})").starts_with("params.url: must have at most 2000 characters"));
    const auto password = problem(R"({"url": "https://ada:s3cret@example.org/"})");
    CHECK(password.starts_with("params.url: must not hold a user or password"));
    CHECK(password.find("s3cret") == std::string::npos);
    const auto with = [](const std::string& rest) { return problem(R"({"url": "http://a/", )" + rest + "}"); };
    CHECK(with(R"("method": "TRACE")").starts_with("params.method: must be one of GET"));
    CHECK(with(R"("body": {})").starts_with("params.body: is not sent with GET"));
    CHECK(with(R"("headers": {"X": 1})").starts_with("params.headers.X: must be a text"));
    CHECK(with(R"("headers": {"X": "a\nb"})").starts_with("params.headers.X: must be a text of one line"));
    CHECK(with(R"("headers": {"X Y": "a"})").starts_with("params.headers: a header's name"));
    CHECK(with(R"("headers": {"idempotency-key": "a"})") == "params.headers.idempotency-key: is set by Varde");
    CHECK(with(R"("headers": {"X": "env:VARDE_DATABASE_URL"})").starts_with("params.headers.X: the variable's name must begin"));
    CHECK(with(R"("expect": [])") == "params.expect: must be a list of statuses from 200 to 599");
    CHECK(with(R"("expect": [99])") == "params.expect: must be a list of statuses from 200 to 599");
    CHECK(with(R"("timeout": "2d")").starts_with("params.timeout: must be from 10ms to 1d"));
    CHECK(with(R"("method": "POST", "follow_redirects": true)") == "params.follow_redirects: is for GET and HEAD only");
    CHECK(
        with(R"("headers": {"X": "env:VARDE_JOB_X"}, "follow_redirects": true)").starts_with("params.follow_redirects: is not"));
    CHECK(with(R"("keep": 32769)").starts_with("params.keep: "));
    CHECK(with(R"("verify_tls": false)").starts_with("params.verify_tls: unknown key"));
}
