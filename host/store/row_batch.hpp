#pragma once
#include "store/session.hpp"
#include "store/sql_row.hpp"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace varde::store {

/// A value of a statement: NULL, a BIGINT or a TEXT.
using SqlValue = std::variant<std::monostate, std::int64_t, std::string>;
[[nodiscard]] inline SqlValue sql_value(core::Instant at) { return core::to_us(at); }
[[nodiscard]] inline SqlValue sql_value(const std::optional<core::Instant>& at) {
    return at ? SqlValue{core::to_us(*at)} : SqlValue{};
}

using VisitSqlRow = std::function<void(const SqlRow&)>;

/// A statement in the words of each engine, prepared once per session: the texts' addresses are the keys, they stay for ever.
struct SqlTexts {
    const char* postgres;
    const char* sqlite;
};

/// Rows that one statement is done with: on PostgreSQL in one round trip, with an array for each column; on SQLite once for each.
class RowBatch {
  public:
    /// `types`: of the columns, as in SqlColumns.
    explicit RowBatch(std::string_view types) : types_{types} {}

    /// As many values as there are types; each as its type says, or NULL.
    void add(std::vector<SqlValue> row) { rows_.push_back(std::move(row)); }
    [[nodiscard]] bool empty() const { return rows_.empty(); }
    [[nodiscard]] std::size_t size() const { return rows_.size(); }

    /// PostgreSQL: $1 .. are the arrays (unnest() them), then `more`. SQLite: ?1 .. are a row's values, then `more`. Nothing is done if
    /// there are no rows. Throws SqlFailure.
    void execute(Session& session, const SqlTexts& texts, const std::vector<SqlValue>& more, const VisitSqlRow& visit) const;
    void execute(Session& session, const SqlTexts& texts, const std::vector<SqlValue>& more = {}) const {
        execute(session, texts, more, [](const SqlRow&) {});
    }

  private:
    [[nodiscard]] std::string array_of(std::size_t column) const;
    std::string_view types_;
    std::vector<std::vector<SqlValue>> rows_;
};

/// One statement with values $1 .. or ?1 ..; NULL is not among them. Throws SqlFailure.
void ask(Session& session, const SqlTexts& texts, const std::vector<SqlValue>& values, const VisitSqlRow& visit);
inline void ask(Session& session, const SqlTexts& texts, const std::vector<SqlValue>& values) {
    ask(session, texts, values, [](const SqlRow&) {});
}

/// "unnest($1::bigint[], $2::text[])" for these types.
[[nodiscard]] std::string unnest_of(std::string_view types);
/// "?1, ?2"
[[nodiscard]] std::string places_of(std::string_view types);

}  // namespace varde::store
