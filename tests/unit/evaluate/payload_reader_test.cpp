#include "evaluate/payload_reader.hpp"
#include "unit/evaluate/columns_fixture.hpp"

#include <doctest/doctest.h>

#include <bit>
#include <limits>

using namespace columns;
using evaluate::ColumnValue;

namespace {

struct Read {
    std::shared_ptr<const evaluate::ColumnPlan> shared = plan({"a", "b"});
    evaluate::SymbolTable symbols{shared};
    evaluate::PayloadReader reader;
    std::vector<ColumnValue> values;
    std::uint8_t kind = 0;
    explicit Read(std::string_view payload) { kind = reader.read(payload, *shared, symbols, values); }
    [[nodiscard]] std::string text(std::size_t key = 0) const {
        return std::string{symbols.text_of(static_cast<varde_symbol>(values[key].value))};
    }
    [[nodiscard]] double real() const { return std::bit_cast<double>(values[0].value); }
};

}  // namespace

TEST_CASE("every kind of JSON value has its kind of column value") {
    CHECK(Read{R"({"a":null})"}.values[0].kind == VARDE_NULL);
    CHECK(Read{R"({"a":true})"}.values[0].kind == VARDE_TRUE);
    CHECK(Read{R"({"a":false})"}.values[0].kind == VARDE_FALSE);
    CHECK(Read{R"({"a": -7 })"}.values[0].kind == VARDE_INTEGER);
    CHECK(Read{R"({"a": -7 })"}.values[0].value == -7);
    CHECK(Read{R"({"a":1.0})"}.values[0].kind == VARDE_REAL);
    CHECK(Read{R"({"a":1.0})"}.real() == 1.0);
    CHECK(Read{R"({"a":1e2})"}.real() == 100.0);
    CHECK(Read{R"({"a":"ø\n"})"}.text() == "ø\n");
    CHECK(Read{R"({"b":1})"}.values[0].kind == VARDE_ABSENT);
    CHECK(Read{R"({"a":1,"b":"x"})"}.text(1) == "x");
}

TEST_CASE("integers that do not fit int64 keep their digits") {
    CHECK(Read{R"({"a":9223372036854775807})"}.values[0].value == std::numeric_limits<std::int64_t>::max());
    CHECK(Read{R"({"a":-9223372036854775808})"}.values[0].value == std::numeric_limits<std::int64_t>::min());
    const Read big{R"({"a":9223372036854775808 })"};
    CHECK(big.values[0].kind == VARDE_BIG_INTEGER);
    CHECK(big.text() == "9223372036854775808");
    CHECK(Read{R"({"a":123456789012345678901234567890})"}.text() == "123456789012345678901234567890");
}

TEST_CASE("reals beyond a double become infinite or zero, never something else") {
    CHECK(Read{R"({"a":1e999})"}.real() == std::numeric_limits<double>::infinity());
    CHECK(Read{R"({"a":-1e999})"}.real() == -std::numeric_limits<double>::infinity());
    CHECK(Read{R"({"a":1e-999})"}.real() == 0.0);
}

TEST_CASE("lists and objects are their text without blanks") {
    const Read list{R"({"a": [ 1 , {"x y": " z "} ] })"};
    CHECK(list.values[0].kind == VARDE_LIST);
    CHECK(list.text() == R"([1,{"x y":" z "}])");
    CHECK(Read{R"({"a": { } })"}.text() == "{}");
    CHECK(Read{R"({"a": [ ] })"}.text() == "[]");
}

TEST_CASE("of a key that is there twice the last one counts") {
    CHECK(Read{R"({"a":1,"a":2})"}.values[0].value == 2);
    CHECK(Read{R"({"a":"x","a":null})"}.values[0].kind == VARDE_NULL);
}

TEST_CASE("escaped keys are the keys they mean") { CHECK(Read{R"({"\u0061":5})"}.values[0].value == 5); }

TEST_CASE("payloads that are no object have a kind and no values") {
    CHECK(Read{"[1]"}.kind == VARDE_LIST);
    CHECK(Read{"\"x\""}.kind == VARDE_TEXT);
    CHECK(Read{"null"}.kind == VARDE_NULL);
    CHECK(Read{" 5"}.kind == VARDE_INTEGER);
    CHECK(Read{"5.5"}.kind == VARDE_REAL);
    CHECK(Read{""}.kind == VARDE_ABSENT);
    CHECK(Read{"[1]"}.values[0].kind == VARDE_ABSENT);
    CHECK(Read{"{}"}.kind == VARDE_OBJECT);
}

TEST_CASE("a damaged payload neither throws nor spoils the next one") {
    evaluate::PayloadReader reader;
    const auto shared = plan({"a"});
    evaluate::SymbolTable symbols{shared};
    std::vector<ColumnValue> values;
    for (const char* damaged : {"{", R"({"a")", R"({"a":)", R"({"a":[1,)", R"({"a":"x)", "{\"a\":\"\xff\"}"}) {
        (void)reader.read(damaged, *shared, symbols, values);
        (void)reader.read(R"({"a":3})", *shared, symbols, values);
        CHECK(values[0].value == 3);
    }
}
