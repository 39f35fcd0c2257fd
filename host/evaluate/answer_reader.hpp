#pragma once
#include "core/instant.hpp"
#include "core/verdict.hpp"
#include "wire/bytes.hpp"

#include <cstdint>
#include <functional>
#include <optional>
#include <string_view>

namespace varde::evaluate {

/// What an answer is about; needed to check it and to fill in what the rule left out.
struct Question {
    core::Window window;
    core::Instant now;
    std::uint32_t n_rows = 0;                                 ///< that the rule saw
    std::function<std::string_view(std::uint32_t)> event_id;  ///< of a row < n_rows
    std::uint64_t memory_bytes = 0;
};

/// Reads one answer's records from a worker's response, up to and with RecordKind::end, and checks everything: an answer that breaks
/// the rules of varde/rule.h is Failed{bad_result}. nullopt: these bytes are no answer; nothing after them can be read either.
[[nodiscard]] std::optional<core::Verdict> read_answer(wire::ByteReader& in, const Question& question);

}  // namespace varde::evaluate
