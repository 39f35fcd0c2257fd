#include "ingest/event_reader.hpp"

#include "time/utc_text.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace varde;
using ingest::EventReader;
using ports::BodyFormat;

namespace {

core::Instant at(std::string_view text) { return time::parse_utc(text).value(); }

ports::IntakeContext context() {
    ports::IntakeContext c;
    c.received_at = at("2026-01-15T12:00:00Z");
    return c;
}

struct Reader {
    config::HostConfig::Ingest limits;
    ports::IntakeContext with = context();

    ingest::Reading one(std::string_view text) const { return EventReader{limits}.read_one(text, with); }
    core::Result<ingest::ReadBatch> read(std::string_view body, BodyFormat format) const {
        return EventReader{limits}.read(body, format, with);
    }
    /// The problem of an event that differs from a good one in these members.
    [[nodiscard]] std::string problem(const std::string& members) const { return one("{" + members + "}").item.problem; }
};

constexpr const char* kGood = R"({"id":"e-1","timestamp":"2026-01-15T11:59:00Z","category":"motion"})";

std::string with(const std::string& members) {
    return R"({"id":"e-1","timestamp":"2026-01-15T11:59:00Z","category":"motion",)" + members + "}";
}

}  // namespace

TEST_SUITE("event reader") {
    TEST_CASE("the smallest event gets the defaults") {
        const auto reading = Reader{}.one(kGood);
        REQUIRE(reading.valid());
        CHECK(reading.event.event_id == "e-1");
        CHECK(reading.event.time == at("2026-01-15T11:59:00Z"));
        CHECK(reading.event.category == "motion");
        CHECK(reading.event.payload == "{}");
        CHECK(reading.event.scope == core::Scope{"default", "default", "default"});
        CHECK(reading.event.stream_id == "prod");
        CHECK(reading.event.room_id.empty());
        CHECK(reading.event.received_at == at("2026-01-15T12:00:00Z"));
        CHECK(reading.item.event_id == "e-1");
        CHECK_FALSE(reading.arrives.has_value());
    }

    TEST_CASE("every field is kept") {
        const auto reading = Reader{}.one(
            with(R"("org_id":"o","home_id":"h","subject_id":"s","stream_id":"demo","room_id":"bath","payload":{"a":1.0},)"
                 R"("arrives":"2026-01-15T12:00:05Z")"));
        REQUIRE(reading.valid());
        CHECK(reading.event.scope == core::Scope{"o", "h", "s"});
        CHECK(reading.event.stream_id == "demo");
        CHECK(reading.event.room_id == "bath");
        CHECK(reading.event.payload == R"({"a":1.0})");
        CHECK(reading.arrives == at("2026-01-15T12:00:05Z"));
    }

    TEST_CASE("the payload is kept as the client's own text") {
        const Reader reader;
        for (const std::string payload : {R"({})", R"({ "b" : 1.0 , "a":1e2, "b":"\u00e6\n" })",
                                          R"({"x":[1,{"y":null}],"big":123456789012345678901234567890})"}) {
            const auto reading = reader.one(with("\"payload\" : " + payload + "  "));
            REQUIRE_MESSAGE(reading.valid(), reading.item.problem);
            CHECK(reading.event.payload == payload);
        }
    }

    TEST_CASE("the last of repeated keys counts, unknown keys do not") {
        const auto reading =
            Reader{}.one(R"({"id":"a","id":"b","x":[{"id":"c"}],"timestamp":"never","timestamp":"2026-01-15T11:59:00Z",)"
                         R"("category":"m","payload":{"n":1},"payload":{"n":2}})");
        REQUIRE(reading.valid());
        CHECK(reading.event.event_id == "b");
        CHECK(reading.event.payload == R"({"n":2})");
    }

    TEST_CASE("a key may be written with escapes") {
        const auto reading = Reader{}.one(R"({"\u0069d":"a","timestamp":"2026-01-15T11:59:00Z","category":"m"})");
        REQUIRE(reading.valid());
        CHECK(reading.event.event_id == "a");
    }

    TEST_CASE("times of any zone become UTC") {
        const auto reading = Reader{}.one(R"({"id":"a","timestamp":"2026-01-15T12:59:00.25+01:00","category":"m"})");
        REQUIRE(reading.valid());
        CHECK(time::format_utc(reading.event.time) == "2026-01-15T11:59:00.250000Z");
    }

    TEST_CASE("each fault names its field and what is wrong with it") {
        struct Row {
            const char* members;
            const char* field;
            const char* problem;
        };
        const Row rows[] = {
            {R"("timestamp":"2026-01-15T11:59:00Z","category":"m")", "id", "id is missing"},
            {R"("id":"  ","timestamp":"2026-01-15T11:59:00Z","category":"m")", "id", "id is empty"},
            {R"("id":17,"timestamp":"2026-01-15T11:59:00Z","category":"m")", "id", "id must be a text"},
            {R"("id":null,"timestamp":"2026-01-15T11:59:00Z","category":"m")", "id", "id must be a text"},
            {R"("id":"a\u0000b","timestamp":"2026-01-15T11:59:00Z","category":"m")", "id", "id contains a NUL character"},
            {R"("id":"a","category":"m")", "timestamp", "timestamp is missing"},
            {R"("id":"a","timestamp":1768478340,"category":"m")", "timestamp", "timestamp must be a text"},
            {R"("id":"a","timestamp":"2026-01-15T11:59:00","category":"m")", "timestamp",
             "timestamp must be timezone-aware UTC (ISO 8601, e.g. 2025-01-01T00:00:00Z)"},
            {R"("id":"a","timestamp":"2026-04-31T11:59:00Z","category":"m")", "timestamp",
             "timestamp names a date that does not exist"},
            {R"("id":"a","timestamp":"","category":"m")", "timestamp",
             "timestamp is not an ISO 8601 time such as 2026-01-15T12:00:00Z"},
            {R"("id":"a","timestamp":"2026-01-15T11:59:00Z")", "category", "category is missing"},
            {R"("id":"a","timestamp":"2026-01-15T11:59:00Z","category":"")", "category", "category is empty"},
            {R"("id":"a","timestamp":"2026-01-15T11:59:00Z","category":["m"])", "category", "category must be a text"},
            {R"("id":"a","timestamp":"2026-01-15T11:59:00Z","category":"m","payload":null)", "payload",
             "payload must be a JSON object"},
            {R"("id":"a","timestamp":"2026-01-15T11:59:00Z","category":"m","payload":[])", "payload",
             "payload must be a JSON object"},
            {R"("id":"a","timestamp":"2026-01-15T11:59:00Z","category":"m","payload":"{}")", "payload",
             "payload must be a JSON object"},
            {R"("id":"a","timestamp":"2026-01-15T11:59:00Z","category":"m","org_id":"")", "org_id", "org_id is empty"},
            {R"("id":"a","timestamp":"2026-01-15T11:59:00Z","category":"m","stream_id":7)", "stream_id",
             "stream_id must be a text"},
            {R"("id":"a","timestamp":"2026-01-15T11:59:00Z","category":"m","room_id":"")", "room_id", "room_id is empty"},
        };
        for (const auto& row : rows) {
            const auto item = Reader{}.one("{" + std::string{row.members} + "}").item;
            CHECK(item.field == row.field);
            CHECK(item.problem == row.problem);
            CHECK_FALSE(item.stored);
        }
    }

    TEST_CASE("texts have at most their number of characters, not bytes") {
        const Reader reader;
        std::string letters;
        for (int i = 0; i < 200; ++i) letters += "æ";
        const auto id = [](const std::string& text) {
            return R"("id":")" + text + R"(","timestamp":"2026-01-15T11:59:00Z","category":"m")";
        };
        CHECK(reader.problem(id(letters)).empty());
        CHECK(reader.problem(id(letters + "x")) == "id has 201 characters; at most 200 are accepted");
        const auto category = [](std::size_t size) {
            return R"("id":"a","timestamp":"2026-01-15T11:59:00Z","category":")" + std::string(size, 'c') + "\"";
        };
        CHECK(reader.problem(category(100)).empty());
        CHECK(reader.problem(category(101)) == "category has 101 characters; at most 100 are accepted");
        CHECK(reader.one(with(R"("home_id":")" + std::string(101, 'h') + "\"")).item.field == "home_id");
    }

    TEST_CASE("an event ahead of the clock is refused, unless the limit is off or the file is old") {
        Reader reader;
        const auto ahead = [&](const std::string& time) {
            return reader.problem(R"("id":"a","category":"m","timestamp":")" + time + "\"");
        };
        CHECK(ahead("2026-01-15T12:05:00Z").empty());
        CHECK(ahead("2026-01-15T12:05:01Z") ==
              "timestamp is 301 s ahead of the host's clock; at most 300 s are accepted (ingest.max_future_seconds)");
        reader.with.check_future = false;
        CHECK(ahead("2027-01-15T12:00:00Z").empty());
        reader.with.check_future = true;
        reader.limits.max_future = std::chrono::seconds{-1};
        CHECK(ahead("2027-01-15T12:00:00Z").empty());
    }

    TEST_CASE("a payload has at most its bytes and depth") {
        Reader reader;
        const auto sized = [](std::size_t bytes) { return with(R"("payload":{"t":")" + std::string(bytes - 8, 'x') + "\"}"); };
        CHECK(reader.one(sized(65'536)).valid());
        CHECK(reader.one(sized(65'537)).item.problem == "payload has 65537 bytes; at most 65536 are accepted");
        const auto nested = [](int depth) {  // the payload itself is the first level
            std::string text;
            for (int i = 1; i < depth; ++i) text += "[";
            for (int i = 1; i < depth; ++i) text += "]";
            return with(R"("payload":{"t":)" + (depth == 1 ? "1" : text) + "}");
        };
        CHECK(reader.one(nested(1)).valid());
        CHECK(reader.one(nested(16)).valid());
        CHECK(reader.one(nested(17)).item.problem == "payload is nested 17 deep; at most 16 is accepted");
        CHECK(reader.one(nested(100'000)).item.problem.starts_with("unreadable JSON"));
        CHECK(reader.one(with("\"unknown\":" + std::string(100'000, '['))).item.problem.starts_with("unreadable JSON"));
    }

    TEST_CASE("broken JSON anywhere in the event is found") {
        for (const std::string text : {"", "  ", "{", "}", "x", "{\"id\"}", R"({"id":"a",})", R"({"id":"a" "b":1})"}) {
            CHECK_MESSAGE(Reader{}.one(text).item.problem.starts_with("unreadable JSON"), text);
        }
        for (const std::string value :
             {"nonsense", "tru",      "nul",          "nulll",           "01",   "1.",       "+1",         "-",     "1e",
              "1e400",    "\"\\x\"",  "\"\\ud800\"",  "[1 2]",           "[1,]", "{\"a\":}", "{\"a\":1,}", "{1:2}", "[}",
              "\"a\nb\"", "\"\xFF\"", "\"\xC0\xAF\"", "\"\xED\xA0\x80\""}) {
            CHECK_MESSAGE(Reader{}.one(with("\"payload\":{\"x\":" + value + "}")).item.problem.starts_with("unreadable JSON"),
                          value);
            CHECK_MESSAGE(Reader{}.one(with("\"unknown\":" + value)).item.problem.starts_with("unreadable JSON"), value);
        }
        CHECK(Reader{}.one(std::string{kGood} + "x").item.problem.starts_with("unreadable JSON"));
        CHECK(Reader{}.one(std::string{kGood} + kGood).item.problem.starts_with("unreadable JSON"));
    }

    TEST_CASE("only an object is an event") {
        for (const auto* text : {"[]", "1", "\"a\"", "null", "true"}) {
            CHECK(Reader{}.one(text).item.problem == "an event must be a JSON object");
        }
    }

    TEST_CASE("a token's scope fills what the event leaves out") {
        Reader reader;
        reader.with.allowed = {"o", "", "s"};
        const auto reading = reader.one(with(R"("home_id":"h","org_id":null)"));
        REQUIRE(reading.valid());
        CHECK(reading.event.scope == core::Scope{"o", "h", "s"});
        CHECK(reader.one(kGood).event.scope == core::Scope{"o", "default", "s"});
        CHECK(reader.one(with(R"("subject_id":"s")")).valid());
    }

    TEST_CASE("a value outside of the token's scope is refused with the field named") {
        Reader reader;
        reader.with.allowed = {"o", "h", "s"};
        for (const std::string field : {"org_id", "home_id", "subject_id"}) {
            const auto item = reader.one(with("\"" + field + "\":\"other\"")).item;
            CHECK(item.field == field);
            CHECK(item.problem == field + " is not the one that this token may write to");
        }
    }

    TEST_CASE("the room is the field, else the payload's room_id, room or area") {
        const auto room = [](const std::string& members) {
            const auto reading = Reader{}.one(with(members));
            REQUIRE_MESSAGE(reading.valid(), reading.item.problem);
            return reading.event.room_id;
        };
        CHECK(room(R"("room_id":"field","payload":{"room_id":"p"})") == "field");
        CHECK(room(R"("payload":{"area":"a","room":"r","room_id":" p "})") == "p");
        CHECK(room(R"("payload":{"area":"a","room":"r","room_id":" "})") == "r");
        CHECK(room(R"("payload":{"area":"a","room":7,"room_id":null})") == "a");
        CHECK(room(R"("payload":{"room_id":"x","room_id":{}})").empty());
        CHECK(room(R"("payload":{"room":{"room_id":"inner"}})").empty());
        CHECK(room(R"("room_id":null,"payload":{"room":"r"})") == "r");
        CHECK(room(R"("payload":{"room":")" + std::string(101, 'r') + "\"}").empty());
        CHECK(room(R"("payload":{"room":"a\u0000"})").empty());
    }
}

TEST_SUITE("event reader: bodies") {
    TEST_CASE("a single body is one item, or unreadable") {
        const auto batch = Reader{}.read(kGood, BodyFormat::single);
        REQUIRE(batch.has_value());
        CHECK(batch->items.size() == 1);
        CHECK(batch->events.size() == 1);
        const auto refused = Reader{}.read("{}", BodyFormat::single);
        REQUIRE(refused.has_value());
        CHECK(refused->items.at(0).problem == "id is missing");
        CHECK(refused->events.empty());
        const auto broken = Reader{}.read("{", BodyFormat::single);
        REQUIRE_FALSE(broken.has_value());
        CHECK(broken.error().code == core::Errc::invalid_argument);
    }

    TEST_CASE("an array is judged item by item, in order") {
        const auto batch = Reader{}.read(
            "[" + std::string{kGood} + R"(, {"id":"b"}, 17, [1], )" + with(R"("payload":{"n":1})") + "]", BodyFormat::array);
        REQUIRE(batch.has_value());
        REQUIRE(batch->items.size() == 5);
        CHECK(batch->items[0].problem.empty());
        CHECK(batch->items[1].event_id == "b");
        CHECK(batch->items[1].problem == "timestamp is missing");
        CHECK(batch->items[2].problem == "an event must be a JSON object");
        CHECK(batch->items[3].problem == "an event must be a JSON object");
        CHECK(batch->items[4].problem.empty());
        CHECK(batch->item_of == std::vector<std::uint32_t>{0, 4});
        CHECK(batch->events.at(1).payload == R"({"n":1})");
    }

    TEST_CASE("an item that is refused does not spoil the ones after it") {
        const auto batch =
            Reader{}.read(R"([{"id":{"x":[1,{"y":2}]},"payload":[[[]]],"z":1},)" + std::string{kGood} + "]", BodyFormat::array);
        REQUIRE(batch.has_value());
        CHECK(batch->items.at(0).problem == "id must be a text");
        CHECK(batch->items.at(1).problem.empty());
    }

    TEST_CASE("an array that is broken anywhere is unreadable as a whole") {
        for (const auto& body : {std::string{"["}, "[" + std::string{kGood}, "[" + std::string{kGood} + ",]",
                                 std::string{"[{\"id\":1,\"x\":nonsense}]"}, std::string{"[] []"}, std::string{"{}"},
                                 std::string{""}, "[" + std::string{kGood} + " " + kGood + "]"}) {
            const auto batch = Reader{}.read(body, BodyFormat::array);
            CHECK_MESSAGE(!batch.has_value(), body);
            if (!batch) CHECK(batch.error().code == core::Errc::invalid_argument);
        }
        CHECK(Reader{}.read("[]", BodyFormat::array)->items.empty());
    }

    TEST_CASE("a broken line fails that line only") {
        const auto batch = Reader{}.read(std::string{kGood} + "\r\n{broken\n\n  \n" + kGood + kGood + "\n\"\xFF\"\n" + kGood,
                                         BodyFormat::ndjson);
        REQUIRE(batch.has_value());
        REQUIRE(batch->items.size() == 5);
        CHECK(batch->items[0].problem.empty());
        CHECK(batch->items[1].problem.starts_with("unreadable JSON"));
        CHECK(batch->items[2].problem.starts_with("unreadable JSON"));
        CHECK(batch->items[3].problem.starts_with("unreadable JSON"));
        CHECK(batch->items[4].problem.empty());
        CHECK(batch->events.size() == 2);
    }

    TEST_CASE("a body with too many events is refused as a whole") {
        Reader reader;
        reader.limits.max_batch_events = 2;
        const std::string good{kGood};
        CHECK(reader.read("[" + good + "," + good + "]", BodyFormat::array).has_value());
        const auto array = reader.read("[" + good + "," + good + "," + good + "]", BodyFormat::array);
        REQUIRE_FALSE(array.has_value());
        CHECK(array.error().code == core::Errc::too_large);
        CHECK(reader.read(good + "\n\n" + good + "\n", BodyFormat::ndjson).has_value());
        CHECK(reader.read(good + "\n" + good + "\n" + good, BodyFormat::ndjson).error().code == core::Errc::too_large);
    }

    TEST_CASE("one reader reads bodies of any size after each other") {
        EventReader reader{config::HostConfig::Ingest{}};
        std::string large = "[";
        for (int i = 0; i < 9'000; ++i)
            large += (i > 0 ? "," : "") +
                     with(R"("payload":{"text":"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"})");
        large += "]";
        CHECK(reader.read(large, BodyFormat::array, context())->events.size() == 9'000);
        CHECK(reader.read(kGood, BodyFormat::single, context())->events.size() == 1);
        CHECK(reader.read(large, BodyFormat::array, context())->events.size() == 9'000);
        CHECK(reader.read_one(kGood, context()).valid());
    }
}
