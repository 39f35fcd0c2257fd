#include "app/json_output.hpp"

#include <doctest/doctest.h>

using namespace varde;

TEST_CASE("a value is one line in the order it was written") {
    CHECK(app::json_line({{"b", 1}, {"a", {1, 2.5, nullptr, true}}}) == R"({"b":1,"a":[1,2.5,null,true]})");
    CHECK(app::json_line({{"text", "two\nlines \"quoted\" \\ \x01"}}) == R"({"text":"two\nlines \"quoted\" \\ \u0001"})");
}

TEST_CASE("letters stay as they are, and bytes that are no letters become U+FFFD") {
    CHECK(app::json_line("kjøkken") == "\"kjøkken\"");
    CHECK(app::json_line("a\xFF.so") == "\"a\uFFFD.so\"");
    CHECK(app::json_line("\xC3") == "\"\uFFFD\"");
}
