#include "evaluate/window_writer.hpp"
#include "unit/evaluate/columns_fixture.hpp"
#include "wire/window_image.hpp"

#include <doctest/doctest.h>

using namespace columns;
using evaluate::LiveColumns;
using evaluate::RowRef;
using evaluate::WindowContent;
using evaluate::WindowWriter;

namespace {

struct Image {
    const std::byte* base;
    [[nodiscard]] const wire::ImageHeader& header() const { return *reinterpret_cast<const wire::ImageHeader*>(base); }
    template <class T>
    [[nodiscard]] const T* at(std::uint64_t offset) const {
        return reinterpret_cast<const T*>(base + offset);
    }
    [[nodiscard]] std::string symbol(std::uint32_t number) const {
        const auto place = at<varde_text>(header().symbols)[number];
        return {at<char>(header().text) + place.offset, place.length};
    }
    [[nodiscard]] std::string row_text(std::uint64_t column, std::uint32_t row) const {
        const auto place = at<varde_text>(column)[row];
        return {at<char>(header().row_text) + place.offset, place.length};
    }
};

struct Written {
    evaluate::PayloadReader reader;
    LiveColumns columns{plan({"k"}, {"door"}, VARDE_WANT_EVENT_ID | VARDE_WANT_PAYLOAD)};
    evaluate::PayloadAccess access{{"k"}, VARDE_WANT_EVENT_ID | VARDE_WANT_PAYLOAD};
    std::vector<std::vector<varde_transition>> zones{{{5, 3600, 0}, {9, 7200, 0}}, {}};
    alignas(64) std::array<std::byte, 1 << 14> area{};
    WindowWriter writer{area};
    Written() {
        for (int i = 0; i < 10; ++i)
            columns.append(event(i + 1, i, i % 2 == 0 ? "door" : "motion", R"({"k":)" + std::to_string(i) + "}"), reader);
        columns.add_older({{"door"}, {}}, at(-5), event(99, -500, "old", R"({"k":"x"})"), reader);
    }
    WindowContent content(std::size_t first, std::size_t count, std::vector<RowRef> extras = {}) {
        return {&columns, first, count, std::move(extras), &zones, &access};
    }
};

}  // namespace

TEST_CASE("an image holds the rows of a range, then the extra rows, in every column") {
    Written all;
    const auto content = all.content(3, 4, {{true, 0}, {false, 9}});
    const auto offset = all.writer.write(content);
    REQUIRE(offset.has_value());
    const Image image{all.area.data() + *offset};
    REQUIRE(image.header().magic == wire::image_magic);
    REQUIRE(image.header().n_rows == 6);
    const std::int64_t sequences[] = {4, 5, 6, 7, 99, 10};
    const char* categories[] = {"motion", "door", "motion", "door", "old", "motion"};
    for (std::uint32_t row = 0; row < 6; ++row) {
        CHECK(image.at<std::int64_t>(image.header().sequence)[row] == sequences[row]);
        CHECK(image.symbol(image.at<varde_symbol>(image.header().category)[row]) == categories[row]);
        CHECK(image.row_text(image.header().event_id, row) == "e-" + std::to_string(sequences[row]));
        CHECK(content.event_id(row) == "e-" + std::to_string(sequences[row]));
    }
    const auto& key = image.at<wire::ImageKey>(image.header().keys)[0];
    CHECK(image.at<std::uint8_t>(key.kind)[0] == VARDE_INTEGER);
    CHECK(image.at<std::int64_t>(key.value)[3] == 6);
    CHECK(image.at<std::uint8_t>(key.kind)[4] == VARDE_TEXT);
    CHECK(image.row_text(image.header().payload, 4) == R"({"k":"x"})");
    CHECK(image.symbol(0).empty());
    CHECK(image.symbol(1) == "door");
}

TEST_CASE("zones of an image are tables; an unknown one is empty") {
    Written all;
    const Image image{all.area.data() + *all.writer.write(all.content(0, 1))};
    REQUIRE(image.header().n_zones == 2);
    const auto* zones = image.at<wire::ImageZone>(image.header().zones);
    CHECK(zones[0].n_transitions == 2);
    CHECK(image.at<varde_transition>(zones[0].transitions)[1].offset_s == 7200);
    CHECK(zones[1].n_transitions == 0);
}

TEST_CASE("every array is aligned for its element, image after image") {
    Written all;
    for (std::size_t count = 0; count < 4; ++count) {
        const auto offset = all.writer.write(all.content(0, count));
        REQUIRE(offset.has_value());
        CHECK(*offset % wire::image_alignment == 0);
        const Image image{all.area.data() + *offset};
        CHECK(image.header().size % wire::image_alignment == 0);
        for (const auto place : {image.header().time, image.header().sequence, image.header().category, image.header().keys})
            CHECK(place % alignof(std::int64_t) == 0);
    }
}

TEST_CASE("an image that does not fit is not begun") {
    Written all;
    WindowWriter small{std::span{all.area}.first(512)};
    all.area.fill(std::byte{0xee});
    CHECK_FALSE(small.write(all.content(0, 10)).has_value());
    CHECK(small.empty());
    CHECK(all.area[0] == std::byte{0xee});
    WindowWriter tight{all.area};
    int images = 0;
    while (tight.write(all.content(0, 10))) ++images;
    CHECK(images > 1);
    tight.reset();
    CHECK(tight.write(all.content(0, 10)) == 0u);
}

TEST_CASE("an image holds nothing of payload keys that its readers did not declare") {
    evaluate::PayloadReader reader;
    LiveColumns columns{plan({"secret", "state"}, {"on"}, VARDE_WANT_PAYLOAD)};
    for (int i = 0; i < 20; ++i)
        columns.append(event(i + 1, i, "door", R"({"state":"ajar","secret":"password )" + std::to_string(i) + R"("})"), reader);
    columns.append(event(21, 21, "password 3", R"({"state":"password 5","secret":["password 7"]})"), reader);
    const std::vector<std::vector<varde_transition>> zones;
    const evaluate::PayloadAccess access{{"state"}, 0};
    alignas(64) std::array<std::byte, 1 << 14> area{};
    WindowWriter writer{area};
    const auto offset = writer.write({&columns, 0, 21, {}, &zones, &access});
    REQUIRE(offset.has_value());
    const Image image{area.data() + *offset};
    CHECK(image.header().n_keys == 1);
    CHECK(image.header().payload == 0);
    const auto& state = image.at<wire::ImageKey>(image.header().keys)[0];
    CHECK(image.symbol(static_cast<std::uint32_t>(image.at<std::int64_t>(state.value)[0])) == "ajar");
    const std::string_view bytes{reinterpret_cast<const char*>(image.base), image.header().size};
    for (int i = 0; i < 20; ++i) {
        CAPTURE(i);
        // What also stands in a column that may be seen is no secret.
        CHECK((bytes.find("password " + std::to_string(i)) != std::string_view::npos) == (i == 3 || i == 5));
    }
}
