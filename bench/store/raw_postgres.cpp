#include "raw.hpp"

#include <endian.h>

#include <cstdio>
#include <cstdlib>
#include <functional>

#include <libpq-fe.h>

namespace varde::bench {
namespace {

void put32(std::string& out, std::uint32_t value) {
    value = htobe32(value);
    out.append(reinterpret_cast<const char*>(&value), sizeof value);
}

void put16(std::string& out, std::uint16_t value) {
    value = htobe16(value);
    out.append(reinterpret_cast<const char*>(&value), sizeof value);
}

void put_number(std::string& out, std::int64_t number) {
    put32(out, 8);
    const std::uint64_t value = htobe64(static_cast<std::uint64_t>(number));
    out.append(reinterpret_cast<const char*>(&value), sizeof value);
}

class RawPostgres final : public RawInserts {
  public:
    explicit RawPostgres(const std::string& url) : connection_{PQconnectdb(url.c_str())} {
        if (PQstatus(connection_) != CONNECTION_OK) stop();
    }
    ~RawPostgres() override { PQfinish(connection_); }

    void insert(std::span<const core::Event> events) override {
        expect(PQexec(connection_,
                      "COPY events (seq, key_hash, time, received_at, event_id, org_id, home_id, subject_id, stream_id,"
                      " category, room_id, payload) FROM STDIN (FORMAT BINARY)"),
               PGRES_COPY_IN);
        buffer_.assign("PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0\0", 19);
        for (const core::Event& event : events) {
            append(event);
            if (buffer_.size() > 65536) send();
        }
        put16(buffer_, 0xffff);
        send();
        if (PQputCopyEnd(connection_, nullptr) != 1) stop();
        expect(PQgetResult(connection_), PGRES_COMMAND_OK);
        while (PGresult* const rest = PQgetResult(connection_)) PQclear(rest);
    }

  private:
    void append(const core::Event& event) {
        put16(buffer_, 12);
        put_number(buffer_, ++seq_);
        put_number(buffer_, static_cast<std::int64_t>(std::hash<std::string>{}(event.event_id)));
        put_number(buffer_, core::to_us(event.time));
        put_number(buffer_, core::to_us(event.received_at));
        for (const std::string* text : {&event.event_id, &event.scope.org_id, &event.scope.home_id, &event.scope.subject_id,
                                        &event.stream_id, &event.category, &event.room_id, &event.payload}) {
            put32(buffer_, static_cast<std::uint32_t>(text->size()));
            buffer_.append(*text);
        }
    }
    void send() {
        if (PQputCopyData(connection_, buffer_.data(), static_cast<int>(buffer_.size())) != 1) stop();
        buffer_.clear();
    }
    void expect(PGresult* result, ExecStatusType status) {
        if (PQresultStatus(result) != status) stop();
        PQclear(result);
    }
    [[noreturn]] void stop() {
        std::fprintf(stderr, "raw postgresql: %s\n", PQerrorMessage(connection_));
        std::exit(1);
    }
    PGconn* connection_;
    std::string buffer_;
    std::int64_t seq_ = 0;
};

}  // namespace

std::unique_ptr<RawInserts> raw_postgres(const std::string& url) { return std::make_unique<RawPostgres>(url); }

}  // namespace varde::bench
