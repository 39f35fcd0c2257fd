#include "store/sqlite_session.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <climits>
#include <memory>
#include <system_error>
#include <thread>
#include <tuple>

#include <mutex>

#include <fmt/format.h>

namespace varde::store {
namespace {

core::Errc code_of(int extended) {
    switch (extended & 0xff) {
        case SQLITE_BUSY:
        case SQLITE_LOCKED:
        case SQLITE_FULL:
        case SQLITE_IOERR:
        case SQLITE_CANTOPEN:
        case SQLITE_READONLY:
        case SQLITE_PERM:
        case SQLITE_NOMEM:
        case SQLITE_PROTOCOL: return core::Errc::database_unavailable;
        default: return core::Errc::database_failed;
    }
}

/// sqlite3_errmsg() can hold names and values; sqlite3_errstr() is one fixed text per code.
core::Error error_of(int extended) {
    return core::Error{code_of(extended), fmt::format("sqlite: {} (code {})", sqlite_api::sqlite3_errstr(extended), extended)};
}

/// Events are about people: the file is its owner's only. SQLite gives the -wal and -shm files the same mode.
void make_file(const std::filesystem::path& file) {
    std::error_code failed;
    if (file.has_parent_path()) std::filesystem::create_directories(file.parent_path(), failed);
    if (failed) {
        throw SqlFailure{
            core::Error{core::Errc::database_unavailable,
                        fmt::format("cannot make the directory {}: {}", file.parent_path().string(), failed.message())}};
    }
    const int descriptor = ::open(file.c_str(), O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0600);
    if (descriptor >= 0) ::close(descriptor);  // there already, or SQLite will say why it cannot be opened
}

const char* pragma_of(DatabaseSettings::Synchronous synchronous) {
    switch (synchronous) {
        case DatabaseSettings::Synchronous::full: return "PRAGMA synchronous = FULL";
        case DatabaseSettings::Synchronous::normal: return "PRAGMA synchronous = NORMAL";
        case DatabaseSettings::Synchronous::off: return "PRAGMA synchronous = OFF";
    }
    return "PRAGMA synchronous = FULL";
}

}  // namespace

SqliteStatement::SqliteStatement(sqlite_api::sqlite3* connection, const char* sql) : connection_{connection} {
    const int code = sqlite_api::sqlite3_prepare_v3(connection, sql, -1, SQLITE_PREPARE_PERSISTENT, &statement_, nullptr);
    if (code != SQLITE_OK) fail(code);
}

SqliteStatement::~SqliteStatement() { sqlite_api::sqlite3_finalize(statement_); }

void SqliteStatement::fail(int code) {
    core::Error error = error_of(sqlite_api::sqlite3_extended_errcode(connection_));
    if (code == SQLITE_MISUSE || code == SQLITE_RANGE) error = error_of(code);
    sqlite_api::sqlite3_reset(statement_);
    throw SqlFailure{std::move(error)};
}

void SqliteStatement::bind(int position, std::int64_t value) {
    if (const int code = sqlite_api::sqlite3_bind_int64(statement_, position, value); code != SQLITE_OK) fail(code);
}

void SqliteStatement::bind(int position, std::string_view text) {
    // A null pointer would be SQL NULL.
    const char* const data = text.data() ? text.data() : "";
    const int code = sqlite_api::sqlite3_bind_text(statement_, position, data, static_cast<int>(text.size()), SQLITE_STATIC);
    if (code != SQLITE_OK) fail(code);
}

void SqliteStatement::bind_null(int position) {
    if (const int code = sqlite_api::sqlite3_bind_null(statement_, position); code != SQLITE_OK) fail(code);
}

bool SqliteStatement::step() {
    const int code = sqlite_api::sqlite3_step(statement_);
    if (code == SQLITE_ROW) return true;
    if (code != SQLITE_DONE) fail(code);
    sqlite_api::sqlite3_reset(statement_);
    return false;
}

void SqliteStatement::run() {
    while (step()) {
    }
}

void SqliteStatement::reset() { sqlite_api::sqlite3_reset(statement_); }

std::int64_t SqliteStatement::number(int column) const { return sqlite_api::sqlite3_column_int64(statement_, column); }

std::string_view SqliteStatement::text(int column) const {
    const auto* const data = reinterpret_cast<const char*>(sqlite_api::sqlite3_column_text(statement_, column));
    return data ? std::string_view{data, static_cast<std::size_t>(sqlite_api::sqlite3_column_bytes(statement_, column))}
                : std::string_view{};
}

bool SqliteStatement::null(int column) const { return sqlite_api::sqlite3_column_type(statement_, column) == SQLITE_NULL; }

/// A session is used by one thread at a time, so SQLite needs no lock of its own in each call; and nobody asks it for its memory
/// statistics, which take a lock for all sessions at every allocation. Has no effect once SQLite is in use.
void configure_sqlite() {
    static std::once_flag once;
    std::call_once(once, [] {
        sqlite_api::sqlite3_config(SQLITE_CONFIG_MULTITHREAD);
        sqlite_api::sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
    });
}

SqliteSession::SqliteSession(const DatabaseUrl& url, const DatabaseSettings& settings) {
    configure_sqlite();
    make_file(url.file);
    try {
        sql.open(*soci::factory_sqlite3(), fmt::format("db=\"{}\"", url.file.string()));
    } catch (const soci::soci_error&) {
        // SOCI 4.0.3 gives no code here; its text is not for us to repeat.
        throw SqlFailure{core::Error{core::Errc::database_unavailable, fmt::format("cannot open {}", url.description)}};
    }
    connection_ = static_cast<soci::sqlite3_session_backend*>(sql.get_backend())->conn_;
    sqlite_api::sqlite3_busy_timeout(connection_,
                                     static_cast<int>(std::min<std::int64_t>(settings.busy_timeout.count(), INT_MAX)));
    switch_to_wal(settings.busy_timeout);
    exec(pragma_of(settings.synchronous));
    // Small on purpose: what fits the processor's cache is faster than what spares reads, which the kernel's page cache answers anyway.
    // Measured: 32 MiB of cache cost a fifth of the rate of inserts; 2 MiB a third of it at five million rows, when the newest index
    // pages of 100 homes do not fit.
    exec(
        "PRAGMA foreign_keys = ON;"
        "PRAGMA temp_store = MEMORY;"
        "PRAGMA cache_size = -8192;"         // KiB
        "PRAGMA wal_autocheckpoint = 1000;"  // pages
        "PRAGMA journal_size_limit = 67108864;");
}

SqliteSession::~SqliteSession() { statements_.clear(); }

void SqliteSession::switch_to_wal(std::chrono::milliseconds busy_timeout) {
    // The very first switch of a new file needs it alone, and SQLite does not call the busy handler for that.
    const auto deadline = std::chrono::steady_clock::now() + busy_timeout;
    for (;;) {
        try {
            exec("PRAGMA journal_mode = WAL");
            return;
        } catch (const SqlFailure& failure) {
            if (failure.error.code != core::Errc::database_unavailable || std::chrono::steady_clock::now() > deadline) throw;
        }
        std::this_thread::sleep_for(std::chrono::milliseconds{5});
    }
}

void SqliteSession::exec(const char* script) {
    if (sqlite_api::sqlite3_exec(connection_, script, nullptr, nullptr, nullptr) != SQLITE_OK) {
        throw SqlFailure{error_of(sqlite_api::sqlite3_extended_errcode(connection_))};
    }
}

bool SqliteSession::in_transaction() { return sqlite_api::sqlite3_get_autocommit(connection_) == 0; }

core::Error SqliteSession::explain(const soci::soci_error&, std::string_view doing) {
    core::Error error = error_of(sqlite_api::sqlite3_extended_errcode(connection_));
    error.context.insert(0, std::string{doing} + ": ");
    return error;
}

SqliteStatement& SqliteSession::statement(const char* text) {
    if (const auto found = statements_.find(text); found != statements_.end()) return found->second;
    return statements_.emplace(std::piecewise_construct, std::tuple{text}, std::tuple{connection_, text}).first->second;
}

std::unique_ptr<Session> connect_sqlite(const DatabaseUrl& url, const DatabaseSettings& settings) {
    return std::make_unique<SqliteSession>(url, settings);
}

}  // namespace varde::store
