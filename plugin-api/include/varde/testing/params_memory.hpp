/// JSON text as the parameter tree of varde/rule.h, for tests.
#pragma once
#include <varde/rule.h>

#include <string>
#include <string_view>
#include <vector>

#include <varde/testing/json.hpp>

namespace varde::test {

/// Owns what `params()` points to.
class ParamsMemory {
  public:
    explicit ParamsMemory(std::string_view json) {
        append(JsonReader::read(json), "");
        raw_.struct_size = sizeof raw_;
        raw_.n_nodes = static_cast<uint32_t>(nodes_.size());
        raw_.nodes = nodes_.data();
        raw_.text = text_.data();
    }
    ParamsMemory(const ParamsMemory&) = delete;
    ParamsMemory& operator=(const ParamsMemory&) = delete;
    [[nodiscard]] const varde_params& params() const { return raw_; }

  private:
    varde_text keep(std::string_view text) {
        text_ += text;
        return {static_cast<uint32_t>(text_.size() - text.size()), static_cast<uint32_t>(text.size())};
    }

    void append(const Json& json, std::string_view key) {
        const std::size_t index = nodes_.size();
        varde_node node{};
        node.kind = json.kind;
        node.key = keep(key);
        if (json.kind == VARDE_TEXT || json.kind == VARDE_BIG_INTEGER) node.text = keep(json.text);
        node.integer = json.kind == VARDE_INTEGER ? json.integer : static_cast<int64_t>(json.members.size());
        node.real = json.real;
        nodes_.push_back(node);
        for (const auto& [name, value] : json.members) append(value, name);
        nodes_[index].end = static_cast<uint32_t>(nodes_.size());
    }

    std::vector<varde_node> nodes_;
    std::string text_;
    varde_params raw_{};
};

}  // namespace varde::test
