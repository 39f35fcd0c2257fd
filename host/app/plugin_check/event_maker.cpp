#include "app/plugin_check/event_maker.hpp"

#include <algorithm>
#include <functional>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace varde::app::plugin_check {
namespace {

using nlohmann::ordered_json;

// The limits of ingest (host.yaml and host/ingest).
constexpr std::size_t kMaxId = 200;
constexpr std::size_t kMaxName = 100;
constexpr std::size_t kMaxPayload = 65'536;

void add(std::vector<std::string>& list, const std::string& word) {
    if (!word.empty() && word.size() <= kMaxName && std::ranges::find(list, word) == list.end()) list.push_back(word);
}

void add_texts(const ordered_json& value, const std::function<void(const std::string&)>& take) {
    if (value.is_string()) take(value.get<std::string>());
    if (value.is_array() || value.is_object())
        for (const auto& item : value) add_texts(item, take);
}

/// What a parameter is about is a guess from its name; a wrong guess costs some events that mean nothing.
void add_params(Vocabulary& words, const std::vector<config::ParamSpec>& params) {
    for (const auto& spec : params) {
        const auto named = [&](std::string_view part) { return spec.name.find(part) != std::string::npos; };
        auto& list = named("categor") ? words.categories : named("key") ? words.keys : words.values;
        if (!spec.default_value.empty())
            add_texts(ordered_json::parse(spec.default_value, nullptr, false), [&](const std::string& word) { add(list, word); });
        add_params(words, spec.members);
    }
}

/// Instants of the window, distinct and in order.
std::vector<core::Event> blank_events(const Vocabulary& words, core::Window window, std::size_t count, Dice& dice) {
    const auto step = static_cast<std::uint64_t>((window.until - window.since).count()) / std::max<std::size_t>(count, 1);
    std::vector<core::Event> events(count);
    for (std::size_t i = 0; i < count; ++i) {
        auto& event = events[i];
        event.seq = static_cast<std::int64_t>(i) + 1;
        event.event_id = fmt::format("event-{:06}", i);
        event.scope = test_scope();
        event.time = window.since + core::Microseconds{i * step + dice.below(std::max<std::uint64_t>(step, 1))};
        event.received_at = event.time;
        event.category = dice.one_of(words.categories);
        if (dice.below(2) == 0) event.room_id = dice.below(2) == 0 ? "bedroom" : "hall";
    }
    return events;
}

std::string quoted(const std::string& text) {
    return ordered_json(text).dump(-1, ' ', false, ordered_json::error_handler_t::replace);
}

std::string plain_payload(const Vocabulary& words, Dice& dice) {
    std::string payload = "{";
    for (const auto& key : words.keys) {
        if (dice.below(3) == 0) continue;
        payload += fmt::format("{}{}: {}", payload.size() > 1 ? ", " : "", quoted(key), quoted(dice.one_of(words.values)));
    }
    return payload + "}";
}

std::string odd_payload(const Vocabulary& words, Dice& dice) {
    static const std::vector<std::string> no_objects{"null", "[]", "{}", "\"text\"", "3", "true", "[{\"state\": \"on\"}]",
                                                     "-0.0"};
    if (dice.below(8) == 0) return dice.one_of(no_objects);
    std::string payload = "{";
    for (const auto& key : words.keys) {
        if (dice.below(4) == 0) continue;
        payload += fmt::format("{}{}: {}", payload.size() > 1 ? ", " : "", quoted(key), dice.one_of(odd_values()));
    }
    return payload + "}";
}

}  // namespace

const std::vector<std::string>& odd_values() {
    static const std::vector<std::string> values{"null",
                                                 "false",
                                                 "true",
                                                 "0",
                                                 "1",
                                                 "-1",
                                                 "9223372036854775807",
                                                 "-9223372036854775808",
                                                 "9223372036854775808",
                                                 "123456789012345678901234567890",
                                                 "0.0",
                                                 "-0.0",
                                                 "0.1",
                                                 "1.0",
                                                 "1e308",
                                                 "-1e308",
                                                 "5e-324",
                                                 "1E+2",
                                                 "\"\"",
                                                 "\" \"",
                                                 "\"on\"",
                                                 "\"ON \"",
                                                 "\"23:59:60\"",
                                                 "\"2026-01-15T12:00:00Z\"",
                                                 R"("\u0000")",
                                                 R"("a\"b\\c\n\t")",
                                                 R"("\ud83d\ude00 \u00e5\u0301")",
                                                 "\"" + std::string(2'000, 'x') + "\"",
                                                 "[]",
                                                 "[null]",
                                                 "[1, \"1\", 1.0, true]",
                                                 "[[[[[[[[\"deep\"]]]]]]]]",
                                                 "{}",
                                                 R"({"state": "on"})",
                                                 R"({"": {"a": [{"b": null}]}})"};
    return values;
}

Vocabulary vocabulary_of(const config::RuleManifest& manifest) {
    Vocabulary words;
    add_params(words, manifest.params);
    for (const auto* category : {"motion", "door", "presence"}) add(words.categories, category);
    for (const auto* key : {"state", "value"}) add(words.keys, key);
    for (const auto* value : {"on", "off", "open", "closed"}) add(words.values, value);
    return words;
}

core::Scope test_scope() { return {"check", "home", "subject"}; }

std::vector<core::Event> plain_events(const Vocabulary& words, core::Window window, std::size_t count, Dice& dice) {
    auto events = blank_events(words, window, count, dice);
    for (auto& event : events) event.payload = plain_payload(words, dice);
    return events;
}

std::vector<core::Event> odd_events(const Vocabulary& words, core::Window window, std::size_t count, Dice& dice) {
    auto events = blank_events(words, window, count, dice);
    for (auto& event : events) event.payload = odd_payload(words, dice);
    return events;
}

std::vector<core::Event> long_events(const Vocabulary& words, core::Window window, std::size_t count, Dice& dice) {
    auto events = blank_events(words, window, count, dice);
    for (auto& event : events) {
        event.event_id += std::string(kMaxId - event.event_id.size(), 'i');
        if (dice.below(4) == 0) event.category = std::string(kMaxName, 'c');
        event.room_id = std::string(kMaxName, 'r');
        event.stream_id = std::string(kMaxName, 's');
        const auto key = quoted(dice.one_of(words.keys));
        const auto frame = key.size() + 6;  // {KEY: "..."}
        event.payload = fmt::format("{{{}: \"{}\"}}", key, std::string(kMaxPayload - frame, 'p'));
    }
    return events;
}

}  // namespace varde::app::plugin_check
