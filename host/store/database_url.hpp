#pragma once
#include "core/error.hpp"
#include "store/database.hpp"

#include <filesystem>
#include <string>
#include <string_view>

namespace varde::store {

/// What a database URL names.
struct DatabaseUrl {
    Engine engine = Engine::sqlite;
    std::filesystem::path file;  ///< SQLite
    std::string conninfo;        ///< PostgreSQL: keywords for libpq, with our defaults for time-outs. A secret
    std::string description;     ///< for people, without user and password
};

/// Reads `sqlite:PATH`, `postgresql://...` or `postgres://...`. Errc::invalid_argument; the context does not repeat the URL.
[[nodiscard]] core::Result<DatabaseUrl> parse_database_url(const std::string& url);

}  // namespace varde::store
