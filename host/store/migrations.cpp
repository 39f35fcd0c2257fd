#include "store/migrations.hpp"

#include "store/database_impl.hpp"

#include <algorithm>
#include <array>
#include <fstream>
#include <iterator>
#include <optional>
#include <system_error>

#include <fmt/format.h>
#include <openssl/sha.h>

namespace varde::store {
namespace {

struct MigrationFile {
    int version = 0;
    std::string name;
    std::string sql;
    std::string sha256;
};

struct AppliedMigration {
    int version = 0;
    std::string name;
    std::string sha256;
};

[[noreturn]] void refuse(core::Errc code, std::string text) { throw SqlFailure{core::Error{code, std::move(text)}}; }

std::string sha256_of(const std::string& text) {
    std::array<unsigned char, SHA256_DIGEST_LENGTH> digest{};
    SHA256(reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest.data());
    std::string hex;
    for (const unsigned char byte : digest) hex += fmt::format("{:02x}", byte);
    return hex;
}

/// The version of NNNN_name.sql, or of the engine's own kind; nullopt for the other engine's files and for what is no migration.
std::optional<int> version_of(const std::string& name, Engine engine) {
    if (!name.ends_with(".sql") || name.size() < 10 || name[4] != '_') return std::nullopt;
    if (!std::all_of(name.begin(), name.begin() + 4, [](char c) { return c >= '0' && c <= '9'; })) return std::nullopt;
    if (name.ends_with(engine == Engine::sqlite ? ".postgres.sql" : ".sqlite.sql")) return std::nullopt;
    return std::stoi(name.substr(0, 4));
}

std::string read_text(const std::filesystem::path& file) {
    std::ifstream stream{file, std::ios::binary};
    std::string text{std::istreambuf_iterator<char>{stream}, {}};
    if (!stream) refuse(core::Errc::migration_failed, fmt::format("{} cannot be read", file.string()));
    return text;
}

std::vector<MigrationFile> files_of(const std::filesystem::path& directory, Engine engine) {
    std::vector<MigrationFile> files;
    std::error_code failed;
    for (const auto& entry : std::filesystem::directory_iterator{directory, failed}) {
        const std::string name = entry.path().filename().string();
        const auto version = version_of(name, engine);
        if (!version) continue;
        std::string sql = read_text(entry.path());
        std::string sha256 = sha256_of(sql);
        files.push_back({*version, name, std::move(sql), std::move(sha256)});
    }
    if (files.empty()) {
        refuse(core::Errc::migration_failed, fmt::format("no migration files found in {}", directory.string()));
    }
    std::ranges::sort(files, {}, &MigrationFile::version);
    const auto twice = std::ranges::adjacent_find(files, {}, &MigrationFile::version);
    if (twice != files.end()) {
        refuse(core::Errc::migration_failed, fmt::format("{} and {} have the same number", twice->name, (twice + 1)->name));
    }
    return files;
}

bool has_table(Session& session) {
    int found = 0;
    session.sql << (session.engine() == Engine::sqlite
                        ? "SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name = 'schema_migrations'"
                        : "SELECT count(*) FROM pg_class WHERE oid = to_regclass('schema_migrations')"),
        soci::into(found);
    return found > 0;
}

std::vector<AppliedMigration> applied_in(Session& session) {
    std::vector<AppliedMigration> applied;
    if (!has_table(session)) return applied;
    AppliedMigration row;
    soci::statement statement = (session.sql.prepare << "SELECT version, name, sha256 FROM schema_migrations ORDER BY version",
                                 soci::into(row.version), soci::into(row.name), soci::into(row.sha256));
    statement.execute();
    while (statement.fetch()) applied.push_back(row);
    return applied;
}

/// Applied and not applied must be a clean cut through the files. Returns the first file that was not applied.
std::vector<MigrationFile>::const_iterator check(const std::vector<MigrationFile>& files,
                                                 const std::vector<AppliedMigration>& applied) {
    if (!applied.empty() && applied.back().version > files.back().version) {
        refuse(core::Errc::schema_newer, fmt::format("the database has migration {}, this program knows {} and no later one",
                                                     applied.back().name, files.back().name));
    }
    auto file = files.begin();
    for (const AppliedMigration& done : applied) {
        if (file == files.end() || file->version > done.version) {
            refuse(core::Errc::migration_failed, fmt::format("{} was applied, but the file is missing", done.name));
        }
        if (file->version < done.version) {
            refuse(core::Errc::migration_failed, fmt::format("{} was not applied, but the later {} was", file->name, done.name));
        }
        if (file->sha256 != done.sha256) {
            refuse(core::Errc::migration_failed,
                   fmt::format("{} was changed after it was applied; restore it and put the change into a new file", file->name));
        }
        ++file;
    }
    return file;
}

void run_file(Session& session, const MigrationFile& file) {
    try {
        session.exec(file.sql.c_str());
    } catch (SqlFailure& failure) {
        const bool later = failure.error.code == core::Errc::database_unavailable;
        refuse(later ? failure.error.code : core::Errc::migration_failed,
               fmt::format("{}: {}", file.name, failure.error.context));
    }
    if (!session.in_transaction()) {
        refuse(core::Errc::migration_failed, fmt::format("{} ends the transaction; leave COMMIT out of it", file.name));
    }
    const char* const insert =
        session.engine() == Engine::sqlite
            ? "INSERT INTO schema_migrations (version, name, sha256, applied_at)"
              " VALUES (:version, :name, :sha256, CAST((julianday('now') - 2440587.5) * 86400000000.0 AS BIGINT))"
            : "INSERT INTO schema_migrations (version, name, sha256, applied_at)"
              " VALUES (:version, :name, :sha256, CAST(extract(epoch FROM clock_timestamp()) * 1000000 AS BIGINT))";
    session.sql << insert, soci::use(file.version, "version"), soci::use(file.name, "name"), soci::use(file.sha256, "sha256");
}

/// In one transaction, under the lock that all runners take: the next file that is due. Its name, or nullopt when all are applied.
std::optional<std::string> run_next(Database::Impl& database, Session& session, const std::vector<MigrationFile>& files) {
    WriteTransaction transaction{database, session};
    if (session.engine() == Engine::postgresql) {
        // Another host may need long for its files: wait as long as it takes. The lock goes with the transaction.
        session.exec("SET LOCAL lock_timeout = 0; SELECT pg_advisory_xact_lock(8530222651867004930)");
    }
    session.exec(
        "CREATE TABLE IF NOT EXISTS schema_migrations (version INTEGER PRIMARY KEY, name TEXT NOT NULL,"
        " sha256 TEXT NOT NULL, applied_at BIGINT NOT NULL)");
    const auto due = check(files, applied_in(session));
    if (due == files.end()) return std::nullopt;
    run_file(session, *due);
    transaction.commit();
    return due->name;
}

}  // namespace

core::Result<std::vector<std::string>> migrate(Database& database, const std::filesystem::path& directory) {
    return database.impl().run("migrating the database", [&](Session& session) {
        const std::vector<MigrationFile> files = files_of(directory, session.engine());
        std::vector<std::string> done;
        // Looked at first without the lock: a start with nothing to do does not disturb a running host.
        if (check(files, applied_in(session)) == files.end()) return done;
        while (auto name = run_next(database.impl(), session, files)) done.push_back(std::move(*name));
        return done;
    });
}

core::Result<SchemaStatus> schema_status(Database& database, const std::filesystem::path& directory) {
    return database.impl().run("looking at the schema", [&](Session& session) {
        const std::vector<MigrationFile> files = files_of(directory, session.engine());
        const std::vector<AppliedMigration> applied = applied_in(session);
        SchemaStatus status;
        status.applied_version = applied.empty() ? 0 : applied.back().version;
        status.latest_version = files.back().version;
        for (auto file = check(files, applied); file != files.end(); ++file) status.pending.push_back(file->name);
        return status;
    });
}

}  // namespace varde::store
