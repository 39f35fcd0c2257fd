/// The parameters of a rule as a tree, with the readings the rules of the reference use.
#pragma once
#include <varde/rule.h>

#include <initializer_list>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <varde/text.hpp>

namespace varde {

/// A parameter cannot be used. Thrown while a rule is made; the host shows both texts beside the line of the configuration.
class ParamError : public std::runtime_error {
  public:
    /// `path` is e.g. "night_window.end_local_time", or empty if no single parameter is at fault.
    ParamError(std::string path, const std::string& text) : std::runtime_error(text), path_(std::move(path)) {}
    [[nodiscard]] const std::string& path() const { return path_; }

  private:
    std::string path_;
};

/// One value in the tree, or a member that is not there. Cheap to copy; valid until the rule's constructor returns.
class Value {
  public:
    explicit Value(const varde_params& params) : params_(&params), index_(0) {}

    [[nodiscard]] uint32_t kind() const { return here() ? node().kind : VARDE_ABSENT; }
    [[nodiscard]] bool exists() const { return here(); }
    [[nodiscard]] bool is_null() const { return kind() == VARDE_NULL; }
    [[nodiscard]] bool is_text() const { return kind() == VARDE_TEXT; }
    [[nodiscard]] bool is_list() const { return kind() == VARDE_LIST; }
    [[nodiscard]] bool is_object() const { return kind() == VARDE_OBJECT; }
    [[nodiscard]] bool is_bool() const { return kind() == VARDE_TRUE || kind() == VARDE_FALSE; }

    /// Python's truth: not for a missing value, null, false, 0, 0.0, "", [] and {}.
    [[nodiscard]] bool truthy() const {
        switch (kind()) {
            case VARDE_TRUE:
            case VARDE_BIG_INTEGER: return true;
            case VARDE_REAL: return node().real != 0.0;
            case VARDE_TEXT: return !text().empty();
            case VARDE_INTEGER:
            case VARDE_LIST:
            case VARDE_OBJECT: return node().integer != 0;
            default: return false;
        }
    }

    /// Text of a VARDE_TEXT, digits of a VARDE_BIG_INTEGER, else empty.
    [[nodiscard]] std::string_view text() const { return here() ? slice(node().text) : std::string_view(); }
    /// Name of the member; empty in a list.
    [[nodiscard]] std::string_view key() const { return here() ? slice(node().key) : key_; }

    /// Members of an object or elements of a list, in document order; empty for anything else.
    [[nodiscard]] std::vector<Value> children() const {
        std::vector<Value> out;
        if (!is_list() && !is_object()) return out;
        for (uint32_t i = index_ + 1; i < node().end; i = params_->nodes[i].end) out.push_back(Value(*params_, i, index_));
        return out;
    }

    /// Member `key` of an object; a value that does not exist if there is none, or if this is no object.
    [[nodiscard]] Value operator[](std::string_view key) const {
        if (is_object())
            for (const Value& child : children())
                if (child.key() == key) return child;
        Value missing(*params_, kNone, index_);
        missing.key_ = key;
        return missing;
    }

    /// "night_window.end_local_time", "motion_categories[1]"; empty at the root.
    [[nodiscard]] std::string path() const {
        if (index_ == 0) return {};
        std::string before = parent_ == kNone ? std::string() : Value(*params_, parent_, parent_of(parent_)).path();
        if (key().empty() && here()) return before + "[" + std::to_string(place()) + "]";
        if (!before.empty()) before += '.';
        return before + std::string(key());
    }

    /// Python's str().
    [[nodiscard]] std::string str() const { return kind() == VARDE_TEXT ? std::string(text()) : python(); }

    /// Ends the making of the rule: this parameter cannot be used because of `text`.
    [[noreturn]] void refuse(const std::string& text) const { throw ParamError(path(), text); }

    // ---- readings of members, named after what the reference does ----

    /// The object under "params" if there is one, else this: a rule's whole configuration can be given in place of its params.
    [[nodiscard]] Value nested() const {
        const Value inner = (*this)["params"];
        return inner.is_object() ? inner : *this;
    }

    /// Lenient: integer, bool 0/1, real without its fraction, text that int() reads; anything else is `fallback`.
    [[nodiscard]] int64_t get_int(std::string_view key, int64_t fallback) const {
        return (*this)[key].as_int().value_or(fallback);
    }

    /// As get_int, refused outside low..high.
    [[nodiscard]] int64_t get_int(std::string_view key, int64_t fallback, int64_t low, int64_t high) const {
        return (*this)[key].within(get_int(key, fallback), low, high);
    }

    /// Python's int(value): `fallback` only if the key is missing; what cannot be read, or is outside low..high, is refused.
    [[nodiscard]] int64_t strict_int(std::string_view key, int64_t fallback, int64_t low, int64_t high) const {
        const Value value = (*this)[key];
        if (!value.exists()) return fallback;
        const auto number = value.as_int();
        if (!number) value.refuse(value.python() + " is not a whole number");
        return value.within(*number, low, high);
    }

    /// Lenient: text, number or bool as str(); an empty text or anything else is `fallback`. Not trimmed.
    [[nodiscard]] std::string get_str(std::string_view key, std::string_view fallback) const {
        const Value value = (*this)[key];
        const bool scalar =
            value.is_bool() || value.kind() == VARDE_INTEGER || value.kind() == VARDE_REAL || value.kind() == VARDE_BIG_INTEGER;
        return scalar || (value.is_text() && !value.text().empty()) ? value.str() : std::string(fallback);
    }

    /// str(value) of whatever is there, also "None" and ""; `fallback` only if the key is missing.
    [[nodiscard]] std::string str_of(std::string_view key, std::string_view fallback) const {
        const Value value = (*this)[key];
        return value.exists() ? value.str() : std::string(fallback);
    }

    /// A text that is not blank, trimmed; anything else is `fallback`.
    [[nodiscard]] std::string word(std::string_view key, std::string_view fallback) const {
        const std::string_view text = (*this)[key].is_text() ? trim((*this)[key].text()) : std::string_view();
        return std::string(text.empty() ? fallback : text);
    }

    /// str() of each element of a list that is not empty; anything else is `fallback`.
    [[nodiscard]] std::vector<std::string> words(std::string_view key, std::vector<std::string> fallback) const {
        std::vector<std::string> out;
        if ((*this)[key].is_list())
            for (const Value& element : (*this)[key].children()) out.push_back(element.str());
        return out.empty() ? std::move(fallback) : out;
    }

    /// true or false; anything else is refused. For parameters of our own, which need no leniency.
    [[nodiscard]] bool flag(std::string_view key, bool fallback) const {
        const Value value = (*this)[key];
        if (!value.exists()) return fallback;
        if (!value.is_bool()) value.refuse(value.python() + " is neither true nor false");
        return value.kind() == VARDE_TRUE;
    }

    /// A local time of day such as "23:00:00"; anything unreadable is refused.
    [[nodiscard]] std::chrono::microseconds local_time(std::string_view key, std::string_view fallback) const {
        const Value value = (*this)[key];
        if (value.exists() && !value.is_text())
            value.refuse(value.python() + " is not a time of day in quotes, such as \"23:00:00\"");
        const auto time = read_local_time(value.exists() ? value.text() : fallback);
        if (!time) value.refuse(quote(value.text()) + " is not a local time of day such as \"23:00:00\"");
        return *time;
    }

    /// The value as a text for messages, strings in quotes: Python's repr().
    [[nodiscard]] std::string python() const {
        switch (kind()) {
            case VARDE_NULL: return "None";
            case VARDE_FALSE: return "False";
            case VARDE_TRUE: return "True";
            case VARDE_INTEGER: return std::to_string(node().integer);
            case VARDE_BIG_INTEGER: return std::string(text());
            case VARDE_REAL: return repr(node().real);
            case VARDE_TEXT: return quote(text());
            default: return container();
        }
    }

  private:
    static constexpr uint32_t kNone = UINT32_MAX;
    Value(const varde_params& params, uint32_t index, uint32_t parent) : params_(&params), index_(index), parent_(parent) {}

    [[nodiscard]] bool here() const { return index_ != kNone; }
    [[nodiscard]] const varde_node& node() const { return params_->nodes[index_]; }
    [[nodiscard]] std::string_view slice(varde_text text) const { return {params_->text + text.offset, text.length}; }

    [[nodiscard]] uint32_t parent_of(uint32_t index) const {
        for (uint32_t i = index; i-- > 0;)
            if (params_->nodes[i].end > index) return i;
        return kNone;
    }

    [[nodiscard]] uint32_t place() const {
        uint32_t n = 0;
        for (uint32_t i = parent_ + 1; i < index_; i = params_->nodes[i].end) ++n;
        return n;
    }

    [[nodiscard]] std::optional<int64_t> as_int() const {
        switch (kind()) {
            case VARDE_FALSE: return 0;
            case VARDE_TRUE: return 1;
            case VARDE_INTEGER: return node().integer;
            case VARDE_REAL: return truncate(node().real);
            case VARDE_BIG_INTEGER:
            case VARDE_TEXT: return read_int(text());
            default: return std::nullopt;
        }
    }

    [[nodiscard]] int64_t within(int64_t number, int64_t low, int64_t high) const {
        if (number < low || number > high)
            refuse(std::to_string(number) + " is outside " + std::to_string(low) + " .. " + std::to_string(high));
        return number;
    }

    [[nodiscard]] std::string container() const {
        if (!is_list() && !is_object()) return "nothing";
        std::string out(1, is_list() ? '[' : '{');
        for (const Value& child : children()) {
            if (out.size() > 1) out += ", ";
            if (is_object()) out += quote(child.key()) + ": ";
            out += child.python();
        }
        return out + (is_list() ? ']' : '}');
    }

    const varde_params* params_;
    uint32_t index_;
    uint32_t parent_ = kNone;
    std::string_view key_;  // of a member that is not there
};

}  // namespace varde
