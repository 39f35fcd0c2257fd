#pragma once
#include "core/error.hpp"
#include "store/database_url.hpp"

#include <chrono>
#include <memory>
#include <string>
#include <string_view>

#include <soci/soci.h>

namespace varde::store {

/// Thrown inside store/ only; Database::Impl::run turns it into its Error.
struct SqlFailure {
    core::Error error;
};

/// One connection. Used by one thread at a time.
class Session {
  public:
    virtual ~Session() = default;
    Session(const Session&) = delete;
    Session& operator=(const Session&) = delete;

    [[nodiscard]] virtual Engine engine() const = 0;
    /// Runs one or more statements without values. Throws SqlFailure.
    virtual void exec(const char* script) = 0;
    [[nodiscard]] virtual bool in_transaction() = 0;
    /// False: the connection is lost, or in a state nobody knows; it must be made again. Costs no round trip.
    [[nodiscard]] virtual bool usable() = 0;
    /// What SOCI's exception means. `what()` holds bound values and is not used.
    [[nodiscard]] virtual core::Error explain(const soci::soci_error& failure, std::string_view doing) = 0;

    soci::session sql;

  protected:
    Session() = default;
};

/// Both throw SqlFailure.
[[nodiscard]] std::unique_ptr<Session> connect_sqlite(const DatabaseUrl& url, const DatabaseSettings& settings);
[[nodiscard]] std::unique_ptr<Session> connect_postgres(const DatabaseUrl& url, const DatabaseSettings& settings);

}  // namespace varde::store
