#pragma once
#include "ports/event_log.hpp"
#include "store/database.hpp"

#include <memory>

namespace varde::store {

/// The event log in the database. One per Database and process; the tables exist (migrate()). See docs/adr/0002-dedupe.md for how
/// repeated events are recognised at a cost that does not grow with the table.
class SqlEventLog final : public ports::EventLog {
  public:
    /// Reads the key of every stored event into memory (2 bytes an event; one to three seconds for five million events).
    [[nodiscard]] static core::Result<std::unique_ptr<SqlEventLog>> open(Database& database);
    ~SqlEventLog() override;

    /// Errc::database_unavailable may also mean that the connection was lost during the commit: the events are then stored or not, and
    /// repeating the call is right in both cases. Errc::invalid_argument: a text is not UTF-8 or holds a zero byte.
    core::Result<std::vector<ports::Appended>> append(std::span<const core::Event> events) override;
    /// `visit` runs while a session is held and must not call this database; what it throws is passed on.
    core::Result<std::int64_t> read_after(std::int64_t after, std::size_t limit,
                                          const std::function<void(const core::Event&)>& visit) override;
    core::Result<void> read_range(const core::Scope& scope, core::Window range,
                                  const std::function<void(const core::Event&)>& visit) override;
    core::Result<std::optional<core::Event>> latest(const core::Scope& scope, std::span<const std::string> categories,
                                                    const std::string& stream_id, core::Instant before) override;
    core::Result<std::int64_t> first_seq_since(core::Instant since) override;
    core::Result<std::vector<core::Scope>> scopes() override;
    core::Result<std::vector<core::Event>> list(const ports::EventQuery& query) override;
    core::Result<std::int64_t> prune(core::Instant before, std::int64_t limit) override;

  private:
    class Impl;
    explicit SqlEventLog(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

}  // namespace varde::store
