#pragma once
#include <source_location>
#include <string>
#include <string_view>
#include <utility>

#include <tl/expected.hpp>

namespace varde::core {

/// Failures that the host names. What a worker did is a Verdict, not an Error.
enum class Errc {
    invalid_argument = 1,  ///< the caller's input is wrong; the context names the field. HTTP 400
    config_invalid,        ///< a configuration file is wrong; the context starts with file:line:column
    not_found,             ///< HTTP 404
    conflict,              ///< the state does not allow it, e.g. ACK of a closed deviation. HTTP 409
    database_unavailable,  ///< cannot reach or use the database now; try again later. HTTP 503
    database_failed,       ///< the database refused a statement; a defect or a damaged database
    schema_newer,          ///< the database was written by a newer Varde; upgrade the program
    migration_failed,      ///< a migration file is missing, changed or wrong
    too_large,             ///< over a named limit. HTTP 413
    overloaded,            ///< a queue is full; try again later. HTTP 503
    stopping,              ///< the host is going down
    io_failed,             ///< a file or socket operation failed
    plugin_rejected,       ///< a plugin file cannot be used; the context says why
    worker_failed,         ///< a worker process could not be started
    unauthorized,          ///< no or unknown credentials. HTTP 401
    forbidden,             ///< the credentials do not allow it. HTTP 403
};

[[nodiscard]] std::string_view name_of(Errc code);

/// `context` says what was being done, with ids, in words for an operator; never a secret, a payload or a bound SQL value.
struct Error {
    Errc code;
    std::string context;
    std::source_location where = std::source_location::current();
};

template <class T>
using Result = tl::expected<T, Error>;

[[nodiscard]] inline tl::unexpected<Error> fail(Errc code, std::string context,
                                                std::source_location where = std::source_location::current()) {
    return tl::unexpected<Error>{Error{code, std::move(context), where}};
}

}  // namespace varde::core
