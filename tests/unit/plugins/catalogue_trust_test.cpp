#include "plugins/directory_catalogue.hpp"

#include "signing.hpp"
#include "watched_folder.hpp"

#include <sys/inotify.h>
#include <unistd.h>

using namespace varde;
using namespace std::chrono_literals;
using core::Errc;
using core::FailureReason;
using rule_file::Folder;
using rule_file::rule;
namespace fs = std::filesystem;

namespace {

std::string sha256_of(const rule_file::Bytes& image) {
    const Folder folder;
    return plugins::inspect(folder.write("a.so", image))->sha256;
}

struct Lock {
    Folder folder;
    fs::path file = folder.path / "plugins.lock";
    void allow(const std::vector<std::pair<std::string, rule_file::Bytes>>& files) const {
        std::string text;
        for (const auto& [name, image] : files) text += sha256_of(image) + "  " + name + "\n";
        folder.move_in("plugins.lock", signing::bytes_of(text));
    }
};

}  // namespace

TEST_CASE("a folder that is not there is an error that names it") {
    plugins::DirectoryCatalogue catalogue{"/nonexistent/plugins"};
    const auto found = catalogue.scan();
    REQUIRE_FALSE(found.has_value());
    CHECK(found.error().code == Errc::io_failed);
    CHECK(found.error().context.find("/nonexistent/plugins") != std::string::npos);
}

TEST_CASE("a folder that others can write to is refused with the command that mends it, and used once it is mended") {
    WatchedFolder watched;
    watched.write("a.so", rule("R-1"));
    REQUIRE(::chmod(watched.path().c_str(), 0777) == 0);
    const auto found = watched.catalogue.scan();
    REQUIRE_FALSE(found.has_value());
    CHECK(found.error().code == Errc::plugin_rejected);
    CHECK(found.error().context.find("chmod go-w " + watched.path().string()) != std::string::npos);
    REQUIRE(::chmod(watched.path().c_str(), 0755) == 0);
    CHECK(watched.version("R-1") == "1.0.0");
    // And the other way round, while it is watched.
    REQUIRE(::chmod(watched.path().c_str(), 0775) == 0);
    CHECK_FALSE(watched.catalogue.scan().has_value());
    if (::geteuid() != 0) return;
    REQUIRE(::chmod(watched.path().c_str(), 0755) == 0);
    REQUIRE(::chown(watched.path().c_str(), 12'345, 12'345) == 0);
    CHECK(watched.catalogue.scan().error().context.find("owned by uid 12345") != std::string::npos);
}

TEST_CASE("a folder that is deleted and made again is watched again") {
    WatchedFolder watched;
    watched.write("a.so", rule("R-1"));
    watched.scan();
    fs::remove_all(watched.path());
    CHECK_FALSE(watched.catalogue.scan().has_value());
    CHECK_FALSE(watched.catalogue.scan().has_value());
    fs::create_directory(watched.path());
    watched.write("a.so", rule("R-1", "1.1.0"));
    watched.settle();
    CHECK(watched.version("R-1") == "1.1.0");
    watched.move_in("a.so", rule("R-1", "1.2.0"));
    watched.settle();
    CHECK(watched.version("R-1") == "1.2.0");
}

TEST_CASE("a folder behind a symbolic link may be switched to another one") {
    const Folder around;
    for (const auto* release : {"one", "two"}) fs::create_directory(around.path / release);
    around.write("one/a.so", rule("R-1", "1.0.0"));
    around.write("two/a.so", rule("R-1", "2.0.0"));
    fs::create_directory_symlink("one", around.path / "current");
    time::ManualClock clock{core::Instant{std::chrono::sys_days{std::chrono::year{2100} / 1 / 15}}};
    plugins::DirectoryCatalogue catalogue{around.path / "current", {}, &clock};
    CHECK(catalogue.scan()->plugins.at(0).version == "1.0.0");
    fs::create_directory_symlink("two", around.path / "next");
    fs::rename(around.path / "next", around.path / "current");
    CHECK(catalogue.scan()->plugins.at(0).version == "2.0.0");
}

TEST_CASE("more events than the kernel keeps lose no change") {
    WatchedFolder watched;
    const auto one = watched.write("a.so", rule("R-1"));
    const auto two = watched.write("b.so", rule("R-2"));
    watched.scan();
    std::size_t most = 0;
    std::ifstream{"/proc/sys/fs/inotify/max_queued_events"} >> most;
    for (std::size_t i = 0; i <= std::min<std::size_t>(most, 100'000) / 2; ++i) {
        REQUIRE(::chmod(one.c_str(), 0600) == 0);
        REQUIRE(::chmod(two.c_str(), 0600) == 0);
    }
    watched.move_in("c.so", rule("R-3"));
    watched.settle();
    CHECK(watched.scan().plugins.size() == 3);
}

TEST_CASE("without inotify every scan looks, and a file is found when its own time says that it rests") {
    std::size_t most = 0;
    std::ifstream{"/proc/sys/fs/inotify/max_user_instances"} >> most;
    if (most == 0 || most > 800) {
        MESSAGE("there are too many inotify instances to use them up here");
        return;
    }
    std::vector<plugins::OwnedFd> all;
    while (plugins::OwnedFd queue{::inotify_init1(IN_CLOEXEC)}) all.push_back(std::move(queue));
    WatchedFolder watched;
    CHECK(watched.scan().plugins.empty());
    watched.move_in("a.so", rule("R-1"));
    CHECK(watched.version("R-1") == "1.0.0");
    fs::remove(watched.path() / "a.so");
    watched.settle();
    CHECK(watched.scan().plugins.empty());
}

TEST_CASE("two hosts that watch one folder see the same") {
    WatchedFolder watched;
    plugins::DirectoryCatalogue other{watched.path(), {}, &watched.clock};
    watched.write("a.so", rule("R-1"));
    CHECK(watched.scan().plugins.size() == 1);
    CHECK(other.scan()->plugins.size() == 1);
    watched.move_in("a.so", rule("R-1", "1.1.0"));
    REQUIRE(other.scan().has_value());
    watched.settle();
    CHECK(watched.version("R-1") == "1.1.0");
    CHECK(other.scan()->plugins.at(0).version == "1.1.0");
}

TEST_CASE("with a lock file only listed contents are used, and the refusal names both hashes") {
    const Lock lock;
    lock.allow({{"a.so", rule("R-1")}, {"b.so", rule("R-2")}});
    WatchedFolder watched{with_lock(lock.file)};
    watched.write("a.so", rule("R-1"));
    watched.write("b.so", rule("R-2", "6.6.6"));
    watched.write("c.so", rule("R-3"));
    const auto found = watched.scan();
    REQUIRE(found.plugins.size() == 1);
    CHECK(found.plugins[0].rule_id == "R-1");
    REQUIRE(found.rejected.size() == 2);
    for (const auto& rejected : found.rejected) CHECK(rejected.reason == FailureReason::untrusted_file);
    CHECK(found.rejected[0].message.find(sha256_of(rule("R-2"))) != std::string::npos);
    CHECK(found.rejected[0].message.find(sha256_of(rule("R-2", "6.6.6"))) != std::string::npos);
    CHECK(found.rejected[1].message.find("not listed") != std::string::npos);
}

TEST_CASE("a new version is announced in the lock file, put in place, and the old one revoked, without a gap") {
    const Lock lock;
    lock.allow({{"a.so", rule("R-1")}});
    WatchedFolder watched{with_lock(lock.file)};
    watched.write("a.so", rule("R-1"));
    CHECK(watched.version("R-1") == "1.0.0");
    lock.allow({{"a.so", rule("R-1")}, {"a.so", rule("R-1", "1.1.0")}});
    CHECK(watched.version("R-1") == "1.0.0");
    watched.move_in("a.so", rule("R-1", "1.1.0"));
    CHECK(watched.version("R-1") == "1.0.0");
    watched.settle();
    CHECK(watched.version("R-1") == "1.1.0");
    lock.allow({{"a.so", rule("R-1", "1.1.0")}});
    CHECK(watched.version("R-1") == "1.1.0");
}

TEST_CASE("a content that was put in place before it was announced waits, and the old one stays") {
    const Lock lock;
    lock.allow({{"a.so", rule("R-1")}});
    WatchedFolder watched{with_lock(lock.file)};
    watched.write("a.so", rule("R-1"));
    watched.scan();
    watched.move_in("a.so", rule("R-1", "1.1.0"));
    watched.settle();
    CHECK(watched.version("R-1") == "1.0.0");
    CHECK(watched.scan().rejected.size() == 1);
    lock.allow({{"a.so", rule("R-1", "1.1.0")}});
    CHECK(watched.version("R-1") == "1.1.0");
    CHECK(watched.scan().rejected.empty());
}

TEST_CASE("a hash that is taken out of the lock file ends the rule") {
    const Lock lock;
    lock.allow({{"a.so", rule("R-1")}});
    WatchedFolder watched{with_lock(lock.file)};
    watched.write("a.so", rule("R-1"));
    CHECK(watched.version("R-1") == "1.0.0");
    lock.allow({});
    CHECK(watched.scan().plugins.empty());
    CHECK(watched.scan().rejected.at(0).reason == FailureReason::untrusted_file);
}

TEST_CASE("a lock file or a key that cannot be used is an error until it can") {
    const Lock lock;
    WatchedFolder watched{with_lock(lock.file)};
    watched.write("a.so", rule("R-1"));
    CHECK(watched.catalogue.scan().error().code == Errc::io_failed);
    lock.folder.write("plugins.lock", signing::bytes_of("nonsense\n"));
    CHECK(watched.catalogue.scan().error().code == Errc::config_invalid);
    lock.allow({{"a.so", rule("R-1")}});
    CHECK(watched.version("R-1") == "1.0.0");
    WatchedFolder other{with_key(lock.folder.path / "absent.pem")};
    CHECK(other.catalogue.scan().error().context.find("plugins.signature_key") != std::string::npos);
}

TEST_CASE("with a key a new version counts when its signature has come too") {
    const Folder folder;
    const signing::KeyPair keys{1};
    WatchedFolder watched{with_key(folder.write("key.pem", signing::bytes_of(keys.public_pem())))};
    const auto one = rule("R-1");
    const auto two = rule("R-1", "1.1.0");
    watched.write("a.so", one);
    CHECK(watched.scan().rejected.at(0).reason == FailureReason::untrusted_file);
    watched.write("a.so.sig", keys.sign(one));
    watched.settle();
    CHECK(watched.version("R-1") == "1.0.0");
    watched.move_in("a.so", two);
    watched.settle();
    CHECK(watched.version("R-1") == "1.0.0");
    CHECK(watched.scan().rejected.size() == 1);
    watched.move_in("a.so.sig", keys.sign(two));
    watched.settle();
    CHECK(watched.version("R-1") == "1.1.0");
    CHECK(watched.scan().rejected.empty());
}
