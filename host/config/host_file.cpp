#include "config/file_text.hpp"
#include "config/section.hpp"
#include "config/settings.hpp"
#include "time/zone.hpp"

#include <fmt/format.h>
#include <algorithm>
#include <charconv>
#include <functional>

namespace varde::config {
namespace {

constexpr std::int64_t kMostGrace = 400 * 86'400;  // as in definitions
constexpr std::int64_t kMostInstances = 1'000;
constexpr std::int64_t kMs = 600'000;  ///< ten minutes: the longest time limit
constexpr std::int64_t kGiB = 1ll << 30;

bool is_database_url(std::string_view url) {
    return (url.starts_with("sqlite:") && url.size() > 7) || url.starts_with("postgresql://") || url.starts_with("postgres://");
}
// The url itself may hold a password: it is never shown.
constexpr std::string_view kUrlAdvice = "is not a database: write sqlite:PATH or postgresql://user@host/name";

void read_database(Section& in, HostConfig::Database& database) {
    in.text("url", 1, 2000, [&](std::string url) {
        if (!is_database_url(url)) return in.problem("url", kUrlAdvice);
        database.url = std::move(url);
    });
    in.integer("sessions", 1, 64, database.sessions);
    in.duration("busy_timeout_ms", 0, kMs, database.busy_timeout);
}

void read_http(Section& in, HostConfig::Http& http) {
    in.text("address", 1, 100, http.address);
    in.integer("port", 0, 65'535, http.port);
    in.integer("max_connections", 1, 100'000, http.max_connections);
    in.integer("max_body_bytes", 1024, kGiB, http.max_body_bytes);
    in.duration("header_timeout_ms", 10, kMs, http.header_timeout);
    in.duration("read_timeout_ms", 10, kMs, http.read_timeout);
    in.duration("idle_timeout_ms", 10, kMs, http.idle_timeout);
}

void read_ingest(Section& in, HostConfig::Ingest& ingest) {
    in.duration("max_future_seconds", -1, 10ll * 365 * 86'400, ingest.max_future);
    in.integer("max_batch_events", 1, 10'000, ingest.max_batch_events);
    in.integer("max_payload_bytes", 2, 1 << 20, ingest.max_payload_bytes);
    in.integer("max_payload_depth", 1, 64, ingest.max_payload_depth);
    in.integer("max_queued_events", 1, 10'000'000, ingest.max_queued_events);
    in.integer("max_commit_events", 1, 10'000, ingest.max_commit_events);
    in.duration("commit_timeout_ms", 10, kMs, ingest.commit_timeout);
}

void read_scheduler(Section& in, HostConfig::Scheduler& scheduler) {
    in.boolean("enabled", scheduler.enabled);
    in.integer("interval_ms", 10, 24ll * 3'600'000, [&](std::int64_t ms) { scheduler.interval = milliseconds{ms}; });
    in.duration("stop_timeout_ms", 0, kMs, scheduler.stop_timeout);
    in.boolean("carry_answers", scheduler.carry_answers);
}

void read_isolation(Section& in, HostConfig::Isolation& isolation) {
    in.text("worker_path", 0, 4000, isolation.worker_path);
    in.integer("window_bytes", 1 << 20, 4 * kGiB, isolation.window_bytes);
    in.duration("load_timeout_ms", 10, kMs, isolation.load_timeout);
    in.boolean("pin_cpu", isolation.pin_cpu);
    const auto& layers = isolation_layers();
    in.texts("require", 100, isolation.require, {layers.begin(), layers.end()});
    // Without its system call filter a worker is no sandbox at all.
    std::vector<std::string_view> optional{layers.begin(), layers.end()};
    std::erase(optional, "seccomp");
    in.texts("without", 100, isolation.without, optional);
    in.text("cgroup", 0, 4000, isolation.cgroup);
    in.integer("spares", 0, 16, isolation.spares);
    in.integer("max_evaluations", 1, 1ll << 50, isolation.max_evaluations);
    in.duration("max_age_seconds", 1, 365ll * 86'400, isolation.max_age);
    in.integer("max_growth_mb", 1, 4096, isolation.max_growth_mb);
    in.integer("max_log_bytes", 4096, kGiB, isolation.max_log_bytes);
    in.integer("shadow_windows", 0, 1000, isolation.shadow_windows);
    in.integer("probation_evaluations", 0, 1'000'000, isolation.probation);
}

void read_path(Section& in, std::string_view key, std::size_t least, std::filesystem::path& out) {
    in.text(key, least, 4000, [&](std::string path) { out = std::move(path); });
}

void read_plugins(Section& in, HostConfig::Plugins& plugins) {
    in.duration("quiet_ms", 0, kMs, plugins.quiet);
    in.duration("rescan_seconds", 1, 86'400, plugins.rescan);
    in.texts("libraries", 200, plugins.libraries);
    read_path(in, "lock_file", 0, plugins.lock_file);
    read_path(in, "signature_key", 0, plugins.signature_key);
}

void read_incidents(Section& in, HostConfig::Incidents& incidents) {
    in.integer("keep", 1, 1'000'000, incidents.keep);
    read_path(in, "bundles_dir", 0, incidents.bundles);
    in.integer("keep_bundles", 1, 100'000, incidents.keep_bundles);
    in.integer("max_bundle_bytes", 4096, 4 * kGiB, incidents.max_bundle_bytes);
}

void read_breaker(Section& in, HostConfig::Breaker& breaker) {
    in.integer("consecutive_failures", 1, 1000, breaker.consecutive);
    in.integer("lost_workers", 1, 1000, breaker.within_window);
    in.duration("window_seconds", 1, 86'400, breaker.window);
    in.duration("first_back_off_seconds", 1, 86'400, breaker.first_back_off);
    in.duration("max_back_off_seconds", 1, 86'400, breaker.max_back_off);
    in.integer("probes", 1, 1000, breaker.probes);
}

void read_baseline(Section& in, BaselineSettings& baseline) {
    constexpr std::int64_t kDayMinutes = 24 * 60;
    constexpr std::int64_t kDays = 366;
    in.duration("every_minutes", 0, kDayMinutes, baseline.every);
    in.text("zone", 1, 100, [&](std::string zone) {
        if (!time::Zone::find(zone)) return in.problem("zone", "is not the name of a time zone, such as Europe/Oslo");
        baseline.zone = std::move(zone);
    });
    in.integer("window_days", 1, kDays, baseline.window_days);
    in.texts("categories", 100, baseline.categories);
    in.texts("idle_states", 100, baseline.idle_states);
    in.integer("support_days", 1, kDays, baseline.support_days);
    in.duration("max_transition_minutes", 1, kDayMinutes, baseline.max_transition);
    in.integer("ready_days", 1, kDays, baseline.ready_days);
    in.integer("ready_room_percent", 0, 100, baseline.ready_room_percent);
    in.integer("max_rooms", 1, 1000, baseline.max_rooms);
    if (baseline.categories.empty()) in.problem("categories", "is empty: no event would make a day of data");
    if (baseline.ready_days > baseline.window_days) {
        in.problem("ready_days", fmt::format("is {}, but only {} days (window_days) are looked at: no home would ever be ready",
                                             baseline.ready_days, baseline.window_days));
    }
    if (baseline.support_days > baseline.window_days) {
        in.problem("support_days", fmt::format("is {}, but only {} days (window_days) are looked at", baseline.support_days,
                                               baseline.window_days));
    }
}

void read_decisions(Section& in, DecisionSettings& decisions) {
    constexpr std::int64_t kTenYears = 3'660;
    in.boolean("enabled", decisions.enabled);
    in.duration("keep_days", 2, kTenYears, decisions.keep);
    in.duration("keep_changes_days", 2, kTenYears, decisions.keep_changes);
    in.duration("flush_seconds", 0, 3'600, decisions.flush);
    if (decisions.keep_changes < decisions.keep) {
        in.problem("keep_changes_days", fmt::format("is {}, less than keep_days ({}): changes are what is kept longer",
                                                    decisions.keep_changes.count(), decisions.keep.count()));
    }
}

void read_queues(Section& in, HostConfig::Jobs& jobs) {
    const auto* const map = in.map("queues");
    if (map == nullptr) return;
    for (const auto& member : map->members) {
        Section queue{member.value, fmt::format("{}.queues.{}", in.path(), member.key), in.problems()};
        HostConfig::Jobs::Queue limits;
        queue.integer("workers", 1, 1000, limits.workers);
        queue.integer("per_minute", 1, 600'000, limits.per_minute);
        queue.finish();
        jobs.queues.insert_or_assign(member.key, limits);
    }
}

void read_jobs(Section& in, HostConfig::Jobs& jobs) {
    in.boolean("enabled", jobs.enabled);
    in.integer("workers", 1, 1000, jobs.workers);
    in.duration("lease_ms", 1'000, kMs, jobs.lease);
    in.duration("poll_ms", 10, 60'000, jobs.poll);
    in.integer("batch", 1, 10'000, jobs.batch);
    in.integer("max_pending", 1, 10'000'000, jobs.max_pending);
    in.duration("keep_runs_days", 1, 36'500, jobs.keep_runs);
    in.duration("drain_ms", 0, kMs, jobs.drain);
    in.section("defaults", [&](Section& defaults) {
        defaults.integer("misfire_grace_s", 1, kMostGrace,
                         [&](std::int64_t value) { jobs.defaults.misfire_grace.emplace(value); });
        defaults.boolean("coalesce", jobs.defaults.coalesce);
        defaults.integer("max_instances", 1, kMostInstances, jobs.defaults.max_instances);
    });
    read_queues(in, jobs);
}

HostConfig read_config(const Value& root, Problems& problems) {
    HostConfig config;
    Section file{root, "", problems};
    file.section("database", [&](Section& in) { read_database(in, config.database); });
    file.section("http", [&](Section& in) { read_http(in, config.http); });
    file.section("ingest", [&](Section& in) { read_ingest(in, config.ingest); });
    file.section("scheduler", [&](Section& in) { read_scheduler(in, config.scheduler); });
    file.section("jobs", [&](Section& in) { read_jobs(in, config.jobs); });
    file.section("isolation", [&](Section& in) { read_isolation(in, config.isolation); });
    file.section("plugins", [&](Section& in) { read_plugins(in, config.plugins); });
    file.section("incidents", [&](Section& in) { read_incidents(in, config.incidents); });
    file.section("breaker", [&](Section& in) { read_breaker(in, config.breaker); });
    file.section("baseline", [&](Section& in) { read_baseline(in, config.baseline); });
    file.section("decisions", [&](Section& in) { read_decisions(in, config.decisions); });
    file.section("auth", [&](Section& in) { in.boolean("required", config.require_tokens); });
    read_path(file, "plugins_dir", 1, config.plugins_dir);
    read_path(file, "rules_file", 1, config.rules_file);
    read_path(file, "migrations_dir", 0, config.migrations_dir);
    file.choice("log_level", {"debug", "info", "warning", "error"}, config.log_level);
    file.finish();
    return config;
}

constexpr std::string_view kSwitches = "is not one of 1, true, yes, on, 0, false, no, off";

std::optional<bool> switch_of(std::string word) {
    std::ranges::transform(word, word.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    if (word == "1" || word == "true" || word == "yes" || word == "on") return true;
    if (word == "0" || word == "false" || word == "no" || word == "off") return false;
    return std::nullopt;
}

}  // namespace

const std::vector<std::string>& isolation_layers() {
    static const std::vector<std::string> layers{"own_user", "namespaces", "landlock", "cgroup", "seccomp"};
    return layers;
}

core::Result<HostConfig> parse_host(std::string_view text, std::string_view name) {
    Problems problems{name};
    HostConfig config;
    if (const auto root = read_document(text, problems)) config = read_config(*root, problems);
    if (!problems.empty()) return tl::unexpected{problems.error()};
    return config;
}

core::Result<HostConfig> load_host(const std::filesystem::path& file) {
    return file_text(file).and_then([&](const std::string& text) { return parse_host(text, file.string()); });
}

core::Result<void> apply_environment(HostConfig& config, const Environment& environment) {
    auto changed = config;
    std::string problems;
    const auto problem = [&](std::string_view text) { problems += (problems.empty() ? "" : "\n") + std::string{text}; };
    if (const auto url = environment("DATABASE_URL"); url && !url->empty()) {
        changed.database.url = *url;
        if (!is_database_url(*url)) problem(fmt::format("environment: DATABASE_URL: {}", kUrlAdvice));
    }
    if (const auto word = environment("SCHEDULER_ENABLED"); word && !word->empty()) {
        if (const auto enabled = switch_of(*word)) {
            changed.scheduler.enabled = *enabled;
            if (!*enabled) changed.jobs.enabled = false;
        } else {
            problem(fmt::format("environment: SCHEDULER_ENABLED: {}", kSwitches));
        }
    }
    const auto number = [&](const char* name, std::int64_t most, const std::function<void(std::int64_t)>& store) {
        const auto text = environment(name);
        if (!text || text->empty()) return;
        const auto* const end = text->data() + text->size();
        std::int64_t value = 0;
        const auto read = std::from_chars(text->data(), end, value);
        if (read.ec == std::errc{} && read.ptr == end && value >= 1 && value <= most) return store(value);
        problem(fmt::format("environment: {}: is not a whole number from 1 to {}", name, most));
    };
    number("MAX_WORKERS", 1'000, [&](std::int64_t value) { changed.jobs.workers = static_cast<int>(value); });
    // Seed 003's names.
    number("JOB_MISFIRE_GRACE_TIME", kMostGrace, [&](std::int64_t value) { changed.jobs.defaults.misfire_grace.emplace(value); });
    number("JOB_MAX_INSTANCES", kMostInstances,
           [&](std::int64_t value) { changed.jobs.defaults.max_instances = static_cast<int>(value); });
    if (const auto word = environment("JOB_COALESCE"); word && !word->empty()) {
        const auto coalesce = switch_of(*word);
        if (!coalesce) problem(fmt::format("environment: JOB_COALESCE: {}", kSwitches));
        changed.jobs.defaults.coalesce = coalesce.value_or(true);
    }
    if (!problems.empty()) return core::fail(core::Errc::config_invalid, problems);
    config = std::move(changed);
    return {};
}

}  // namespace varde::config
