#pragma once
#include "ports/job_kind.hpp"

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>

namespace varde::schedule {

/// The job kinds of this host by name. They outlive it. Filled before use; then read from any thread.
class JobKinds {
  public:
    void add(ports::JobKind& kind) { kinds_.insert_or_assign(std::string{kind.name()}, &kind); }
    /// nullptr: this host does not know it.
    [[nodiscard]] ports::JobKind* find(std::string_view name) const {
        const auto found = kinds_.find(name);
        return found == kinds_.end() ? nullptr : found->second;
    }
    [[nodiscard]] const std::map<std::string, ports::JobKind*, std::less<>>& all() const { return kinds_; }

  private:
    std::map<std::string, ports::JobKind*, std::less<>> kinds_;
};

}  // namespace varde::schedule
