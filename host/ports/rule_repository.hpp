#pragma once
#include "core/error.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/instant.hpp"

namespace varde::ports {

/// The operator's view of a rule, kept in the database beside rules.yaml. A rule runs if rules.yaml enables it and is_enabled is true.
struct RuleRow {
    std::int64_t id = 0;
    std::string rule_id;
    bool is_enabled = true;
    int severity = 2;           ///< shown only, as in the reference
    std::string params = "{}";  ///< JSON object; shown and merged by PATCH, not used by runs
    core::Instant created_at{};
};

/// Blocking: call on a database thread only. Thread-safe.
class RuleRepository {
  public:
    virtual ~RuleRepository() = default;
    virtual core::Result<std::vector<RuleRow>> list() = 0;
    virtual core::Result<std::optional<RuleRow>> find(std::int64_t id) = 0;
    /// Makes missing rows, with is_enabled true; existing ones stay as they are.
    virtual core::Result<void> ensure(const std::vector<std::string>& rule_ids, core::Instant now) = 0;
    virtual core::Result<void> update(const RuleRow& row) = 0;
};

}  // namespace varde::ports
