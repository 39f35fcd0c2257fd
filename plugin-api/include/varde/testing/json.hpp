/// A small JSON reader for literals in tests. Bounded: at most 4 MiB and 32 levels. Keeps 1 and 1.0 apart, keeps member order.
#pragma once
#include <varde/rule.h>

#include <charconv>
#include <cstdint>
#include <limits>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <varde/text.hpp>

namespace varde::test {

struct Json {
    uint32_t kind = VARDE_NULL;  ///< VARDE_NULL .. VARDE_OBJECT, VARDE_BIG_INTEGER
    int64_t integer = 0;
    double real = 0;
    std::string text = {};                                   ///< VARDE_TEXT: the text; numbers: as written
    std::vector<std::pair<std::string, Json>> members = {};  ///< of an object; of a list with empty names

    [[nodiscard]] const Json* find(std::string_view key) const {
        const Json* found = nullptr;  // of two members with one name the last counts
        for (const auto& [name, value] : members)
            if (kind == VARDE_OBJECT && name == key) found = &value;
        return found;
    }
};

/// `text` as a JSON string with its quotes.
inline std::string json_quoted(std::string_view text) {
    std::string out = "\"";
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (c == '"' || c == '\\')
            out += '\\', out += c;
        else if (c == '\n')
            out += "\\n";
        else if (byte < 0x20)
            out += "\\u00", out += "0123456789abcdef"[byte >> 4], out += "0123456789abcdef"[byte & 15];
        else
            out += c;
    }
    return out + '"';
}

/// JSON text without blanks.
inline std::string to_text(const Json& json) {
    switch (json.kind) {
        case VARDE_NULL: return "null";
        case VARDE_FALSE: return "false";
        case VARDE_TRUE: return "true";
        case VARDE_TEXT: return json_quoted(json.text);
        case VARDE_LIST:
        case VARDE_OBJECT: break;
        default: return json.text;
    }
    const bool object = json.kind == VARDE_OBJECT;
    std::string out(1, object ? '{' : '[');
    for (const auto& [name, value] : json.members) {
        if (out.size() > 1) out += ',';
        if (object) out += json_quoted(name) + ':';
        out += to_text(value);
    }
    return out + (object ? '}' : ']');
}

/// Reads one value; throws std::invalid_argument that names the byte at fault.
class JsonReader {
  public:
    static Json read(std::string_view text) {
        if (text.size() > (4u << 20)) throw std::invalid_argument("JSON literal over 4 MiB");
        JsonReader reader(text);
        Json value = reader.value(0);
        reader.skip_blanks();
        if (reader.at_ != text.size()) reader.refuse("something after the value");
        return value;
    }

  private:
    explicit JsonReader(std::string_view text) : text_(text) {}

    [[noreturn]] void refuse(const std::string& what) const {
        throw std::invalid_argument("JSON literal, byte " + std::to_string(at_) + ": " + what + " in " +
                                    std::string(text_.substr(0, 200)));
    }
    void skip_blanks() { at_ = std::min(text_.find_first_not_of(" \t\r\n", at_), text_.size()); }
    [[nodiscard]] char peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }
    bool take(char c) {
        skip_blanks();
        if (peek() != c) return false;
        ++at_;
        return true;
    }

    Json value(int depth) {
        if (depth > 32) refuse("nested too deep");
        skip_blanks();
        switch (peek()) {
            case '{':
            case '[': return container(depth, peek() == '{');
            case '"': return Json{.kind = VARDE_TEXT, .text = string()};
            case 't': return word("true", VARDE_TRUE);
            case 'f': return word("false", VARDE_FALSE);
            case 'n': return word("null", VARDE_NULL);
            default: return number();
        }
    }

    Json word(std::string_view name, uint32_t kind) {
        if (text_.substr(at_, name.size()) != name) refuse("no value");
        at_ += name.size();
        return Json{.kind = kind};
    }

    Json container(int depth, bool object) {
        Json json{.kind = object ? VARDE_OBJECT : VARDE_LIST};
        const char close = object ? '}' : ']';
        ++at_;
        if (take(close)) return json;
        do {
            std::string name;
            skip_blanks();
            if (object) {
                if (peek() != '"') refuse("no member name");
                name = string();
                if (!take(':')) refuse("no ':'");
            }
            json.members.emplace_back(std::move(name), value(depth + 1));
        } while (take(','));
        if (!take(close)) refuse(std::string("no '") + close + "'");
        return json;
    }

    std::string string() {
        for (std::size_t end = at_ + 1;; ++end) {
            if (end >= text_.size()) refuse("a string without its end");
            if (text_[end] == '\\')
                ++end;
            else if (text_[end] == '"')
                break;
        }
        return detail::json_string(text_, at_);
    }

    Json number() {
        const auto end = std::min(text_.find_first_not_of("+-0123456789.eE", at_), text_.size());
        Json json{.kind = VARDE_REAL, .text = std::string(text_.substr(at_, end - at_))};
        const char* first = json.text.data();
        const char* last = first + json.text.size();
        if (json.text.find_first_of(".eE") == std::string::npos) {
            const auto [stop, error] = std::from_chars(first, last, json.integer);
            if (stop != last) refuse("no value");
            json.kind = error == std::errc::result_out_of_range ? VARDE_BIG_INTEGER : VARDE_INTEGER;
        } else if (std::from_chars(first, last, json.real).ptr != last) {
            refuse("no number");
        }
        at_ = end;
        return json;
    }

    std::string_view text_;
    std::size_t at_ = 0;
};

}  // namespace varde::test
