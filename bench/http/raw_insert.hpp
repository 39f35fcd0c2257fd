#pragma once
#include <filesystem>

namespace varde::bench {

/// Events per second of prepared inserts with the plain C API: WAL, synchronous=NORMAL, a unique id and a (category, time) index, 10,000
/// rows in a transaction, ids in the order of time. The limit of batch ingest.
[[nodiscard]] double raw_insert_rate(const std::filesystem::path& file, int rows);

}  // namespace varde::bench
