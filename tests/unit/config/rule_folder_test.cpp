#include "config/rule_folder.hpp"

#include <doctest/doctest.h>

#include <cstdlib>
#include <fstream>

using namespace varde;
namespace fs = std::filesystem;

namespace {

/// A folder called `my-rule`, removed at the end.
struct RuleFolder {
    fs::path parent;
    fs::path path;
    RuleFolder() {
        auto pattern = (fs::temp_directory_path() / "varde-rule-folder-XXXXXX").string();
        REQUIRE(::mkdtemp(pattern.data()) != nullptr);
        parent = pattern;
        path = parent / "my-rule";
        fs::create_directory(path);
    }
    ~RuleFolder() { fs::remove_all(parent); }
    void write(const std::string& rule_yaml) const { std::ofstream{path / "rule.yaml"} << rule_yaml; }
    [[nodiscard]] std::string problem() const {
        const auto id = config::rule_id_of_folder(path);
        REQUIRE_FALSE(id.has_value());
        return id.error().context.substr(path.string().size());
    }
};

}  // namespace

TEST_CASE("a folder's rule is the one that its rule.yaml names, whatever the folder is called") {
    const RuleFolder folder;
    folder.write("# a door\nid: EX-C1\nversion: 1.0.0\nparams:\n  minutes: {type: integer}\n");
    CHECK(config::rule_id_of_folder(folder.path) == "EX-C1");
    CHECK(config::rule_id_of_folder(fs::path{VARDE_SOURCE_DIR} / "plugins/R-002") == "R-002");
}

TEST_CASE("a folder without rule.yaml names its rule by its own name, also with a slash or a dot at the end") {
    const RuleFolder folder;
    CHECK(config::rule_id_of_folder(folder.path) == "my-rule");
    CHECK(config::rule_id_of_folder(folder.path.string() + "/") == "my-rule");
    CHECK(config::rule_id_of_folder(folder.path / ".") == "my-rule");
}

TEST_CASE("a rule.yaml without a usable id is an error that names the place") {
    const RuleFolder folder;
    folder.write("version: 1.0.0\n");
    CHECK(folder.problem() == "/rule.yaml:1:1: id: is missing");
    folder.write("version: 1.0.0\nid: 7\n");
    CHECK(folder.problem().starts_with("/rule.yaml:2:5: id: "));
    folder.write("id: an-id-that-is-longer-than-any-entry-has-room-for\n");
    CHECK(folder.problem().starts_with("/rule.yaml:1:5: id: "));
    folder.write("- id: R-1\n");
    CHECK(folder.problem().starts_with("/rule.yaml:1:1: "));
}

TEST_CASE("a folder that is not there is an error that names it") {
    const auto id = config::rule_id_of_folder("/nonexistent/rule");
    REQUIRE_FALSE(id.has_value());
    CHECK(id.error().context == "/nonexistent/rule is no folder");
}
