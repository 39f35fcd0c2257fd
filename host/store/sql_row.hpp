#pragma once
#include "core/instant.hpp"

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>

#include <soci/soci.h>

namespace varde::store {

/// A row of a result, by the places of its columns, whatever it was read with. Texts are valid until the next row.
class SqlRow {
  public:
    virtual ~SqlRow() = default;
    [[nodiscard]] virtual std::int64_t number(int column) const = 0;  ///< 0 if it is NULL
    [[nodiscard]] virtual std::string_view text(int column) const = 0;
    [[nodiscard]] virtual bool null(int column) const = 0;

    [[nodiscard]] std::string string(int column) const { return std::string{text(column)}; }
    [[nodiscard]] core::Instant instant(int column) const { return core::instant_from_us(number(column)); }
    [[nodiscard]] std::optional<core::Instant> maybe_instant(int column) const {
        if (null(column)) return std::nullopt;
        return instant(column);
    }

  protected:
    SqlRow() = default;
    SqlRow(const SqlRow&) = default;
    SqlRow& operator=(const SqlRow&) = default;
};

/// Columns of a table in the order in which they are read and written.
struct SqlColumns {
    std::string_view names;  ///< "a, b, c"
    std::string_view types;  ///< one letter each: n for BIGINT, t for TEXT

    [[nodiscard]] int count() const { return static_cast<int>(types.size()); }
    /// "r.a, r.b, r.c"
    [[nodiscard]] std::string of(std::string_view alias) const {
        std::string list;
        for (std::size_t at = 0; at < names.size();) {
            const auto end = std::min(names.find(", ", at), names.size());
            list.append(list.empty() ? "" : ", ").append(alias).append(".").append(names.substr(at, end - at));
            at = end + 2;
        }
        return list;
    }
};

/// What a SOCI statement reads its rows into.
class SociRow final : public SqlRow {
  public:
    SociRow(soci::statement& statement, std::string_view types) {
        for (const char type : types) {
            Cell& cell = cells_.emplace_back();
            if (type == 'n') {
                statement.exchange(soci::into(cell.number, cell.indicator));
            } else {
                statement.exchange(soci::into(cell.text, cell.indicator));
            }
        }
    }
    [[nodiscard]] std::int64_t number(int column) const override { return null(column) ? 0 : cell(column).number; }
    [[nodiscard]] std::string_view text(int column) const override {
        return null(column) ? std::string_view{} : std::string_view{cell(column).text};
    }
    [[nodiscard]] bool null(int column) const override { return cell(column).indicator == soci::i_null; }

  private:
    struct Cell {
        long long number = 0;
        std::string text;
        soci::indicator indicator = soci::i_ok;
    };
    [[nodiscard]] const Cell& cell(int column) const { return cells_.at(static_cast<std::size_t>(column)); }
    std::deque<Cell> cells_;  // their addresses stay
};

}  // namespace varde::store
