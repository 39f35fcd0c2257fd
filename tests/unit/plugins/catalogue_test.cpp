#include "plugins/directory_catalogue.hpp"

#include "time/clock.hpp"
#include "watched_folder.hpp"

using namespace varde;
using namespace std::chrono_literals;
using core::FailureReason;
using rule_file::Folder;
using rule_file::rule;
namespace fs = std::filesystem;

TEST_CASE("a scan lists usable plugins by id and says why the others are not") {
    const Folder folder;
    folder.write("b.so", rule("R-2"));
    folder.write("a.so", rule("R-3"));
    folder.write("text.so", rule_file::Bytes(100, std::byte{'x'}));
    folder.write("notes.txt", {});
    folder.write(".hidden.so", rule("R-4"));
    plugins::DirectoryCatalogue catalogue{folder.path};
    const auto found = catalogue.scan();
    REQUIRE(found.has_value());
    REQUIRE(found->plugins.size() == 2);
    CHECK(found->plugins[0].rule_id == "R-2");
    CHECK(found->plugins[1].rule_id == "R-3");
    REQUIRE(found->rejected.size() == 1);
    CHECK(found->rejected[0].reason == FailureReason::load_failed);
    CHECK(found->rejected[0].path == (folder.path / "text.so").string());
}

TEST_CASE("the first scan does not wait for files to rest: a command that scans once sees what is there") {
    const Folder folder;
    folder.write("a.so", rule("R-1"));
    // The system's clock: the file is some microseconds old.
    plugins::DirectoryCatalogue catalogue{folder.path, with_quiet(1h)};
    CHECK(catalogue.scan()->plugins.size() == 1);
}

TEST_CASE("unchanged files keep their sealed bytes, also after a rescan, replaced ones get new ones") {
    WatchedFolder watched;
    watched.write("a.so", rule("R-1"));
    const auto first = watched.bytes("R-1");
    watched.pass(1h);
    CHECK(watched.bytes("R-1") == first);
    watched.move_in("a.so", rule("R-1", "1.1.0"));
    watched.settle();
    CHECK(watched.bytes("R-1") != first);
    CHECK(watched.version("R-1") == "1.1.0");
}

TEST_CASE("a file that is touched, or written again with the same bytes, keeps its sealed bytes") {
    WatchedFolder watched;
    watched.write("a.so", rule("R-1"));
    const auto first = watched.bytes("R-1");
    watched.write("a.so", rule("R-1"));
    watched.settle();
    CHECK(watched.bytes("R-1") == first);
}

TEST_CASE("a new file counts when it has rested for the quiet time, not before") {
    WatchedFolder watched;
    watched.scan();
    watched.move_in("a.so", rule("R-1"));
    CHECK(watched.scan().plugins.empty());
    watched.pass(249ms);
    CHECK(watched.scan().plugins.empty());
    watched.pass(1ms);
    CHECK(watched.version("R-1") == "1.0.0");
}

TEST_CASE("without a notice the folder is not looked at until the rescan") {
    WatchedFolder watched;
    const Folder elsewhere;
    watched.write("a.so", rule("R-1"));
    fs::create_hard_link(watched.path() / "a.so", elsewhere.path / "same-file");
    CHECK(watched.version("R-1") == "1.0.0");
    watched.settle();
    // Through the other folder's name: the kernel reports this to nobody.
    elsewhere.write("same-file", rule("R-1", "1.1.0"));
    watched.pass(29s);
    CHECK(watched.version("R-1") == "1.0.0");
    watched.pass(2s);
    CHECK(watched.version("R-1") == "1.1.0");
}

TEST_CASE("a copy that is cut off half-way is reported once it rests, and the rule goes on with what it has") {
    WatchedFolder watched;
    watched.write("a.so", rule("R-1"));
    const auto before = watched.bytes("R-1");
    const auto whole = rule("R-1", "1.1.0");
    watched.write("a.so", {whole.begin(), whole.begin() + 3000});
    CHECK(watched.bytes("R-1") == before);
    CHECK(watched.scan().rejected.empty());
    watched.settle();
    CHECK(watched.bytes("R-1") == before);
    REQUIRE(watched.scan().rejected.size() == 1);
    CHECK(watched.scan().rejected[0].message.find("version 1.0.0 of before stays in use") != std::string::npos);
    watched.write("a.so", whole);
    watched.settle();
    CHECK(watched.version("R-1") == "1.1.0");
    CHECK(watched.scan().rejected.empty());
}

TEST_CASE("an upload that pauses longer than the quiet time is not taken for complete") {
    WatchedFolder watched;
    watched.write("a.so", rule("R-1"));
    watched.scan();
    const auto whole = rule("R-1", "1.1.0");
    // In place over the old bytes: half-way the file is as long as before and an ELF library all the same.
    std::fstream out{watched.path() / "a.so", std::ios::binary | std::ios::in | std::ios::out};
    out.write(reinterpret_cast<const char*>(whole.data()), 1000).flush();
    watched.pass(200ms);
    watched.pass(5s);
    CHECK(watched.version("R-1") == "1.0.0");
    CHECK(watched.scan().rejected.empty());
    out.seekp(0);
    out.write(reinterpret_cast<const char*>(whole.data()), static_cast<std::streamsize>(whole.size()));
    out.close();
    CHECK(watched.version("R-1") == "1.0.0");
    watched.settle();
    CHECK(watched.version("R-1") == "1.1.0");
}

TEST_CASE("deleting and writing anew, as some tools replace files, does not make the rule vanish") {
    WatchedFolder watched;
    watched.write("a.so", rule("R-1"));
    watched.scan();
    fs::remove(watched.path() / "a.so");
    CHECK(watched.version("R-1") == "1.0.0");
    watched.pass(200ms);
    watched.write("a.so", rule("R-1", "1.1.0"));
    CHECK(watched.version("R-1") == "1.0.0");
    watched.settle();
    CHECK(watched.version("R-1") == "1.1.0");
}

TEST_CASE("a removed file ends its rule after the quiet time") {
    WatchedFolder watched;
    watched.write("a.so", rule("R-1"));
    watched.scan();
    fs::remove(watched.path() / "a.so");
    CHECK(watched.version("R-1") == "1.0.0");
    watched.pass(249ms);
    CHECK(watched.version("R-1") == "1.0.0");
    watched.pass(1ms);
    CHECK(watched.scan().plugins.empty());
    CHECK(watched.scan().rejected.empty());
}

TEST_CASE("a renamed file is the same rule at every moment") {
    WatchedFolder watched;
    watched.write("a.so", rule("R-1"));
    watched.scan();
    fs::rename(watched.path() / "a.so", watched.path() / "b.so");
    for (int step = 0; step < 20; ++step) {
        CHECK(watched.version("R-1") == "1.0.0");
        CHECK(watched.scan().rejected.empty());
        watched.pass(50ms);
    }
    CHECK(watched.scan().plugins.at(0).path == (watched.path() / "b.so").string());
}

TEST_CASE("two files with one rule id are both refused, each naming the other") {
    WatchedFolder watched;
    watched.write("a.so", rule("R-1"));
    watched.write("b.so", rule("R-1"));
    const auto found = watched.scan();
    CHECK(found.plugins.empty());
    REQUIRE(found.rejected.size() == 2);
    CHECK(found.rejected[0].message.find("a.so and ") != std::string::npos);
    CHECK(found.rejected[1].rule_id == "R-1");
}

TEST_CASE("what is only kept of a broken file gives way to a sound file with the same rule id") {
    WatchedFolder watched;
    watched.write("a.so", rule("R-1"));
    watched.scan();
    watched.write("a.so", rule_file::Bytes(10, std::byte{'x'}));
    watched.settle();
    CHECK(watched.version("R-1") == "1.0.0");
    watched.write("b.so", rule("R-1", "1.1.0"));
    watched.settle();
    CHECK(watched.version("R-1") == "1.1.0");
}

TEST_CASE("what is no file is refused, and looked at again when a file takes its place") {
    WatchedFolder watched;
    REQUIRE(::mkfifo((watched.path() / "a.so").c_str(), 0600) == 0);
    fs::create_symlink("/dev/zero", watched.path() / "b.so");
    fs::create_directory(watched.path() / "c.so");
    const auto found = watched.scan();
    CHECK(found.plugins.empty());
    REQUIRE(found.rejected.size() == 3);
    for (const auto& rejected : found.rejected) CHECK(rejected.reason == FailureReason::untrusted_file);
    fs::remove(watched.path() / "c.so");
    watched.move_in("a.so", rule("R-1"));
    watched.move_in("b.so", rule("R-2"));
    watched.settle();
    CHECK(watched.scan().plugins.size() == 2);
    CHECK(watched.scan().rejected.empty());
}

TEST_CASE("a mode that is mended is noticed") {
    WatchedFolder watched;
    REQUIRE(::chmod(watched.write("a.so", rule("R-1")).c_str(), 0666) == 0);
    CHECK(watched.scan().rejected.at(0).reason == FailureReason::untrusted_file);
    REQUIRE(::chmod((watched.path() / "a.so").c_str(), 0644) == 0);
    watched.settle();
    CHECK(watched.version("R-1") == "1.0.0");
}
