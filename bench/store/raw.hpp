#pragma once
#include "core/event.hpp"

#include <memory>
#include <span>
#include <string>

namespace varde::bench {

/// The limit: what the engine does with rows that are known to be new, in a migrated database, without any layer between.
class RawInserts {
  public:
    virtual ~RawInserts() = default;
    /// One durable transaction.
    virtual void insert(std::span<const core::Event> events) = 0;
};

/// Prepared INSERTs with the same PRAGMAs as the store.
[[nodiscard]] std::unique_ptr<RawInserts> raw_sqlite(const std::string& file);
/// COPY ... (FORMAT BINARY).
[[nodiscard]] std::unique_ptr<RawInserts> raw_postgres(const std::string& url);

}  // namespace varde::bench
