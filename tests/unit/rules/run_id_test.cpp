#include "rules/run_id.hpp"

#include <doctest/doctest.h>

#include <regex>
#include <set>
#include <string>

using namespace varde;

TEST_CASE("a run id is a UUID of version 4, and no two are equal") {
    const std::regex uuid{"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"};
    std::set<std::string> seen;
    for (int i = 0; i < 1000; ++i) {
        const auto id = rules::new_run_id();
        CAPTURE(id);
        CHECK(std::regex_match(id, uuid));
        seen.insert(id);
    }
    CHECK(seen.size() == 1000);
}
