#pragma once
#include "time/zone.hpp"
#include "wire/message.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include <varde/rule.h>

namespace varde::evaluate {

struct TextHash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
};
using TextIndex = std::unordered_map<std::string, std::uint32_t, TextHash, std::equal_to<>>;

/// What is kept of every event: the union of what all rules declared. Immutable once made; shared by the columns of all scopes.
class ColumnPlan {
  public:
    explicit ColumnPlan(const std::vector<const wire::Declarations*>& rules);

    [[nodiscard]] const std::vector<std::string>& keys() const { return keys_; }
    /// A literal's symbol is its place + 1, in every scope.
    [[nodiscard]] const std::vector<std::string>& literals() const { return literals_; }
    [[nodiscard]] const std::vector<std::string>& zone_names() const { return zone_names_; }
    [[nodiscard]] const std::vector<std::optional<time::Zone>>& zones() const { return zones_; }
    [[nodiscard]] std::uint32_t wants() const { return wants_; }

    [[nodiscard]] std::optional<std::uint32_t> key(std::string_view name) const;
    [[nodiscard]] std::optional<varde_symbol> literal(std::string_view text) const;
    /// Where a rule finds what it declared in a window that holds the columns of `keys` in this order. All literals and zones must be in
    /// the plan, all keys of the rule in `keys`.
    [[nodiscard]] wire::Binding bind(const wire::Declarations& rule, const std::vector<std::string>& keys) const;
    /// Columns made for one plan serve the other.
    [[nodiscard]] bool same_as(const ColumnPlan& other) const;

  private:
    std::vector<std::string> keys_;
    std::vector<std::string> literals_;
    std::vector<std::string> zone_names_;
    std::vector<std::optional<time::Zone>> zones_;
    std::uint32_t wants_ = 0;
    TextIndex key_index_;
    TextIndex literal_index_;
    TextIndex zone_index_;
};

}  // namespace varde::evaluate
