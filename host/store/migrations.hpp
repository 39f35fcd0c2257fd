#pragma once
#include "core/error.hpp"
#include "store/database.hpp"

#include <filesystem>
#include <string>
#include <vector>

namespace varde::store {

/// How the tables stand to the files of migrations/. Versions are the numbers that file names start with; 0: none.
struct SchemaStatus {
    int applied_version = 0;           ///< the last one in the database
    int latest_version = 0;            ///< the last one among the files
    std::vector<std::string> pending;  ///< files that migrate() would run, in order
};

/// Brings the tables up to date: every file NNNN_name.sql, NNNN_name.sqlite.sql or NNNN_name.postgres.sql of `directory` that fits the
/// engine and was not run before is run, in the order of the numbers, each in one transaction. Several hosts may call it at once:
/// one does the work, the others wait. Returns the names of the files it ran; running it again changes nothing.
///
/// Errc::schema_newer: the database has a migration with a higher number than any file; nothing was changed.
/// Errc::migration_failed: there are no files, two have one number, one was changed or removed after it was applied, or one has an
/// error; the context names it. What ran before the file with the error stays.
[[nodiscard]] core::Result<std::vector<std::string>> migrate(Database& database, const std::filesystem::path& directory);

/// The same checks as migrate(); changes nothing.
[[nodiscard]] core::Result<SchemaStatus> schema_status(Database& database, const std::filesystem::path& directory);

}  // namespace varde::store
