#include "observe/json_lines.hpp"
#include "time/utc_text.hpp"

#include <doctest/doctest.h>
#include <initializer_list>
#include <nlohmann/json.hpp>

using namespace varde;
using ports::Json;
using ports::LogField;
using ports::LogLevel;

namespace {

const core::Instant kNow = time::parse_utc("2026-01-15T12:00:00Z").value();

std::string line_of(std::initializer_list<LogField> fields, std::string_view message = "said", std::string_view run_id = "") {
    return observe::json_line(kNow, LogLevel::info, "scheduler", "scheduler_run_end", run_id, message,
                              std::span{fields.begin(), fields.size()});
}
nlohmann::json field_of(std::initializer_list<LogField> fields, const char* key) {
    return nlohmann::json::parse(line_of(fields)).at(key);
}

std::string repeated(std::string_view text, int times) {
    std::string result;
    for (int i = 0; i < times; ++i) result += text;
    return result;
}

}  // namespace

TEST_CASE("a log event is one JSON object with the fixed keys first and its fields after") {
    CHECK(line_of({{"count", std::int64_t{7}}, {"share", 0.5}, {"ok", true}, {"name", std::string{"R-001"}}}, "said", "run-1") ==
          R"({"ts":"2026-01-15T12:00:00Z","level":"INFO","component":"scheduler","event":"scheduler_run_end","run_id":"run-1",)"
          R"("msg":"said","count":7,"share":0.5,"ok":true,"name":"R-001"})");
}

TEST_CASE("without a run there is no run_id") { CHECK(nlohmann::json::parse(line_of({})).count("run_id") == 0); }

TEST_CASE("levels have the reference's names") {
    const auto level_of = [](LogLevel level) {
        return nlohmann::json::parse(observe::json_line(kNow, level, "c", "e", "", "m", {})).at("level").get<std::string>();
    };
    CHECK(level_of(LogLevel::debug) == "DEBUG");
    CHECK(level_of(LogLevel::info) == "INFO");
    CHECK(level_of(LogLevel::warning) == "WARNING");
    CHECK(level_of(LogLevel::error) == "ERROR");
}

TEST_CASE("quotes, line ends and control characters never break the line") {
    const auto line = line_of({{"text", std::string{"a\"b\\c\nd\r\te\0f", 13}}}, "two\nlines");
    CHECK(line.find('\n') == std::string::npos);
    const auto json = nlohmann::json::parse(line);
    CHECK(json.at("msg") == "two\nlines");
    CHECK(json.at("text") == std::string{"a\"b\\c\nd\r\te\0f", 13});
}

TEST_CASE("bytes that are not UTF-8 are replaced, in messages, texts, keys and JSON") {
    const auto line =
        line_of({{"text", std::string{"a\xFFz"}}, {"k\xFE", std::int64_t{1}}, {"json", Json{"{\"a\":\"\xC3\"}"}}}, "m\xC0");
    const auto json = nlohmann::json::parse(line);
    CHECK(json.at("msg") == "m\xEF\xBF\xBD");
    CHECK(json.at("text") == "a\xEF\xBF\xBDz");
    CHECK(json.at("k\xEF\xBF\xBD") == 1);
}

TEST_CASE("fields that may hold a payload or a secret are left out, in any case of letters") {
    const auto line = line_of({{"payload", std::string{"hunter2"}},
                               {"Authorization", std::string{"hunter2"}},
                               {"X-API-Key", std::string{"hunter2"}},
                               {"body", Json{R"("hunter2")"}},
                               {"headers", Json{R"({"a":"hunter2"})"}},
                               {"database_url", std::string{"hunter2"}},
                               {"password", std::string{"hunter2"}},
                               {"token_name", std::string{"kept"}}});
    CHECK(line.find("hunter2") == std::string::npos);
    CHECK(nlohmann::json::parse(line).size() == 6);
    CHECK(nlohmann::json::parse(line).at("token_name") == "kept");
}

TEST_CASE("inside JSON values such keys are kept and their values are not") {
    CHECK(field_of({{"request", Json{R"({"a":{"token":"hunter2","n":1},"list":[{"api_key":["hunter2"]}]})"}}}, "request") ==
          nlohmann::json::parse(R"({"a":{"token":"<redacted>","n":1},"list":[{"api_key":"<redacted>"}]})"));
}

TEST_CASE("texts of 800 characters are whole and longer ones are cut, between characters") {
    CHECK(field_of({{"text", repeated("å", 800)}}, "text") == repeated("å", 800));
    CHECK(field_of({{"text", repeated("å", 801)}}, "text") == repeated("å", 800) + "...<truncated>");
    CHECK(field_of({{"json", Json{'"' + repeated("x", 900) + '"'}}}, "json") == repeated("x", 800) + "...<truncated>");
    CHECK(nlohmann::json::parse(line_of({}, repeated("x", 900))).at("msg") == repeated("x", 800) + "...<truncated>");
    CHECK(line_of({{"text", std::string(100'000, '\x80')}}).size() < 20'000);
}

TEST_CASE("lists are cut at 50 elements and nesting at 3 levels") {
    nlohmann::json list = nlohmann::json::array();
    for (int i = 0; i < 60; ++i) list.push_back(i);
    CHECK(field_of({{"list", Json{list.dump()}}}, "list").size() == 50);
    CHECK(field_of({{"deep", Json{R"({"a":{"b":{"c":{"d":1}}}})"}}}, "deep") ==
          nlohmann::json::parse(R"({"a":{"b":{"c":"<truncated>"}}})"));
    CHECK(field_of({{"deep", Json{R"([[[1,[2]]]])"}}}, "deep") == nlohmann::json::parse(R"([[[1,"<truncated>"]]])"));
}

TEST_CASE("a field that claims to be JSON and is not is logged as text") {
    CHECK(field_of({{"json", Json{"{\"a\":"}}}, "json") == "{\"a\":");
}

TEST_CASE("a real that JSON cannot say is null") {
    CHECK(field_of({{"share", std::numeric_limits<double>::infinity()}}, "share").is_null());
}
