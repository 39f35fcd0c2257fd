#include "evaluate/params_tree.hpp"

#include <limits>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

namespace varde::evaluate {
namespace {

/// Appends nodes as the parser comes by: document order, and the text of numbers that no C type holds.
class TreeBuilder : public nlohmann::json_sax<nlohmann::json> {
  public:
    explicit TreeBuilder(wire::ParamsTree& tree) : tree_{tree} {}

    bool null() override { return leaf(VARDE_NULL), true; }
    bool boolean(bool value) override { return leaf(value ? VARDE_TRUE : VARDE_FALSE), true; }
    bool number_integer(number_integer_t value) override { return leaf(VARDE_INTEGER).integer = value, true; }
    bool number_unsigned(number_unsigned_t value) override {
        if (value > static_cast<number_unsigned_t>(std::numeric_limits<std::int64_t>::max()))
            return big_integer(std::to_string(value));
        return leaf(VARDE_INTEGER).integer = static_cast<std::int64_t>(value), true;
    }
    bool number_float(number_float_t value, const string_t& token) override {
        if (token.find_first_of(".eE") == string_t::npos) return big_integer(token);
        return leaf(VARDE_REAL).real = value, true;
    }
    bool string(string_t& value) override {
        const varde_text text = put(value);
        return leaf(VARDE_TEXT).text = text, true;
    }
    bool binary(binary_t&) override { return false; }
    bool start_object(std::size_t) override { return open(VARDE_OBJECT), true; }
    bool start_array(std::size_t) override { return open(VARDE_LIST), true; }
    bool key(string_t& name) override { return key_ = put(name), true; }
    bool end_object() override { return close(), true; }
    bool end_array() override { return close(), true; }
    bool parse_error(std::size_t, const std::string&, const nlohmann::detail::exception&) override { return false; }

  private:
    varde_text put(const std::string& text) {
        const auto offset = static_cast<std::uint32_t>(tree_.text.size());
        tree_.text += text;
        return {offset, static_cast<std::uint32_t>(text.size())};
    }
    varde_node& leaf(std::uint32_t kind) {
        if (!open_.empty()) ++tree_.nodes[open_.back()].integer;
        varde_node node{};
        node.kind = kind;
        node.end = static_cast<std::uint32_t>(tree_.nodes.size()) + 1;
        node.key = std::exchange(key_, {});
        tree_.nodes.push_back(node);
        return tree_.nodes.back();
    }
    bool big_integer(const std::string& digits) {
        const varde_text text = put(digits);
        leaf(VARDE_BIG_INTEGER).text = text;
        return true;
    }
    void open(std::uint32_t kind) {
        leaf(kind);
        open_.push_back(tree_.nodes.size() - 1);
    }
    void close() {
        tree_.nodes[open_.back()].end = static_cast<std::uint32_t>(tree_.nodes.size());
        open_.pop_back();
    }

    wire::ParamsTree& tree_;
    varde_text key_{};
    std::vector<std::size_t> open_;
};

}  // namespace

core::Result<wire::ParamsTree> params_tree(std::string_view json) {
    wire::ParamsTree tree;
    TreeBuilder builder{tree};
    if (!nlohmann::json::sax_parse(json, &builder))
        return core::fail(core::Errc::invalid_argument, "the parameters are not JSON");
    if (tree.nodes.front().kind != VARDE_OBJECT)
        return core::fail(core::Errc::invalid_argument, "the parameters are not an object");
    return tree;
}

}  // namespace varde::evaluate
