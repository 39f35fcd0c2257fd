#include "unit/evaluate/columns_fixture.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <random>

using namespace columns;
using evaluate::LatestFilter;
using evaluate::LiveColumns;
using evaluate::PayloadReader;

namespace {

std::vector<std::string> ids(const LiveColumns& columns) {
    std::vector<std::string> all;
    for (std::size_t row = columns.begin(); row < columns.end(); ++row) all.emplace_back(columns.rows().id(row));
    return all;
}

}  // namespace

TEST_CASE("events that come in any order stand in order of time, then of arrival") {
    std::vector<core::Event> events;
    for (int i = 0; i < 500; ++i)
        events.push_back(event(i + 1, (i * 37) % 100, "c" + std::to_string(i % 7), R"({"k":)" + std::to_string(i) + "}"));
    PayloadReader reader;
    LiveColumns columns{plan({"k"})};
    // In chunks, as catch_up() does it: each chunk may reach back before all the others.
    for (std::size_t i = 0; i < events.size(); ++i) {
        columns.append(events[i], reader);
        if (i % 61 == 0) columns.settle();
    }
    columns.settle();
    std::ranges::sort(
        events, [](const core::Event& a, const core::Event& b) { return std::tie(a.time, a.seq) < std::tie(b.time, b.seq); });
    REQUIRE(columns.end() == events.size());
    for (std::size_t row = 0; row < events.size(); ++row) {
        CHECK(columns.rows().sequence[row] == events[row].seq);
        CHECK(columns.rows().id(row) == events[row].event_id);
        CHECK(columns.symbols().text_of(columns.rows().category[row]) == events[row].category);
        CHECK(columns.rows().keys[0].value[row] == events[row].seq - 1);
    }
}

TEST_CASE("a literal has the same symbol in every scope, also if no event holds it") {
    const auto shared = plan({}, {"door", "motion"});
    PayloadReader reader;
    LiveColumns one{shared};
    LiveColumns other{shared};
    other.append(event(1, 0, "window"), reader);
    other.append(event(2, 1, "motion"), reader);
    one.append(event(1, 0, "motion"), reader);
    CHECK(one.rows().category[0] == 2);
    CHECK(other.rows().category[1] == 2);
    CHECK(other.rows().category[0] == 3);
    CHECK(other.symbols().text_of(3) == "window");
}

TEST_CASE("the empty text is a text, but no room is symbol 0") {
    PayloadReader reader;
    LiveColumns columns{plan({"k"})};
    auto one = event(1, 0, "", R"({"k":""})");
    columns.append(one, reader);
    CHECK(columns.rows().room[0] == 0);
    CHECK(columns.rows().category[0] != 0);
    CHECK(columns.rows().keys[0].value[0] != 0);
}

TEST_CASE("eviction forgets what is older and keeps what is not, through compaction") {
    PayloadReader reader;
    LiveColumns columns{plan({"k"}, {}, VARDE_WANT_PAYLOAD)};
    for (int i = 0; i < 5000; ++i)
        columns.append(event(i + 1, i, "motion", R"({"k":"text )" + std::to_string(i) + "\"}"), reader);
    columns.settle();
    CHECK_FALSE(columns.evict_before(at(0)));
    CHECK(columns.evict_before(at(4000)));
    CHECK(columns.end() - columns.begin() == 1000);
    CHECK(columns.end() == 1000);  // compacted
    CHECK(ids(columns).front() == "e-4001");
    CHECK(columns.symbols().own().size() < 1100);  // texts of forgotten events are gone
    for (std::size_t row = columns.begin(); row < columns.end(); ++row) {
        const auto number = std::to_string(4000 + row - columns.begin());
        CHECK(columns.symbols().text_of(static_cast<varde_symbol>(columns.rows().keys[0].value[row])) == "text " + number);
        CHECK(columns.rows().payload_of(row) == R"({"k":"text )" + number + "\"}");
    }
    columns.append(event(9000, 3999, "motion"), reader);  // late: goes to the front
    columns.append(event(9001, 9000, "motion"), reader);
    columns.settle();
    CHECK(ids(columns).front() == "e-9000");
    CHECK(ids(columns).back() == "e-9001");
}

TEST_CASE("the latest event is the newest that matches; of equal times the one that came first") {
    PayloadReader reader;
    LiveColumns columns{plan({}, {"door"})};
    columns.append(event(1, 10, "door"), reader);
    columns.append(event(2, 20, "motion"), reader);
    columns.append(event(3, 20, "door"), reader);
    columns.append(event(4, 20, "door"), reader);
    auto other_stream = event(5, 30, "door");
    other_stream.stream_id = "test";
    columns.append(other_stream, reader);
    columns.settle();
    const auto id = [&](const LatestFilter& filter, core::Instant before = core::Instant::max()) {
        const auto row = columns.latest(filter, before);
        return row ? std::string{columns.rows().id(*row)} : std::string{};
    };
    CHECK(id({}) == "e-5");
    CHECK(id({{}, "prod"}) == "e-2");
    CHECK(id({{"door"}, "prod"}) == "e-3");
    CHECK(id({{"door", "motion"}, {}}, at(20)) == "e-1");
    CHECK(id({{"window"}, {}}).empty());
    CHECK(id({}, at(10)).empty());
}

TEST_CASE("older events that were looked up are kept beside the columns until they are forgotten") {
    PayloadReader reader;
    LiveColumns columns{plan({"k"})};
    const LatestFilter filter{{"door"}, {}};
    CHECK(columns.find_older(filter, at(0)) == nullptr);
    columns.add_older(filter, at(0), event(1, -9000, "door", R"({"k":5})"), reader);
    columns.add_older({{"none"}, {}}, at(0), std::nullopt, reader);
    REQUIRE(columns.find_older(filter, at(0)) != nullptr);
    CHECK(columns.older().keys[0].value[*columns.find_older(filter, at(0))->row] == 5);
    CHECK_FALSE(columns.find_older({{"none"}, {}}, at(0))->row.has_value());
    columns.forget_older();
    CHECK(columns.find_older(filter, at(0)) == nullptr);
}
