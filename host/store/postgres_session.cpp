#include "store/postgres_session.hpp"

#include <endian.h>
#include <poll.h>

#include <algorithm>
#include <cstring>
#include <vector>

#include <fmt/format.h>
#include <soci/postgresql/soci-postgresql.h>

namespace varde::store {
namespace {

/// Classes of SQLSTATE after which trying again can help, https://www.postgresql.org/docs/15/errcodes-appendix.html.
core::Errc code_of(std::string_view sqlstate) {
    if (sqlstate.empty()) return core::Errc::database_unavailable;  // libpq's own: the connection
    for (const std::string_view start : {"08", "40", "53", "57", "58", "55P03", "25006"}) {
        if (sqlstate.starts_with(start)) return core::Errc::database_unavailable;
    }
    if (sqlstate == "22021" || sqlstate == "22P05") return core::Errc::invalid_argument;  // not UTF-8, or a zero byte
    return core::Errc::database_failed;
}

core::Error error_of(std::string_view sqlstate) {
    if (sqlstate.empty()) return core::Error{core::Errc::database_unavailable, "postgresql: the connection was lost"};
    return core::Error{code_of(sqlstate), fmt::format("postgresql: SQLSTATE {}", sqlstate)};
}

/// SOCI hands on libpq's text, which can name the user; the causes that an operator can act on are told apart by its fixed parts.
std::string_view cause_of(std::string_view text) {
    using Cause = std::pair<std::string_view, std::string_view>;
    static constexpr Cause causes[] = {
        {"password authentication failed", "the password was refused"},
        {"no password supplied", "a password is needed"},
        {"no pg_hba.conf entry", "pg_hba.conf does not allow it"},
        {"role \"", "the user does not exist"},
        {"database \"", "the database does not exist"},
        {"Connection refused", "connection refused"},
        {"No such file or directory", "no server at that socket"},
        {"could not translate host name", "the host name cannot be resolved"},
        {"timeout expired", "no answer in time"},
        {"starting up", "the server is starting up"},
        {"shutting down", "the server is shutting down"},
        {"too many clients", "the server has too many clients"},
        {"remaining connection slots", "the server has too many clients"},
        {"certificate", "the certificate was refused"},
        {"SSL", "TLS could not be agreed"},
    };
    for (const auto& [part, cause] : causes) {
        if (text.find(part) != std::string_view::npos) return cause;
    }
    return "the connection failed";
}

void ignore_notice(void*, const char*) {}  // they go to stderr otherwise, and can hold values

}  // namespace

std::int64_t PostgresRow::number(int column) const {
    std::uint64_t raw = 0;
    std::memcpy(&raw, PQgetvalue(result_, row_, column), sizeof raw);
    return static_cast<std::int64_t>(be64toh(raw));
}

std::string_view PostgresRow::text(int column) const {
    return {PQgetvalue(result_, row_, column), static_cast<std::size_t>(PQgetlength(result_, row_, column))};
}

bool PostgresRow::null(int column) const { return PQgetisnull(result_, row_, column) != 0; }

PostgresValues& PostgresValues::add(std::int64_t value) {
    const auto at = static_cast<std::size_t>(count_++);
    const std::uint64_t raw = htobe64(static_cast<std::uint64_t>(value));
    std::memcpy(numbers_.at(at).data(), &raw, sizeof raw);
    lengths_[at] = sizeof raw;
    formats_[at] = 1;
    values_[at] = nullptr;  // numbers_[at]; set when sent, so that copies stay right
    return *this;
}

PostgresValues& PostgresValues::add(std::string_view text) {
    const auto at = static_cast<std::size_t>(count_++);
    values_.at(at) = text.data() ? text.data() : "";
    lengths_[at] = static_cast<int>(text.size());
    formats_[at] = 1;
    return *this;
}

void append_int64(std::string& out, std::int64_t value) {
    const std::uint64_t raw = htobe64(static_cast<std::uint64_t>(value));
    out.append(reinterpret_cast<const char*>(&raw), sizeof raw);
}

void append_int32(std::string& out, std::int32_t value) {
    const std::uint32_t raw = htobe32(static_cast<std::uint32_t>(value));
    out.append(reinterpret_cast<const char*>(&raw), sizeof raw);
}

void append_int16(std::string& out, std::int16_t value) {
    const std::uint16_t raw = htobe16(static_cast<std::uint16_t>(value));
    out.append(reinterpret_cast<const char*>(&raw), sizeof raw);
}

namespace {

std::string array_header(std::size_t size, std::int32_t element_oid, bool has_nulls = false) {
    std::string out;
    append_int32(out, size == 0 ? 0 : 1);  // dimensions
    append_int32(out, has_nulls ? 1 : 0);
    append_int32(out, element_oid);
    if (size == 0) return out;
    append_int32(out, static_cast<std::int32_t>(size));
    append_int32(out, 1);  // lower bound
    return out;
}

}  // namespace

std::string bigint_array(std::span<const std::int64_t> values) {
    std::string out = array_header(values.size(), 20);
    for (const std::int64_t value : values) {
        append_int32(out, sizeof value);
        append_int64(out, value);
    }
    return out;
}

std::string bigint_array(std::span<const std::optional<std::int64_t>> values) {
    std::string out = array_header(values.size(), 20, std::ranges::any_of(values, [](const auto& value) { return !value; }));
    for (const auto& value : values) {
        append_int32(out, value ? static_cast<std::int32_t>(sizeof *value) : -1);
        if (value) append_int64(out, *value);
    }
    return out;
}

std::string text_array(std::span<const std::string_view> values) {
    std::string out = array_header(values.size(), 25);
    for (const std::string_view value : values) {
        append_int32(out, static_cast<std::int32_t>(value.size()));
        out.append(value);
    }
    return out;
}

PostgresSession::PostgresSession(const DatabaseUrl& url, const DatabaseSettings& settings) {
    try {
        sql.open(*soci::factory_postgresql(), url.conninfo);
    } catch (const soci::soci_error& failure) {
        throw SqlFailure{core::Error{core::Errc::database_unavailable,
                                     fmt::format("cannot connect to {}: {}", url.description, cause_of(failure.what()))}};
    }
    connection_ = static_cast<soci::postgresql_session_backend*>(sql.get_backend())->conn_;
    PQsetNoticeProcessor(connection_, &ignore_notice, nullptr);
    // 2xx means durable also on a server whose default is off. JIT costs more than it saves on queries of this size.
    exec(fmt::format("SET client_min_messages = error; SET lock_timeout = {}; SET jit = off;"
                     "SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'",
                     settings.busy_timeout.count())
             .c_str());
}

void PostgresSession::fail(const PGresult* result) {
    const char* const sqlstate = result ? PQresultErrorField(result, PG_DIAG_SQLSTATE) : nullptr;
    const char* const constraint = result ? PQresultErrorField(result, PG_DIAG_CONSTRAINT_NAME) : nullptr;
    core::Error error = error_of(sqlstate ? sqlstate : "");
    if (constraint) error.context += fmt::format(" ({})", constraint);
    lost_ = lost_ || PQstatus(connection_) != CONNECTION_OK;
    throw SqlFailure{std::move(error)};
}

void PostgresSession::check(const PGresult* result, ExecStatusType expected) {
    if (PQresultStatus(result) != expected) fail(result);
}

void PostgresSession::exec(const char* script) {
    const ResultPtr result{PQexec(connection_, script)};
    const ExecStatusType status = PQresultStatus(result.get());
    if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK) fail(result.get());
    // COMMIT of a transaction in which a statement failed "succeeds" with this tag.
    if (std::strcmp(script, "COMMIT") == 0 && std::strcmp(PQcmdStatus(result.get()), "COMMIT") != 0) {
        nothing_stored();
    }
}

void PostgresSession::nothing_stored() {
    throw SqlFailure{core::Error{core::Errc::database_failed, "postgresql: a statement failed before; nothing was stored"}};
}

void PostgresSession::exec(const std::string& script, const std::function<void(const PGresult*, int row)>& visit) {
    const ResultPtr result{PQexec(connection_, script.c_str())};
    check(result.get(), PGRES_TUPLES_OK);
    for (int row = 0; row < PQntuples(result.get()); ++row) visit(result.get(), row);
}

bool PostgresSession::in_transaction() {
    const PGTransactionStatusType status = PQtransactionStatus(connection_);
    return status != PQTRANS_IDLE && status != PQTRANS_UNKNOWN;
}

bool PostgresSession::usable() {
    if (lost_ || PQstatus(connection_) != CONNECTION_OK || PQtransactionStatus(connection_) == PQTRANS_UNKNOWN) return false;
    // A server that went away, or an administrator who ended this backend, has left something to read on an idle connection.
    pollfd socket{PQsocket(connection_), POLLIN, 0};
    if (::poll(&socket, 1, 0) == 0) return true;
    if (PQconsumeInput(connection_) == 0 || PQstatus(connection_) != CONNECTION_OK) return false;
    return (socket.revents & (POLLERR | POLLHUP | POLLNVAL)) == 0 && ::poll(&socket, 1, 0) == 0;
}

core::Error PostgresSession::explain(const soci::soci_error& failure, std::string_view doing) {
    const auto* const postgres = dynamic_cast<const soci::postgresql_soci_error*>(&failure);
    lost_ = lost_ || PQstatus(connection_) != CONNECTION_OK;
    std::string sqlstate = postgres ? postgres->sqlstate() : std::string{};
    if (!postgres && !lost_) sqlstate = "XX000";  // SOCI's own complaint, e.g. a NULL where none was expected
    core::Error error = error_of(sqlstate);
    error.context.insert(0, std::string{doing} + ": ");
    return error;
}

const std::string& PostgresSession::prepared(const char* text) {
    if (const auto found = statements_.find(text); found != statements_.end()) return found->second;
    const std::string name = fmt::format("varde_{}", statements_.size());
    const ResultPtr result{PQprepare(connection_, name.c_str(), text, 0, nullptr)};
    check(result.get(), PGRES_COMMAND_OK);
    return statements_.emplace(text, name).first->second;
}

void PostgresSession::query(const char* text, const PostgresValues& values, const VisitRow& visit) {
    auto data = values.values_;
    for (std::size_t i = 0; i < static_cast<std::size_t>(values.count_); ++i) {
        if (!data[i]) data[i] = values.numbers_[i].data();
    }
    const std::string& name = prepared(text);
    if (PQsendQueryPrepared(connection_, name.c_str(), values.count_, data.data(), values.lengths_.data(), values.formats_.data(),
                            1) == 0) {
        fail(nullptr);
    }
    PQsetSingleRowMode(connection_);
    lost_ = true;  // until the last row was taken: nobody else could use this connection
    ResultPtr failed;
    while (ResultPtr result{PQgetResult(connection_)}) {
        const ExecStatusType status = PQresultStatus(result.get());
        if (status == PGRES_SINGLE_TUPLE) {
            visit(PostgresRow{result.get(), 0});
        } else if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK) {
            failed = std::move(result);
        }
    }
    lost_ = false;
    if (failed) fail(failed.get());
}

/// Takes the results that end a COPY; the last one must be of `last_command`.
void PostgresSession::finish(const char* last_command) {
    ResultPtr failed, last;
    while (ResultPtr result{PQgetResult(connection_)}) {
        (PQresultStatus(result.get()) == PGRES_COMMAND_OK ? last : failed) = std::move(result);
        if (PQstatus(connection_) != CONNECTION_OK) break;
    }
    if (failed || !last) fail(failed.get());
    lost_ = false;
    if (!std::string_view{PQcmdStatus(last.get())}.starts_with(last_command)) nothing_stored();
}

void PostgresSession::copy_in_and_commit(const char* text, const std::function<bool(std::string& buffer)>& fill) {
    {
        const ResultPtr result{PQexec(connection_, text)};
        check(result.get(), PGRES_COPY_IN);
    }
    lost_ = true;  // until it is complete
    buffer_.assign("PGCOPY\n\377\r\n\0", 11);
    append_int32(buffer_, 0);  // flags
    append_int32(buffer_, 0);  // no header extension
    bool more = true;
    while (more) {
        more = fill(buffer_);
        if (!more) append_int16(buffer_, -1);
        if (PQputCopyData(connection_, buffer_.data(), static_cast<int>(buffer_.size())) != 1) fail(nullptr);
        buffer_.clear();
    }
    if (PQputCopyEnd(connection_, nullptr) != 1) fail(nullptr);
    finish("COMMIT");
}

void PostgresSession::copy_numbers_out(const char* text, const std::function<void(std::span<const std::int64_t>)>& visit) {
    {
        const ResultPtr result{PQexec(connection_, text)};
        check(result.get(), PGRES_COPY_OUT);
    }
    lost_ = true;
    static constexpr int header_bytes = 19;
    std::vector<std::int64_t> numbers;
    bool first = true;
    for (;;) {
        char* raw = nullptr;
        const int length = PQgetCopyData(connection_, &raw, 0);
        if (length < 0) break;
        const std::unique_ptr<char, decltype(&PQfreemem)> owner{raw, &PQfreemem};
        // libpq gives one message at a time: the first row comes together with the header.
        const char* at = raw + (first ? header_bytes : 0);
        const char* const end = raw + length;
        first = false;
        numbers.clear();
        if (end - at < 2) continue;
        at += 2;  // the number of columns; -1 in the trailer
        for (; end - at >= 12; at += 12) {
            std::uint64_t value = 0;
            std::memcpy(&value, at + 4, sizeof value);
            numbers.push_back(static_cast<std::int64_t>(be64toh(value)));
        }
        if (!numbers.empty()) visit(numbers);
    }
    finish("COPY");
}

std::unique_ptr<Session> connect_postgres(const DatabaseUrl& url, const DatabaseSettings& settings) {
    return std::make_unique<PostgresSession>(url, settings);
}

}  // namespace varde::store
