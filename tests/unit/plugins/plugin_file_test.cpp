#include "plugins/plugin_file.hpp"

#include "rule_file.hpp"

#include <fcntl.h>
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

TEST_CASE("files that others could have written, links, fifos and folders are not trusted") {
    const Folder folder;
    const auto file = folder.write("open.so", rule_file::rule("R-1"));
    ::chmod(file.c_str(), 0666);
    fs::create_symlink(file, folder.path / "link.so");
    REQUIRE(::mkfifo((folder.path / "fifo.so").c_str(), 0600) == 0);
    fs::create_directory(folder.path / "folder.so");
    for (const auto* name : {"open.so", "link.so", "fifo.so", "folder.so"}) {
        CAPTURE(name);
        const auto plugin = plugins::inspect(folder.path / name);
        REQUIRE_FALSE(plugin.has_value());
        CHECK(plugin.error().reason == FailureReason::untrusted_file);
        CHECK(plugin.error().path == (folder.path / name).string());
    }
}
