#include "store/row_batch.hpp"

#include "store/postgres_session.hpp"
#include "store/sqlite_session.hpp"

#include <fmt/format.h>

namespace varde::store {
namespace {

/// A row of either driver's own class.
template <class Row>
class DriverRow final : public SqlRow {
  public:
    explicit DriverRow(const Row& row) : row_{row} {}
    [[nodiscard]] std::int64_t number(int column) const override { return row_.null(column) ? 0 : row_.number(column); }
    [[nodiscard]] std::string_view text(int column) const override { return row_.text(column); }
    [[nodiscard]] bool null(int column) const override { return row_.null(column); }

  private:
    const Row& row_;
};

void add_to(PostgresValues& values, const SqlValue& value) {
    if (const auto* const number = std::get_if<std::int64_t>(&value)) {
        values.add(*number);
    } else {
        values.add(std::string_view{std::get<std::string>(value)});
    }
}

void bind_to(SqliteStatement& statement, int place, const SqlValue& value) {
    if (const auto* const number = std::get_if<std::int64_t>(&value)) {
        statement.bind(place, *number);
    } else if (const auto* const text = std::get_if<std::string>(&value)) {
        statement.bind(place, std::string_view{*text});
    } else {
        statement.bind_null(place);
    }
}

void query(PostgresSession& session, const char* sql, const PostgresValues& values, const VisitSqlRow& visit) {
    session.query(sql, values, [&](const PostgresRow& row) { visit(DriverRow{row}); });
}

void step_through(SqliteStatement& statement, const VisitSqlRow& visit) {
    const DriverRow row{statement};
    while (statement.step()) visit(row);
}

}  // namespace

std::string RowBatch::array_of(std::size_t column) const {
    if (types_[column] == 'n') {
        std::vector<std::optional<std::int64_t>> numbers;
        numbers.reserve(rows_.size());
        for (const auto& row : rows_) {
            const auto* const number = std::get_if<std::int64_t>(&row.at(column));
            numbers.push_back(number ? std::optional{*number} : std::nullopt);
        }
        return bigint_array(numbers);
    }
    std::vector<std::string_view> texts;
    texts.reserve(rows_.size());
    for (const auto& row : rows_) texts.emplace_back(std::get<std::string>(row.at(column)));
    return text_array(texts);
}

void RowBatch::execute(Session& session, const SqlTexts& texts, const std::vector<SqlValue>& more,
                       const VisitSqlRow& visit) const {
    if (rows_.empty()) return;
    if (session.engine() == Engine::postgresql) {
        std::vector<std::string> arrays;
        for (std::size_t column = 0; column < types_.size(); ++column) arrays.push_back(array_of(column));
        PostgresValues values;
        for (const std::string& array : arrays) values.add(std::string_view{array});
        for (const SqlValue& value : more) add_to(values, value);
        query(static_cast<PostgresSession&>(session), texts.postgres, values, visit);
        return;
    }
    SqliteStatement& statement = static_cast<SqliteSession&>(session).statement(texts.sqlite);
    const StatementUse use{statement};
    for (const auto& row : rows_) {
        int place = 0;
        for (const SqlValue& value : row) bind_to(statement, ++place, value);
        for (const SqlValue& value : more) bind_to(statement, ++place, value);
        step_through(statement, visit);
    }
}

void ask(Session& session, const SqlTexts& texts, const std::vector<SqlValue>& values, const VisitSqlRow& visit) {
    if (session.engine() == Engine::postgresql) {
        PostgresValues bound;
        for (const SqlValue& value : values) add_to(bound, value);
        query(static_cast<PostgresSession&>(session), texts.postgres, bound, visit);
        return;
    }
    SqliteStatement& statement = static_cast<SqliteSession&>(session).statement(texts.sqlite);
    const StatementUse use{statement};
    int place = 0;
    for (const SqlValue& value : values) bind_to(statement, ++place, value);
    step_through(statement, visit);
}

std::string unnest_of(std::string_view types) {
    std::string list;
    for (std::size_t i = 0; i < types.size(); ++i) {
        list += fmt::format("{}${}::{}[]", i == 0 ? "" : ", ", i + 1, types[i] == 'n' ? "bigint" : "text");
    }
    return "unnest(" + list + ")";
}

std::string places_of(std::string_view types) {
    std::string list;
    for (std::size_t i = 0; i < types.size(); ++i) list += fmt::format("{}?{}", i == 0 ? "" : ", ", i + 1);
    return list;
}

}  // namespace varde::store
