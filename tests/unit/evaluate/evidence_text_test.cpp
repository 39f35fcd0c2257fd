#include "evaluate/evidence_text.hpp"

#include <doctest/doctest.h>

using varde::evaluate::EvidenceText;

TEST_CASE("evidence is one JSON object in the order it was given") {
    EvidenceText text;
    text.text("a", "b");
    text.open("list", true);
    text.integer({}, -1);
    text.null({});
    text.open({}, false);
    text.boolean("x", true);
    text.close(false);
    text.close(true);
    text.real("r", 2);
    CHECK(text.finish() == R"({"a":"b","list":[-1,null,{"x":true}],"r":2.0})");
    CHECK(text.finish() == "{}");
}

TEST_CASE("a list that follows an empty one has its comma") {
    EvidenceText text;
    text.open("a", true);
    text.close(true);
    text.open("b", false);
    text.close(false);
    text.integer("c", 1);
    CHECK(text.finish() == R"({"a":[],"b":{},"c":1})");
}

TEST_CASE("quotes, backslashes and control characters are escaped, other text is left alone") {
    EvidenceText text;
    text.text("k\"", "\\ \n\r\t\x01 æ");
    CHECK(text.finish() == "{\"k\\\"\":\"\\\\ \\n\\r\\t\\u0001 æ\"}");
}

TEST_CASE("a real is recognisable as one and reads back the same") {
    EvidenceText text;
    text.real("a", 0.1);
    text.real("b", 1e300);
    text.real("c", -0.0);
    CHECK(text.finish() == R"({"a":0.1,"b":1e+300,"c":-0.0})");
}
