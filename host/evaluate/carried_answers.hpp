#pragma once
#include "core/verdict.hpp"
#include "evaluate/event_columns.hpp"
#include "ports/evaluator.hpp"
#include "wire/message.hpp"

#include <cstdint>
#include <optional>
#include <unordered_map>
#include <vector>

namespace varde::evaluate {

/// Answers that still hold, so that their rule need not be asked: it said until when (`valid_until`), and nothing that it reads has come
/// since. What holds is the outcome and each finding's severity and title; evidence and texts are those of the time when the rule was
/// asked. One thread.
class CarriedAnswers {
  public:
    /// What a rule reads, as far as it matters for whether something came. Made once a plan.
    struct Reads {
        std::vector<wire::ReadDeclaration> moving;  ///< ranges whose end moves over events that were stored ahead of their time
        std::vector<const time::Zone*> zones;       ///< of `moving`; nullptr: UTC
        std::optional<std::vector<std::size_t>> categories{};  ///< category_hash() of all reads together; nullopt: every category
    };
    [[nodiscard]] static Reads reads_of(const wire::Declarations& rule, const wire::Binding& binding, const ColumnPlan& plan);

    /// The answer to `asked`, if the last one to this rule and scope holds. `rule`: its place in the engine's list.
    [[nodiscard]] std::optional<core::Completed> find(std::size_t rule, const Reads& reads, const ports::Evaluation& asked,
                                                      EventColumns& events) const;
    /// Remembers an answer for as long as it says; one that does not say is forgotten.
    void put(std::size_t rule, const ports::Evaluation& asked, const core::Completed& answer, const EventColumns& events);
    /// Of a rule that has changed.
    void forget(std::size_t rule);
    void forget_all() { scopes_.clear(); }

  private:
    struct Answer {
        core::Window asked;
        core::Instant now;
        std::uint32_t variant = 0;
        std::uint64_t arrivals = 0;  ///< EventColumns::arrivals() at the time
        core::Completed said;
    };
    std::unordered_map<core::Scope, std::vector<std::optional<Answer>>, core::ScopeHash> scopes_;
};

}  // namespace varde::evaluate
