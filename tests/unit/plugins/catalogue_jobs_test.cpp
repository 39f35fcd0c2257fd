#include "plugins/directory_catalogue.hpp"

#include "watched_folder.hpp"

#include <thread>

using namespace varde;
using core::FailureReason;
using ports::PluginKind;
using rule_file::job;
using rule_file::rule;

TEST_CASE("jobs are listed beside rules, and a job is no rule") {
    WatchedFolder watched;
    watched.write("b.so", job("J-2"));
    watched.write("a.so", job("J-3"));
    watched.write("c.so", rule("R-1"));
    const auto found = watched.scan();
    REQUIRE(found.jobs.size() == 2);
    CHECK(found.jobs[0].rule_id == "J-2");
    CHECK(found.jobs[1].rule_id == "J-3");
    CHECK(found.jobs[0].kind == PluginKind::job);
    REQUIRE(found.plugins.size() == 1);
    CHECK(found.plugins[0].rule_id == "R-1");
    CHECK(found.plugins[0].kind == PluginKind::rule);
    CHECK(found.rejected.empty());
    CHECK(found.bad_jobs.empty());
}

TEST_CASE("a rule and a job may have one id; two files of one job are both refused") {
    WatchedFolder watched;
    watched.write("a.so", job("X-1"));
    watched.write("b.so", rule("X-1"));
    CHECK(watched.scan().jobs.size() == 1);
    CHECK(watched.scan().plugins.size() == 1);
    watched.write("c.so", job("X-1", "1.1.0"));
    watched.settle();
    const auto found = watched.scan();
    CHECK(found.jobs.empty());
    CHECK(found.plugins.size() == 1);
    CHECK(found.rejected.empty());
    REQUIRE(found.bad_jobs.size() == 2);
    CHECK(found.bad_jobs[0].rule_id == "X-1");
    CHECK(found.bad_jobs[0].message.find("X-1 is claimed by") == 0);
}

TEST_CASE("a job that must not be run is a bad job and no refused rule") {
    WatchedFolder watched;
    auto future = job("J-1");
    const auto at = rule_file::note_at(future);
    auto note = rule_file::get<varde_note>(future, at);
    note.abi_minor_needed = 9;
    rule_file::put(future, at, note);
    watched.write("a.so", future);
    auto search_path = rule_file::read(rule_file::linked("search_path"));
    const auto there = rule_file::note_at(search_path);
    auto other = rule_file::get<varde_note>(search_path, there);
    other.type = VARDE_JOB_NOTE_TYPE;
    rule_file::put(search_path, there, other);
    watched.write("b.so", search_path);
    const auto found = watched.scan();
    CHECK(found.jobs.empty());
    CHECK(found.rejected.empty());
    REQUIRE(found.bad_jobs.size() == 2);
    CHECK(found.bad_jobs[0].reason == FailureReason::abi_mismatch);
    CHECK(found.bad_jobs[0].message == "needs job ABI 1.9, this host has 1.0; upgrade the host");
    CHECK(found.bad_jobs[0].rule_id == "J-1");
    CHECK(found.bad_jobs[1].reason == FailureReason::untrusted_file);
    CHECK(found.bad_jobs[1].kind == PluginKind::job);
}

TEST_CASE("a note of another kind is refused") {
    WatchedFolder watched;
    auto image = rule("R-1");
    const auto at = rule_file::note_at(image);
    auto note = rule_file::get<varde_note>(image, at);
    note.type = 3;
    rule_file::put(image, at, note);
    watched.write("a.so", image);
    const auto found = watched.scan();
    REQUIRE(found.rejected.size() == 1);
    CHECK(found.rejected[0].message == "has a damaged .note.varde");
}

TEST_CASE("a file that becomes a job stops being a rule") {
    WatchedFolder watched;
    watched.write("a.so", rule("X-1"));
    CHECK(watched.scan().plugins.size() == 1);
    watched.move_in("a.so", job("X-1"));
    watched.settle();
    CHECK(watched.scan().plugins.empty());
    CHECK(watched.scan().jobs.size() == 1);
}

TEST_CASE("two threads may scan at the same time") {
    WatchedFolder watched;
    watched.write("a.so", job("J-1"));
    watched.write("b.so", rule("R-1"));
    const auto look = [&] {
        for (int i = 0; i < 200; ++i) {
            const auto found = watched.catalogue.scan();
            if (!found || found->jobs.size() != 1 || found->plugins.size() != 1) return false;
        }
        return true;
    };
    bool other = false;
    std::thread thread{[&] { other = look(); }};
    const bool own = look();
    thread.join();
    CHECK(own);
    CHECK(other);
}
