#pragma once
#include "core/error.hpp"

#include <chrono>
#include <memory>
#include <string>
#include <string_view>

namespace varde::store {

enum class Engine { sqlite, postgresql };
[[nodiscard]] std::string_view name_of(Engine engine);  ///< "sqlite", "postgresql"

struct DatabaseSettings {
    /// `sqlite:PATH` or `postgresql://...` (`postgres://...` too). A secret: it may hold a password. Never logged, never in an Error.
    std::string url;
    int sessions = 4;  ///< connections kept, 1..64
    /// How long a call waits for a free session, for its turn to write, and for a lock of another process or host.
    std::chrono::milliseconds busy_timeout{5000};
    /// SQLite only. `off` is for simulations and benchmarks on throw-away files: a power cut may destroy them.
    enum class Synchronous { full, normal, off } synchronous = Synchronous::full;
};

/// A database and its sessions: what every repository of store/ is made from. It outlives the repositories.
///
/// Thread-safe. A SQLite file is opened in WAL mode and made, with its directory and readable by its owner only, if it is missing. A
/// lost PostgreSQL connection is made again by the next call that needs it; no restart of the host is ever needed.
///
/// Errors of everything in store/: Errc::database_unavailable when trying again later can help (not reachable, locked, out of space,
/// all sessions busy), Errc::database_failed otherwise. Their texts name the operation and SQLite's or PostgreSQL's code; never the
/// URL, a statement or a value.
class Database {
  public:
    /// Connects once, so that a wrong URL or a server that is down shows here. Errc::invalid_argument: the URL cannot be read.
    [[nodiscard]] static core::Result<std::unique_ptr<Database>> open(const DatabaseSettings& settings);
    ~Database();
    Database(const Database&) = delete;
    Database& operator=(const Database&) = delete;

    [[nodiscard]] Engine engine() const;
    /// Where it is, for people: "sqlite /srv/varde.db", "postgresql db.example:5432/varde". Without user and password.
    [[nodiscard]] const std::string& description() const;
    /// One round trip. For health checks.
    [[nodiscard]] core::Result<void> ping();

    class Impl;
    /// For store/ only.
    [[nodiscard]] Impl& impl() { return *impl_; }

  private:
    explicit Database(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

}  // namespace varde::store
