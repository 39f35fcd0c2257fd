#include "plugins/directory_catalogue.hpp"

#include "rule_file.hpp"

using namespace varde;
using core::FailureReason;
using rule_file::Folder;

TEST_CASE("a scan lists usable plugins by id and says why the others are not") {
    const Folder folder;
    folder.write("b.so", rule_file::rule("R-2"));
    folder.write("a.so", rule_file::rule("R-1"));
    folder.write("text.so", rule_file::Bytes(100, std::byte{'x'}));
    folder.write("notes.txt", {});
    plugins::DirectoryCatalogue catalogue{folder.path};
    const auto found = catalogue.scan();
    REQUIRE(found.has_value());
    REQUIRE(found->plugins.size() == 2);
    CHECK(found->plugins[0].rule_id == "R-1");
    REQUIRE(found->rejected.size() == 1);
    CHECK(found->rejected[0].reason == FailureReason::load_failed);
}

TEST_CASE("unchanged files keep their sealed bytes, replaced ones get new ones") {
    const Folder folder;
    folder.write("a.so", rule_file::rule("R-1"));
    plugins::DirectoryCatalogue catalogue{folder.path};
    const auto first = catalogue.scan()->plugins.at(0).bytes;
    CHECK(catalogue.scan()->plugins.at(0).bytes == first);
    folder.move_in("a.so", rule_file::rule("R-1", "1.1.0"));
    CHECK(catalogue.scan()->plugins.at(0).bytes != first);
}

TEST_CASE("two files with one rule id are both refused, each naming the other") {
    const Folder folder;
    folder.write("a.so", rule_file::rule("R-1"));
    folder.write("b.so", rule_file::rule("R-1"));
    plugins::DirectoryCatalogue catalogue{folder.path};
    const auto found = catalogue.scan();
    REQUIRE(found.has_value());
    CHECK(found->plugins.empty());
    REQUIRE(found->rejected.size() == 2);
    CHECK(found->rejected[0].message.find("a.so and ") != std::string::npos);
}

TEST_CASE("a folder that is not there is an error that names it") {
    plugins::DirectoryCatalogue catalogue{"/nonexistent/plugins"};
    const auto found = catalogue.scan();
    REQUIRE_FALSE(found.has_value());
    CHECK(found.error().context.find("/nonexistent/plugins") != std::string::npos);
}
