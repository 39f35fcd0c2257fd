#include "app/command_line.hpp"

#include <csignal>
#include <functional>
#include <iostream>

#ifndef VARDE_VERSION
#define VARDE_VERSION "0"
#endif

namespace {

using namespace varde::app;

void add_globals(CLI::App& app, Globals& globals) {
    app.set_version_flag("--version", "varde " VARDE_VERSION);
    app.add_option("--config", globals.config_file, "host.yaml to use")->each([&globals](const std::string&) {
        globals.config_given = true;
    });
    app.add_option("--database", globals.database_url, "sqlite:PATH or postgresql://...; wins over DATABASE_URL and the file");
    app.add_option("--plugins", globals.plugins_dir, "folder of rule libraries");
    app.add_option("--rules", globals.rules_file, "rules.yaml to use");
    app.add_flag("--json", globals.json, "machine-readable output");
}

void add_service(CLI::App& app, CommandLine& line) {
    auto* serve_cmd = app.add_subcommand("serve", "Run the host in the foreground: HTTP, ingest and the scheduler");
    serve_cmd->add_option("--port", line.serve.port, "TCP port; 0 picks a free one");
    serve_cmd->add_option("--address", line.serve.address, "address to listen on");
    serve_cmd->add_option("--interval-ms", line.serve.interval_ms, "scheduler interval instead of rules.yaml's");
    line.does(serve_cmd, [&line] { return serve(line.globals, line.serve); });
    line.does(app.add_subcommand("run", "Do one scheduler run now and print what it found"),
              [&line] { return run(line.globals); });
    line.does(app.add_subcommand("migrate", "Bring the database to this version's schema"),
              [&line] { return migrate(line.globals); });
    line.does(app.add_subcommand("check", "Check host.yaml and rules.yaml, with the params of every rule; changes nothing"),
              [&line] { return check(line.globals); });
    line.does(app.add_subcommand("doctor", "Check configuration, database, plugins, sandbox layers and clock"),
              [&line] { return doctor(line.globals); });
}

void add_events(CLI::App& app, CommandLine& line) {
    auto* events = app.add_subcommand("events", "Import, watch and generate events")->require_subcommand(1);
    auto* import = events->add_subcommand("import", "Store the events of a .jsonl, .jsonl.gz or .json file; repeats are skipped");
    import->add_option("file", line.import.file)->required();
    import->add_option("--stream", line.import.stream_id, "stream_id of events that name none");
    line.does(import, [&line] { return events_import(line.globals, line.import); });
    auto* tail = events->add_subcommand("tail", "Print the newest events");
    tail->add_option("-n,--limit", line.tail.limit)->check(CLI::Range(1, 1000));
    tail->add_flag("-f,--follow", line.tail.follow, "go on printing new ones until interrupted");
    line.does(tail, [&line] { return events_tail(line.globals, line.tail); });
    auto* generate = events->add_subcommand("generate", "Write plausible events of invented homes, the same for the same seed");
    generate->add_option("--homes", line.generate.homes)->check(CLI::Range(1, 100000));
    generate->add_option("--days", line.generate.days)->check(CLI::Range(1, 3650));
    generate->add_option("--seed", line.generate.seed);
    generate->add_option("--start", line.generate.start, "first instant (ISO 8601); default: --end minus --days");
    generate->add_option("--end", line.generate.end, "last instant (ISO 8601); default: now");
    generate->add_option("--zone", line.generate.zone, "IANA zone the people live in");
    generate->add_option("--out", line.generate.out, "file; default: standard output");
    generate->add_option("--truth", line.generate.truth, "file that lists the planted incidents");
    line.does(generate, [&line] { return events_generate(line.globals, line.generate); });
}

void add_deviations(CLI::App& app, CommandLine& line) {
    auto* deviations = app.add_subcommand("deviations", "List, acknowledge and close deviations")->require_subcommand(1);
    auto* list = deviations->add_subcommand("list", "Most severe first");
    list->add_option("--status", line.deviations.status, "OPEN, ACK or CLOSED")->check(CLI::IsMember({"OPEN", "ACK", "CLOSED"}));
    list->add_option("--rule", line.deviations.rule_id, "only of this rule");
    list->add_option("-n,--limit", line.deviations.limit)->check(CLI::Range(1, 500));
    line.does(list, [&line] { return deviations_list(line.globals, line.deviations); });
    const auto change = [&](const char* name, const char* what, int (*action)(const Globals&, const DeviationsOptions&)) {
        auto* command = deviations->add_subcommand(name, what);
        command->add_option("id", line.deviations.id)->required();
        command->add_option("--by", line.deviations.by, "who does it");
        command->add_option("--comment", line.deviations.comment);
        line.does(command, [&line, action] { return action(line.globals, line.deviations); });
    };
    change("ack", "Acknowledge an OPEN deviation", deviations_ack);
    change("close", "Close an OPEN or ACK deviation", deviations_close);
}

void add_rules(CLI::App& app, CommandLine& line) {
    auto* rules = app.add_subcommand("rules", "List rules and switch them")->require_subcommand(1);
    line.does(rules->add_subcommand("list", "Rules of rules.yaml and plugins/ with their state"),
              [&line] { return rules_list(line.globals); });
    for (const bool enabled : {true, false}) {
        auto* command = rules->add_subcommand(enabled ? "enable" : "disable", "Set enabled_in_scheduler in rules.yaml");
        command->add_option("rule_id", line.rule_id)->required();
        line.does(command, [&line, enabled] { return rules_enable(line.globals, line.rule_id, enabled); });
    }
    auto* release = rules->add_subcommand("release", "Put a rule that is out of service after failures back in service");
    release->add_option("rule_id", line.rule_id)->required();
    line.does(release, [&line] { return rules_release(line.globals, line.rule_id); });
    auto* plugin = app.add_subcommand("plugin", "Look at plugin files")->require_subcommand(1);
    auto* inspect = plugin->add_subcommand("inspect", "Print what a file says of itself, without running it");
    inspect->add_option("file", line.path)->required();
    line.does(inspect, [&line] { return plugin_inspect(line.globals, line.path); });
    auto* check =
        plugin->add_subcommand("check", "Try a rule out in sandboxed workers: hostile parameters, windows, repeats, leaks, time");
    check->add_option("file", line.plugin_check.file);
    check->add_option("--junit", line.plugin_check.junit, "write a JUnit report there");
    check->add_option("--seed", line.plugin_check.seed, "of the invented events and parameters; the same seed repeats a check");
    check->add_option("--only", line.plugin_check.only, "a check or a group of checks, e.g. windows; may be repeated");
    check->add_flag("--list", line.plugin_check.list, "name the checks");
    line.does(check, [&line] { return plugin_check_file(line.globals, line.plugin_check); });
}

void add_incidents(CLI::App& app, CommandLine& line) {
    auto* incidents = app.add_subcommand("incidents", "What is known of rules that failed")->require_subcommand(1);
    auto* list = incidents->add_subcommand("list", "Newest first; failures of one kind are one incident");
    list->add_option("--rule", line.incidents.rule_id, "only of this rule");
    list->add_option("-n,--limit", line.incidents.limit)->check(CLI::Range(1, 500));
    line.does(list, [&line] { return incidents_list(line.globals, line.incidents); });
    auto* show = incidents->add_subcommand("show", "Everything that is known of one");
    show->add_option("id", line.incidents.id, "its id, or the first 8 characters of it or more")->required();
    line.does(show, [&line] { return incidents_show(line.globals, line.incidents); });
    auto* again = app.add_subcommand("replay", "Make a failed evaluation once more: the same events, parameters and plugin");
    again->add_option("incident", line.replay.incident, "id of an incident, or path of a bundle")->required();
    again->add_option("--plugin", line.replay.plugin, "another version of the rule, on the same window");
    again->add_flag("--gdb", line.replay.gdb, "under the debugger, outside of the sandbox: code of the plugin runs as you");
    line.does(again, [&line] { return replay(line.globals, line.replay); });
}

void add_home(CLI::App& command, HomeOptions& home, const char* otherwise) {
    command.add_option("--org", home.org, std::string{"organisation; default: "} + otherwise);
    command.add_option("--home", home.home, std::string{"home; default: "} + otherwise);
    command.add_option("--subject", home.subject, std::string{"subject; default: "} + otherwise);
}

void add_explain(CLI::App& app, CommandLine& line) {
    auto* command =
        app.add_subcommand("explain", "Why a rule said what it said about a home: the record, and the rule asked again");
    command->add_option("rule_id", line.explain.rule_id)->required();
    add_home(*command, line.explain.home, "default");
    command->add_option("--at", line.explain.at, "instant (ISO 8601); default: now");
    line.does(command, [&line] { return explain(line.globals, line.explain); });
}

/// What is known, and what is wanted, of single homes.
void add_homes(CLI::App& app, CommandLine& line) {
    auto* baseline = app.add_subcommand("baseline", "How well the habits of each home are known")->require_subcommand(1);
    auto* show = baseline->add_subcommand("show", "One line a home");
    add_home(*show, line.home, "all");
    line.does(show, [&line] { return baseline_show(line.globals, line.home); });
    auto* compute = baseline->add_subcommand("compute", "Count them anew from the stored events, now");
    add_home(*compute, line.home, "all");
    line.does(compute, [&line] { return baseline_compute(line.globals, line.home); });
    auto* modes =
        app.add_subcommand("modes", "What becomes of what a rule finds in a home: ON, TEST or OFF")->require_subcommand(1);
    auto* list = modes->add_subcommand("list", "Modes that were set; all others are ON");
    add_home(*list, line.modes.home, "all");
    list->add_option("--rule", line.modes.rule_id, "only of this rule");
    line.does(list, [&line] { return modes_list(line.globals, line.modes); });
    auto* set = modes->add_subcommand("set", "ON: kept; TEST: kept and marked; OFF: judged, but not kept");
    set->add_option("rule_id", line.modes.rule_id)->required();
    set->add_option("mode", line.modes.mode)->required()->check(CLI::IsMember({"ON", "TEST", "OFF"}));
    add_home(*set, line.modes.home, "default");
    set->add_option("--by", line.modes.by, "who does it");
    line.does(set, [&line] { return modes_set(line.globals, line.modes); });
}

void add_rooms(CLI::App& app, CommandLine& line) {
    auto* rooms = app.add_subcommand("rooms", "The rooms of homes, and which sensor is in which")->require_subcommand(1);
    const auto add = [&](const char* name, const char* what, const char* otherwise,
                         int (*action)(const Globals&, const RoomsOptions&)) {
        auto* command = rooms->add_subcommand(name, what);
        command->add_option("--org", line.rooms.home.org, std::string{"organisation; default: "} + otherwise);
        command->add_option("--home", line.rooms.home.home, std::string{"home; default: "} + otherwise);
        line.does(command, [&line, action] { return action(line.globals, line.rooms); });
        return command;
    };
    add("list", "Rooms, then mapped sensors", "all", rooms_list);
    auto* set = add("set", "A room of a home, by the id that its events get", "default", rooms_set);
    set->add_option("room_id", line.rooms.room_id)->required();
    set->add_option("--name", line.rooms.display_name, "what payloads call it, in any case; default: its id");
    add("remove", "Forget a room; sensors that were mapped to it stay", "default", rooms_remove)
        ->add_option("room_id", line.rooms.room_id)
        ->required();
    auto* map = add("map", "Events of this sensor are of this room", "default", rooms_map);
    map->add_option("entity_id", line.rooms.entity_id, "as payloads have it, e.g. binary_sensor.pir_bath")->required();
    map->add_option("room_id", line.rooms.room_id)->required();
    map->add_flag("--inactive", line.rooms.inactive, "keep the mapping, and do not use it");
    add("unmap", "Forget in which room a sensor is", "default", rooms_unmap)
        ->add_option("entity_id", line.rooms.entity_id)
        ->required();
}

void add_tools(CLI::App& app, CommandLine& line) {
    auto* test = app.add_subcommand("test", "Run the scenarios and the unit tests of a rule's folder");
    test->add_option("folder", line.path, "e.g. plugins/R-001")->required();
    line.does(test, [&line] { return test_rule(line.globals, line.path); });
    auto* eval_cmd = app.add_subcommand("eval", "Judge cases, one JSON object a line, in the sandboxed worker; no database");
    eval_cmd->add_option("file", line.eval.file, "default: standard input");
    eval_cmd->add_flag("--check", line.eval.check, "compare with each case's `expected`; print differences and a summary");
    line.does(eval_cmd, [&line] { return eval(line.globals, line.eval); });
    auto* simulate_cmd =
        app.add_subcommand("simulate", "Replay events through ingest, scheduler and life cycle on a virtual clock");
    simulate_cmd->add_option("--events", line.simulate.events_file, ".jsonl, .jsonl.gz or .json file")->required();
    simulate_cmd->add_option("--from", line.simulate.from, "first tick (ISO 8601); default: the first event");
    simulate_cmd->add_option("--to", line.simulate.to, "last tick at or before this (ISO 8601); default: the last event");
    simulate_cmd->add_option("--every", line.simulate.every, "distance of ticks: 30s, 5m, 1h");
    simulate_cmd->add_flag("--ask-always", line.simulate.ask_always, "ask every rule at every tick, also while its answer holds");
    line.does(simulate_cmd, [&line] { return simulate(line.globals, line.simulate); });
}

void add_tokens(CLI::App& app, CommandLine& line) {
    auto* token = app.add_subcommand("token", "API tokens; only their SHA-256 is kept")->require_subcommand(1);
    auto* create = token->add_subcommand("create", "Make a token and print its secret once");
    create->add_option("--name", line.token.name, "what it is for")->required();
    create->add_option("--role", line.token.role)->check(CLI::IsMember({"viewer", "operator", "admin"}));
    create->add_option("--org", line.token.org, "only this organisation; default: all");
    create->add_option("--home", line.token.home, "only this home; default: all");
    create->add_option("--subject", line.token.subject, "only this subject; default: all");
    line.does(create, [&line] { return token_create(line.globals, line.token); });
    line.does(token->add_subcommand("list", "Tokens without their secrets"), [&line] { return token_list(line.globals); });
    auto* revoke = token->add_subcommand("revoke", "End a token");
    revoke->add_option("id", line.token.id)->required();
    line.does(revoke, [&line] { return token_revoke(line.globals, line.token); });
}

void add_cron(CLI::App& app, CommandLine& line) {
    auto* cron = app.add_subcommand("cron", "What cron expressions mean")->require_subcommand(1);
    auto* next = cron->add_subcommand("next", "The next times of an expression, with the reason where clocks go forward or back");
    next->add_option("expression,--expr", line.cron.expression, "\"MIN HOUR DAY MONTH WEEKDAY\", @daily, \"@every 90m\"");
    next->add_option("--zone,--tz", line.cron.zone, "IANA time zone");
    next->add_option("--after", line.cron.after, "ISO 8601; default: now");
    next->add_option("-n,--count", line.cron.count, "how many")->check(CLI::Range(1, 100000));
    next->add_option("--dialect", line.cron.dialect)->check(CLI::IsMember({"any", "unix5", "sec6", "sec7", "macro"}));
    next->add_flag("--both-days", line.cron.both_days, "day of month and day of week must both match; default: one is enough");
    next->add_option("--gap", line.cron.gap, "a time that clocks jump over")->check(CLI::IsMember({"run_once", "skip"}));
    next->add_option("--repeated-hour", line.cron.repeated_hour, "a time that comes twice")
        ->check(CLI::IsMember({"auto", "first", "second", "both"}));
    next->add_option("--hash-key", line.cron.hash_key, "what H is made from: the id of the schedule");
    next->add_option("--vectors", line.cron.vectors, "answer the lines of this file and compare with what they promise");
    line.does(next, [&line] { return cron_next(line.globals, line.cron); });
}

}  // namespace

int main(int argc, char** argv) {
    // A reader that goes away (varde events tail | head) must end the write with an error, not the process with a signal.
    std::signal(SIGPIPE, SIG_IGN);
    CLI::App app{"Varde hosts rules that are shared libraries: events in, sandboxed evaluation, deviations out.", "varde"};
    app.require_subcommand(1);
    app.fallthrough();
    app.footer("Exit codes: 0 ok, 1 failed, 2 usage or configuration, 3 findings, 4 plugin cannot load, 5 unreachable.");
    CommandLine line;
    add_globals(app, line.globals);
    add_service(app, line);
    add_events(app, line);
    add_deviations(app, line);
    add_rules(app, line);
    add_incidents(app, line);
    add_homes(app, line);
    add_rooms(app, line);
    add_schedule_commands(app, line);
    add_explain(app, line);
    add_tools(app, line);
    add_tokens(app, line);
    add_cron(app, line);
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        return app.exit(error) == 0 ? kOk : kUsage;
    }
    return line.action();
}
