#pragma once
#include "wire/answer_rules.hpp"
#include "wire/bytes.hpp"
#include "wire/message.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <varde/rule.h>

namespace varde::worker {

/// The varde_sink of one evaluate(): writes what the rule answers as records into the response area.
class AnswerRecorder {
  public:
    explicit AnswerRecorder(wire::ByteWriter& out);
    AnswerRecorder(const AnswerRecorder&) = delete;
    AnswerRecorder& operator=(const AnswerRecorder&) = delete;

    /// What the rule finds under VARDE_STATE_1 and VARDE_EXPLAIN_1.
    struct Extras {
        std::string_view state{};
        bool explain = false;
    };
    /// Runs evaluate() and writes the whole answer, up to RecordKind::end.
    void evaluate(const varde_rule_entry& entry, varde_rule* rule, const varde_window& window, std::uint64_t timeout_ns,
                  const Extras& extras);

  private:
    static AnswerRecorder& self(void* ctx) { return *static_cast<AnswerRecorder*>(ctx); }
    std::int32_t misuse(std::int32_t code, const char* text);
    std::int32_t outcome(std::int32_t outcome, const char* reason, std::uint32_t length, std::int64_t valid_until_us);
    std::int32_t finding(const varde_finding* finding);
    std::int32_t field(const varde_field* field);
    [[nodiscard]] const void* extension(std::string_view id) const;
    std::int32_t put_state(const void* data, std::uint32_t length);
    std::int32_t step(std::int32_t kind, const char* text, std::uint32_t length);
    [[nodiscard]] std::optional<wire::Fault> judge(std::int32_t status);
    [[nodiscard]] bool over_limit() const { return out_.size() - begin_ - step_bytes_ > wire::max_answer_bytes || !out_.ok(); }

    varde_sink sink_{};
    wire::ByteWriter& out_;
    std::size_t begin_ = 0;
    std::uint64_t started_ns_ = 0;
    std::uint64_t timeout_ns_ = 0;
    std::uint32_t n_rows_ = 0;
    std::size_t findings_ = 0;
    std::size_t fields_ = 0;
    std::size_t steps_ = 0;
    std::size_t step_bytes_ = 0;
    Extras extras_;
    std::optional<std::string> kept_;
    bool has_outcome_ = false;
    std::int32_t outcome_ = 0;
    wire::EvidenceShape shape_;
    const char* misuse_ = nullptr;
    std::string failure_;
};

[[nodiscard]] std::uint64_t monotonic_ns() noexcept;

}  // namespace varde::worker
