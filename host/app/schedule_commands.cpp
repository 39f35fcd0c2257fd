#include "app/command_line.hpp"

namespace varde::app {
namespace {

using SchedulesAction = int (*)(const Globals&, const SchedulesOptions&);

void add_schedule_definitions(CLI::App& schedules, CommandLine& line,
                              const std::function<CLI::App*(const char*, const char*, SchedulesAction)>& add) {
    auto& options = line.schedules;
    auto* list = add("list", "Newest first, with what comes next and what was last", schedules_list);
    list->add_option("--kind", options.kind, "only of this job kind");
    list->add_option("--state", options.state)->check(CLI::IsMember({"active", "paused", "disabled", "completed"}));
    list->add_option("--source", options.source, "who owns them: api, config, sync:ID");
    list->add_option("--label", options.label, "KEY=VALUE");
    list->add_option("--find", options.find, "in the id or the name");
    list->add_option("-n,--limit", options.limit)->check(CLI::Range(1, 1000));
    add("show", "One, with its definition", schedules_show)->add_option("id", options.id)->required();
    for (const bool create : {true, false}) {
        auto* command = create ? add("create", "Make one from its definition (docs/schedules.md)", schedules_create)
                               : add("replace", "Give the one with the definition's id that definition", schedules_replace);
        command->add_option("file", options.file, "JSON; - is standard input")->required();
        command->add_option("--by", options.by, "who does it");
    }
    auto* remove = add("delete", "Its runs that wait are cancelled; its history stays", schedules_delete);
    remove->add_option("id", options.id)->required();
    remove->add_flag("--purge", options.purge, "with its history");
    remove->add_flag("--force", options.force, "also if others depend on it");
    remove->add_option("--by", options.by, "who does it");
    line.does(schedules.add_subcommand("kinds", "What a schedule can run"), [&line] { return schedules_kinds(line.globals); });
}

void add_schedules(CLI::App& app, CommandLine& line) {
    auto* schedules = app.add_subcommand("schedules", "What runs when")->require_subcommand(1);
    auto& options = line.schedules;
    const auto make = [&](const char* name, const char* what) {
        auto* command = schedules->add_subcommand(name, what);
        command->add_option("--org", options.org, "organisation; default: all, and \"default\" for a new schedule");
        return command;
    };
    const auto add = [&](const char* name, const char* what, SchedulesAction action) {
        auto* command = make(name, what);
        line.does(command, [&line, action] { return action(line.globals, line.schedules); });
        return command;
    };
    add_schedule_definitions(*schedules, line, add);
    const auto add_switch = [&](const char* name, const char* what, ScheduleSwitch to) {
        auto* command = make(name, what);
        command->add_option("id", options.id)->required();
        command->add_option("--by", options.by, "who does it");
        line.does(command, [&line, to] { return schedules_act(line.globals, line.schedules, to); });
        return command;
    };
    add_switch("enable", "From its next slot on", ScheduleSwitch::enable);
    add_switch("disable", "No more slots; its runs that wait are cancelled", ScheduleSwitch::disable);
    add_switch("pause", "No slots until it is resumed", ScheduleSwitch::pause);
    add_switch("resume", "From its next slot on", ScheduleSwitch::resume)
        ->add_flag("--catch-up", options.catch_up, "slots of the pause are late ones, as policy.catch_up has it");
    auto* run = add("run", "Ask for a run now", schedules_run);
    run->add_option("id", options.id)->required();
    run->add_option("--input", options.input, "JSON object that is merged over the params");
    run->add_option("--key", options.key, "the same key asks once");
    run->add_option("--by", options.by, "who does it");
    auto* preview = add("preview", "Its next slots, with the reason where one is lost", schedules_preview);
    preview->add_option("id", options.id);
    preview->add_option("--file", options.file, "a definition that is not stored; - is standard input");
    preview->add_option("-n,--count", options.count)->check(CLI::Range(1, 1000));
    preview->add_option("--after", options.after, "instant (ISO 8601); default: now");
    auto* explain = add("explain", "Why it did, or did not, run at an instant", schedules_explain);
    explain->add_option("id", options.id)->required();
    explain->add_option("--at", options.at, "instant (ISO 8601); default: now");
}

void add_run_filters(CLI::App& command, RunsOptions& options) {
    command.add_option("--schedule", options.schedule_id, "only of this schedule");
    command.add_option("--state", options.states, "waiting, pending, running, success, failed, ...; may be repeated");
    command.add_option("--reason", options.reason, "misfire, overlap, timed_out, ... (docs/schedules.md)");
    command.add_option("--kind", options.kind, "of the slot")->check(CLI::IsMember({"scheduled", "manual", "event", "after"}));
    command.add_option("--since", options.since, "slots from this instant on (ISO 8601)");
    command.add_option("--until", options.until, "slots before this instant (ISO 8601)");
}

void add_runs(CLI::App& app, CommandLine& line) {
    auto* runs = app.add_subcommand("runs", "What became of the slots of schedules")->require_subcommand(1);
    auto& options = line.runs;
    const auto add = [&](const char* name, const char* what, int (*action)(const Globals&, const RunsOptions&)) {
        auto* command = runs->add_subcommand(name, what);
        command->add_option("--org", options.org, "organisation; default: all");
        line.does(command, [&line, action] { return action(line.globals, line.runs); });
        return command;
    };
    auto* list = add("list", "Newest first", runs_list);
    add_run_filters(*list, options);
    list->add_option("--before", options.before, "the next page: the run_id of the last one seen");
    list->add_option("-n,--limit", options.limit)->check(CLI::Range(1, 1000));
    add("show", "Everything that is known of one", runs_show)->add_option("id", options.id)->required();
    for (const bool cancel : {true, false}) {
        auto* command = cancel ? add("cancel", "End one that is not over", runs_cancel)
                               : add("retry", "Run again what is over, with the same input, as a new run", runs_retry);
        command->add_option("id", options.id)->required();
        command->add_option("--by", options.by, "who does it");
    }
    auto* stats = add("stats", "Counts, rates and durations", runs_stats);
    add_run_filters(*stats, options);
    stats->add_option("--days", options.days, "back from now, unless --since is given")->check(CLI::Range(1, 3650));
    auto* cleanup = add("cleanup", "Delete runs that ended so many days ago", runs_cleanup);
    cleanup->add_option("--days", options.days)->required()->check(CLI::Range(0, 36500));
}

void add_calendars(CLI::App& app, CommandLine& line) {
    auto* calendars = app.add_subcommand("calendars", "Sets of days that schedules run on, or do not")->require_subcommand(1);
    auto& options = line.calendars;
    const auto add = [&](const char* name, const char* what, int (*action)(const Globals&, const CalendarsOptions&)) {
        auto* command = calendars->add_subcommand(name, what);
        command->add_option("--org", options.org, "organisation; default: \"default\", and of a list all");
        line.does(command, [&line, action] { return action(line.globals, line.calendars); });
        return command;
    };
    add("list", "By organisation and id", calendars_list);
    add("show", "One, with its days", calendars_show)->add_option("id", options.id)->required();
    auto* import = add("import", "Make one, or put another in its place", calendars_import);
    import->add_option("file", options.file, "its definition (docs/schedules.md), or iCalendar (.ics); - is standard input")
        ->required();
    import->add_option("--id", options.id, "instead of the file's own");
    auto* remove = add("remove", "One that no schedule uses", calendars_remove);
    remove->add_option("id", options.id)->required();
    for (auto* command : {import, remove}) command->add_option("--by", options.by, "who does it");
}

}  // namespace

void add_schedule_commands(CLI::App& app, CommandLine& line) {
    add_schedules(app, line);
    add_runs(app, line);
    add_calendars(app, line);
}

}  // namespace varde::app
