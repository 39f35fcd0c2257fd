#include "plugins/lock_file.hpp"

#include "rule_file.hpp"

using namespace varde;
using plugins::LockFile;

namespace {

const std::string kOne(64, '1');
const std::string kTwo(64, '2');

LockFile parsed(const std::string& text) {
    auto lock = LockFile::parse(text, "plugins.lock");
    if (!lock) FAIL(lock.error().context);
    return *lock;
}

}  // namespace

TEST_CASE("what sha256sum prints is a lock file") {
    const auto lock = parsed("# rules of house 7\n" + kOne + "  R-001.so\n\n" + kTwo + " *R-002.so\r\n");
    CHECK_FALSE(lock.refusal("R-001.so", kOne).has_value());
    CHECK_FALSE(lock.refusal("R-002.so", kTwo).has_value());
}

TEST_CASE("another content is refused with both hashes, and a file that is not listed with its own") {
    const auto lock = parsed(kOne + "  R-001.so\n");
    const auto other = lock.refusal("R-001.so", kTwo);
    REQUIRE(other.has_value());
    CHECK(other->find(kOne) != std::string::npos);
    CHECK(other->find(kTwo) != std::string::npos);
    const auto unlisted = lock.refusal("R-009.so", kTwo);
    REQUIRE(unlisted.has_value());
    CHECK(unlisted->find("not listed in plugins.lock") != std::string::npos);
    CHECK(unlisted->find(kTwo) != std::string::npos);
}

TEST_CASE("a name on two lines may have either content, so that a new version can be announced") {
    const auto lock = parsed(kOne + "  R-001.so\n" + kTwo + "  R-001.so\n");
    CHECK_FALSE(lock.refusal("R-001.so", kOne).has_value());
    CHECK_FALSE(lock.refusal("R-001.so", kTwo).has_value());
    CHECK(lock.refusal("R-001.so", std::string(64, '3'))->find(" or ") != std::string::npos);
}

TEST_CASE("folders before a name and capitals in a hash make no difference") {
    const auto lock = parsed(std::string(64, 'A') + "  ./plugins/R-001.so\n");
    CHECK_FALSE(lock.refusal("R-001.so", std::string(64, 'a')).has_value());
}

TEST_CASE("a line that cannot be read is an error with its number, also one that is not finished") {
    for (const auto& line : {std::string{"R-001.so"}, kOne, kOne + " R-001.so\n", kOne + "  \n", kOne + "  folder/\n",
                             kOne.substr(1) + "  R-001.so\n", "g" + kOne.substr(1) + "  R-001.so\n",
                             "SHA256 (R-001.so) = " + kOne + "\n", kOne + "  R-001.s"}) {
        CAPTURE(line);
        auto text = kTwo;
        text.append("  R-002.so\n").append(line);
        const auto lock = LockFile::parse(text, "plugins.lock");
        REQUIRE_FALSE(lock.has_value());
        CHECK(lock.error().code == core::Errc::config_invalid);
        CHECK(lock.error().context.starts_with("plugins.lock:2: "));
    }
}

TEST_CASE("an empty lock file allows nothing") { CHECK(parsed("").refusal("R-001.so", kOne).has_value()); }

TEST_CASE("a lock file that others could write is not used") {
    const rule_file::Folder folder;
    const auto file = folder.write("plugins.lock", rule_file::Bytes{});
    CHECK(LockFile::load(file).has_value());
    REQUIRE(::chmod(file.c_str(), 0664) == 0);
    const auto lock = LockFile::load(file);
    REQUIRE_FALSE(lock.has_value());
    CHECK(lock.error().context.find("chmod go-w") != std::string::npos);
}

TEST_CASE("an edit of the lock file counts when it has rested, and a bad one changes nothing") {
    using namespace std::chrono_literals;
    const rule_file::Folder folder;
    const auto write = [&](const std::string& text) {
        const auto file = folder.path / "plugins.lock";
        std::ofstream{file} << text;
        REQUIRE(::chmod(file.c_str(), 0644) == 0);
        struct stat info {};
        REQUIRE(::stat(file.c_str(), &info) == 0);
        return core::instant_from_us(plugins::FileStamp::of(info).changed_ns / 1000);
    };
    plugins::LockWatch watch{folder.path / "plugins.lock", 250ms};
    const auto first = write(kOne + "  R-001.so\n");
    CHECK(watch.look(first + 250ms) == true);
    CHECK(watch.look(first + 251ms) == false);
    CHECK_FALSE(watch.refusal("R-001.so", kOne).has_value());
    const auto second = write(kTwo + "  R-001.so\n");
    CHECK(watch.look(second + 249ms) == false);
    CHECK(watch.refusal("R-001.so", kTwo).has_value());
    CHECK(watch.look(second + 251ms) == true);
    CHECK_FALSE(watch.refusal("R-001.so", kTwo).has_value());
    const auto third = write("half a line");
    CHECK_FALSE(watch.look(third + 251ms).has_value());
    CHECK_FALSE(watch.look(third + 1h).has_value());
    CHECK_FALSE(watch.refusal("R-001.so", kTwo).has_value());
}

TEST_CASE("without a lock file everything is allowed") {
    plugins::LockWatch watch{{}, std::chrono::milliseconds{250}};
    CHECK(watch.look(core::Instant{}) == false);
    CHECK_FALSE(watch.refusal("R-001.so", kOne).has_value());
}
