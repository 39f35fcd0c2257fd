#include "app/composition.hpp"

#include <charconv>
#include <cstdlib>
#include <cstring>
#include <iostream>
#include <vector>

#include <fmt/format.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <unistd.h>

namespace varde::app {

namespace {

/// Takes a variable out of the environment and wipes its bytes: unsetenv alone leaves them in the block that /proc/PID/environ shows.
std::optional<std::string> take_secret(const char* name) {
    char* value = std::getenv(name);
    if (value == nullptr) return std::nullopt;
    std::string copy{value};
    ::explicit_bzero(value, copy.size());
    ::unsetenv(name);
    return copy;
}

std::filesystem::path first_existing(std::initializer_list<std::filesystem::path> candidates) {
    for (const auto& candidate : candidates) {
        if (std::filesystem::exists(candidate)) return candidate;
    }
    return *candidates.begin();
}

}  // namespace

void raise_descriptor_limit() {
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
    limit.rlim_cur = limit.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &limit);
}

std::filesystem::path binary_folder() {
    std::error_code failed;
    const auto self = std::filesystem::read_symlink("/proc/self/exe", failed);
    return failed ? std::filesystem::path{"."} : self.parent_path();
}

core::Result<config::HostConfig> load_settings(const Globals& globals) {
    auto database_url = take_secret("DATABASE_URL");
    config::HostConfig settings;
    if (globals.config_given || std::filesystem::exists(globals.config_file)) {
        auto loaded = config::load_host(globals.config_file);
        if (!loaded) return tl::unexpected{loaded.error()};
        settings = std::move(*loaded);
    }
    const auto lookup = [&](const std::string& name) -> std::optional<std::string> {
        if (name == "DATABASE_URL") return database_url;
        const char* value = std::getenv(name.c_str());
        return value == nullptr ? std::nullopt : std::optional<std::string>{value};
    };
    if (auto applied = config::apply_environment(settings, lookup); !applied) return tl::unexpected{applied.error()};
    if (!globals.database_url.empty()) settings.database.url = globals.database_url;
    if (!globals.plugins_dir.empty()) settings.plugins_dir = globals.plugins_dir;
    if (!globals.rules_file.empty()) settings.rules_file = globals.rules_file;
    // Where things lie beside an installed or freshly built binary: build/release/bin/varde finds build/release/plugins.
    const auto beside = binary_folder();
    if (settings.isolation.worker_path.empty()) settings.isolation.worker_path = (beside / "varde-worker").string();
    if (settings.migrations_dir.empty()) {
        settings.migrations_dir = first_existing({"migrations", beside / "../share/varde/migrations", VARDE_SOURCE_MIGRATIONS});
    }
    // Only where nobody named a folder: one that was named and is empty is a mistake to be told.
    const bool named = !globals.plugins_dir.empty() || settings.plugins_dir != config::HostConfig{}.plugins_dir;
    if (!named && !std::filesystem::exists(settings.plugins_dir / "R-001.so") &&
        std::filesystem::exists(beside / "../plugins/R-001.so")) {
        settings.plugins_dir = std::filesystem::weakly_canonical(beside / "../plugins");
    }
    return settings;
}

int report(const core::Error& error) {
    std::cerr << "varde: " << error.context << '\n';
    switch (error.code) {
        case core::Errc::invalid_argument:
        case core::Errc::config_invalid: return kUsage;
        case core::Errc::database_unavailable: return kUnreachable;
        case core::Errc::plugin_rejected: return kPluginBroken;
        default: return kFailed;
    }
}

std::string random_hex(std::size_t bytes) {
    std::vector<unsigned char> random(bytes);
    // Up to 256 bytes come whole, also when a signal arrives; before the kernel is seeded it waits.
    if (bytes > 256 || ::getrandom(random.data(), bytes, 0) != static_cast<ssize_t>(bytes)) std::abort();
    return fmt::format("{:02x}", fmt::join(random, ""));
}

core::Result<core::Microseconds> parse_duration(std::string_view text) {
    std::int64_t number = 0;
    const auto [rest, code] = std::from_chars(text.data(), text.data() + text.size(), number);
    const std::string_view unit{rest, static_cast<std::size_t>(text.data() + text.size() - rest)};
    if (code == std::errc{} && number > 0 && number <= 1'000'000) {
        if (unit == "s") return std::chrono::seconds{number};
        if (unit == "m") return std::chrono::minutes{number};
        if (unit == "h") return std::chrono::hours{number};
        if (unit == "d") return std::chrono::days{number};
    }
    return core::fail(core::Errc::invalid_argument, fmt::format("'{}' is not a duration such as 30s, 5m, 1h or 1d", text));
}

}  // namespace varde::app
