#include "config/document.hpp"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <fmt/format.h>
#include <algorithm>
#include <sstream>

namespace varde::config {
namespace {

constexpr std::size_t kMaxBytes = 1u << 20;
constexpr std::size_t kMaxDepth = 64;

/// Where the lines of a text start: turns yaml-cpp's marks (0-based line, byte column) into offsets and positions.
class Lines {
  public:
    explicit Lines(std::string_view text) : text_{text} {
        // yaml-cpp does not count a byte order mark.
        if (text.starts_with("\xEF\xBB\xBF")) starts_[0] = 3;
        for (std::size_t i = 0; i < text.size(); ++i) {
            if (text[i] == '\n') starts_.push_back(i + 1);
        }
    }
    [[nodiscard]] std::size_t offset(const YAML::Mark& mark) const {
        const auto line = std::min(static_cast<std::size_t>(std::max(mark.line, 0)), starts_.size() - 1);
        return std::min(starts_[line] + static_cast<std::size_t>(std::max(mark.column, 0)), text_.size());
    }
    /// True if the line is indented with a tab: YAML forbids it, and yaml-cpp's message does not say so.
    [[nodiscard]] bool starts_with_tab(int line) const {
        const auto rest = text_.substr(starts_.at(static_cast<std::size_t>(line) - 1));
        const auto first = rest.find_first_not_of(' ');
        return first != std::string_view::npos && rest[first] == '\t';
    }
    [[nodiscard]] Position position(std::size_t offset) const {
        const auto next = std::ranges::upper_bound(starts_, offset);
        const auto line = static_cast<std::size_t>(next - starts_.begin()) - 1;
        const auto before = text_.substr(starts_[line], offset - starts_[line]);
        const auto characters =
            std::ranges::count_if(before, [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; });
        return {static_cast<int>(line) + 1, static_cast<int>(characters) + 1};
    }

  private:
    std::string_view text_;
    std::vector<std::size_t> starts_{0};
};

/// The first byte that is not part of well-formed UTF-8, or npos.
std::size_t find_invalid_utf8(std::string_view text) {
    for (std::size_t i = 0; i < text.size();) {
        const auto byte = static_cast<unsigned char>(text[i]);
        const std::size_t length = byte < 0x80                   ? 1
                                   : byte >= 0xC2 && byte < 0xE0 ? 2
                                   : (byte & 0xF0) == 0xE0       ? 3
                                   : byte >= 0xF0 && byte < 0xF5 ? 4
                                                                 : 0;
        if (length == 0 || i + length > text.size()) return i;
        for (std::size_t k = 1; k < length; ++k) {
            if ((static_cast<unsigned char>(text[i + k]) & 0xC0) != 0x80) return i;
        }
        const auto second = length > 2 ? static_cast<unsigned char>(text[i + 1]) : 0x90;
        const bool bad = (byte == 0xE0 && second < 0xA0) || (byte == 0xED && second > 0x9F) || (byte == 0xF0 && second < 0x90) ||
                         (byte == 0xF4 && second > 0x8F);
        if (bad) return i;
        i += length;
    }
    return std::string_view::npos;
}

std::string join(const std::string& path, std::string_view key) {
    return path.empty() ? std::string{key} : fmt::format("{}.{}", path, key);
}

/// Builds the tree from yaml-cpp's events: its own Node drops duplicate keys and the marks of keys.
class Builder final : public YAML::EventHandler {
  public:
    Builder(const Lines& lines, Problems& problems) : lines_{lines}, problems_{problems} {}

    void OnDocumentStart(const YAML::Mark&) override {}
    void OnDocumentEnd() override {}
    void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override { add(make(Value::Kind::null, mark, anchor)); }
    void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override {
        auto value = make(Value::Kind::null, mark, 0);
        problems_.add(value.at, path(), "aliases (*name) are not supported; write the value out");
        add(std::move(value));
    }
    void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor, const std::string& text) override {
        auto value = make(Value::Kind::scalar, mark, anchor);
        value.text = text;
        value.quoted = tag == "!" || tag == "tag:yaml.org,2002:str";
        if (!value.quoted) check_tag(tag, value.at);
        add(std::move(value));
    }
    void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                         YAML::EmitterStyle::value) override {
        open(Value::Kind::list, mark, tag, anchor);
    }
    void OnSequenceEnd() override { close(); }
    void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor, YAML::EmitterStyle::value) override {
        open(Value::Kind::map, mark, tag, anchor);
    }
    void OnMapEnd() override { close(); }

    [[nodiscard]] std::optional<Value> take_root() { return std::move(root_); }

  private:
    /// A list or map that is still being read; `key` is set between a key and its value.
    struct Open {
        Value value;
        std::optional<Member> key;
        std::string path;
    };

    Value make(Value::Kind kind, const YAML::Mark& mark, YAML::anchor_t anchor) {
        Value value;
        value.kind = kind;
        value.offset = lines_.offset(mark);
        value.at = lines_.position(value.offset);
        if (anchor != 0) problems_.add(value.at, path(), "anchors (&name) are not supported; remove it");
        return value;
    }
    void check_tag(const std::string& tag, Position at) {
        if (!tag.empty() && tag != "?" && tag != "!")
            problems_.add(at, path(), "tags other than !!str are not supported; remove it");
    }
    void open(Value::Kind kind, const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor) {
        auto value = make(kind, mark, anchor);
        check_tag(tag, value.at);
        if (stack_.size() == kMaxDepth)
            problems_.add(value.at, path(), fmt::format("is nested deeper than {} levels", kMaxDepth));
        auto where = path();
        stack_.push_back({std::move(value), std::nullopt, std::move(where)});
    }
    void close() {
        auto done = std::move(stack_.back().value);
        stack_.pop_back();
        add(std::move(done));
    }
    void add(Value value) {
        if (stack_.empty()) {
            root_ = std::move(value);
        } else if (stack_.back().value.kind == Value::Kind::list) {
            stack_.back().value.items.push_back(std::move(value));
        } else if (!stack_.back().key) {
            stack_.back().key = key_of(std::move(value));
        } else {
            add_member(stack_.back(), std::move(value));
        }
    }
    Member key_of(Value value) {
        if (value.kind != Value::Kind::scalar) {
            problems_.add(value.at, stack_.back().path, "a key must be plain text");
        } else if (value.text == "<<" && !value.quoted) {
            problems_.add(value.at, stack_.back().path, "merge keys (<<) are not supported; write the keys out");
        }
        return {std::move(value.text), value.at, value.offset, {}};
    }
    void add_member(Open& in, Value value) {
        auto member = std::move(*in.key);
        in.key.reset();
        if (const auto* first = in.value.find(member.key)) {
            problems_.add(member.at, join(in.path, member.key),
                          fmt::format("is given twice; the first is in line {}", first->at.line));
            return;
        }
        member.value = std::move(value);
        in.value.members.push_back(std::move(member));
    }
    /// Of the value that comes next.
    [[nodiscard]] std::string path() const {
        if (stack_.empty()) return {};
        const auto& in = stack_.back();
        if (in.value.kind == Value::Kind::list) return fmt::format("{}[{}]", in.path, in.value.items.size());
        return in.key ? join(in.path, in.key->key) : in.path;
    }

    const Lines& lines_;
    Problems& problems_;
    std::vector<Open> stack_;
    std::optional<Value> root_;
};

}  // namespace

const Member* Value::find(std::string_view key) const {
    const auto found = std::ranges::find(members, key, &Member::key);
    return found == members.end() ? nullptr : &*found;
}

void Problems::add(Position at, std::string_view path, std::string_view message) {
    entries_.push_back({at, path.empty() ? fmt::format("{}:{}:{}: {}", name_, at.line, at.column, message)
                                         : fmt::format("{}:{}:{}: {}: {}", name_, at.line, at.column, path, message)});
}

core::Error Problems::error() const {
    auto sorted = entries_;
    std::ranges::stable_sort(sorted, [](const Entry& a, const Entry& b) {
        return std::pair{a.at.line, a.at.column} < std::pair{b.at.line, b.at.column};
    });
    std::string text;
    for (const auto& entry : sorted) text += (text.empty() ? "" : "\n") + entry.text;
    return {core::Errc::config_invalid, std::move(text)};
}

std::optional<Value> read_document(std::string_view text, Problems& problems) {
    if (text.size() > kMaxBytes) {
        problems.add({}, "", fmt::format("the file has {} bytes; the limit is {}", text.size(), kMaxBytes));
        return std::nullopt;
    }
    const Lines lines{text};
    if (const auto bad = find_invalid_utf8(text); bad != std::string_view::npos) {
        problems.add(lines.position(bad), "", "is not UTF-8 here; save the file as UTF-8");
        return std::nullopt;
    }
    Builder builder{lines, problems};
    try {
        std::istringstream in{std::string{text}};
        YAML::Parser parser{in};
        if (!parser.HandleNextDocument(builder)) {
            problems.add({}, "", "the file is empty; write {} for a file without settings");
            return std::nullopt;
        }
        Problems ignored{""};
        Builder second{lines, ignored};
        if (parser.HandleNextDocument(second)) problems.add({}, "", "holds more than one YAML document; keep one");
    } catch (const YAML::Exception& error) {
        const auto at = lines.position(lines.offset(error.mark));
        const auto* hint = lines.starts_with_tab(at.line) ? "; indent with blanks, not with tabs" : "";
        problems.add(at, "", fmt::format("is not YAML: {}{}", error.msg, hint));
        return std::nullopt;
    }
    auto root = builder.take_root();
    if (!root || root->kind == Value::Kind::null) {
        problems.add({}, "", "the file is empty; write {} for a file without settings");
        return std::nullopt;
    }
    if (root->kind != Value::Kind::map) {
        problems.add(root->at, "", "the file must be a list of keys with values");
        return std::nullopt;
    }
    return root;
}

}  // namespace varde::config
