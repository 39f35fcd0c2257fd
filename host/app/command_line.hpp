#pragma once
#include "app/options.hpp"

#include <functional>
#include <string>
#include <utility>

#include <CLI/CLI.hpp>

/// The subcommands and their options, as CLI11 reads them. Only for the files of the executable: it takes 9 s to compile.
namespace varde::app {

/// Every subcommand sets `action`; main runs it after parsing, so that parse errors never leave half a job done.
struct CommandLine {
    Globals globals;
    ServeOptions serve;
    ImportOptions import;
    TailOptions tail;
    GenerateOptions generate;
    DeviationsOptions deviations;
    IncidentsOptions incidents;
    ReplayOptions replay;
    EvalOptions eval;
    SimulateOptions simulate;
    PluginCheckOptions plugin_check;
    TokenOptions token;
    CronOptions cron;
    HomeOptions home;
    ModesOptions modes;
    RoomsOptions rooms;
    SchedulesOptions schedules;
    RunsOptions runs;
    CalendarsOptions calendars;
    ExplainOptions explain;
    std::string rule_id;
    std::string path;
    std::function<int()> action;

    void does(CLI::App* command, std::function<int()> what) {
        command->callback([this, what = std::move(what)] { action = what; });
    }
};

/// What belongs to schedules: `schedules`, `runs`, `calendars`.
void add_schedule_commands(CLI::App& app, CommandLine& line);

}  // namespace varde::app
