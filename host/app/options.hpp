#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

/// What the command line said, as plain values: main.cpp is the only file that knows CLI11.
namespace varde::app {

/// Exit codes of every subcommand (documented in `varde --help`).
enum ExitCode : int {
    kOk = 0,
    kFailed = 1,        ///< a test failed, or the work could not be done
    kUsage = 2,         ///< wrong arguments or configuration
    kFindings = 3,      ///< done, and there is something to look at
    kPluginBroken = 4,  ///< a plugin cannot be loaded
    kUnreachable = 5,   ///< database or host cannot be reached
};

struct Globals {
    std::string config_file = "config/host.yaml";
    bool config_given = false;
    std::string database_url;  ///< overrides the file and DATABASE_URL
    std::string plugins_dir;   ///< overrides plugins_dir
    std::string rules_file;    ///< overrides rules_file
    bool json = false;
};

struct ServeOptions {
    std::optional<int> port;
    std::string address;
    std::optional<int> interval_ms;
};

struct ImportOptions {
    std::string file;
    std::string stream_id = "prod";
};

struct TailOptions {
    int limit = 20;
    bool follow = false;
};

struct GenerateOptions {
    int homes = 1;
    int days = 1;
    std::uint64_t seed = 1;
    std::string start;  ///< ISO time; empty: so that the recording ends at `end`
    std::string end;    ///< ISO time or empty for now
    std::string zone = "Europe/Oslo";
    std::string out;    ///< empty: stdout
    std::string truth;  ///< empty: no truth file
};

struct DeviationsOptions {
    std::int64_t id = 0;
    std::string status;
    std::string rule_id;
    int limit = 50;
    std::string by = "cli";
    std::string comment;
};

struct IncidentsOptions {
    std::string id;
    std::string rule_id;
    int limit = 20;
};

struct EvalOptions {
    std::string file;    ///< empty: stdin
    bool check = false;  ///< compare with the cases' `expected` and print a summary instead of answers
};

struct SimulateOptions {
    std::string events_file;
    std::string from;
    std::string to;
    std::string every = "5m";
    bool ask_always = false;  ///< every rule at every tick, also while its last answer holds
};

struct PluginCheckOptions {
    std::string file;
    std::string junit;  ///< file for a JUnit report; empty: none
    std::uint64_t seed = 1;
    std::vector<std::string> only;  ///< names or groups of checks; empty: all
    bool list = false;              ///< print the checks instead
};

struct TokenOptions {
    std::string name;
    std::string role = "viewer";
    std::string org;
    std::string home;
    std::string subject;
    std::int64_t id = 0;
};

/// A home, or all that fit: an empty part is any (where something is set: "default").
struct HomeOptions {
    std::string org;
    std::string home;
    std::string subject;
};

struct ModesOptions {
    HomeOptions home;
    std::string rule_id;
    std::string mode;  ///< ON, TEST or OFF
    std::string by = "cli";
};

struct RoomsOptions {
    HomeOptions home;  ///< of it no subject: rooms belong to homes
    std::string room_id;
    std::string display_name;  ///< empty: the same as room_id
    std::string entity_id;
    bool inactive = false;
};

struct ExplainOptions {
    std::string rule_id;
    HomeOptions home;
    std::string at;  ///< ISO time or empty for now
};

struct ReplayOptions {
    std::string incident;  ///< id, or path of a bundle
    std::string plugin;    ///< another version to compare with; empty: the one that failed
    bool gdb = false;
};

struct SchedulesOptions {
    std::string id;
    std::string file;  ///< a definition; "-": standard input
    std::string org;   ///< empty: all; of a new schedule: "default"
    std::string kind;
    std::string state;
    std::string source;
    std::string label;  ///< KEY=VALUE
    std::string find;   ///< in id or name
    int limit = 100;
    bool purge = false;
    bool force = false;
    bool catch_up = false;
    std::string input;  ///< JSON object
    std::string key;    ///< the same key asks once
    int count = 10;
    std::string after;  ///< ISO time or empty for now
    std::string at;     ///< ISO time or empty for now
    std::string by = "cli";
};
enum class ScheduleSwitch { enable, disable, pause, resume };

struct RunsOptions {
    std::int64_t id = 0;
    std::string org;
    std::string schedule_id;
    std::vector<std::string> states;
    std::string reason;
    std::string kind;
    std::string since;
    std::string until;
    std::int64_t before = 0;
    int limit = 20;
    int days = 7;
    std::string by = "cli";
};

struct CalendarsOptions {
    std::string id;    ///< of one that is imported: instead of the definition's, or the file's name
    std::string file;  ///< a definition, or iCalendar; "-": standard input
    std::string org;   ///< empty: "default"; of a list: all
    std::string by = "cli";
};

struct CronOptions {
    std::string expression;
    std::string zone = "UTC";
    std::string after;  ///< ISO time or empty for now
    int count = 5;
    std::string dialect = "any";
    bool both_days = false;              ///< two restricted day fields must both match
    std::string gap = "run_once";        ///< or skip
    std::string repeated_hour = "auto";  ///< first, second or both
    std::string hash_key;                ///< what H is made from
    std::string vectors;                 ///< file of questions instead of an expression
};

int serve(const Globals& globals, const ServeOptions& options);
int run(const Globals& globals);
int migrate(const Globals& globals);
int events_import(const Globals& globals, const ImportOptions& options);
int events_tail(const Globals& globals, const TailOptions& options);
int events_generate(const Globals& globals, const GenerateOptions& options);
int deviations_list(const Globals& globals, const DeviationsOptions& options);
int deviations_ack(const Globals& globals, const DeviationsOptions& options);
int deviations_close(const Globals& globals, const DeviationsOptions& options);
int rules_list(const Globals& globals);
int rules_enable(const Globals& globals, const std::string& rule_id, bool enabled);
int rules_release(const Globals& globals, const std::string& rule_id);
int baseline_show(const Globals& globals, const HomeOptions& home);
int baseline_compute(const Globals& globals, const HomeOptions& home);
int modes_list(const Globals& globals, const ModesOptions& options);
int modes_set(const Globals& globals, const ModesOptions& options);
int rooms_list(const Globals& globals, const RoomsOptions& options);
int rooms_set(const Globals& globals, const RoomsOptions& options);
int rooms_remove(const Globals& globals, const RoomsOptions& options);
int rooms_map(const Globals& globals, const RoomsOptions& options);
int rooms_unmap(const Globals& globals, const RoomsOptions& options);
int schedules_list(const Globals& globals, const SchedulesOptions& options);
int schedules_show(const Globals& globals, const SchedulesOptions& options);
int schedules_create(const Globals& globals, const SchedulesOptions& options);
int schedules_replace(const Globals& globals, const SchedulesOptions& options);
int schedules_delete(const Globals& globals, const SchedulesOptions& options);
int schedules_act(const Globals& globals, const SchedulesOptions& options, ScheduleSwitch what);
int schedules_run(const Globals& globals, const SchedulesOptions& options);
int schedules_preview(const Globals& globals, const SchedulesOptions& options);
int schedules_explain(const Globals& globals, const SchedulesOptions& options);
int schedules_kinds(const Globals& globals);
int calendars_list(const Globals& globals, const CalendarsOptions& options);
int calendars_show(const Globals& globals, const CalendarsOptions& options);
int calendars_import(const Globals& globals, const CalendarsOptions& options);
int calendars_remove(const Globals& globals, const CalendarsOptions& options);
int runs_list(const Globals& globals, const RunsOptions& options);
int runs_show(const Globals& globals, const RunsOptions& options);
int runs_cancel(const Globals& globals, const RunsOptions& options);
int runs_retry(const Globals& globals, const RunsOptions& options);
int runs_stats(const Globals& globals, const RunsOptions& options);
int runs_cleanup(const Globals& globals, const RunsOptions& options);
int incidents_list(const Globals& globals, const IncidentsOptions& options);
int incidents_show(const Globals& globals, const IncidentsOptions& options);
int explain(const Globals& globals, const ExplainOptions& options);
int replay(const Globals& globals, const ReplayOptions& options);
int plugin_inspect(const Globals& globals, const std::string& file);
int plugin_check_file(const Globals& globals, const PluginCheckOptions& options);
int test_rule(const Globals& globals, const std::string& folder);
int eval(const Globals& globals, const EvalOptions& options);
int simulate(const Globals& globals, const SimulateOptions& options);
int cron_next(const Globals& globals, const CronOptions& options);
int token_create(const Globals& globals, const TokenOptions& options);
int token_list(const Globals& globals);
int token_revoke(const Globals& globals, const TokenOptions& options);
int doctor(const Globals& globals);
int check(const Globals& globals);

}  // namespace varde::app
