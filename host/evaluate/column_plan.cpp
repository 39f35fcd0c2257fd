#include "evaluate/column_plan.hpp"

#include <algorithm>

namespace varde::evaluate {
namespace {

void add(std::vector<std::string>& list, TextIndex& index, const std::string& text) {
    if (index.emplace(text, static_cast<std::uint32_t>(list.size())).second) list.push_back(text);
}

std::optional<std::uint32_t> find(const TextIndex& index, std::string_view text) {
    const auto found = index.find(text);
    return found == index.end() ? std::nullopt : std::optional{found->second};
}

}  // namespace

ColumnPlan::ColumnPlan(const std::vector<const wire::Declarations*>& rules) {
    for (const wire::Declarations* rule : rules) {
        for (const std::string& key : rule->keys) add(keys_, key_index_, key);
        for (const std::string& literal : rule->literals) add(literals_, literal_index_, literal);
        for (const wire::ZoneDeclaration& zone : rule->zones) add(zone_names_, zone_index_, zone.name);
        wants_ |= rule->wants;
    }
    for (const std::string& name : zone_names_) zones_.push_back(time::Zone::find(name));
}

std::optional<std::uint32_t> ColumnPlan::key(std::string_view name) const { return find(key_index_, name); }

std::optional<varde_symbol> ColumnPlan::literal(std::string_view text) const {
    const auto place = find(literal_index_, text);
    return place ? std::optional{*place + 1} : std::nullopt;
}

wire::Binding ColumnPlan::bind(const wire::Declarations& rule, const std::vector<std::string>& keys) const {
    wire::Binding binding;
    for (const std::string& key : rule.keys)
        binding.keys.push_back(static_cast<std::uint32_t>(std::find(keys.begin(), keys.end(), key) - keys.begin()));
    for (const std::string& text : rule.literals) binding.literals.push_back(*literal(text));
    for (const wire::ZoneDeclaration& zone : rule.zones) binding.zones.push_back(*find(zone_index_, zone.name));
    return binding;
}

bool ColumnPlan::same_as(const ColumnPlan& other) const {
    return keys_ == other.keys_ && literals_ == other.literals_ && zone_names_ == other.zone_names_ && wants_ == other.wants_;
}

}  // namespace varde::evaluate
