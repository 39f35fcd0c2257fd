#include "plugins/watched_file.hpp"

#include <doctest/doctest.h>

using namespace varde;
using namespace std::chrono_literals;
using plugins::FileIdentity;
using plugins::WatchedFile;
using Step = WatchedFile::Step;

namespace {

constexpr core::Instant kNoon{std::chrono::sys_days{std::chrono::year{2026} / 1 / 15} + 12h};
constexpr auto kQuiet = 250ms;

/// State `version` of the file, changed at `at`.
FileIdentity file(std::uint64_t version, core::Instant at = kNoon - 1h) {
    FileIdentity identity;
    identity.file = {1, version, 100, core::to_us(at) * 1000, core::to_us(at) * 1000};
    return identity;
}
WatchedFile::Sighting seen(const FileIdentity& identity) { return {identity, false, std::nullopt, false}; }
WatchedFile::Sighting noticed(const FileIdentity& identity, std::optional<bool> writing = false) {
    return {identity, true, writing, false};
}
constexpr WatchedFile::Sighting kGone{std::nullopt, true, false, false};

plugins::Examination good(std::uint64_t version, const std::string& sha256) {
    ports::Plugin plugin;
    plugin.rule_id = "R-1";
    plugin.version = std::to_string(version);
    plugin.sha256 = sha256;
    plugin.bytes = std::make_shared<const ports::SealedFile>(-1);
    return {file(version), plugin, true};
}
plugins::Examination bad(std::uint64_t version, const std::string& message) {
    return {file(version), plugins::unusable(message), true};
}
std::optional<std::string> all_allowed(const ports::Plugin&) { return std::nullopt; }

/// A file whose first version is in use.
WatchedFile in_use() {
    WatchedFile watched;
    REQUIRE(watched.see(seen(file(1)), kNoon, kQuiet) == Step::examine);
    watched.examined(good(1, "aa"));
    watched.judge(all_allowed);
    REQUIRE(watched.in_use()->version == "1");
    return watched;
}

}  // namespace

TEST_CASE("a file that has rested is looked at once, and not again while it stays the same") {
    WatchedFile watched;
    CHECK(watched.see(seen(file(1, kNoon - 250ms)), kNoon, kQuiet) == Step::examine);
    watched.examined(good(1, "aa"));
    watched.examined({file(1, kNoon - 250ms), good(1, "aa").verdict, true});
    CHECK(watched.see(seen(file(1, kNoon - 250ms)), kNoon + 1h, kQuiet) == Step::nothing);
    CHECK_FALSE(watched.waiting());
}

TEST_CASE("a file that changed by itself is looked at when its last change lies the quiet time back, not before") {
    WatchedFile watched;
    const auto young = seen(file(1, kNoon));
    CHECK(watched.see(young, kNoon + 249ms, kQuiet) == Step::nothing);
    CHECK(watched.waiting());
    CHECK(watched.see(young, kNoon + 250ms, kQuiet) == Step::examine);
}

TEST_CASE("a notice begins the quiet time anew") {
    auto watched = in_use();
    CHECK(watched.see(noticed(file(2)), kNoon, kQuiet) == Step::nothing);
    CHECK(watched.see(noticed(file(2)), kNoon + 200ms, kQuiet) == Step::nothing);
    CHECK(watched.see(seen(file(2)), kNoon + 449ms, kQuiet) == Step::nothing);
    CHECK(watched.see(seen(file(2)), kNoon + 450ms, kQuiet) == Step::examine);
}

TEST_CASE("a notice without a change asks for nothing") {
    auto watched = in_use();
    CHECK(watched.see(noticed(file(1)), kNoon, kQuiet) == Step::nothing);
    CHECK(watched.see(seen(file(1)), kNoon + 1s, kQuiet) == Step::nothing);
}

TEST_CASE("while somebody writes and pauses, the file is waited for, but not for ever") {
    auto watched = in_use();
    CHECK(watched.see(noticed(file(2), true), kNoon, kQuiet) == Step::nothing);
    CHECK(watched.see(seen(file(2)), kNoon + 9s, kQuiet) == Step::nothing);
    SUBCASE("closing it ends the wait after the quiet time") {
        CHECK(watched.see(noticed(file(2), false), kNoon + 9s, kQuiet) == Step::nothing);
        CHECK(watched.see(seen(file(2)), kNoon + 9s + 250ms, kQuiet) == Step::examine);
    }
    SUBCASE("ten seconds without a word end it too") { CHECK(watched.see(seen(file(2)), kNoon + 10s, kQuiet) == Step::examine); }
    SUBCASE("a notice that says nothing of writing changes nothing") {
        CHECK(watched.see(noticed(file(2), std::nullopt), kNoon + 9s, kQuiet) == Step::nothing);
        CHECK(watched.see(seen(file(2)), kNoon + 12s, kQuiet) == Step::nothing);
    }
}

TEST_CASE("at the first scan a file is looked at as it is, and again when it has rested") {
    WatchedFile watched;
    auto first = seen(file(1, kNoon));
    first.at_once = true;
    CHECK(watched.see(first, kNoon, kQuiet) == Step::examine);
    watched.examined({file(1, kNoon), good(1, "aa").verdict, true});
    CHECK(watched.waiting());
    CHECK(watched.see(seen(file(1, kNoon)), kNoon + 249ms, kQuiet) == Step::nothing);
    CHECK(watched.see(seen(file(1, kNoon)), kNoon + 250ms, kQuiet) == Step::examine);
    watched.examined({file(1, kNoon), good(1, "aa").verdict, true});
    CHECK_FALSE(watched.waiting());
}

TEST_CASE("a failure of the moment is tried again, a final one is not") {
    WatchedFile watched;
    CHECK(watched.see(seen(file(1)), kNoon, kQuiet) == Step::examine);
    auto failed = bad(1, "memfd_create: Too many open files");
    failed.final = false;
    watched.examined(failed);
    CHECK(watched.see(seen(file(1)), kNoon + 200ms, kQuiet) == Step::examine);
    watched.examined(bad(1, "is empty"));
    CHECK(watched.see(seen(file(1)), kNoon + 400ms, kQuiet) == Step::nothing);
}

TEST_CASE("a file time in the future, or a clock that is set back, delays a look by the quiet time and no more") {
    WatchedFile watched;
    CHECK(watched.see(seen(file(1, kNoon + 24h)), kNoon, kQuiet) == Step::nothing);
    CHECK(watched.see(seen(file(1, kNoon + 24h)), kNoon + 250ms, kQuiet) == Step::examine);
    watched.examined(good(1, "aa"));
    CHECK(watched.see(noticed(file(2)), kNoon + 1s, kQuiet) == Step::nothing);
    CHECK(watched.see(seen(file(2)), kNoon - 1h, kQuiet) == Step::nothing);
    CHECK(watched.see(seen(file(2)), kNoon - 1h + 250ms, kQuiet) == Step::examine);
}

TEST_CASE("while the new content is bad the last good one stays in use, and the complaint says so") {
    auto watched = in_use();
    REQUIRE(watched.see(seen(file(2)), kNoon, kQuiet) == Step::examine);
    watched.examined(bad(2, "is cut off"));
    watched.judge(all_allowed);
    CHECK(watched.in_use()->version == "1");
    REQUIRE(watched.complaint() != nullptr);
    CHECK(watched.complaint()->message == "is cut off; version 1 of before stays in use");
    CHECK(watched.only_kept());
    REQUIRE(watched.see(seen(file(3)), kNoon + 1s, kQuiet) == Step::examine);
    watched.examined(good(3, "cc"));
    watched.judge(all_allowed);
    CHECK(watched.in_use()->version == "3");
    CHECK(watched.complaint() == nullptr);
    CHECK_FALSE(watched.only_kept());
}

TEST_CASE("the same bytes under new times keep their sealed copy") {
    auto watched = in_use();
    const auto before = watched.in_use()->bytes;
    watched.examined(good(2, "aa"));
    watched.judge(all_allowed);
    CHECK(watched.in_use()->bytes == before);
    watched.examined(good(3, "bb"));
    watched.judge(all_allowed);
    CHECK(watched.in_use()->bytes != before);
}

TEST_CASE("a file that is gone is forgotten after the quiet time, one that comes back before never went") {
    auto watched = in_use();
    CHECK(watched.see(kGone, kNoon, kQuiet) == Step::nothing);
    CHECK(watched.only_kept());
    CHECK(watched.waiting());
    SUBCASE("gone for good") {
        CHECK(watched.see(kGone, kNoon + 249ms, kQuiet) == Step::nothing);
        CHECK(watched.see(kGone, kNoon + 250ms, kQuiet) == Step::forget);
    }
    SUBCASE("back, and gone again later: the time counts anew") {
        CHECK(watched.see(noticed(file(2)), kNoon + 200ms, kQuiet) == Step::nothing);
        CHECK(watched.in_use()->version == "1");
        CHECK(watched.see(kGone, kNoon + 300ms, kQuiet) == Step::nothing);
        CHECK(watched.see(kGone, kNoon + 549ms, kQuiet) == Step::nothing);
        CHECK(watched.see(kGone, kNoon + 550ms, kQuiet) == Step::forget);
    }
}

TEST_CASE("a file that was never usable is forgotten at once") {
    WatchedFile watched;
    REQUIRE(watched.see(seen(file(1)), kNoon, kQuiet) == Step::examine);
    watched.examined(bad(1, "is empty"));
    watched.judge(all_allowed);
    CHECK(watched.in_use() == nullptr);
    CHECK(watched.complaint()->message == "is empty");
    CHECK(watched.see(kGone, kNoon + 1ms, kQuiet) == Step::forget);
}

TEST_CASE("what is not allowed is complained about, and what is allowed no more is not kept") {
    auto watched = in_use();
    watched.examined(good(2, "bb"));
    const auto only_aa = [](const ports::Plugin& plugin) -> std::optional<std::string> {
        return plugin.sha256 == "aa" ? std::nullopt : std::optional<std::string>{"has sha256 " + plugin.sha256};
    };
    watched.judge(only_aa);
    CHECK(watched.in_use()->version == "1");
    CHECK(watched.complaint()->reason == core::FailureReason::untrusted_file);
    CHECK(watched.complaint()->rule_id == "R-1");
    CHECK(watched.complaint()->message == "has sha256 bb; version 1 of before stays in use");
    // The new content is announced: it counts without being read again.
    watched.judge(all_allowed);
    CHECK(watched.in_use()->version == "2");
    // And revoked.
    watched.judge(only_aa);
    CHECK(watched.in_use() == nullptr);
    CHECK(watched.complaint()->message == "has sha256 bb");
}

TEST_CASE("a file that vanished between being seen and being opened is no complaint") {
    auto watched = in_use();
    REQUIRE(watched.see(seen(file(2)), kNoon, kQuiet) == Step::examine);
    watched.examined({{}, plugins::unusable("No such file or directory"), false});
    watched.judge(all_allowed);
    CHECK(watched.complaint() == nullptr);
    CHECK(watched.in_use()->version == "1");
}
