#include "core/error.hpp"

namespace varde::core {

std::string_view name_of(Errc code) {
    switch (code) {
        case Errc::invalid_argument: return "invalid_argument";
        case Errc::config_invalid: return "config_invalid";
        case Errc::not_found: return "not_found";
        case Errc::conflict: return "conflict";
        case Errc::database_unavailable: return "database_unavailable";
        case Errc::database_failed: return "database_failed";
        case Errc::schema_newer: return "schema_newer";
        case Errc::migration_failed: return "migration_failed";
        case Errc::too_large: return "too_large";
        case Errc::overloaded: return "overloaded";
        case Errc::stopping: return "stopping";
        case Errc::io_failed: return "io_failed";
        case Errc::plugin_rejected: return "plugin_rejected";
        case Errc::worker_failed: return "worker_failed";
        case Errc::unauthorized: return "unauthorized";
        case Errc::forbidden: return "forbidden";
    }
    return "unknown";
}

}  // namespace varde::core
