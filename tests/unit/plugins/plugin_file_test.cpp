#include "plugins/plugin_file.hpp"

#include "rule_file.hpp"

#include <fcntl.h>
#include <sys/sysmacros.h>
#include <unistd.h>

namespace fs = std::filesystem;
using namespace varde;
using core::FailureReason;
using rule_file::Folder;

TEST_CASE("what a note says is read without running the file") {
    const auto plugin = plugins::read_note(rule_file::rule("R-001", "2.1.0"));
    REQUIRE(plugin.has_value());
    CHECK(plugin->rule_id == "R-001");
    CHECK(plugin->version == "2.1.0");
    CHECK(plugin->sdk == "test");
    CHECK(plugin->abi_major == VARDE_ABI_MAJOR);
}

TEST_CASE("a note without a usable id is refused") {
    for (const auto* id : {"", "R 1", "../R-1", "R\n1"}) {
        CAPTURE(id);
        const auto plugin = plugins::read_note(rule_file::rule(id));
        REQUIRE_FALSE(plugin.has_value());
        CHECK(plugin.error().reason == FailureReason::load_failed);
    }
}

TEST_CASE("a plugin from the future is refused with both versions and what to do") {
    auto image = rule_file::rule("R-777");
    auto note = rule_file::get<varde_note>(image, rule_file::note_at(image));
    note.abi_minor_needed = VARDE_ABI_MINOR + 1;
    rule_file::put(image, rule_file::note_at(image), note);
    const auto plugin = plugins::read_note(image);
    REQUIRE_FALSE(plugin.has_value());
    CHECK(plugin.error().reason == FailureReason::abi_mismatch);
    CHECK(plugin.error().rule_id == "R-777");
    CHECK(plugin.error().message.find("1.1") != std::string::npos);
    CHECK(plugin.error().message.find("upgrade the host") != std::string::npos);
}

TEST_CASE("the copy is sealed and hashed") {
    const Folder folder;
    const auto plugin = plugins::inspect(folder.write("a.so", rule_file::rule("R-777")));
    REQUIRE(plugin.has_value());
    CHECK(plugin->sha256.size() == 64);
    CHECK(plugin->build_id.size() == 40);
    CHECK(plugin->size == rule_file::sound().size());
    CHECK(::fcntl(plugin->bytes->fd(), F_GET_SEALS) == (F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL));
    CHECK(::write(plugin->bytes->fd(), "x", 1) == -1);
}

namespace {

void check_untrusted(const fs::path& file, const std::string& says) {
    CAPTURE(file.filename().string());
    const auto plugin = plugins::inspect(file);
    REQUIRE_FALSE(plugin.has_value());
    INFO(plugin.error().message);
    CHECK(plugin.error().reason == FailureReason::untrusted_file);
    CHECK(plugin.error().path == file.string());
    CHECK(plugin.error().message.find(says) != std::string::npos);
}

}  // namespace

TEST_CASE("a file that others could have written is refused with the command that mends it") {
    const Folder folder;
    const auto file = folder.write("open.so", rule_file::rule("R-1"));
    for (const mode_t mode : {0666u, 0664u, 0646u}) {
        REQUIRE(::chmod(file.c_str(), mode) == 0);
        check_untrusted(file, "chmod go-w " + file.string());
    }
    REQUIRE(::chmod(file.c_str(), 0640) == 0);
    CHECK(plugins::inspect(file).has_value());
    if (::geteuid() != 0) {
        MESSAGE("not root: files of other users are not tested");
        return;
    }
    REQUIRE(::chown(file.c_str(), 12'345, 12'345) == 0);
    check_untrusted(file, "owned by uid 12345");
}

TEST_CASE("links, fifos, folders and devices are refused at once") {
    const Folder folder;
    fs::create_symlink(folder.write("target", rule_file::rule("R-1")), folder.path / "link.so");
    fs::create_symlink("/dev/zero", folder.path / "zero.so");
    REQUIRE(::mkfifo((folder.path / "fifo.so").c_str(), 0600) == 0);
    fs::create_directory(folder.path / "folder.so");
    check_untrusted(folder.path / "link.so", "symbolic link");
    check_untrusted(folder.path / "zero.so", "symbolic link");
    check_untrusted(folder.path / "fifo.so", "not a regular file");
    check_untrusted(folder.path / "folder.so", "not a regular file");
    if (::mknod((folder.path / "device.so").c_str(), S_IFCHR | 0600, makedev(1, 5)) != 0) {
        MESSAGE("no right to make a device");
        return;
    }
    check_untrusted(folder.path / "device.so", "not a regular file");
}

TEST_CASE("a file of 10 GB is refused without being read") {
    const Folder folder;
    const auto file = folder.write("huge.so", rule_file::rule("R-1"));
    if (::truncate(file.c_str(), 10ll << 30) != 0) {
        MESSAGE("the file system has no sparse files of that size");
        return;
    }
    check_untrusted(file, "10737418240 bytes");
}

TEST_CASE("an empty file, half a file, and a file that is not there say so") {
    const Folder folder;
    const auto whole = rule_file::rule("R-1");
    CHECK(plugins::inspect(folder.write("empty.so", {})).error().message == "is empty");
    const auto half =
        plugins::inspect(folder.write("half.so", {whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(whole.size() / 2)}));
    REQUIRE_FALSE(half.has_value());
    CHECK(half.error().reason == FailureReason::load_failed);
    CHECK(half.error().message.find("is it complete?") != std::string::npos);
    CHECK(plugins::inspect(folder.path / "absent.so").error().message == "No such file or directory");
}

TEST_CASE("what a verdict is about is said with it, and a try that can end otherwise is not final") {
    const Folder folder;
    folder.write("a.so", rule_file::rule("R-1"));
    const auto at = [&](const char* name) { return plugins::examine(AT_FDCWD, (folder.path / name).string(), name, {}); };
    const auto found = at("a.so");
    CHECK(found.verdict.has_value());
    CHECK(found.final);
    CHECK(found.of == plugins::identity_of(AT_FDCWD, (folder.path / "a.so").string()));
    CHECK(found.of.file.size == static_cast<std::int64_t>(rule_file::sound().size()));
    CHECK_FALSE(at("absent.so").final);
}
