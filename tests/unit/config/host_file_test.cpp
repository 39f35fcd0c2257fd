#include "config/settings.hpp"

#include <doctest/doctest.h>
#include <map>

using namespace varde;
using config::HostConfig;
using config::parse_host;
using std::chrono::milliseconds;

namespace {

std::string problem_of(std::string_view text) {
    const auto parsed = parse_host(text, "host.yaml");
    REQUIRE_FALSE(parsed.has_value());
    CHECK(parsed.error().code == core::Errc::config_invalid);
    return parsed.error().context;
}

config::Environment environment_of(std::map<std::string, std::string> values) {
    return [values = std::move(values)](const std::string& name) -> std::optional<std::string> {
        const auto found = values.find(name);
        return found == values.end() ? std::nullopt : std::optional{found->second};
    };
}

void check_same(const HostConfig& a, const HostConfig& b) {
    CHECK(a.database.url == b.database.url);
    CHECK(a.database.sessions == b.database.sessions);
    CHECK(a.database.busy_timeout == b.database.busy_timeout);
    CHECK(a.http.address == b.http.address);
    CHECK(a.http.port == b.http.port);
    CHECK(a.http.max_connections == b.http.max_connections);
    CHECK(a.http.max_body_bytes == b.http.max_body_bytes);
    CHECK(a.http.header_timeout == b.http.header_timeout);
    CHECK(a.http.read_timeout == b.http.read_timeout);
    CHECK(a.http.idle_timeout == b.http.idle_timeout);
    CHECK(a.ingest.max_future == b.ingest.max_future);
    CHECK(a.ingest.max_batch_events == b.ingest.max_batch_events);
    CHECK(a.ingest.max_payload_bytes == b.ingest.max_payload_bytes);
    CHECK(a.ingest.max_payload_depth == b.ingest.max_payload_depth);
    CHECK(a.ingest.max_queued_events == b.ingest.max_queued_events);
    CHECK(a.ingest.max_commit_events == b.ingest.max_commit_events);
    CHECK(a.ingest.commit_timeout == b.ingest.commit_timeout);
    CHECK(a.scheduler.enabled == b.scheduler.enabled);
    CHECK(a.scheduler.interval == b.scheduler.interval);
    CHECK(a.scheduler.stop_timeout == b.scheduler.stop_timeout);
    CHECK(a.jobs.enabled == b.jobs.enabled);
    CHECK(a.jobs.workers == b.jobs.workers);
    CHECK(a.jobs.lease == b.jobs.lease);
    CHECK(a.jobs.poll == b.jobs.poll);
    CHECK(a.jobs.batch == b.jobs.batch);
    CHECK(a.jobs.max_pending == b.jobs.max_pending);
    CHECK(a.jobs.keep_runs == b.jobs.keep_runs);
    CHECK(a.jobs.drain == b.jobs.drain);
    CHECK(a.jobs.queues == b.jobs.queues);
    CHECK(a.isolation.worker_path == b.isolation.worker_path);
    CHECK(a.isolation.window_bytes == b.isolation.window_bytes);
    CHECK(a.isolation.load_timeout == b.isolation.load_timeout);
    CHECK(a.isolation.pin_cpu == b.isolation.pin_cpu);
    CHECK(a.isolation.require == b.isolation.require);
    CHECK(a.isolation.without == b.isolation.without);
    CHECK(a.isolation.spares == b.isolation.spares);
    CHECK(a.isolation.max_evaluations == b.isolation.max_evaluations);
    CHECK(a.isolation.max_age == b.isolation.max_age);
    CHECK(a.isolation.max_growth_mb == b.isolation.max_growth_mb);
    CHECK(a.isolation.max_log_bytes == b.isolation.max_log_bytes);
    CHECK(a.isolation.shadow_windows == b.isolation.shadow_windows);
    CHECK(a.isolation.probation == b.isolation.probation);
    CHECK(a.plugins.quiet == b.plugins.quiet);
    CHECK(a.plugins.rescan == b.plugins.rescan);
    CHECK(a.plugins.libraries == b.plugins.libraries);
    CHECK(a.plugins.lock_file == b.plugins.lock_file);
    CHECK(a.plugins.signature_key == b.plugins.signature_key);
    CHECK(a.incidents.keep == b.incidents.keep);
    CHECK(a.incidents.bundles == b.incidents.bundles);
    CHECK(a.incidents.keep_bundles == b.incidents.keep_bundles);
    CHECK(a.incidents.max_bundle_bytes == b.incidents.max_bundle_bytes);
    CHECK(a.breaker.consecutive == b.breaker.consecutive);
    CHECK(a.breaker.within_window == b.breaker.within_window);
    CHECK(a.breaker.window == b.breaker.window);
    CHECK(a.breaker.first_back_off == b.breaker.first_back_off);
    CHECK(a.breaker.max_back_off == b.breaker.max_back_off);
    CHECK(a.breaker.probes == b.breaker.probes);
    CHECK(a.baseline.every == b.baseline.every);
    CHECK(a.baseline.zone == b.baseline.zone);
    CHECK(a.baseline.window_days == b.baseline.window_days);
    CHECK(a.baseline.categories == b.baseline.categories);
    CHECK(a.baseline.idle_states == b.baseline.idle_states);
    CHECK(a.baseline.support_days == b.baseline.support_days);
    CHECK(a.baseline.max_transition == b.baseline.max_transition);
    CHECK(a.baseline.ready_days == b.baseline.ready_days);
    CHECK(a.baseline.ready_room_percent == b.baseline.ready_room_percent);
    CHECK(a.baseline.max_rooms == b.baseline.max_rooms);
    CHECK(a.decisions.enabled == b.decisions.enabled);
    CHECK(a.decisions.keep == b.decisions.keep);
    CHECK(a.decisions.keep_changes == b.decisions.keep_changes);
    CHECK(a.decisions.flush == b.decisions.flush);
    CHECK(a.plugins_dir == b.plugins_dir);
    CHECK(a.rules_file == b.rules_file);
    CHECK(a.migrations_dir == b.migrations_dir);
    CHECK(a.log_level == b.log_level);
    CHECK(a.require_tokens == b.require_tokens);
}

}  // namespace

TEST_CASE("the shipped host.yaml holds the defaults of the program") {
    const auto loaded = config::load_host(std::filesystem::path{VARDE_SOURCE_DIR} / "config/host.yaml");
    const std::string problem = loaded ? "" : loaded.error().context;
    REQUIRE(problem == "");
    check_same(*loaded, HostConfig{});
}

TEST_CASE("every key of host.yaml is read") {
    const auto parsed = parse_host(R"(
database: {url: "postgresql://u:p@h/d", sessions: 8, busy_timeout_ms: 1}
http: {address: "::1", port: 0, max_connections: 2, max_body_bytes: 2048,
       header_timeout_ms: 11, read_timeout_ms: 12, idle_timeout_ms: 13}
ingest:
  max_future_seconds: -1
  max_batch_events: 5
  max_payload_bytes: 100
  max_payload_depth: 3
  max_queued_events: 6
  max_commit_events: 7
  commit_timeout_ms: 99
scheduler: {enabled: false, interval_ms: 250, stop_timeout_ms: 0, carry_answers: false}
jobs: {enabled: false, workers: 9, lease_ms: 1001, poll_ms: 11, batch: 12, max_pending: 13, keep_runs_days: 14, drain_ms: 0,
       queues: {mail: {workers: 2, per_minute: 30}}}
isolation: {worker_path: /opt/w, window_bytes: 1048576, load_timeout_ms: 50, pin_cpu: false, require: [landlock, seccomp],
            without: [cgroup], cgroup: /sys/fs/cgroup/w,
            spares: 0, max_evaluations: 9, max_age_seconds: 8, max_growth_mb: 7, max_log_bytes: 5000,
            shadow_windows: 6, probation_evaluations: 5}
plugins: {quiet_ms: 1, rescan_seconds: 2, libraries: [libz.so.1], lock_file: /l, signature_key: /k}
incidents: {keep: 3, bundles_dir: "", keep_bundles: 4, max_bundle_bytes: 5000}
breaker: {consecutive_failures: 6, lost_workers: 7, window_seconds: 8, first_back_off_seconds: 9, max_back_off_seconds: 10,
          probes: 11}
baseline: {every_minutes: 0, zone: America/Lima, window_days: 14, categories: [pir], idle_states: ["false"], support_days: 5,
           max_transition_minutes: 6, ready_days: 12, ready_room_percent: 0, max_rooms: 8}
auth: {required: true}
plugins_dir: /opt/p
rules_file: /etc/r.yaml
migrations_dir: /opt/m
log_level: debug
)",
                                   "host.yaml");
    const std::string problem = parsed ? "" : parsed.error().context;
    REQUIRE(problem == "");
    HostConfig expected;
    expected.database = {"postgresql://u:p@h/d", 8, milliseconds{1}};
    expected.http = {"::1", 0, 2, 2048, milliseconds{11}, milliseconds{12}, milliseconds{13}};
    expected.ingest.max_future = std::chrono::seconds{-1};
    expected.ingest.max_batch_events = 5;
    expected.ingest.max_payload_bytes = 100;
    expected.ingest.max_payload_depth = 3;
    expected.ingest.max_queued_events = 6;
    expected.ingest.max_commit_events = 7;
    expected.ingest.commit_timeout = milliseconds{99};
    expected.scheduler = {false, milliseconds{250}, milliseconds{0}, false};
    expected.jobs = {
        false, 9, milliseconds{1001}, milliseconds{11}, 12, 13, std::chrono::days{14}, milliseconds{0}, {{"mail", {2, 30}}}, {}};
    expected.isolation.worker_path = "/opt/w";
    expected.isolation.window_bytes = 1 << 20;
    expected.isolation.load_timeout = milliseconds{50};
    expected.isolation.pin_cpu = false;
    expected.isolation.require = {"landlock", "seccomp"};
    expected.isolation.without = {"cgroup"};
    expected.isolation.cgroup = "/sys/fs/cgroup/w";
    expected.isolation.spares = 0;
    expected.isolation.max_evaluations = 9;
    expected.isolation.max_age = std::chrono::seconds{8};
    expected.isolation.max_growth_mb = 7;
    expected.isolation.max_log_bytes = 5000;
    expected.isolation.shadow_windows = 6;
    expected.isolation.probation = 5;
    expected.plugins = {milliseconds{1}, std::chrono::seconds{2}, {"libz.so.1"}, "/l", "/k"};
    expected.incidents = {3, "", 4, 5000};
    expected.baseline = {std::chrono::minutes{0}, "America/Lima", 14, {"pir"}, {"false"}, 5, std::chrono::minutes{6}, 12, 0, 8};
    expected.breaker = {6, 7, std::chrono::seconds{8}, std::chrono::seconds{9}, std::chrono::seconds{10}, 11};
    expected.require_tokens = true;
    expected.plugins_dir = "/opt/p";
    expected.rules_file = "/etc/r.yaml";
    expected.migrations_dir = "/opt/m";
    expected.log_level = "debug";
    check_same(*parsed, expected);
}

TEST_CASE("host.yaml's mistakes are named with their place and never show a database url") {
    CHECK(problem_of("database: {url: \"mysql://root:hunter2@h\"}\n") ==
          "host.yaml:1:17: database.url: is not a database: write sqlite:PATH or postgresql://user@host/name");
    CHECK(problem_of("http: {port: 70000}\n") == "host.yaml:1:14: http.port: 70000 is outside 0..65535");
    CHECK(problem_of("ingest: {max_future: 5}\n") ==
          "host.yaml:1:10: ingest.max_future: unknown key; did you mean 'max_future_seconds'?");
    CHECK(problem_of("log_level: verbose\n") == "host.yaml:1:12: log_level: 'verbose' is none of debug, info, warning, error");
    CHECK(problem_of("scheduler: {enabled: no}\n") == "host.yaml:1:22: scheduler.enabled: no is not true or false");
    CHECK(problem_of("isolation: {without: [landlock, seccomp]}\n") ==
          "host.yaml:1:33: isolation.without: 'seccomp' is none of own_user, namespaces, landlock, cgroup");
    CHECK(problem_of("plugins: {libraries: [1]}\n") ==
          "host.yaml:1:23: plugins.libraries: holds an entry that is no text of 1..200 characters");
    CHECK(problem_of("plugins_dir: \"\"\n") == "host.yaml:1:14: plugins_dir: has 0 characters; 1..4000 are allowed");
}

TEST_CASE("the environment wins over the file for the database and the scheduler's switch") {
    HostConfig config;
    REQUIRE(
        config::apply_environment(config, environment_of({{"DATABASE_URL", "sqlite:/tmp/x.db"}, {"SCHEDULER_ENABLED", "Off"}})));
    CHECK(config.database.url == "sqlite:/tmp/x.db");
    CHECK_FALSE(config.scheduler.enabled);
    REQUIRE(config::apply_environment(config, environment_of({{"SCHEDULER_ENABLED", "yes"}})));
    CHECK(config.scheduler.enabled);
    CHECK(config.database.url == "sqlite:/tmp/x.db");
}

TEST_CASE("MAX_WORKERS is a number from 1 to 1000; SCHEDULER_ENABLED=0 runs no schedules either") {
    HostConfig config;
    REQUIRE(config::apply_environment(config, environment_of({{"MAX_WORKERS", "12"}, {"SCHEDULER_ENABLED", "0"}})));
    CHECK(config.jobs.workers == 12);
    CHECK_FALSE(config.jobs.enabled);
    for (const auto* wrong : {"0", "1001", "5x", "-1"}) {
        const auto refused = config::apply_environment(config, environment_of({{"MAX_WORKERS", wrong}}));
        REQUIRE_FALSE(refused);
        CHECK(refused.error().context == "environment: MAX_WORKERS: is not a whole number from 1 to 1000");
    }
    CHECK(config.jobs.workers == 12);
}

TEST_CASE("defaults of schedules have a place in jobs, and seed 003's names in the environment") {
    const auto parsed = parse_host("jobs: {defaults: {misfire_grace_s: 90, coalesce: false, max_instances: 3}}\n", "host.yaml");
    REQUIRE(parsed);
    CHECK(parsed->jobs.defaults.misfire_grace == std::chrono::seconds{90});
    CHECK_FALSE(parsed->jobs.defaults.coalesce);
    CHECK(parsed->jobs.defaults.max_instances == 3);
    HostConfig config;
    CHECK_FALSE(config.jobs.defaults.misfire_grace.has_value());
    REQUIRE(config::apply_environment(
        config, environment_of({{"JOB_MISFIRE_GRACE_TIME", "300"}, {"JOB_COALESCE", "no"}, {"JOB_MAX_INSTANCES", "2"}})));
    CHECK(config.jobs.defaults.misfire_grace == std::chrono::seconds{300});
    CHECK_FALSE(config.jobs.defaults.coalesce);
    CHECK(config.jobs.defaults.max_instances == 2);
    const auto refused = config::apply_environment(
        config, environment_of({{"JOB_MISFIRE_GRACE_TIME", "-1"}, {"JOB_COALESCE", "maybe"}, {"JOB_MAX_INSTANCES", "0"}}));
    REQUIRE_FALSE(refused);
    CHECK(refused.error().context ==
          "environment: JOB_MISFIRE_GRACE_TIME: is not a whole number from 1 to 34560000\n"
          "environment: JOB_MAX_INSTANCES: is not a whole number from 1 to 1000\n"
          "environment: JOB_COALESCE: is not one of 1, true, yes, on, 0, false, no, off");
}

TEST_CASE("SCHEDULER_ENABLED is off for 0, false, no and off, on for 1, true, yes and on") {
    for (const auto* word : {"0", "false", "no", "off", "FALSE"}) {
        HostConfig config;
        REQUIRE(config::apply_environment(config, environment_of({{"SCHEDULER_ENABLED", word}})));
        CHECK_MESSAGE(!config.scheduler.enabled, word);
    }
    for (const auto* word : {"1", "true", "yes", "on", "True"}) {
        HostConfig config;
        config.scheduler.enabled = false;
        REQUIRE(config::apply_environment(config, environment_of({{"SCHEDULER_ENABLED", word}})));
        CHECK_MESSAGE(config.scheduler.enabled, word);
    }
}

TEST_CASE("an environment variable that is set to nothing counts as not set") {
    HostConfig config;
    REQUIRE(config::apply_environment(config, environment_of({{"DATABASE_URL", ""}, {"SCHEDULER_ENABLED", ""}})));
    check_same(config, HostConfig{});
}

TEST_CASE("environment variables that cannot be read are errors that change nothing and show no secret") {
    HostConfig config;
    const auto applied =
        config::apply_environment(config, environment_of({{"DATABASE_URL", "oracle:hunter2"}, {"SCHEDULER_ENABLED", "maybe"}}));
    REQUIRE_FALSE(applied.has_value());
    CHECK(applied.error().context ==
          "environment: DATABASE_URL: is not a database: write sqlite:PATH or postgresql://user@host/name\n"
          "environment: SCHEDULER_ENABLED: is not one of 1, true, yes, on, 0, false, no, off");
    check_same(config, HostConfig{});
}

TEST_CASE("a baseline that no home could reach is refused, and so is a zone that does not exist") {
    CHECK(problem_of("baseline: {window_days: 2}").find("host.yaml:1:11: baseline.ready_days: is 3, but only 2 days") == 0);
    CHECK(problem_of("baseline: {support_days: 29}").find("support_days: is 29, but only 28 days") != std::string::npos);
    CHECK(problem_of("baseline: {zone: Europe/Olso}").find("baseline.zone: is not the name of a time zone") != std::string::npos);
    CHECK(problem_of("baseline: {categories: []}").find("no event would make a day of data") != std::string::npos);
}
