#include "app/composition.hpp"
#include "app/json_output.hpp"
#include "app/modules.hpp"
#include "app/rules_check.hpp"
#include "config/params_check.hpp"
#include "evaluate/posture_probe.hpp"
#include "store/database.hpp"
#include "store/migrations.hpp"
#include "time/tzdata.hpp"
#include "time/utc_text.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>

#include <fmt/format.h>
#include <linux/landlock.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/timex.h>
#include <unistd.h>

namespace varde::app {
namespace {

/// Prints one line a check and remembers the worst.
class Checks {
  public:
    explicit Checks(bool json) : json_{json} {}
    void good(std::string_view what, const std::string& detail) { line("ok", what, detail); }
    void warn(std::string_view what, const std::string& detail) { line("warning", what, detail), warned_ = true; }
    void bad(std::string_view what, const std::string& detail) { line("FAILED", what, detail), failed_ = true; }
    [[nodiscard]] int exit_code() const { return failed_ ? kFailed : warned_ ? kFindings : kOk; }

  private:
    void line(std::string_view state, std::string_view what, const std::string& detail) const {
        if (json_)
            print_json({{"check", what}, {"state", state}, {"detail", detail}});
        else
            fmt::print("{:<8} {:<12} {}\n", state, what, detail);
    }
    bool json_;
    bool warned_ = false;
    bool failed_ = false;
};

void check_database(Checks& checks, const config::HostConfig& settings) {
    store::DatabaseSettings wanted;
    wanted.url = settings.database.url;
    wanted.sessions = 1;
    auto database = store::Database::open(wanted);
    if (!database) return checks.bad("database", database.error().context);
    const auto status = store::schema_status(**database, settings.migrations_dir);
    if (!status) return checks.bad("database", status.error().context);
    if (!status->pending.empty()) {
        return checks.warn("database", fmt::format("{}: {} migration(s) to run; run: varde migrate", (*database)->description(),
                                                   status->pending.size()));
    }
    checks.good("database", fmt::format("{}, schema {}", (*database)->description(), status->applied_version));
}

/// The calendars that a schedule names and that nobody has: somebody has removed them by hand, or broken them.
int name_missing(Checks& checks, const core::Schedule& schedule, const core::Calendars& found) {
    int missing = 0;
    const auto& rule = schedule.policy.calendars;
    for (const auto* ids : {&rule.include, &rule.exclude}) {
        for (const auto& id : *ids) {
            if (std::ranges::any_of(found, [&](const auto& calendar) { return calendar->calendar_id == id; })) continue;
            ++missing;
            checks.warn("calendars",
                        fmt::format("schedule {} names calendar '{}', which organisation {} does not have: it counts as"
                                    " empty; import it again, or change the schedule",
                                    schedule.schedule_id, id, schedule.org_id));
        }
    }
    return missing;
}

void check_calendars(Checks& checks, const config::HostConfig& settings) {
    auto storage = Storage::open(settings, Storage::Schema::must_be_current);
    if (!storage) return;  // check_database() has said why
    constexpr int kPage = 1'000;
    int users = 0;
    int missing = 0;
    ports::ScheduleQuery query;
    query.limit = kPage;
    for (bool more = true; more;) {
        const auto page = storage->schedules().list(query);
        if (!page) return checks.bad("calendars", page.error().context);
        for (const auto& schedule : *page) {
            const auto& rule = schedule.policy.calendars;
            if (rule.include.empty() && rule.exclude.empty()) continue;
            const auto found = storage->calendars().of(schedule);
            if (!found) return checks.bad("calendars", found.error().context);
            ++users;
            missing += name_missing(checks, schedule, *found);
        }
        more = std::ssize(*page) == kPage;
        if (more) query.after = ports::ScheduleQuery::Place{page->back().created_at, page->back().schedule_id};
    }
    if (missing == 0) checks.good("calendars", fmt::format("{} schedules use them; those that they name are there", users));
}

void check_rules(Checks& checks, const config::HostConfig& settings) {
    plugins::DirectoryCatalogue catalogue{settings.plugins_dir, settings.plugins};
    const auto found = catalogue.scan();
    const auto checked = check_rules_file(settings, found.value_or(ports::Catalogue{}));
    if (!checked) return checks.bad("rules.yaml", checked.error().context);
    for (const auto& warning : checked->warnings) checks.warn("rules.yaml", warning);
    checks.good("rules.yaml", fmt::format("{}: {} rules, the params of {} fit their rule.yaml", settings.rules_file.string(),
                                          checked->rules.rules.size(), checked->described));
}

/// Every plugin is loaded into a real worker with its parameters: what holds here holds in the service.
void check_plugins(Checks& checks, const config::HostConfig& settings, ports::LogSink& log) {
    plugins::DirectoryCatalogue catalogue{settings.plugins_dir, settings.plugins};
    auto found = catalogue.scan();
    if (!found) return checks.bad("plugins", found.error().context);
    for (const auto& rejected : found->rejected) {
        checks.bad("plugins", fmt::format("{}: {}: {}", rejected.path, core::name_of(rejected.reason), rejected.message));
    }
    for (const auto& rejected : found->bad_jobs) {
        checks.bad("plugins", fmt::format("{}: {}: {}", rejected.path, core::name_of(rejected.reason), rejected.message));
    }
    for (const auto& job : found->jobs)
        checks.good("plugins", fmt::format("{} {} is a job for schedules", job.rule_id, job.version));
    const auto rules = config::load_rules(settings.rules_file);
    std::vector<ports::RuleSpec> specs;
    for (auto& plugin : found->plugins) {
        ports::RuleSpec spec;
        spec.plugin = plugin;
        if (rules) {
            if (const auto rule = rules->rules.find(plugin.rule_id); rule != rules->rules.end())
                spec.params = rule->second.params;
        }
        specs.push_back(std::move(spec));
    }
    if (specs.empty()) return checks.bad("plugins", settings.plugins_dir.string() + " has no usable rule library (*.so)");
    evaluate::EvaluationEngine engine{nullptr, settings.isolation, log};
    const auto states = engine.configure(std::move(specs));
    for (std::size_t i = 0; i < states.size(); ++i) {
        const auto& plugin = found->plugins[i];
        if (!states[i]) {
            checks.good("plugins", fmt::format("{} {} runs in a sandboxed worker", plugin.rule_id, plugin.version));
        } else {
            const bool params = rules && states[i]->reason == core::FailureReason::create_failed;
            const auto message = params ? config::told_by_rule(*rules, plugin.rule_id, *states[i]) : states[i]->message;
            checks.bad("plugins", fmt::format("{}: {}: {}", plugin.rule_id, core::name_of(states[i]->reason), message));
        }
    }
}

/// Not what the kernel claims to have, but what stops a hostile rule in a real worker here.
void check_sandbox(Checks& checks, const config::HostConfig& settings, ports::LogSink& log) {
    const auto posture = evaluate::measure_posture(settings.isolation, log);
    if (!posture.problem.empty()) return checks.bad("isolation", posture.problem);
    for (const auto& layer : posture.layers) {
        const std::string text = layer.name + (layer.present ? "" : " is absent" + (layer.note.empty() ? "" : ": " + layer.note));
        layer.present ? checks.good("isolation", text) : checks.warn("isolation", text);
    }
    for (const auto& attempt : posture.attempts) {
        const auto text = fmt::format("{}: {}; behind that: {}", attempt.name, attempt.by, attempt.behind);
        attempt.stopped ? checks.good("hostile rule", text) : checks.bad("hostile rule", text);
    }
    posture.holds() ? checks.good("isolation", "level " + posture.level) : checks.bad("isolation", "the sandbox does not hold");
}

void check_clock(Checks& checks) {
    timex state{};
    const int sync = ::adjtimex(&state);
    const auto now = time::SystemClock{}.now();
    if (now < core::Instant{std::chrono::sys_days{std::chrono::year{2025} / 1 / 1}}) {
        return checks.bad("clock", time::format_utc(now) + " lies before this program was written");
    }
    sync == TIME_ERROR || (state.status & STA_UNSYNC) != 0
        ? checks.warn("clock", time::format_utc(now) + ", not synchronised (no NTP): event times may look like the future")
        : checks.good("clock", time::format_utc(now) + ", synchronised");
}

void check_zones(Checks& checks) {
    const auto version = time::tzdata_version();
    version.empty() ? checks.warn("time zones",
                                  "the version of the rules is not known (no tzdata.zi): install the package tzdata; "
                                  "schedules by wall clocks are not recomputed when the rules change")
                    : checks.good("time zones", "tzdata " + version);
}

}  // namespace

int doctor(const Globals& globals) {
    Checks checks{globals.json};
    auto settings = load_settings(globals);
    if (!settings) {
        checks.bad("host.yaml", settings.error().context);
        return kFailed;
    }
    settings->log_level = "error";
    Log log{*settings, stderr};
    checks.good("host.yaml", std::filesystem::exists(globals.config_file) ? globals.config_file : "absent: built-in defaults");
    check_rules(checks, *settings);
    check_database(checks, *settings);
    check_calendars(checks, *settings);
    check_plugins(checks, *settings, log.sink());
    check_sandbox(checks, *settings, log.sink());
    check_clock(checks);
    check_zones(checks);
    return checks.exit_code();
}

}  // namespace varde::app
