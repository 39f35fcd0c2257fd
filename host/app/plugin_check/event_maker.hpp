#pragma once
#include "config/rule_manifest.hpp"
#include "core/event.hpp"

#include <cstdint>
#include <random>
#include <string>
#include <vector>

namespace varde::app::plugin_check {

/// Numbers from a seed; the same on every machine and with every library.
class Dice {
  public:
    explicit Dice(std::uint64_t seed) : engine_{seed} {}
    /// 0 .. n - 1; n > 0.
    [[nodiscard]] std::uint64_t below(std::uint64_t n) { return engine_() % n; }
    template <class T>
    [[nodiscard]] const T& one_of(const std::vector<T>& choices) {
        return choices[below(choices.size())];
    }
    template <class T>
    void shuffle(std::vector<T>& list) {
        for (std::size_t i = list.size(); i > 1; --i) std::swap(list[i - 1], list[below(i)]);
    }

  private:
    std::mt19937_64 engine_;
};

/// The words that invented events are made of: those of the rule's parameters, and common ones. An event of words that a rule does not know
/// tests nothing.
struct Vocabulary {
    std::vector<std::string> categories;
    std::vector<std::string> keys;
    std::vector<std::string> values;
};
[[nodiscard]] Vocabulary vocabulary_of(const config::RuleManifest& manifest);

/// The home that all of it happens in.
[[nodiscard]] core::Scope test_scope();

/// Events of [since, until) at distinct instants, in time order, with plain payloads, ids "event-000000" and so on. `count` is at most the
/// window's microseconds.
[[nodiscard]] std::vector<core::Event> plain_events(const Vocabulary& words, core::Window window, std::size_t count, Dice& dice);

/// The same with what JSON allows in payloads: every kind of value for every key, keys that are absent, payloads that are no objects,
/// deep nesting, numbers at their limits, texts of any characters.
[[nodiscard]] std::vector<core::Event> odd_events(const Vocabulary& words, core::Window window, std::size_t count, Dice& dice);

/// The same with every text as long as ingest lets it in.
[[nodiscard]] std::vector<core::Event> long_events(const Vocabulary& words, core::Window window, std::size_t count, Dice& dice);

/// JSON texts of every kind of value, the odd ones of each.
[[nodiscard]] const std::vector<std::string>& odd_values();

}  // namespace varde::app::plugin_check
