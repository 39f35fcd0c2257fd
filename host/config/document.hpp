#pragma once
#include "config/position.hpp"
#include "core/error.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// A YAML file as a tree that still knows where everything stood. Internal to config/; the only user of yaml-cpp.
namespace varde::config {

struct Member;

/// A value of the file. Scalars keep their text: what it means is decided by who asks (scalar.hpp).
struct Value {
    enum class Kind { null, scalar, list, map };
    Kind kind = Kind::null;
    Position at;
    std::size_t offset = 0;  ///< bytes from the start of the text
    bool quoted = false;     ///< scalars: in quotes, a block scalar or tagged !!str: text whatever it looks like
    std::string text;
    std::vector<Value> items;
    std::vector<Member> members;  ///< in file order

    [[nodiscard]] const Member* find(std::string_view key) const;
};

struct Member {
    std::string key;
    Position at;
    std::size_t offset = 0;
    Value value;
};

/// Everything that is wrong with one file.
class Problems {
  public:
    explicit Problems(std::string_view name) : name_{name} {}
    /// `path` is like rules.R-001.params, or empty for the file itself.
    void add(Position at, std::string_view path, std::string_view message);
    [[nodiscard]] bool empty() const { return entries_.empty(); }
    /// Errc::config_invalid with one problem a line, in file order.
    [[nodiscard]] core::Error error() const;

  private:
    struct Entry {
        Position at;
        std::string text;
    };
    std::string name_;
    std::vector<Entry> entries_;
};

/// Reads one YAML document, at most 1 MiB. Reported, besides syntax: text that is not UTF-8, duplicate keys, keys that are not plain
/// text, anchors, aliases, merge keys, tags, a second document, an empty file. nullopt if there is no tree to go on with.
[[nodiscard]] std::optional<Value> read_document(std::string_view text, Problems& problems);

}  // namespace varde::config
