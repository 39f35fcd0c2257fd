#include "store/decision_rows.hpp"

#include <algorithm>
#include <array>

namespace varde::store {
namespace {

/// Rows of one statement. PostgreSQL takes a round trip a statement; SQLite looks its placeholders up one after the other, so that few rows
/// are faster there (1,000 rows, release: 15 ms with 8 a statement, 23 ms with 32).
std::size_t rows_at_once(Engine engine) { return engine == Engine::sqlite ? 8 : 64; }

constexpr std::size_t kTexts = 7;
constexpr std::size_t kNumbers = 5;

/// What the placeholders of one statement are bound to.
struct BoundRow {
    std::array<std::string, kTexts> texts;
    std::array<long long, kNumbers> numbers{};

    explicit BoundRow(const core::Decision& row)
        : texts{row.rule_id, row.scope.org_id, row.scope.home_id, row.scope.subject_id, std::string{core::name_of(row.outcome)},
                row.reason,  row.run_id},
          numbers{core::to_us(row.since), core::to_us(row.first_at), core::to_us(row.last_at), core::to_us(row.asked_at),
                  row.runs} {}
};

/// "(:t0, :t1, ...), (...)": bound by place, in this order.
std::string placeholders(std::size_t rows) {
    std::string list;
    for (std::size_t row = 0; row < rows; ++row) {
        list += row == 0 ? "(" : ", (";
        for (std::size_t column = 0; column < kTexts + kNumbers; ++column) {
            list += (column == 0 ? ":b" : ", :b") + std::to_string(row * (kTexts + kNumbers) + column);
        }
        list += ')';
    }
    return list;
}

void write_chunk(Session& session, std::span<const core::Decision> chunk) {
    const std::vector<BoundRow> rows(chunk.begin(), chunk.end());
    soci::statement statement{session.sql};
    for (const BoundRow& row : rows) {
        for (const std::string& text : row.texts) statement.exchange(soci::use(text));
        for (const long long& number : row.numbers) statement.exchange(soci::use(number));
    }
    statement.alloc();
    statement.prepare(
        "INSERT INTO decisions (rule_id, org_id, home_id, subject_id, outcome, reason, run_id, since, first_at, last_at,"
        " asked_at, runs) VALUES " +
            placeholders(rows.size()) +
            " ON CONFLICT (rule_id, org_id, home_id, subject_id, first_at) DO UPDATE SET outcome = excluded.outcome,"
            " reason = excluded.reason, run_id = excluded.run_id, since = excluded.since, last_at = excluded.last_at,"
            " asked_at = excluded.asked_at, runs = excluded.runs",
        soci::details::st_one_time_query);
    statement.define_and_bind();
    statement.execute(true);
}

}  // namespace

std::vector<core::Decision> select_decisions(Session& session, const Conditions& conditions, const std::string& tail) {
    core::Decision row;
    long long id = 0, since = 0, first_at = 0, last_at = 0, asked_at = 0, runs = 0;
    std::string outcome;
    soci::statement statement{session.sql};
    for (long long* column : {&id, &since, &first_at, &last_at, &asked_at, &runs}) statement.exchange(soci::into(*column));
    for (std::string* column :
         {&row.rule_id, &row.scope.org_id, &row.scope.home_id, &row.scope.subject_id, &outcome, &row.reason, &row.run_id})
        statement.exchange(soci::into(*column));
    conditions.execute(statement,
                       "SELECT decision_id, since, first_at, last_at, asked_at, runs, rule_id, org_id, home_id, subject_id,"
                       " outcome, reason, run_id FROM decisions" +
                           conditions.where() + tail);
    std::vector<core::Decision> found;
    while (statement.fetch()) {
        row.decision_id = id;
        row.since = core::instant_from_us(since);
        row.first_at = core::instant_from_us(first_at);
        row.last_at = core::instant_from_us(last_at);
        row.asked_at = core::instant_from_us(asked_at);
        row.runs = runs;
        row.outcome = core::decision_outcome_from(outcome).value_or(core::DecisionOutcome::unknown);  // the table checks it
        found.push_back(row);
    }
    return found;
}

void write_decisions(Session& session, std::span<const core::Decision> decisions) {
    const std::size_t most = rows_at_once(session.engine());
    for (std::size_t first = 0; first < decisions.size(); first += most) {
        write_chunk(session, decisions.subspan(first, std::min(most, decisions.size() - first)));
    }
}

}  // namespace varde::store
