#include "rules/rules_watch.hpp"

#include "rules_folder.hpp"

#include <doctest/doctest.h>

using namespace varde;
using rules::RulesWatch;
using scripted::RulesFolder;

TEST_CASE("the file is read at the first look when asked at once, and not again until it changes") {
    RulesFolder folder{"rules: {R-001: {}}"};
    RulesWatch watch{folder.file()};
    const auto first = watch.look(true);
    REQUIRE(first);
    REQUIRE(first->has_value());
    CHECK((*first)->rules.contains("R-001"));
    CHECK_FALSE(watch.look(true));
    CHECK_FALSE(watch.look(false));
}

TEST_CASE("a change is taken at the second look that sees the same file, so that half a file never counts") {
    RulesFolder folder{"{}"};
    RulesWatch watch{folder.file()};
    REQUIRE(watch.look(true));
    folder.write("rules: {R-001: {}");
    CHECK_FALSE(watch.look(false));
    folder.write("rules: {R-001: {}, R-002: {}}");
    CHECK_FALSE(watch.look(false));
    const auto changed = watch.look(false);
    REQUIRE(changed);
    CHECK((*changed)->rules.size() == 2);
    CHECK_FALSE(watch.look(false));
}

TEST_CASE("a file that is replaced by one of the same size is noticed") {
    RulesFolder folder{"rules: {R-001: {}}"};
    RulesWatch watch{folder.file()};
    REQUIRE(watch.look(true));
    folder.replace("rules: {R-002: {}}");
    const auto changed = watch.look(true);
    REQUIRE(changed);
    CHECK((*changed)->rules.contains("R-002"));
}

TEST_CASE("a file that goes away is an error, once, and its return is noticed") {
    RulesFolder folder{"{}"};
    RulesWatch watch{folder.file()};
    REQUIRE(watch.look(true));
    folder.remove();
    const auto gone = watch.look(true);
    REQUIRE(gone);
    REQUIRE_FALSE(gone->has_value());
    CHECK(gone->error().code == core::Errc::io_failed);
    CHECK_FALSE(watch.look(true));
    folder.write("{}");
    CHECK(watch.look(true)->has_value());
}
