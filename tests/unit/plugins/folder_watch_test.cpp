#include "plugins/folder_watch.hpp"

#include "rule_file.hpp"

#include <fcntl.h>

using namespace varde;
using plugins::FolderWatch;
using plugins::OwnedFd;
using rule_file::Folder;

namespace {

OwnedFd opened(const std::filesystem::path& folder) {
    return OwnedFd{::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
}

FolderWatch watching(const Folder& folder) {
    FolderWatch watch;
    REQUIRE(watch.start(opened(folder.path).get()));
    return watch;
}

}  // namespace

TEST_CASE("without an event nothing is reported, and nothing is waited for") {
    const Folder folder;
    auto watch = watching(folder);
    CHECK_FALSE(watch.take().any());
    CHECK(watch.active());
}

TEST_CASE("a file that is written, moved or deleted is reported by name, once") {
    const Folder folder;
    auto watch = watching(folder);
    folder.write("a.so", rule_file::rule("R-1"));
    std::filesystem::rename(folder.path / "a.so", folder.path / "b.so");
    auto notices = watch.take();
    CHECK(notices.writing.size() == 2);
    CHECK(notices.writing.at("a.so") == false);
    CHECK(notices.writing.at("b.so") == false);
    CHECK_FALSE(notices.everything);
    std::filesystem::remove(folder.path / "b.so");
    CHECK(watch.take().writing.contains("b.so"));
    CHECK_FALSE(watch.take().any());
}

TEST_CASE("a file that is being written is told from one that was closed") {
    const Folder folder;
    folder.write("a.so", {});
    auto watch = watching(folder);
    std::ofstream out{folder.path / "a.so", std::ios::binary | std::ios::app};
    out << "half" << std::flush;
    CHECK(watch.take().writing.at("a.so") == true);
    REQUIRE(::chmod((folder.path / "a.so").c_str(), 0600) == 0);
    CHECK(watch.take().writing.at("a.so") == std::nullopt);
    out << "whole";
    out.close();
    CHECK(watch.take().writing.at("a.so") == false);
}

TEST_CASE("reading a file is no event: two hosts that watch one folder do not wake each other") {
    const Folder folder;
    const auto file = folder.write("a.so", rule_file::rule("R-1"));
    auto watch = watching(folder);
    CHECK(rule_file::read(file) == rule_file::rule("R-1"));
    CHECK_FALSE(watch.take().any());
}

TEST_CASE("the end of the folder ends the watch") {
    for (const bool moved : {true, false}) {
        CAPTURE(moved);
        const Folder around;
        const auto inside = around.path / "plugins";
        std::filesystem::create_directory(inside);
        FolderWatch watch;
        REQUIRE(watch.start(opened(inside).get()));
        moved ? std::filesystem::rename(inside, around.path / "old") : static_cast<void>(std::filesystem::remove(inside));
        CHECK(watch.take().everything);
        CHECK_FALSE(watch.active());
        std::filesystem::create_directory(inside);
        REQUIRE(watch.start(opened(inside).get()));
        CHECK_FALSE(watch.take().any());
    }
}

TEST_CASE("more reports than the kernel keeps become one: look at everything") {
    std::size_t most = 0;
    std::ifstream{"/proc/sys/fs/inotify/max_queued_events"} >> most;
    if (most == 0 || most > 100'000) {
        MESSAGE("the kernel keeps too many reports to overflow them here");
        return;
    }
    const Folder folder;
    const auto one = folder.write("a.so", {});
    const auto two = folder.write("b.so", {});
    auto watch = watching(folder);
    // By turns: two equal reports in a row are one.
    for (std::size_t i = 0; i <= most / 2; ++i) {
        REQUIRE(::chmod(one.c_str(), 0600) == 0);
        REQUIRE(::chmod(two.c_str(), 0600) == 0);
    }
    CHECK(watch.take().everything);
    CHECK_FALSE(watch.take().any());
    CHECK(watch.active());
}
