#pragma once
#include "wire/message.hpp"
#include "worker/window_view.hpp"

#include <charconv>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include <varde/rule.h>

namespace varde::bench {

/// What an answer adds to the sum that both ways of calling must agree on: its findings, and the number that it gives as reason.
[[nodiscard]] inline std::int64_t number_of(std::string_view reason) {
    std::int64_t number = 0;
    std::from_chars(reason.data(), reason.data() + reason.size(), number);
    return number;
}

/// A rule loaded into this process: the call that isolation is compared with.
class DirectRule {
  public:
    /// Ends the program if the plugin cannot be loaded or made.
    DirectRule(const std::string& file, const wire::ParamsTree& params, std::span<const std::byte> batch);
    ~DirectRule();
    DirectRule(const DirectRule&) = delete;
    DirectRule& operator=(const DirectRule&) = delete;

    /// Findings and number_of() the reason.
    std::int64_t evaluate(const wire::Item& item, const wire::Binding& binding);

  private:
    const varde_rule_entry* entry_ = nullptr;
    varde_rule* rule_ = nullptr;
    worker::WindowView view_;
};

}  // namespace varde::bench
