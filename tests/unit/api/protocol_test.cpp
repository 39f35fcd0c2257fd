#include "unit/api/running_server.hpp"

#include <doctest/doctest.h>
#include <zlib.h>
#include <nlohmann/json.hpp>

#include <string>

using namespace varde;
using namespace std::chrono_literals;
using nlohmann::json;
using testing::HttpClient;
using testing::RunningServer;

namespace {

std::string gzip(const std::string& text) {
    z_stream stream{};
    REQUIRE(deflateInit2(&stream, 9, Z_DEFLATED, MAX_WBITS + 16, 9, Z_DEFAULT_STRATEGY) == Z_OK);
    std::string packed(deflateBound(&stream, text.size()) + 64, '\0');
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
    stream.avail_in = static_cast<unsigned>(text.size());
    stream.next_out = reinterpret_cast<Bytef*>(packed.data());
    stream.avail_out = static_cast<unsigned>(packed.size());
    REQUIRE(deflate(&stream, Z_FINISH) == Z_STREAM_END);
    packed.resize(packed.size() - stream.avail_out);
    deflateEnd(&stream);
    return packed;
}

constexpr const char* kGzip = "Content-Encoding: gzip\r\n";

}  // namespace

TEST_SUITE("routing") {
    TEST_CASE("an unknown path is a 404, a known one with another method a 405 that says which") {
        RunningServer server;
        HttpClient client{server.start()};
        const auto unknown = client.get("/nothing");
        CHECK(unknown.status == 404);
        CHECK(unknown.header("content-type") == "application/problem+json");
        CHECK(json::parse(unknown.body)["detail"] == "Not Found");
        const auto wrong = client.request("DELETE", "/events");
        CHECK(wrong.status == 405);
        CHECK(wrong.header("allow") == "POST, GET");
        CHECK(client.request("BREW", "/rules").status == 405);
        CHECK(client.get("/v1").status == 404);
        CHECK(client.get("/v1/v1/rules").status == 404);
        CHECK(client.get("/").status == 404);
        CHECK(client.get("/rules/").status == 200);
    }

    TEST_CASE("paths without /v1 say that they are old, health does not") {
        RunningServer server;
        HttpClient client{server.start()};
        for (const auto* target : {"/rules", "/nothing", "/deviations?status=x"}) {
            const auto answer = client.get(target);
            CHECK(answer.header("deprecation") == "true");
            CHECK(answer.header("sunset") == "2026-06-01");
            const std::string path{
                target, std::string_view{target}.find('?') == std::string_view::npos ? std::string_view{target}.size() : 11};
            CHECK(answer.header("link") == "</v1" + path + ">; rel=\"successor-version\"");
        }
        for (const auto* target : {"/v1/rules", "/v1/nothing", "/health", "/health/detail"}) {
            const auto answer = client.get(target);
            CHECK_FALSE(answer.headers.contains("deprecation"));
            CHECK_FALSE(answer.headers.contains("link"));
        }
    }

    TEST_CASE("nothing of a path can become a header line") {
        RunningServer server;
        HttpClient client{server.start()};
        const auto answer = client.get("/a%0d%0aX-Evil:%201%3E");
        CHECK(answer.status == 404);
        CHECK_FALSE(answer.headers.contains("x-evil"));
        CHECK(answer.header("link") == "</v1/a%0D%0AX-Evil%3A%201%3E>; rel=\"successor-version\"");
    }

    TEST_CASE("a target that cannot be read is a 400") {
        RunningServer server;
        HttpClient client{server.start()};
        for (const auto* target : {"/rules%", "/rules?a=%zz", "/rules?a=%00", "rules", "*"})
            CHECK(client.get(target).status == 400);
        CHECK(client.get("/rules").status == 200);
    }

    TEST_CASE("HEAD has the header of GET and no body") {
        RunningServer server;
        HttpClient client{server.start()};
        const auto answer = client.request("HEAD", "/health");
        CHECK(answer.status == 200);
        CHECK(answer.header("content-length") == "15");
        CHECK(client.get("/health").body == R"({"status":"ok"})");
    }
}

TEST_SUITE("connections") {
    TEST_CASE("a connection is kept, and closed when the client asks for it") {
        RunningServer server;
        HttpClient client{server.start()};
        for (int i = 0; i < 3; ++i) CHECK(client.get("/health").status == 200);
        const auto last = client.get("/health", "Connection: close\r\n");
        CHECK(last.status == 200);
        CHECK(last.header("connection") == "close");
        CHECK(client.closed_by_server());
    }

    TEST_CASE("answers carry the date of the host's clock") {
        RunningServer server;
        HttpClient client{server.start()};
        CHECK(client.get("/health").header("date") == "Thu, 15 Jan 2026 12:00:00 GMT");
    }

    TEST_CASE("an old client gets its answer and a closed connection, or keep-alive if it asks") {
        RunningServer server;
        const auto port = server.start();
        HttpClient client{port};
        client.send("GET /health HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
        CHECK(client.receive().header("connection") == "keep-alive");
        client.send("GET /health HTTP/1.0\r\n\r\n");
        CHECK(client.receive().status == 200);
        CHECK(client.closed_by_server());
    }

    TEST_CASE("pipelined requests are answered in order, also slow ones") {
        RunningServer server;
        server.intake.hold();
        HttpClient client{server.start()};
        std::string requests;
        for (int i = 0; i < 20; ++i) {
            requests += "POST /event HTTP/1.1\r\nHost: t\r\nContent-Length: 2\r\n\r\n{}";
            requests += "GET /nothing HTTP/1.1\r\nHost: t\r\n\r\n";
            requests += "GET /rules HTTP/1.1\r\nHost: t\r\n\r\n";
        }
        client.send(requests);
        for (int i = 0; i < 20; ++i) {
            // Releases as soon as the request has arrived; the next one cannot overtake it.
            while (server.intake.submissions().size() <= static_cast<std::size_t>(i)) std::this_thread::yield();
            server.on_loop([&] {
                server.intake.release();
                server.intake.hold();
            });
            CHECK(client.receive().body == R"({"received":true,"deduped":false})");
            CHECK(client.receive().status == 404);
            CHECK(client.receive().body == "[]");
        }
    }

    TEST_CASE("a request may come in any pieces") {
        RunningServer server;
        HttpClient client{server.start()};
        const std::string request =
            "POST /event HTTP/1.1\r\nHost: t\r\nContent-Length: 5\r\n\r\n{   }GET /health HTTP/1.1\r\nHost: t\r\n\r\n";
        for (const char c : request) client.send({&c, 1});
        CHECK(client.receive().status == 200);
        CHECK(client.receive().body == R"({"status":"ok"})");
        CHECK(server.intake.submissions().at(0).body == "{   }");
    }

    TEST_CASE("a chunked body is put together") {
        RunningServer server;
        HttpClient client{server.start()};
        client.send("POST /event HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n3\r\n{\"a\r\n4\r\n\":1}\r\n0\r\n\r\n");
        CHECK(client.receive().status == 200);
        CHECK(server.intake.submissions().at(0).body == R"({"a":1})");
    }

    TEST_CASE("a client that waits for 100 Continue gets it") {
        RunningServer server;
        HttpClient client{server.start()};
        client.send("POST /event HTTP/1.1\r\nHost: t\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n");
        CHECK(client.receive().status == 100);
        client.send("{}");
        CHECK(client.receive().status == 200);
    }

    TEST_CASE("what is not HTTP is refused and closed") {
        RunningServer server;
        const auto port = server.start();
        for (const auto* text : {"\x16\x03\x01\x02\x00\x01\x00\r\n\r\n", "GET\r\n\r\n", "GET / HTTP/1.1\r\nbroken header\r\n\r\n",
                                 "POST /event HTTP/1.1\r\nContent-Length: x\r\n\r\n",
                                 "POST /event HTTP/1.1\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n{}",
                                 "POST /event HTTP/1.1\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}"}) {
            HttpClient client{port};
            client.send(text);
            const auto answer = client.receive();
            CHECK(answer.status == 400);
            CHECK(answer.header("connection") == "close");
            CHECK(client.closed_by_server());
        }
        CHECK(server.intake.submissions().empty());
    }

    TEST_CASE("a second answer to the same request is dropped") {
        RunningServer server;
        server.intake.hold();
        const auto port = server.start();
        {
            HttpClient client{port};
            client.send("POST /event HTTP/1.1\r\nHost: t\r\nContent-Length: 2\r\n\r\n{}");
            while (server.intake.submissions().empty()) std::this_thread::yield();
        }  // the client leaves before its answer
        server.intake.release();
        HttpClient other{port};
        CHECK(other.get("/health").status == 200);
    }
}

TEST_SUITE("limits") {
    TEST_CASE("a body over the limit is a 413 that the client can read") {
        RunningServer server;
        server.settings.http.max_body_bytes = 1000;
        const auto port = server.start();
        HttpClient fits{port};
        CHECK(fits.post("/event", std::string(1000, ' ')).status == 200);
        HttpClient announced{port};
        const auto answer = announced.post("/event", std::string(8u << 20, ' '));
        CHECK(answer.status == 413);
        CHECK(answer.header("connection") == "close");
        HttpClient chunked{port};
        chunked.send("POST /event HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n7d0\r\n" + std::string(2000, ' ') +
                     "\r\n0\r\n\r\n");
        CHECK(chunked.receive().status == 413);
    }

    TEST_CASE("a header over 16 KiB is a 431") {
        RunningServer server;
        HttpClient client{server.start()};
        CHECK(client.get("/health", "X-Long: " + std::string(20'000, 'x') + "\r\n").status == 431);
        CHECK(client.closed_by_server());
    }

    TEST_CASE("gzip bodies are unpacked, up to the same limit") {
        RunningServer server;
        server.settings.http.max_body_bytes = 100'000;
        HttpClient client{server.start()};
        const std::string text = "[" + std::string(99'998, ' ') + "]";
        CHECK(client.post("/v1/events", gzip(text), kGzip).status == 200);
        CHECK(server.intake.submissions().at(0).body == text);
        CHECK(client.post("/event", gzip("{}"), kGzip).status == 200);
        CHECK(client.post("/v1/events", gzip("{}\n") + gzip("{}\n"), kGzip).status == 200);  // members of one file
        CHECK(server.intake.submissions().at(2).body == "{}\n{}\n");
        CHECK(client.post("/v1/events", gzip(text + " "), kGzip).status == 413);
        CHECK(client.post("/v1/events", gzip(std::string(50u << 20, ' ')), kGzip).status == 413);
        CHECK(server.intake.submissions().size() == 3);
    }

    TEST_CASE("what is not gzip, or broken off, is a 400; another encoding a 415") {
        RunningServer server;
        HttpClient client{server.start()};
        CHECK(client.post("/event", "{}", kGzip).status == 400);
        const auto packed = gzip(std::string(1000, 'x') + "{}");
        CHECK(client.post("/event", packed.substr(0, packed.size() - 4), kGzip).status == 400);
        CHECK(client.post("/event", packed + "x", kGzip).status == 400);
        CHECK(client.post("/event", "{}", "Content-Encoding: br\r\n").status == 415);
        CHECK(client.post("/event", "{}", "Content-Encoding: identity\r\n").status == 200);
        CHECK(server.intake.submissions().size() == 1);
    }

    TEST_CASE("one connection too many is told so and closed") {
        RunningServer server;
        server.settings.http.max_connections = 2;
        const auto port = server.start();
        HttpClient first{port};
        CHECK(first.get("/health").status == 200);
        {
            HttpClient second{port};
            CHECK(second.get("/health").status == 200);
            HttpClient third{port};
            const auto answer = third.receive();
            CHECK(answer.status == 503);
            CHECK(answer.header("retry-after") == "1");
            CHECK(answer.header("connection") == "close");
            CHECK(third.closed_by_server());
            CHECK(second.get("/health").status == 200);
        }
        while (server.connections() > 1) std::this_thread::yield();
        HttpClient fourth{port};
        CHECK(fourth.get("/health").status == 200);
        CHECK(server.log.count("http_connections_full") == 1);
    }
}

TEST_SUITE("timeouts") {
    TEST_CASE("a header that comes too slowly is given up, however steadily it drips") {
        RunningServer server;
        server.settings.http.header_timeout = 50ms;
        HttpClient client{server.start()};
        client.send("GET /health HTTP/1.1\r\n");
        client.send("X-Slow: 1\r\n");
        const auto answer = client.receive();
        CHECK(answer.status == 408);
        CHECK(client.closed_by_server());
    }

    TEST_CASE("a body that does not come is given up") {
        RunningServer server;
        server.settings.http.read_timeout = 50ms;
        HttpClient client{server.start()};
        client.send("POST /event HTTP/1.1\r\nHost: t\r\nContent-Length: 100\r\n\r\n{");
        CHECK(client.receive().status == 408);
        CHECK(client.closed_by_server());
        CHECK(server.intake.submissions().empty());
    }

    TEST_CASE("an idle connection is closed without a word") {
        RunningServer server;
        server.settings.http.idle_timeout = 50ms;
        HttpClient client{server.start()};
        CHECK(client.get("/health").status == 200);
        CHECK(client.closed_by_server());
    }

    TEST_CASE("a request without an answer loses its connection") {
        RunningServer server;
        server.settings.answer_timeout = 50ms;
        server.intake.hold();
        HttpClient client{server.start()};
        CHECK(client.post("/event", "{}").status == 0);
        server.intake.release();  // late: nobody is there any more
        HttpClient other{server.port()};
        CHECK(other.get("/health").status == 200);
    }
}

TEST_SUITE("stopping") {
    TEST_CASE("idle connections are closed at once, requests in progress are answered first") {
        RunningServer server;
        server.intake.hold();
        const auto port = server.start();
        HttpClient idle{port};
        CHECK(idle.get("/health").status == 200);
        HttpClient busy{port};
        busy.send("POST /event HTTP/1.1\r\nHost: t\r\nContent-Length: 2\r\n\r\n{}");
        while (server.intake.submissions().empty()) std::this_thread::yield();
        auto stopped = server.stop(10s);
        CHECK(idle.closed_by_server());
        server.intake.release();
        const auto answer = busy.receive();
        CHECK(answer.status == 200);
        CHECK(answer.header("connection") == "close");
        stopped.wait();
    }

    TEST_CASE("what is not answered within the bound is closed") {
        RunningServer server;
        server.settings.http.idle_timeout = 100ms;  // a short tick
        server.intake.hold();
        HttpClient busy{server.start()};
        busy.send("POST /event HTTP/1.1\r\nHost: t\r\nContent-Length: 2\r\n\r\n{}");
        while (server.intake.submissions().empty()) std::this_thread::yield();
        server.stop(20ms).wait();
        CHECK(busy.closed_by_server());
        server.intake.release();
    }

    TEST_CASE("a server without connections stops at once") {
        RunningServer server;
        (void)server.start();
        // Not after the time that requests would be given: there is nobody to wait for. Twice, because a signal may come twice.
        CHECK(server.stop(60s).wait_for(10s) == std::future_status::ready);
        CHECK(server.stop(60s).wait_for(10s) == std::future_status::ready);
        CHECK(server.connections() == 0);
    }

    TEST_CASE("two servers cannot have the same port") {
        RunningServer server;
        const auto port = server.start();
        RunningServer with;
        boost::asio::io_context loop;
        api::HttpSettings settings;
        settings.http.port = port;
        api::Server second{loop, settings, with.services()};
        const auto started = second.start();
        REQUIRE_FALSE(started.has_value());
        CHECK(started.error().code == core::Errc::io_failed);
        CHECK(started.error().context.find(std::to_string(port)) != std::string::npos);
    }
}
