#include "evaluate/symbol_table.hpp"

#include <utility>

namespace varde::evaluate {

varde_symbol SymbolTable::intern(std::string_view text, Of of) {
    if (const auto literal = plan_->literal(text)) return *literal;
    const auto found = index_.find(text);
    if (found != index_.end()) {
        if (of == Of::open) open_[found->second - first_own()] = true;
        return found->second;
    }
    open_.push_back(of == Of::open);
    const varde_symbol symbol = size();
    own_.push_back({static_cast<std::uint32_t>(text_.size()), static_cast<std::uint32_t>(text.size())});
    text_ += text;
    index_.emplace(text, symbol);
    return symbol;
}

std::string_view SymbolTable::text_of(varde_symbol symbol) const {
    if (symbol == 0) return {};
    if (symbol < first_own()) return plan_->literals()[symbol - 1];
    const varde_text& place = own_.at(symbol - first_own());
    return std::string_view{text_}.substr(place.offset, place.length);
}

std::vector<varde_symbol> SymbolTable::keep(const std::vector<bool>& used) {
    const std::vector<varde_text> old = std::exchange(own_, {});
    const std::string old_text = std::exchange(text_, {});
    const std::vector<bool> old_open = std::exchange(open_, {});
    index_.clear();
    std::vector<varde_symbol> renamed(old.size(), 0);
    for (std::size_t i = 0; i < old.size(); ++i)
        if (used[i])
            renamed[i] =
                intern(std::string_view{old_text}.substr(old[i].offset, old[i].length), old_open[i] ? Of::open : Of::payload);
    return renamed;
}

}  // namespace varde::evaluate
