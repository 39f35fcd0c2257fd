#pragma once
#include "wire/message.hpp"

#include <variant>

#include <varde/rule.h>

namespace varde::worker {

/// The varde_host of one create(): collects what the rule declares.
class DeclarationRecorder {
  public:
    /// `unknown_zones`: zones that the host looked up in vain after an earlier try of the same create().
    explicit DeclarationRecorder(std::vector<std::string> unknown_zones);
    DeclarationRecorder(const DeclarationRecorder&) = delete;
    DeclarationRecorder& operator=(const DeclarationRecorder&) = delete;

    /// Runs create(). On success `rule` is the instance.
    [[nodiscard]] std::variant<wire::Declarations, wire::Fault> create(const varde_rule_entry& entry,
                                                                       const wire::ParamsTree& tree, varde_rule*& rule);

  private:
    std::int32_t misuse(std::int32_t code, const char* text);
    static DeclarationRecorder& self(void* ctx) { return *static_cast<DeclarationRecorder*>(ctx); }
    std::int32_t declare_text(std::vector<std::string>& list, std::size_t limit, const char* text, std::uint32_t length,
                              const char* what);
    std::int32_t declare_zone(const char* name, std::uint32_t length, std::uint32_t flags);
    std::int32_t declare_read(const varde_read* given);

    varde_host host_{};
    std::vector<std::string> unknown_zones_;
    wire::Declarations declared_;
    std::string param_;
    std::string failure_;
    std::string misuse_;
};

}  // namespace varde::worker
