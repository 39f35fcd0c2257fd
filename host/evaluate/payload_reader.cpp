#include "evaluate/payload_reader.hpp"

#include <bit>
#include <charconv>
#include <cstdlib>

#include <simdjson.h>

namespace varde::evaluate {
namespace {

namespace sj = simdjson::ondemand;

std::uint8_t kind_from_first_character(std::string_view payload) {
    const std::size_t at = payload.find_first_not_of(" \t\r\n");
    if (at == std::string_view::npos) return VARDE_ABSENT;
    switch (payload[at]) {
        case '{': return VARDE_OBJECT;
        case '[': return VARDE_LIST;
        case '"': return VARDE_TEXT;
        case 't': return VARDE_TRUE;
        case 'f': return VARDE_FALSE;
        case 'n': return VARDE_NULL;
        default: return payload.substr(at).find_first_of(".eE") == std::string_view::npos ? VARDE_INTEGER : VARDE_REAL;
    }
}

// As varde/rule.h draws the line: no fraction, no exponent and within int64 is an integer; every other number is a real.
ColumnValue number(std::string_view token, SymbolTable& symbols) {
    while (!token.empty() && (token.back() == ' ' || token.back() == '\n' || token.back() == '\r' || token.back() == '\t'))
        token.remove_suffix(1);
    const char* end = token.data() + token.size();
    if (token.find_first_of(".eE") == std::string_view::npos) {
        std::int64_t integer = 0;
        const auto [at, error] = std::from_chars(token.data(), end, integer);
        if (error == std::errc{} && at == end) return {VARDE_INTEGER, integer};
        return {VARDE_BIG_INTEGER, symbols.intern(token, SymbolTable::Of::payload)};
    }
    double real = 0;
    // Too large or too small for a double: infinity or 0, as strtod (and Python) have it.
    if (std::from_chars(token.data(), end, real).ec != std::errc{}) real = std::strtod(std::string{token}.c_str(), nullptr);
    return {VARDE_REAL, std::bit_cast<std::int64_t>(real)};
}

std::string without_blanks(std::string_view json) {
    std::string text(json.size(), '\0');
    std::size_t length = 0;
    if (simdjson::minify(json.data(), json.size(), text.data(), length) != simdjson::SUCCESS) return std::string{json};
    text.resize(length);
    return text;
}

ColumnValue value_of(sj::value value, SymbolTable& symbols) {
    switch (value.type().value_unsafe()) {
        case sj::json_type::string: {
            std::string_view text;
            if (value.get_string().get(text) != simdjson::SUCCESS) return {VARDE_TEXT, 0};
            return {VARDE_TEXT, symbols.intern(text, SymbolTable::Of::payload)};
        }
        case sj::json_type::number: return number(value.raw_json_token(), symbols);
        case sj::json_type::boolean: {
            bool truth = false;
            if (value.get_bool().get(truth) != simdjson::SUCCESS) return {};
            return {truth ? std::uint8_t{VARDE_TRUE} : std::uint8_t{VARDE_FALSE}, 0};
        }
        case sj::json_type::array: {
            sj::array list;
            std::string_view text;
            if (value.get_array().get(list) != simdjson::SUCCESS || list.raw_json().get(text) != simdjson::SUCCESS) return {};
            return {VARDE_LIST, symbols.intern(without_blanks(text), SymbolTable::Of::payload)};
        }
        case sj::json_type::object: {
            sj::object object;
            std::string_view text;
            if (value.get_object().get(object) != simdjson::SUCCESS || object.raw_json().get(text) != simdjson::SUCCESS)
                return {};
            return {VARDE_OBJECT, symbols.intern(without_blanks(text), SymbolTable::Of::payload)};
        }
        default: return {VARDE_NULL, 0};
    }
}

}  // namespace

struct PayloadReader::Parser {
    sj::parser parser;
};

PayloadReader::PayloadReader() : parser_{std::make_unique<Parser>()} {}
PayloadReader::PayloadReader(PayloadReader&&) noexcept = default;
PayloadReader& PayloadReader::operator=(PayloadReader&&) noexcept = default;
PayloadReader::~PayloadReader() = default;

std::uint8_t PayloadReader::read(std::string_view payload, const ColumnPlan& plan, SymbolTable& symbols,
                                 std::vector<ColumnValue>& values) {
    values.assign(plan.keys().size(), {});
    const std::uint8_t kind = kind_from_first_character(payload);
    if (kind != VARDE_OBJECT || values.empty()) return kind;
    padded_.assign(payload);
    padded_.append(simdjson::SIMDJSON_PADDING, '\0');
    sj::document document;
    const simdjson::padded_string_view view{padded_.data(), payload.size(), padded_.size()};
    sj::object object;
    if (parser_->parser.iterate(view).get(document) != simdjson::SUCCESS ||
        document.get_object().get(object) != simdjson::SUCCESS)
        return kind;
    for (auto member : object) {
        sj::field field;
        std::string_view name;
        if (std::move(member).get(field) != simdjson::SUCCESS || field.unescaped_key().get(name) != simdjson::SUCCESS) break;
        if (const auto key = plan.key(name)) values[*key] = value_of(field.value(), symbols);
    }
    return kind;
}

}  // namespace varde::evaluate
