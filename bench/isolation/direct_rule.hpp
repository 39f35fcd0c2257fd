#pragma once
#include "wire/message.hpp"
#include "worker/window_view.hpp"

#include <span>
#include <string>

#include <varde/rule.h>

namespace varde::bench {

/// A rule loaded into this process: the call that isolation is compared with.
class DirectRule {
  public:
    /// Ends the program if the plugin cannot be loaded or made.
    DirectRule(const std::string& file, const wire::ParamsTree& params, std::span<const std::byte> batch);
    ~DirectRule();
    DirectRule(const DirectRule&) = delete;
    DirectRule& operator=(const DirectRule&) = delete;

    [[nodiscard]] const wire::Declarations& declarations() const { return declarations_; }
    /// How many findings the rule has in one window.
    int evaluate(const wire::Item& item, const wire::Binding& binding);

  private:
    const varde_rule_entry* entry_ = nullptr;
    varde_rule* rule_ = nullptr;
    wire::Declarations declarations_;
    worker::WindowView view_;
};

}  // namespace varde::bench
