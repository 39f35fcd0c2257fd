#pragma once
#include <cstdint>
#include <filesystem>
#include <memory>

namespace varde::bench {

/// The host's whole ingest path: api::Server, ingest::GroupCommit and store::SqlEventLog on a new SQLite file with synchronous=FULL.
class IngestServer {
  public:
    explicit IngestServer(const std::filesystem::path& database_file);
    ~IngestServer();
    IngestServer(const IngestServer&) = delete;
    IngestServer& operator=(const IngestServer&) = delete;
    [[nodiscard]] std::uint16_t port() const;
    /// Events per commit since the last call.
    [[nodiscard]] double events_per_commit();

  private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace varde::bench
