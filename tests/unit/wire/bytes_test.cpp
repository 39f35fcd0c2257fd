#include "wire/bytes.hpp"

#include <doctest/doctest.h>

#include <array>
#include <cstdint>
#include <string>
#include <vector>

using varde::wire::ByteReader;
using varde::wire::ByteWriter;

TEST_CASE("what is written is read back in order") {
    std::array<std::byte, 64> area{};
    ByteWriter out{area};
    out.put(std::uint32_t{7});
    out.put_text("abc");
    const std::vector<std::int64_t> numbers{-1, 2};
    out.put_array(std::span{numbers});
    REQUIRE(out.ok());
    ByteReader in{std::span{area}.first(out.size())};
    CHECK(in.take<std::uint32_t>() == 7);
    CHECK(in.take_text() == "abc");
    std::vector<std::int64_t> read;
    in.take_array(read, 2);
    CHECK(read == numbers);
    CHECK(in.ok());
    CHECK(in.at_end());
}

TEST_CASE("a writer never writes past its area, and says so") {
    std::array<std::byte, 8> area{};
    area.fill(std::byte{0xee});
    ByteWriter out{std::span{area}.first(6)};
    out.put(std::uint32_t{1});
    out.put(std::uint32_t{2});
    CHECK_FALSE(out.ok());
    CHECK(out.size() == 4);
    out.put(std::uint8_t{3});  // would fit, but a message with a hole is worse than none
    CHECK(out.size() == 4);
    CHECK(area[6] == std::byte{0xee});
    out.rewind(0);
    CHECK(out.ok());
}

TEST_CASE("a length that goes past the end makes a reader give empty things from then on") {
    std::array<std::byte, 16> area{};
    ByteWriter out{area};
    out.put(std::uint32_t{0xffffffff});
    ByteReader in{area};
    CHECK(in.take_text().empty());
    CHECK_FALSE(in.ok());
    CHECK(in.take<std::uint64_t>() == 0);
}

TEST_CASE("an array of four billion elements is refused before anything is allocated") {
    std::array<std::byte, 16> area{};
    ByteWriter out{area};
    out.put(std::uint32_t{0xffffffff});
    ByteReader in{area};
    std::vector<std::int64_t> read{1, 2, 3};
    in.take_array(read, 0xffffffff);
    CHECK_FALSE(in.ok());
    CHECK(read.empty());
}

TEST_CASE("a count over its limit is refused") {
    std::array<std::byte, 4> area{};
    ByteWriter out{area};
    out.put(std::uint32_t{65});
    ByteReader in{area};
    CHECK(in.take_count(64) == 0);
    CHECK_FALSE(in.ok());
}
