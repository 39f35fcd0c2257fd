#include "config/scalar.hpp"

#include <doctest/doctest.h>

using namespace varde::config;

namespace {

Scalar plain(std::string text) {
    Value value;
    value.kind = Value::Kind::scalar;
    value.text = std::move(text);
    return scalar_of(value);
}

bool is_ambiguous(const char* text) { return std::holds_alternative<Ambiguous>(plain(text)); }
bool is_text(const char* text) {
    const auto scalar = plain(text);
    const auto* found = std::get_if<std::string>(&scalar);
    return found != nullptr && *found == text;
}

}  // namespace

TEST_CASE("numbers are read by one strict grammar") {
    CHECK(std::get<std::int64_t>(plain("0")) == 0);
    CHECK(std::get<std::int64_t>(plain("+7")) == 7);
    CHECK(std::get<std::int64_t>(plain("-9223372036854775808")) == INT64_MIN);
    CHECK(std::get<double>(plain("1.")) == 1.0);
    CHECK(std::get<double>(plain("-.5")) == -0.5);
    CHECK(std::get<double>(plain("12e-1")) == doctest::Approx(1.2));
}

TEST_CASE("what looks like a number only to some readers is ambiguous") {
    for (const auto* text :
         {"0123", "-01", "0x1f", "0o17", "0b101", "1_000", "9223372036854775808", ".inf", "-.INF", ".nan", "1e999"}) {
        CHECK_MESSAGE(is_ambiguous(text), text);
    }
}

TEST_CASE("the words that YAML 1.1 takes for booleans are ambiguous, true and false are not") {
    for (const auto* text : {"yes", "NO", "On", "off"}) CHECK_MESSAGE(is_ambiguous(text), text);
    CHECK(std::get<bool>(plain("true")));
    CHECK_FALSE(std::get<bool>(plain("FALSE")));
}

TEST_CASE("everything else is text") {
    for (const auto* text :
         {"a", "R-001", "23:00:00", "2026-01-15", "1.2.3", "-", "+", ".", "1e", "e5", "truex", "onn", "5m", "0x", "-x"}) {
        CHECK_MESSAGE(is_text(text), text);
    }
}

TEST_CASE("the nearest key is found by letters changed, or by its beginning") {
    const std::vector<std::string_view> known{"lookback_minutes", "timeout_ms", "params"};
    CHECK(nearest("lookback_minuts", known) == "lookback_minutes");
    CHECK(nearest("timeout", known) == "timeout_ms");
    CHECK(nearest("parms", known) == "params");
    CHECK(nearest("colour", known) == "");
}
