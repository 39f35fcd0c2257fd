#pragma once
#include "evaluate/column_plan.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace varde::evaluate {

/// Texts of one scope by number. 0 is no text, 1 .. n are the plan's literals, then what the scope's events brought.
class SymbolTable {
  public:
    explicit SymbolTable(std::shared_ptr<const ColumnPlan> plan) : plan_{std::move(plan)} {}

    /// Whose text it is. What stands in a column that every rule may see is `open`; what only stands in payloads is not shown to a rule
    /// that did not declare the key.
    enum class Of { open, payload };
    varde_symbol intern(std::string_view text, Of of);
    /// Of an own symbol, by place: it stands in an open column.
    [[nodiscard]] bool is_open(std::size_t own) const { return open_[own]; }
    [[nodiscard]] std::string_view text_of(varde_symbol symbol) const;
    /// Including 0 and the literals.
    [[nodiscard]] std::uint32_t size() const { return first_own() + static_cast<std::uint32_t>(own_.size()); }
    [[nodiscard]] varde_symbol first_own() const { return static_cast<varde_symbol>(plan_->literals().size()) + 1; }
    [[nodiscard]] const std::vector<varde_text>& own() const { return own_; }
    [[nodiscard]] const std::string& own_text() const { return text_; }

    /// Keeps only the own symbols marked in `used` (by symbol - first_own()); returns the new symbol of each old one.
    std::vector<varde_symbol> keep(const std::vector<bool>& used);

  private:
    std::shared_ptr<const ColumnPlan> plan_;
    std::vector<varde_text> own_;
    std::vector<bool> open_;
    std::string text_;
    TextIndex index_;
};

}  // namespace varde::evaluate
