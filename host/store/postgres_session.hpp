#pragma once
#include "store/session.hpp"

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include <libpq-fe.h>

namespace varde::store {

/// A row of a binary result. Views are valid as long as the result.
class PostgresRow {
  public:
    PostgresRow(const PGresult* result, int row) : result_{result}, row_{row} {}
    [[nodiscard]] std::int64_t number(int column) const;  ///< of a BIGINT
    [[nodiscard]] std::string_view text(int column) const;
    [[nodiscard]] bool null(int column) const;

  private:
    const PGresult* result_;
    int row_;
};

/// Values of a statement in libpq's binary form. Texts and arrays are not copied; they must stay until the statement was sent.
class PostgresValues {
  public:
    PostgresValues& add(std::int64_t value);
    PostgresValues& add(std::string_view text);

  private:
    friend class PostgresSession;
    static constexpr int limit = 40;
    std::array<std::array<char, 8>, limit> numbers_{};
    std::array<const char*, limit> values_{};
    std::array<int, limit> lengths_{};
    std::array<int, limit> formats_{};
    int count_ = 0;
};

/// A BIGINT[] in PostgreSQL's binary form, for PostgresValues::add(std::string_view).
[[nodiscard]] std::string bigint_array(std::span<const std::int64_t> values);
[[nodiscard]] std::string text_array(std::span<const std::string_view> values);               ///< the same for TEXT[]
[[nodiscard]] std::string bigint_array(std::span<const std::optional<std::int64_t>> values);  ///< nullopt: NULL
void append_int64(std::string& out, std::int64_t value);
void append_int32(std::string& out, std::int32_t value);
void append_int16(std::string& out, std::int16_t value);

class PostgresSession final : public Session {
  public:
    using VisitRow = std::function<void(const PostgresRow&)>;

    PostgresSession(const DatabaseUrl& url, const DatabaseSettings& settings);

    [[nodiscard]] Engine engine() const override { return Engine::postgresql; }
    void exec(const char* script) override;
    [[nodiscard]] bool in_transaction() override;
    [[nodiscard]] bool usable() override;
    [[nodiscard]] core::Error explain(const soci::soci_error& failure, std::string_view doing) override;

    /// exec() of a script whose last statement gives rows, in text form.
    void exec(const std::string& script, const std::function<void(const PGresult*, int row)>& visit);
    /// The statement of this text, prepared once per session (`sql` is a literal: its address is the key), with binary rows. Rows come
    /// one by one as they arrive: memory does not grow with their number. Leaving early by an exception ends the connection.
    void query(const char* sql, const PostgresValues& values, const VisitRow& visit);
    /// The rows of `COPY ... TO STDOUT (FORMAT BINARY)`: all columns BIGINT.
    void copy_numbers_out(const char* sql, const std::function<void(std::span<const std::int64_t>)>& visit);
    /// `COPY ... FROM STDIN (FORMAT BINARY); COMMIT`: one round trip less than two statements. `fill` is called until it returns false;
    /// it appends rows to the buffer, which is sent and emptied after each call.
    void copy_in_and_commit(const char* script, const std::function<bool(std::string& buffer)>& fill);

  private:
    struct ClearResult {
        void operator()(PGresult* result) const { PQclear(result); }
    };
    using ResultPtr = std::unique_ptr<PGresult, ClearResult>;
    [[noreturn]] void fail(const PGresult* result);
    void check(const PGresult* result, ExecStatusType expected);
    void finish(const char* last_command);
    [[noreturn]] static void nothing_stored();
    const std::string& prepared(const char* sql);

    PGconn* connection_ = nullptr;  // SOCI's
    bool lost_ = false;
    std::map<const char*, std::string> statements_;
    std::string buffer_;
};

}  // namespace varde::store
