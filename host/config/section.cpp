#include "config/section.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <algorithm>

namespace varde::config {

std::string Section::path_of(std::string_view key) const {
    return path_.empty() ? std::string{key} : fmt::format("{}.{}", path_, key);
}

const Value* Section::value(std::string_view key) {
    known_.push_back(key);
    const auto* member = map_.find(key);
    if (member == nullptr) return nullptr;
    if (member->value.kind == Value::Kind::null) {
        problems_.add(member->at, path_of(key), "has no value; give it one, or leave the key out for the default");
        return nullptr;
    }
    return &member->value;
}

void Section::wrong_type(std::string_view key, const Value& value, std::string_view wanted) {
    if (value.kind == Value::Kind::list) return problems_.add(value.at, path_of(key), fmt::format("is a list; give {}", wanted));
    if (value.kind == Value::Kind::map) return problems_.add(value.at, path_of(key), fmt::format("is a map; give {}", wanted));
    // The text may be a secret that was put on the wrong key: show little of it.
    const auto shown = value.text.size() <= 20 ? value.text : value.text.substr(0, 17) + "...";
    problems_.add(value.at, path_of(key),
                  fmt::format("{}{}{} is not {}", value.quoted ? "\"" : "", shown, value.quoted ? "\"" : "", wanted));
}

void Section::integer(std::string_view key, std::int64_t least, std::int64_t most,
                      const std::function<void(std::int64_t)>& store) {
    const auto* found = value(key);
    if (found == nullptr) return;
    const auto wanted = fmt::format("a whole number {}..{}", least, most);
    if (found->kind != Value::Kind::scalar) return wrong_type(key, *found, wanted);
    const auto scalar = scalar_of(*found);
    if (const auto* ambiguous = std::get_if<Ambiguous>(&scalar)) {
        return problems_.add(found->at, path_of(key), fmt::format("{} is not {}: {}", found->text, wanted, ambiguous->advice));
    }
    const auto* number = std::get_if<std::int64_t>(&scalar);
    if (number == nullptr) return wrong_type(key, *found, wanted);
    if (*number < least || *number > most) {
        return problems_.add(found->at, path_of(key), fmt::format("{} is outside {}..{}", *number, least, most));
    }
    store(*number);
}

void Section::boolean(std::string_view key, const std::function<void(bool)>& store) {
    const auto* found = value(key);
    if (found == nullptr) return;
    if (found->kind != Value::Kind::scalar) return wrong_type(key, *found, "true or false");
    const auto scalar = scalar_of(*found);
    if (const auto* flag = std::get_if<bool>(&scalar)) return store(*flag);
    wrong_type(key, *found, "true or false");
}

void Section::text(std::string_view key, std::size_t least, std::size_t most, const std::function<void(std::string)>& store) {
    const auto* found = value(key);
    if (found == nullptr) return;
    if (found->kind != Value::Kind::scalar) return wrong_type(key, *found, "a text");
    auto scalar = scalar_of(*found);
    auto* text = std::get_if<std::string>(&scalar);
    if (text == nullptr) return wrong_type(key, *found, "a text; write it in quotes");
    const auto length = static_cast<std::size_t>(
        std::ranges::count_if(*text, [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
    if (length < least || length > most) {
        return problems_.add(found->at, path_of(key), fmt::format("has {} characters; {}..{} are allowed", length, least, most));
    }
    store(std::move(*text));
}

void Section::choice(std::string_view key, const std::vector<std::string_view>& choices, std::string& out) {
    text(key, 0, 200, [&](std::string chosen) {
        if (std::ranges::find(choices, chosen) != choices.end()) {
            out = std::move(chosen);
            return;
        }
        const auto near = nearest(chosen, choices);
        problem(key, fmt::format("'{}' is none of {}{}", chosen, fmt::join(choices, ", "),
                                 near.empty() ? "" : fmt::format("; did you mean '{}'?", near)));
    });
}

const Value* Section::map(std::string_view key) {
    const auto* found = value(key);
    if (found == nullptr) return nullptr;
    if (found->kind == Value::Kind::map) return found;
    problems_.add(found->at, path_of(key), "must be a map of keys with values");
    return nullptr;
}

const Value* Section::list(std::string_view key) {
    const auto* found = value(key);
    if (found == nullptr) return nullptr;
    if (found->kind == Value::Kind::list) return found;
    problems_.add(found->at, path_of(key), "must be a list");
    return nullptr;
}

void Section::texts(std::string_view key, std::size_t most, std::vector<std::string>& out,
                    const std::vector<std::string_view>& choices) {
    const auto* found = list(key);
    if (found == nullptr) return;
    std::vector<std::string> texts;
    for (const auto& item : found->items) {
        const auto scalar = item.kind == Value::Kind::scalar ? scalar_of(item) : Scalar{false};
        const auto* text = std::get_if<std::string>(&scalar);
        if (text == nullptr || text->empty() || text->size() > most) {
            problems_.add(item.at, path_of(key), fmt::format("holds an entry that is no text of 1..{} characters", most));
        } else if (!choices.empty() && std::ranges::find(choices, *text) == choices.end()) {
            problems_.add(item.at, path_of(key), fmt::format("'{}' is none of {}", *text, fmt::join(choices, ", ")));
        } else {
            texts.push_back(*text);
        }
    }
    out = std::move(texts);
}

void Section::section(std::string_view key, const std::function<void(Section&)>& read) {
    if (const auto* found = map(key)) {
        Section inner{*found, path_of(key), problems_};
        read(inner);
        inner.finish();
    }
}

void Section::problem(std::string_view key, std::string_view message) {
    const auto* member = map_.find(key);
    problems_.add(member != nullptr ? member->value.at : map_.at, path_of(key), message);
}

void Section::finish() {
    for (const auto& member : map_.members) {
        if (std::ranges::find(known_, member.key) != known_.end()) continue;
        const auto near = nearest(member.key, known_);
        problems_.add(member.at, path_of(member.key),
                      near.empty() ? fmt::format("unknown key; known here: {}", fmt::join(known_, ", "))
                                   : fmt::format("unknown key; did you mean '{}'?", near));
    }
}

}  // namespace varde::config
