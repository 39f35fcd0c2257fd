#include "evaluate/params_tree.hpp"

#include <doctest/doctest.h>

#include <string>

using varde::evaluate::params_tree;

namespace {

std::string text_at(const varde::wire::ParamsTree& tree, varde_text place) {
    return tree.text.substr(place.offset, place.length);
}

}  // namespace

TEST_CASE("a tree stands in document order, parents before children, with ends") {
    const auto tree = params_tree(R"({"z":1,"a":{"list":[true,null,"x"]},"r":1.5})");
    REQUIRE(tree.has_value());
    const auto& nodes = tree->nodes;
    REQUIRE(nodes.size() == 8);
    CHECK(nodes[0].kind == VARDE_OBJECT);
    CHECK(nodes[0].end == 8);
    CHECK(nodes[0].integer == 3);
    CHECK(text_at(*tree, nodes[1].key) == "z");
    CHECK(nodes[1].integer == 1);
    CHECK(nodes[1].end == 2);
    CHECK(text_at(*tree, nodes[2].key) == "a");
    CHECK(nodes[2].end == 7);
    CHECK(nodes[3].kind == VARDE_LIST);
    CHECK(nodes[3].integer == 3);
    CHECK(nodes[4].kind == VARDE_TRUE);
    CHECK(nodes[4].key.length == 0);
    CHECK(nodes[5].kind == VARDE_NULL);
    CHECK(text_at(*tree, nodes[6].text) == "x");
    CHECK(nodes[7].kind == VARDE_REAL);
    CHECK(nodes[7].real == 1.5);
}

TEST_CASE("numbers keep what they are") {
    const auto tree =
        params_tree(R"({"a":1.0,"b":-9223372036854775808,"c":9223372036854775808,"d":99999999999999999999999,"e":1e3})");
    REQUIRE(tree.has_value());
    CHECK(tree->nodes[1].kind == VARDE_REAL);
    CHECK(tree->nodes[2].kind == VARDE_INTEGER);
    CHECK(tree->nodes[3].kind == VARDE_BIG_INTEGER);
    CHECK(text_at(*tree, tree->nodes[3].text) == "9223372036854775808");
    CHECK(tree->nodes[4].kind == VARDE_BIG_INTEGER);
    CHECK(text_at(*tree, tree->nodes[4].text) == "99999999999999999999999");
    CHECK(tree->nodes[5].kind == VARDE_REAL);
}

TEST_CASE("what is not an object is refused") {
    CHECK_FALSE(params_tree("").has_value());
    CHECK_FALSE(params_tree("[1]").has_value());
    CHECK_FALSE(params_tree("{\"a\":}").has_value());
    CHECK_FALSE(params_tree("{} x").has_value());
    CHECK(params_tree("{}").has_value());
}
