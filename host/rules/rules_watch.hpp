#pragma once
#include "config/settings.hpp"

#include <cstdint>
#include <filesystem>
#include <optional>

namespace varde::rules {

/// Notices edits of rules.yaml. One thread at a time.
class RulesWatch {
  public:
    explicit RulesWatch(std::filesystem::path file) : file_{std::move(file)} {}

    /// The file's new content, read and checked, or why it cannot be used; nullopt if nothing changed since the last answer.
    /// Unless `at_once`, a change is answered at the second look that sees the same state of the file: an editor that is still writing
    /// must not make half a file the configuration.
    [[nodiscard]] std::optional<core::Result<config::RulesConfig>> look(bool at_once);

  private:
    /// What tells one state of the file from another. All zero: it is not there.
    struct State {
        std::int64_t modified_ns = 0;
        std::int64_t changed_ns = 0;
        std::uint64_t inode = 0;
        std::int64_t size = 0;
        friend bool operator==(const State&, const State&) = default;
    };
    [[nodiscard]] State state_now() const;

    std::filesystem::path file_;
    std::optional<State> answered_;
    std::optional<State> pending_;
};

}  // namespace varde::rules
