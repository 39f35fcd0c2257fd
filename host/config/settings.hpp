#pragma once
#include "config/position.hpp"
#include "core/error.hpp"
#include "core/monitor_mode.hpp"
#include "core/scope.hpp"
#include "core/trigger.hpp"

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace varde::config {

using std::chrono::milliseconds;
using std::chrono::minutes;

/// Where a parameter stands in rules.yaml.
struct ParamPlace {
    Position key;  ///< of an element of a list: as `value`
    Position value;
};

/// "night_window.end_local_time", "rooms[1]" -> where that stands; "": the params as a whole, or the rule if it has none.
using ParamPlaces = std::map<std::string, ParamPlace, std::less<>>;

/// One rule of rules.yaml. Values are checked at load; every other module trusts them.
struct RuleSettings {
    std::string path;  ///< of its keys, for messages: "rules.R-001"
    bool enabled_in_scheduler = false;
    minutes lookback{60};       ///< 1 .. 60 days
    minutes expire_after{60};   ///< 1 .. 365 days
    std::string params = "{}";  ///< JSON object
    ParamPlaces param_places;
    std::string evaluation_mode = "independent";  ///< independent | baseline_dependent | profile_dependent
    std::optional<bool> requires_baseline;
    std::optional<bool> requires_profile;
    std::optional<int> min_days_with_data;
    std::string profile_mode = "home_specific";
    bool uses_default_profile_when_missing = false;
    milliseconds timeout{2000};         ///< timeout_ms, 10 ms .. 10 min: wall time of one evaluation
    std::uint64_t memory_mb = 128;      ///< 16 .. 4096
    std::string group;                  ///< rules of one name share a worker; empty: a worker of its own
    std::string isolation = "process";  ///< the only one there is
    std::string sha256;                 ///< if set, only a plugin file with this hash is used
    /// When it runs, instead of at the interval: cron, every, event or manual.
    std::optional<core::Trigger> schedule;
};

/// What is different about a rule in some homes; what is not said stays as it is for all.
struct RuleOverride {
    std::string path;  ///< "homes[2].rules.R-001"
    std::optional<bool> enabled_in_scheduler;
    std::optional<minutes> lookback;
    std::optional<minutes> expire_after;
    std::optional<core::MonitorMode> monitor_mode;
    std::string params = "{}";  ///< JSON object, to be merged (RFC 7386) into the rule's own
    ParamPlaces param_places;
};

/// One entry of `homes:`. config/home_rules.hpp joins them with `rules:`.
struct HomeSettings {
    core::ScopeFilter who;  ///< not empty
    std::string timezone;   ///< replaces every parameter that is a zone, of every rule; empty: none
    ParamPlace timezone_place;
    std::optional<core::MonitorMode> monitor_mode;  ///< of every rule
    std::map<std::string, RuleOverride, std::less<>> rules;
};

/// rules.yaml. File order of rules does not matter; map order is id order.
struct RulesConfig {
    std::string file;     ///< its name, for messages
    minutes interval{1};  ///< scheduler.interval_minutes, 1 .. 1440
    std::string default_subject_key = "default";
    minutes default_lookback{60};
    minutes default_expire_after{60};
    std::map<std::string, RuleSettings, std::less<>> rules;
    std::vector<HomeSettings> homes;  ///< in the order of the file
};

/// What is kept of what runs decided (rules/decision_book.hpp).
struct DecisionSettings {
    bool enabled = true;
    std::chrono::days keep{14};           ///< of records that only say that nothing changed, from their begin
    std::chrono::days keep_changes{365};  ///< of records that begin with another outcome than the one before
    std::chrono::seconds flush{300};      ///< how often the end of records that go on is written
};

/// What the host's own baseline job counts, and when a home's habits are known well enough (gating/baseline_count.hpp).
struct BaselineSettings {
    minutes every{60};                ///< 0 .. 1 day between two looks; 0: the host computes none
    std::string zone{"Europe/Oslo"};  ///< IANA name: where days begin
    int window_days = 28;             ///< 1..366 whole local days before today
    std::vector<std::string> categories{"presence", "motion", "door"};  ///< of events that show that somebody lives there
    /// States, lower-case, that say that something ended or is not known: such an event makes a day of data, but no room or way.
    std::vector<std::string> idle_states{"off", "false", "0", "clear", "unavailable", "unknown"};
    int support_days = 2;         ///< 1..366 different days on which a cell or a way must have been seen to be counted on
    minutes max_transition{30};   ///< 1 .. 1 day between two events that make a way from room to room
    int ready_days = 3;           ///< 1..366 days with data
    int ready_room_percent = 25;  ///< 0..100 of the cells seen that must be supported
    std::size_t max_rooms = 200;  ///< 1..1000 rooms of a home; further ones are not counted
};

/// host.yaml. Every limit has its name here.
struct HostConfig {
    struct Database {
        std::string url = "sqlite:var/varde.db";  ///< sqlite:PATH or postgresql://...; DATABASE_URL wins. A secret: never logged
        int sessions = 4;                         ///< 1..64
        milliseconds busy_timeout{5000};
    } database;
    struct Http {
        std::string address = "127.0.0.1";
        std::uint16_t port = 8080;
        int max_connections = 1024;                  ///< 1..100000
        std::uint64_t max_body_bytes = 16ull << 20;  ///< of the body as received, and again after gunzip
        milliseconds header_timeout{10'000};
        milliseconds read_timeout{30'000};
        milliseconds idle_timeout{60'000};
    } http;
    struct Ingest {
        std::chrono::seconds max_future{300};   ///< an event further ahead is refused; negative: no limit
        std::size_t max_batch_events = 10'000;  ///< items of one bulk request
        std::size_t max_payload_bytes = 65'536;
        int max_payload_depth = 16;
        std::size_t max_queued_events = 100'000;  ///< then 503
        std::size_t max_commit_events = 2'000;    ///< events of one group commit
        milliseconds commit_timeout{10'000};      ///< no answer from the database by then: 503
    } ingest;
    struct Scheduler {
        bool enabled = true;                   ///< SCHEDULER_ENABLED=0|false|no|off wins
        std::optional<milliseconds> interval;  ///< overrides rules.yaml's interval_minutes (tests, ./dev run)
        milliseconds stop_timeout{8'000};
        bool carry_answers = true;  ///< a rule is not asked while its last answer holds (`valid_until`)
    } scheduler;
    /// Schedules and their runs (host/schedule).
    struct Jobs {
        bool enabled = true;         ///< false: schedules can be changed here, and nothing is run
        int workers = 5;             ///< 1..1000 runs at the same time on this host; MAX_WORKERS
        milliseconds lease{10'000};  ///< 1 s .. 10 min: a host that was silent for so long has lost its runs
        milliseconds poll{1'000};    ///< 10 ms .. 1 min: how soon what other hosts and people did is seen
        int batch = 500;             ///< 1..10000 slots, or ends of runs, of one transaction
        std::int64_t max_pending =
            100'000;                      ///< 1..10,000,000 runs that wait for a worker; further slots are left out (queue_full)
        std::chrono::days keep_runs{90};  ///< 1..36500: of the history
        milliseconds drain{5'000};        ///< 0 .. 10 min: what runs get to finish when the host stops, before they are stopped
        struct Queue {
            int workers = 0;     ///< 1..1000 runs of the queue at the same time on this host; 0: as many as there are workers
            int per_minute = 0;  ///< 1..600000 starts on this host; 0: no limit
            friend bool operator==(const Queue&, const Queue&) = default;
        };
        std::map<std::string, Queue, std::less<>> queues;  ///< by name
        /// Of definitions that do not say (core::SchedulePolicy). Schedules that are stored keep what they were made with.
        struct Defaults {
            std::optional<std::chrono::seconds> misfire_grace;  ///< 1 s .. 400 days; JOB_MISFIRE_GRACE_TIME
            bool coalesce = true;                               ///< JOB_COALESCE
            int max_instances = 1;                              ///< 1..1000; JOB_MAX_INSTANCES
        } defaults;
    } jobs;
    struct Isolation {
        std::string worker_path;                   ///< empty: varde-worker beside the varde binary
        std::uint64_t window_bytes = 64ull << 20;  ///< size of the buffer that windows are written to
        milliseconds load_timeout{2'000};
        bool pin_cpu = true;  ///< dispatcher and workers on one CPU
        /// Layers without which no rule runs, and layers that are left out (systems where one misbehaves). Names: isolation_layers().
        std::vector<std::string> require;
        std::vector<std::string> without;
        std::string cgroup;                         ///< cgroup v2 folder for workers; empty: the one that systemd delegated
        int spares = 2;                             ///< 0..16 workers that wait, sealed off, for a plugin
        std::uint64_t max_evaluations = 1'000'000;  ///< of one worker, then it is replaced
        std::chrono::seconds max_age{86'400};       ///< of one worker, then it is replaced
        std::uint64_t max_growth_mb = 32;           ///< of one worker since its first evaluation, then it is replaced
        std::uint64_t max_log_bytes = 1u << 20;     ///< that a rule may write during one run; more: log_flood
        int shadow_windows = 3;                     ///< live windows that a new version is shown before it replaces the old one
        std::uint64_t probation = 100;              ///< evaluations within which a failing new version gives way to the old one
    } isolation;
    /// What makes a file of plugins_dir trustworthy.
    struct Plugins {
        milliseconds quiet{250};             ///< a file must have rested that long
        std::chrono::seconds rescan{30};     ///< also without a notice of the kernel
        std::vector<std::string> libraries;  ///< a plugin may need these beside libc, libm, libstdc++ and libgcc_s
        std::filesystem::path lock_file;     ///< sha256 pins, empty: none
        std::filesystem::path
            signature_key;  ///< ed25519 public key (PEM); if set, a plugin without a valid FILE.so.sig is refused
    } plugins;
    struct Incidents {
        std::uint32_t keep = 1'000;                      ///< stored incidents; older ones are deleted
        std::filesystem::path bundles{"var/incidents"};  ///< folder of replay bundles, empty: none. They hold events
        std::uint32_t keep_bundles = 50;
        std::uint64_t max_bundle_bytes = 64ull << 20;
    } incidents;
    /// When a failing rule is taken out of service.
    struct Breaker {
        std::uint32_t consecutive = 3;    ///< failures in a row
        std::uint32_t within_window = 5;  ///< lost workers within `window`
        std::chrono::seconds window{600};
        std::chrono::seconds first_back_off{1};
        std::chrono::seconds max_back_off{300};
        std::uint32_t probes = 3;  ///< sound answers that end a quarantine
    } breaker;
    BaselineSettings baseline;
    DecisionSettings decisions;
    std::filesystem::path plugins_dir = "plugins";
    std::filesystem::path rules_file = "config/rules.yaml";
    std::filesystem::path migrations_dir;  ///< empty: the installed or source directory
    std::string log_level = "info";        ///< debug | info | warning | error
    bool require_tokens = false;           ///< auth.required: also on loopback. Other addresses always require tokens
};

/// The names that isolation.require and isolation.without know, in the order a worker applies them.
[[nodiscard]] const std::vector<std::string>& isolation_layers();

/// Reads and checks a file. On Errc::config_invalid the context holds every problem, one a line, as
/// "config/rules.yaml:12:5: rules.R-001.lookback_minuts: unknown key; did you mean 'lookback_minutes'?".
[[nodiscard]] core::Result<RulesConfig> load_rules(const std::filesystem::path& file);
[[nodiscard]] core::Result<RulesConfig> parse_rules(std::string_view text, std::string_view name);
[[nodiscard]] core::Result<HostConfig> load_host(const std::filesystem::path& file);
[[nodiscard]] core::Result<HostConfig> parse_host(std::string_view text, std::string_view name);

/// The value of an environment variable, or nullopt if it is not set.
using Environment = std::function<std::optional<std::string>(const std::string& name)>;

/// Overlays what the environment decides: DATABASE_URL, MAX_WORKERS, JOB_MISFIRE_GRACE_TIME (seconds), JOB_COALESCE, JOB_MAX_INSTANCES and
/// SCHEDULER_ENABLED (0, false, no, off or 1, true, yes, on, in any case, like JOB_COALESCE). An empty value counts as not set.
/// Errc::config_invalid names a variable that cannot be read; `config` is then unchanged.
[[nodiscard]] core::Result<void> apply_environment(HostConfig& config, const Environment& environment);

/// The text of rules.yaml with rules.<id>.enabled_in_scheduler set, comments and everything else kept. Errc::not_found: no such rule.
[[nodiscard]] core::Result<std::string> with_rule_enabled(std::string_view text, std::string_view name,
                                                          const std::string& rule_id, bool enabled);

}  // namespace varde::config
