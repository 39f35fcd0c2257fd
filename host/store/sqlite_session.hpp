#pragma once
#include "store/session.hpp"

#include <cstdint>
#include <map>
#include <string_view>

// Declares sqlite3.h inside namespace sqlite_api: a translation unit that includes this one must not include sqlite3.h itself.
#include <soci/sqlite3/soci-sqlite3.h>

namespace varde::store {

/// A prepared statement on SOCI's own connection, for the paths that SOCI would slow down. Everything throws SqlFailure.
class SqliteStatement {
  public:
    SqliteStatement(sqlite_api::sqlite3* connection, const char* sql);
    ~SqliteStatement();
    SqliteStatement(const SqliteStatement&) = delete;
    SqliteStatement& operator=(const SqliteStatement&) = delete;

    /// Positions start at 1. `text` is not copied: it must stay until the statement is stepped to its end or reset.
    void bind(int position, std::int64_t value);
    void bind(int position, std::string_view text);
    void bind_null(int position);
    /// True: there is a row. False: the statement is done and was reset.
    [[nodiscard]] bool step();
    /// For statements without rows.
    void run();
    void reset();

    /// Columns of the row start at 0; a view is valid until the next step.
    [[nodiscard]] std::int64_t number(int column) const;
    [[nodiscard]] std::string_view text(int column) const;
    [[nodiscard]] bool null(int column) const;

  private:
    [[noreturn]] void fail(int code);
    sqlite_api::sqlite3* connection_;
    sqlite_api::sqlite3_stmt* statement_ = nullptr;
};

/// Resets a statement when a reader is left early, so that it holds no snapshot.
class StatementUse {
  public:
    explicit StatementUse(SqliteStatement& statement) : statement_{statement} {}
    ~StatementUse() { statement_.reset(); }
    StatementUse(const StatementUse&) = delete;
    StatementUse& operator=(const StatementUse&) = delete;

  private:
    SqliteStatement& statement_;
};

class SqliteSession final : public Session {
  public:
    SqliteSession(const DatabaseUrl& url, const DatabaseSettings& settings);
    ~SqliteSession() override;

    [[nodiscard]] Engine engine() const override { return Engine::sqlite; }
    void exec(const char* script) override;
    [[nodiscard]] bool in_transaction() override;
    [[nodiscard]] bool usable() override { return true; }
    [[nodiscard]] core::Error explain(const soci::soci_error& failure, std::string_view doing) override;

    /// The statement of this text, prepared once per session. `sql` is a literal: its address is the key.
    [[nodiscard]] SqliteStatement& statement(const char* sql);

  private:
    void switch_to_wal(std::chrono::milliseconds busy_timeout);
    sqlite_api::sqlite3* connection_ = nullptr;  // SOCI's
    std::map<const char*, SqliteStatement> statements_;
};

}  // namespace varde::store
