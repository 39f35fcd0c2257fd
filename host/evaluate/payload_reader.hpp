#pragma once
#include "evaluate/column_plan.hpp"
#include "evaluate/symbol_table.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace varde::evaluate {

struct ColumnValue {
    std::uint8_t kind = VARDE_ABSENT;
    std::int64_t value = 0;
};

/// Takes the declared keys out of payloads. Keeps its parser between calls.
class PayloadReader {
  public:
    PayloadReader();
    PayloadReader(PayloadReader&&) noexcept;
    PayloadReader& operator=(PayloadReader&&) noexcept;
    ~PayloadReader();

    /// Fills values[i] for key i of the plan; returns the kind of the whole payload (VARDE_ABSENT if it is not JSON). Of a key that
    /// is there twice the last counts.
    std::uint8_t read(std::string_view payload, const ColumnPlan& plan, SymbolTable& symbols, std::vector<ColumnValue>& values);

  private:
    struct Parser;  // out of sight: simdjson's classes are larger where the compiler does not optimise
    std::unique_ptr<Parser> parser_;
    std::string padded_;
};

}  // namespace varde::evaluate
