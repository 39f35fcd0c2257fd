#include "ingest/file_import.hpp"

#include "fakes/event_intake.hpp"
#include "ingest/text_splitter.hpp"
#include "time/utc_text.hpp"

#include <doctest/doctest.h>
#include <unistd.h>
#include <zlib.h>

#include <fstream>
#include <string>

using namespace varde;

namespace {

class TemporaryFile {
  public:
    explicit TemporaryFile(const std::string& content, bool gzip = false)
        : path_{std::filesystem::temp_directory_path() / ("varde_import_" + std::to_string(::getpid()) + ".txt")} {
        if (gzip) {
            auto* const file = gzopen(path_.c_str(), "wb");
            gzwrite(file, content.data(), static_cast<unsigned>(content.size()));
            gzclose(file);
        } else {
            std::ofstream{path_, std::ios::binary} << content;
        }
    }
    ~TemporaryFile() { std::filesystem::remove(path_); }
    TemporaryFile(const TemporaryFile&) = delete;
    TemporaryFile& operator=(const TemporaryFile&) = delete;
    [[nodiscard]] const std::filesystem::path& path() const { return path_; }

  private:
    std::filesystem::path path_;
};

std::string event(const std::string& id, const std::string& more = "") {
    return R"({"id":")" + id + R"(","timestamp":"2026-01-15T11:59:00Z","category":"motion")" + more + "}";
}

ingest::ImportOptions options() {
    ingest::ImportOptions o;
    o.context.received_at = time::parse_utc("2026-01-15T12:00:00Z").value();
    return o;
}

struct Result {
    core::Result<ingest::ImportReport> report;
    std::string ids;
    std::vector<std::size_t> batches;
    std::vector<ingest::ImportedEvent> events;
};

Result read(const std::string& content, ingest::ImportOptions with = options(), bool gzip = false) {
    const TemporaryFile file{content, gzip};
    Result result;
    result.report =
        ingest::read_event_file(file.path(), {}, with, [&](std::span<ingest::ImportedEvent> batch) -> core::Result<void> {
            result.batches.push_back(batch.size());
            for (const auto& one : batch) {
                result.ids += one.event.event_id;
                result.events.push_back(one);
            }
            return {};
        });
    return result;
}

}  // namespace

TEST_SUITE("file import") {
    TEST_CASE("lines, an array, and both packed give the same events") {
        const auto lines = event("a") + "\n\n" + event("b") + "\r\n" + event("c");
        const auto array =
            " [\n " + event("a") + ",\n" + event("b") + " , " + event("c", R"(,"payload":{"t":"]},[{\"","n":[[1],{}]})") + "]\n";
        for (const auto& content : {lines, array}) {
            for (const bool gzip : {false, true}) {
                const auto result = read(content, options(), gzip);
                REQUIRE_MESSAGE(result.report.has_value(), result.report.error().context);
                CHECK(result.ids == "abc");
                CHECK(result.report->read == 3);
                CHECK(result.report->refused == 0);
            }
        }
    }

    TEST_CASE("refused items are counted and the first ones named with their line") {
        auto with = options();
        with.keep_refused = 2;
        const auto result = read(event("a") + "\n{broken\n\n{\"id\":\"x\"}\n7\n" + event("b") + "\n", with);
        REQUIRE(result.report.has_value());
        CHECK(result.ids == "ab");
        CHECK(result.report->read == 5);
        CHECK(result.report->refused == 3);
        REQUIRE(result.report->first_refused.size() == 2);
        CHECK(result.report->first_refused[0].line == 2);
        CHECK(result.report->first_refused[0].problem.starts_with("unreadable JSON"));
        CHECK(result.report->first_refused[1].line == 4);
        CHECK(result.report->first_refused[1].event_id == "x");
        CHECK(result.report->first_refused[1].field == "timestamp");
    }

    TEST_CASE("elements of an array know the line they start in") {
        const auto result = read("[\n" + event("a") + ",\n\n  {\n\"id\":\"x\"\n},\n 7]");
        REQUIRE(result.report.has_value());
        CHECK(result.events.at(0).line == 2);
        CHECK(result.report->first_refused.at(0).line == 4);
        CHECK(result.report->first_refused.at(1).line == 7);
    }

    TEST_CASE("batches are bounded") {
        auto with = options();
        with.batch_events = 2;
        const auto result = read(event("a") + "\n" + event("b") + "\n" + event("c") + "\n", with);
        CHECK(result.batches == std::vector<std::size_t>{2, 1});
    }

    TEST_CASE("an item longer than the limit is refused without being kept") {
        auto with = options();
        with.max_item_bytes = 100;
        const auto long_event = event("long", R"(,"payload":{"t":")" + std::string(200'000, 'x') + "\"}");
        for (const auto& content :
             {event("a") + "\n" + long_event + "\n" + event("b"), "[" + event("a") + "," + long_event + "," + event("b") + "]"}) {
            const auto result = read(content, with);
            REQUIRE(result.report.has_value());
            CHECK(result.ids == "ab");
            CHECK(result.report->first_refused.at(0).problem == "longer than 100 bytes");
        }
    }

    TEST_CASE("a simulation's time of arrival is handed on") {
        const auto result = read(event("a", R"(,"arrives":"2026-01-15T12:30:00Z")") + "\n" + event("b"));
        CHECK(result.events.at(0).arrives == time::parse_utc("2026-01-15T12:30:00Z").value());
        CHECK_FALSE(result.events.at(1).arrives.has_value());
    }

    TEST_CASE("old and future recordings can be read with the check off") {
        auto with = options();
        with.context.check_future = false;
        CHECK(read(R"({"id":"a","timestamp":"2099-01-15T11:59:00Z","category":"m"})", with).ids == "a");
        CHECK(read(R"({"id":"a","timestamp":"2099-01-15T11:59:00Z","category":"m"})").ids.empty());
    }

    TEST_CASE("an empty file and an empty array have no events") {
        for (const auto* content : {"", "\n \n", "[]", " [ \n ] "}) {
            const auto result = read(content);
            REQUIRE(result.report.has_value());
            CHECK(result.report->read == 0);
        }
    }

    TEST_CASE("a file that cannot be read is an error that names it") {
        const auto report =
            ingest::read_event_file("/nowhere/events.jsonl", {}, options(), [](auto) { return core::Result<void>{}; });
        REQUIRE_FALSE(report.has_value());
        CHECK(report.error().code == core::Errc::io_failed);
        CHECK(report.error().context == "/nowhere/events.jsonl: No such file or directory");
    }

    TEST_CASE("an array that does not end, or goes on after its end, is an error") {
        CHECK(read("[" + event("a")).report.error().code == core::Errc::invalid_argument);
        CHECK(read("[" + event("a") + "]\nx").report.error().context == "line 2: text after the end of the array");
    }

    TEST_CASE("damaged gzip data is an error") {
        std::string packed;
        {
            std::string content;
            for (int i = 0; i < 5'000; ++i) content += event("e" + std::to_string(i * 7919)) + "\n";
            const TemporaryFile file{content, true};
            std::ifstream in{file.path(), std::ios::binary};
            packed.assign(std::istreambuf_iterator<char>{in}, {});
        }
        CHECK(read(packed.substr(0, packed.size() / 2)).report.error().code == core::Errc::io_failed);
    }

    TEST_CASE("an import stores batch by batch and reports what became of the events") {
        const TemporaryFile file{event("a") + "\n" + event("b") + "\n{}\n" + event("c")};
        fakes::EventIntake intake;
        auto with = options();
        with.batch_events = 2;
        std::vector<std::int64_t> progress;
        const auto report = ingest::import_event_file(
            file.path(), {}, with, intake, [&](const ingest::ImportReport& so_far) { progress.push_back(so_far.stored); });
        REQUIRE(report.has_value());
        CHECK(report->stored == 3);
        CHECK(report->refused == 1);
        CHECK(report->read == 4);
        CHECK(progress == std::vector<std::int64_t>{2, 3});
        CHECK(intake.stored().size() == 3);
    }

    TEST_CASE("events of a file get their rooms as of the batch they are read in") {
        auto with = options();
        with.batch_events = 2;
        ports::RoomTables tables;
        tables.mappings = {{"default", "default", "pir", "hall", true}};
        const auto known = std::make_shared<const ingest::RoomPicture>(tables);
        int asked = 0;
        with.rooms = [&] { return ++asked == 1 ? std::make_shared<const ingest::RoomPicture>() : known; };
        std::string lines;
        for (const char* id : {"a", "b", "c"}) lines += event(id, R"(,"payload":{"entity_id":"pir"})") + "\n";
        const auto result = read(lines, with);
        REQUIRE(result.events.size() == 3);
        CHECK(result.events[0].event.room_id.empty());
        CHECK(result.events[1].event.room_id.empty());
        CHECK(result.events[2].event.room_id == "hall");
    }

    TEST_CASE("an import ends with the intake's error") {
        const TemporaryFile file{event("a")};
        fakes::EventIntake intake;
        intake.answer_with(core::fail(core::Errc::database_unavailable, "gone"));
        const auto report = ingest::import_event_file(file.path(), {}, options(), intake, nullptr);
        REQUIRE_FALSE(report.has_value());
        CHECK(report.error().code == core::Errc::database_unavailable);
    }
}

TEST_SUITE("text splitter") {
    TEST_CASE("the items do not depend on how the stream is cut") {
        const std::string array = "[{\"a\":\"x\\\\\\\"]\"},[1,[2]], 7 ,\n\"t,]\"]";
        const std::string lines = "one\n\ntwo\r\nthree";
        for (const auto& text : {array, lines}) {
            std::string whole;
            for (std::size_t size = 1; size <= text.size(); ++size) {
                std::string items;
                ingest::TextSplitter splitter{1000, [&](std::string_view item, std::int64_t line, bool) -> core::Result<void> {
                                                  items.append(item).append("@").append(std::to_string(line)).append(";");
                                                  return {};
                                              }};
                for (std::size_t i = 0; i < text.size(); i += size)
                    CHECK(splitter.feed(std::string_view{text}.substr(i, size)).has_value());
                CHECK(splitter.finish().has_value());
                if (whole.empty()) whole = items;
                CHECK(items == whole);
            }
            CHECK(whole == (text == lines ? "one@1;@2;two\r@3;three@4;" : "{\"a\":\"x\\\\\\\"]\"}@1;[1,[2]]@1;7 @1;\"t,]\"@2;"));
        }
    }
}
