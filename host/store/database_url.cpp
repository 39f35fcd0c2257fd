#include "store/database_url.hpp"

#include <array>
#include <map>
#include <memory>
#include <utility>

#include <fmt/format.h>
#include <libpq-fe.h>

namespace varde::store {
namespace {

core::Result<DatabaseUrl> parse_sqlite(std::string path) {
    if (path.empty()) return core::fail(core::Errc::invalid_argument, "database url: 'sqlite:' needs the path of a file");
    if (path.starts_with("//")) {
        // Other programs read sqlite:///x as relative, some as absolute. Better none than the wrong file.
        return core::fail(core::Errc::invalid_argument, "database url: write sqlite:PATH without '//'");
    }
    if (path.find_first_of(std::string{"\"\0", 2}) != std::string::npos || path.starts_with(":")) {
        return core::fail(core::Errc::invalid_argument, "database url: the path has a quote or starts with ':'");
    }
    DatabaseUrl parsed;
    parsed.engine = Engine::sqlite;
    parsed.file = std::filesystem::path{path};
    parsed.description = fmt::format("sqlite {}", path);
    return parsed;
}

std::string quoted(const std::string& value) {
    std::string text = "'";
    for (const char c : value) {
        if (c == '\'' || c == '\\') text += '\\';
        text += c;
    }
    return text + "'";
}

std::string joined(const std::map<std::string, std::string>& keywords) {
    std::string text;
    for (const auto& [key, value] : keywords) text += fmt::format("{}={} ", key, quoted(value));
    return text;
}

std::string described(const std::map<std::string, std::string>& keywords) {
    const auto get = [&](const char* key, const char* otherwise) {
        const auto found = keywords.find(key);
        return found == keywords.end() ? std::string{otherwise} : found->second;
    };
    return fmt::format("postgresql {}:{}/{}", get("host", get("hostaddr", "(local)").c_str()), get("port", "5432"),
                       get("dbname", "(default)"));
}

core::Result<DatabaseUrl> parse_postgres(const std::string& url) {
    char* message = nullptr;  // repeats the URL: freed unseen
    const std::unique_ptr<PQconninfoOption, decltype(&PQconninfoFree)> options{PQconninfoParse(url.c_str(), &message),
                                                                               &PQconninfoFree};
    if (message) PQfreemem(message);
    if (!options) return core::fail(core::Errc::invalid_argument, "database url: not a PostgreSQL URL that libpq can read");
    // A dead network shows within half a minute instead of hours. The URL can set each of them itself.
    std::map<std::string, std::string> keywords{
        {"connect_timeout", "5"},  {"application_name", "varde"}, {"keepalives_idle", "10"},   {"keepalives_interval", "5"},
        {"keepalives_count", "3"}, {"tcp_user_timeout", "30000"}, {"client_encoding", "UTF8"},
    };
    for (const PQconninfoOption* option = options.get(); option->keyword; ++option) {
        if (option->val) keywords[option->keyword] = option->val;
    }
    DatabaseUrl parsed;
    parsed.engine = Engine::postgresql;
    parsed.conninfo = joined(keywords);
    parsed.description = described(keywords);
    return parsed;
}

}  // namespace

core::Result<DatabaseUrl> parse_database_url(const std::string& url) {
    if (url.starts_with("sqlite:")) return parse_sqlite(url.substr(7));
    if (url.starts_with("postgresql://") || url.starts_with("postgres://")) return parse_postgres(url);
    return core::fail(core::Errc::invalid_argument, "database url: must start with sqlite:, postgresql:// or postgres://");
}

}  // namespace varde::store
