#include "evaluate/evidence_text.hpp"

#include <iterator>
#include <utility>

#include <fmt/format.h>

namespace varde::evaluate {

void EvidenceText::begin(std::string_view key) {
    if (text_.back() != '{' && text_.back() != '[') text_ += ',';
    if (!in_list_.empty() && in_list_.back() == 'l') return;
    quote(key);
    text_ += ':';
}

void EvidenceText::quote(std::string_view value) {
    text_ += '"';
    for (const char c : value) {
        switch (c) {
            case '"': text_ += "\\\""; break;
            case '\\': text_ += "\\\\"; break;
            case '\n': text_ += "\\n"; break;
            case '\r': text_ += "\\r"; break;
            case '\t': text_ += "\\t"; break;
            default:
                if (static_cast<unsigned char>(c) < 0x20)
                    fmt::format_to(std::back_inserter(text_), "\\u{:04x}", static_cast<unsigned>(static_cast<unsigned char>(c)));
                else
                    text_ += c;
        }
    }
    text_ += '"';
}

void EvidenceText::open(std::string_view key, bool list) {
    begin(key);
    text_ += list ? '[' : '{';
    in_list_ += list ? 'l' : 'o';
}

void EvidenceText::close(bool list) {
    text_ += list ? ']' : '}';
    in_list_.pop_back();
}

void EvidenceText::null(std::string_view key) {
    begin(key);
    text_ += "null";
}

void EvidenceText::boolean(std::string_view key, bool value) {
    begin(key);
    text_ += value ? "true" : "false";
}

void EvidenceText::integer(std::string_view key, std::int64_t value) {
    begin(key);
    fmt::format_to(std::back_inserter(text_), "{}", value);
}

void EvidenceText::real(std::string_view key, double value) {
    begin(key);
    const std::size_t at = text_.size();
    fmt::format_to(std::back_inserter(text_), "{}", value);
    if (text_.find_first_of(".e", at) == std::string::npos) text_ += ".0";
}

void EvidenceText::text(std::string_view key, std::string_view value) {
    begin(key);
    quote(value);
}

std::string EvidenceText::finish() {
    text_ += '}';
    in_list_.clear();
    return std::exchange(text_, "{");
}

}  // namespace varde::evaluate
