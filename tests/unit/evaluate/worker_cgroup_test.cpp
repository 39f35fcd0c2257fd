#include "evaluate/worker_cgroup.hpp"

#include <doctest/doctest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

using namespace varde;
namespace fs = std::filesystem;

namespace {

/// A plain folder in place of a cgroup: what is written to it stays to be read. The kernel's part (that the limits hold, that an empty leaf
/// can be removed) is not here.
class Folder {
  public:
    Folder() { fs::create_directories(path); }
    ~Folder() { fs::remove_all(path); }
    Folder(const Folder&) = delete;
    Folder& operator=(const Folder&) = delete;
    void holds(const std::string& file, const std::string& text) const { std::ofstream{path / file} << text; }
    [[nodiscard]] std::string text(const std::string& file) const {
        std::ifstream in{path / file};
        return {std::istreambuf_iterator<char>{in}, {}};
    }
    fs::path path = fs::temp_directory_path() / ("varde-cgroup-" + std::to_string(::getpid()));
};

std::string refusal(const std::string& folder) {
    const auto tree = evaluate::CgroupTree::open(folder);
    return tree ? "none" : tree.error().context;
}

}  // namespace

TEST_CASE("a leaf bounds memory, swap and processes before the worker is in it") {
    const Folder folder;
    folder.holds("cgroup.controllers", "cpuset cpu io memory pids\n");
    const auto tree = evaluate::CgroupTree::open(folder.path);
    REQUIRE_MESSAGE(tree.has_value(), tree.error().context);
    CHECK(folder.text("cgroup.subtree_control") == "+memory +pids");
    const auto leaf = tree->leaf(4711, 64u << 20);
    REQUIRE_MESSAGE(leaf.has_value(), leaf.error().context);
    CHECK(leaf->exists());
    CHECK(folder.text("worker-4711/memory.max") == std::to_string(96u << 20));
    CHECK(folder.text("worker-4711/memory.swap.max") == "0");
    CHECK(folder.text("worker-4711/memory.oom.group") == "1");
    CHECK(folder.text("worker-4711/pids.max") == "8");
    CHECK(folder.text("worker-4711/cgroup.procs") == "4711");
}

TEST_CASE("what is left in a leaf is killed when it goes") {
    const Folder folder;
    folder.holds("cgroup.controllers", "memory pids\n");
    const auto tree = evaluate::CgroupTree::open(folder.path);
    REQUIRE(tree.has_value());
    { const auto leaf = tree->leaf(4711, 1); }
    CHECK(folder.text("worker-4711/cgroup.kill") == "1");
}

TEST_CASE("a leaf tells whether the kernel ended its worker for memory") {
    const Folder folder;
    folder.holds("cgroup.controllers", "memory pids\n");
    const auto tree = evaluate::CgroupTree::open(folder.path);
    REQUIRE(tree.has_value());
    const auto leaf = tree->leaf(4711, 1);
    REQUIRE(leaf.has_value());
    CHECK_FALSE(leaf->ran_out_of_memory());
    folder.holds("worker-4711/memory.events", "low 0\nhigh 0\nmax 12\noom 1\noom_kill 1\noom_group_kill 0\n");
    CHECK(leaf->ran_out_of_memory());
    CHECK_FALSE(evaluate::WorkerCgroup{}.ran_out_of_memory());
}

TEST_CASE("leaves of a host that was killed go, those of living workers stay") {
    const Folder folder;
    folder.holds("cgroup.controllers", "memory pids\n");
    const fs::path dead = folder.path / "worker-2147483646";  // above the highest pid there can be
    const fs::path alive = folder.path / ("worker-" + std::to_string(::getpid()));
    for (const auto& leaf : {dead, alive}) fs::create_directory(leaf);
    REQUIRE(evaluate::CgroupTree::open(folder.path).has_value());
    CHECK_FALSE(fs::exists(dead));
    CHECK(fs::exists(alive));
}

TEST_CASE("a folder without the controllers, or that is none, is refused with the reason") {
    const Folder folder;
    folder.holds("cgroup.controllers", "cpu memory\n");
    CHECK(refusal(folder.path) == folder.path.string() + " has no pids controller");
    CHECK(refusal("/nowhere/at/all") == "/nowhere/at/all has no memory controller");
    folder.holds("cgroup.controllers", "memory_of pids\n");
    CHECK(refusal(folder.path) == folder.path.string() + " has no memory controller");
}

TEST_CASE("a cgroup that nobody delegated is left alone") {
    // A test is no service: whatever its cgroup is, it was not given away.
    const std::string why = refusal("");
    const bool said = why == "there is no cgroup v2 hierarchy" || why.ends_with(" is not delegated: Delegate=yes in the unit");
    CHECK_MESSAGE(said, why);
}
