#include "wire/message.hpp"

#include "wire/control_layout.hpp"

#include <doctest/doctest.h>

#include <cstdint>
#include <random>
#include <string>
#include <vector>

using namespace varde::wire;

namespace {

Declarations declarations() {
    Declarations all;
    all.keys = {"state", "room_id"};
    all.literals = {"on", "motion", ""};
    all.zones = {{"Europe/Oslo", VARDE_ZONE_REQUIRED}};
    ReadDeclaration range;
    range.begin_offset_us = -5;
    range.categories = {1};
    ReadDeclaration night;
    night.kind = VARDE_READ_LOCAL_DAY;
    night.zone = 0;
    night.local_pick = VARDE_DAY_CONTAINING;
    night.local_begin_us = 79'200'000'000;
    night.local_end_us = 21'600'000'000;
    ReadDeclaration latest;
    latest.kind = VARDE_READ_LATEST;
    latest.stream = 2;
    all.reads = {range, night, latest};
    all.wants = VARDE_WANT_PAYLOAD;
    return all;
}

template <class T>
std::vector<std::byte> encoded(const T& value) {
    std::vector<std::byte> area(1 << 17);
    ByteWriter out{area};
    put(out, value);
    REQUIRE(out.ok());
    area.resize(out.size());
    return area;
}

template <class T>
bool decodes(std::span<const std::byte> bytes, T& value) {
    ByteReader in{bytes};
    take(in, value);
    return in.ok();
}

}  // namespace

TEST_CASE("declarations, items, bindings, parameters and faults survive the channel") {
    Declarations read;
    REQUIRE(decodes(encoded(declarations()), read));
    CHECK(read == declarations());

    const Item item{64, 1, 2, 3, 4, 5, {{1, 2, 3, 4}}, 1, "kept"};
    const auto item_bytes = encoded(item);  // item_read borrows from it
    Item item_read;
    REQUIRE(decodes(item_bytes, item_read));
    CHECK(item_read.explain == 1);
    CHECK(item_read.state == "kept");
    CHECK(item_read.image_offset == 64);
    CHECK(item_read.n_rows == 5);
    REQUIRE(item_read.slices.size() == 1);
    CHECK(item_read.slices[0].count == 4);

    Binding binding{{0, 2}, {1, 2, 3}, {0}};
    Binding binding_read;
    REQUIRE(decodes(encoded(binding), binding_read));
    CHECK(binding_read.literals == binding.literals);

    Fault fault{FaultReason::create_failed, "a.b", "is wrong"};
    Fault fault_read;
    REQUIRE(decodes(encoded(fault), fault_read));
    CHECK(fault_read.param == "a.b");
    CHECK(fault_read.reason == FaultReason::create_failed);
}

TEST_CASE("what a job is told and what it answers survive the channel") {
    JobRequest request{3, 1'000, 2'000, 5'000, 3'000'000, "nightly/1/2026-01-15T03:00:00Z/scheduled", R"({"a":1})", {}};
    request.params.nodes.resize(2);
    request.params.nodes[1].integer = 1;
    request.params.text = "a";
    JobRequest read;
    REQUIRE(decodes(encoded(request), read));
    CHECK(read.attempt == 3);
    CHECK(read.nominal_us == 1'000);
    CHECK(read.now_us == 2'000);
    CHECK(read.deadline_us == 5'000);
    CHECK(read.timeout_ns == 3'000'000);
    CHECK(read.slot == request.slot);
    CHECK(read.params_text == R"({"a":1})");
    REQUIRE(read.params.nodes.size() == 2);
    CHECK(read.params.nodes[1].integer == 1);
    CHECK(read.params.text == "a");

    const JobEnd end{-2, "no luck", "[1]"};
    JobEnd end_read;
    REQUIRE(decodes(encoded(end), end_read));
    CHECK(end_read.status == -2);
    CHECK(end_read.error == "no luck");
    CHECK(end_read.result == "[1]");
}

TEST_CASE("an answer of a job that is cut off or too large is refused, a long error is cut") {
    JobEnd read;
    const auto bytes = encoded(JobEnd{0, "why", "[1]"});
    for (std::size_t size = 0; size < bytes.size(); ++size) CHECK_FALSE(decodes(std::span{bytes}.first(size), read));
    CHECK(decodes(encoded(JobEnd{0, {}, std::string(max_result_bytes, 'x')}), read));
    CHECK_FALSE(decodes(encoded(JobEnd{0, {}, std::string(max_result_bytes + 1, 'x')}), read));
    REQUIRE(decodes(encoded(JobEnd{-1, std::string(max_message_bytes + 1, 'x'), {}}), read));
    CHECK(read.error.size() == max_message_bytes);
    JobRequest nothing;
    JobRequest request_read;
    CHECK_FALSE(decodes(encoded(nothing), request_read));  // a tree has a root
}

TEST_CASE("an item with more state than a rule may keep is refused") {
    const std::string most(max_state_bytes, 'x');
    const std::string more(max_state_bytes + 1, 'x');
    Item item;
    Item read;
    item.state = most;
    CHECK(decodes(encoded(item), read));
    item.state = more;
    CHECK_FALSE(decodes(encoded(item), read));
}

TEST_CASE("declarations whose handles point nowhere are refused") {
    const auto refused = [](auto change) {
        Declarations all = declarations();
        change(all);
        Declarations read;
        return !decodes(encoded(all), read);
    };
    CHECK(refused([](Declarations& all) { all.reads[0].categories = {3}; }));
    CHECK(refused([](Declarations& all) { all.reads[0].kind = 9; }));
    CHECK(refused([](Declarations& all) { all.reads[0].begin_anchor = 2; }));
    CHECK(refused([](Declarations& all) { all.reads[0].begin_offset_us = INT64_MIN; }));
    CHECK(refused([](Declarations& all) { all.reads[1].zone = 1; }));
    CHECK(refused([](Declarations& all) { all.reads[1].zone = -1; }));
    CHECK(refused([](Declarations& all) { all.reads[1].local_begin_us = -1; }));
    CHECK(refused([](Declarations& all) { all.reads[2].stream = 3; }));
    CHECK(refused([](Declarations& all) { all.wants = 4; }));
    CHECK(refused([](Declarations& all) { all.keys.assign(max_keys + 1, "k"); }));
    CHECK(refused([](Declarations& all) { all.zones[0].name.assign(300, 'z'); }));
    CHECK_FALSE(refused([](Declarations&) {}));
}

TEST_CASE("a fault with an unknown reason is refused, and its texts are cut") {
    Fault fault{static_cast<FaultReason>(99), {}, {}};
    Fault read;
    CHECK_FALSE(decodes(encoded(fault), read));
    fault = {FaultReason::rule_error, {}, std::string(10'000, 'x')};
    REQUIRE(decodes(encoded(fault), read));
    CHECK(read.message.size() == max_message_bytes);
}

TEST_CASE("no prefix of a message is read past its end") {
    const auto whole = encoded(declarations());
    for (std::size_t size = 0; size < whole.size(); ++size) {
        const std::vector<std::byte> part(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size));
        Declarations read;
        CHECK_FALSE(decodes(part, read));
    }
}

TEST_CASE("random damage is either refused or still consistent") {
    const auto whole = encoded(declarations());
    std::mt19937 random{7};
    for (int i = 0; i < 20'000; ++i) {
        auto damaged = whole;
        for (int changes = 0; changes < 3; ++changes) damaged[random() % damaged.size()] = static_cast<std::byte>(random());
        Declarations read;
        if (!decodes(damaged, read)) continue;
        CHECK(read.keys.size() <= max_keys);
        for (const auto& one : read.reads)
            for (const auto category : one.categories) CHECK(category < read.literals.size());
    }
}
