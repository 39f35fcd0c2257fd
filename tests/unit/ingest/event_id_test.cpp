#include "ingest/event_id.hpp"

#include <doctest/doctest.h>

using varde::ingest::canonical_event_id;
using varde::ingest::characters;
using varde::ingest::trimmed;

TEST_SUITE("event id") {
    TEST_CASE("a UUID in any spelling becomes the canonical one") {
        constexpr const char* kCanonical = "0192f0c1-7a3b-7cde-8f01-23456789abcd";
        for (const auto* text : {"0192f0c1-7a3b-7cde-8f01-23456789abcd", "0192F0C1-7A3B-7CDE-8F01-23456789ABCD",
                                 "{0192f0c1-7a3b-7cde-8f01-23456789abcd}", "urn:uuid:0192f0c1-7a3b-7cde-8f01-23456789abcd",
                                 "URN:UUID:0192F0C1-7A3B-7CDE-8F01-23456789ABCD", "0192f0c17a3b7cde8f0123456789abcd",
                                 "0192-f0c1-7a3b-7cde-8f01-2345-6789-abcd", "  0192f0c17a3b7cde8f0123456789abcd\n"}) {
            CHECK(canonical_event_id(text) == kCanonical);
        }
    }
    TEST_CASE("anything else stays as it is, without blanks around it") {
        CHECK(canonical_event_id(" 01ARZ3NDEKTSV4RRFFQ69G5FAV ") == "01ARZ3NDEKTSV4RRFFQ69G5FAV");
        CHECK(canonical_event_id("Event 7") == "Event 7");
        CHECK(canonical_event_id("0192f0c17a3b7cde8f0123456789abcg") == "0192f0c17a3b7cde8f0123456789abcg");
        CHECK(canonical_event_id("0192F0C17A3B7CDE8F0123456789ABCDE") == "0192F0C17A3B7CDE8F0123456789ABCDE");
        CHECK(canonical_event_id("\t ") == "");
    }
    TEST_CASE("characters are code points") {
        CHECK(characters("") == 0);
        CHECK(characters("abc") == 3);
        CHECK(characters("æøå") == 3);
        CHECK(characters("😀") == 1);
    }
    TEST_CASE("blanks inside stay") { CHECK(trimmed(" a b \r\n") == "a b"); }
}
