#include "api/schedule_text.hpp"
#include "app/desk_session.hpp"
#include "app/json_output.hpp"
#include "config/file_text.hpp"
#include "config/schedule_definition.hpp"
#include "time/cron_preview.hpp"
#include "time/utc_text.hpp"

#include <iostream>
#include <iterator>
#include <string>

#include <fmt/format.h>

namespace varde::app {
namespace {

using core::Errc;
using core::Result;
using core::Schedule;

Result<std::string> text_of(const std::string& file) {
    if (file != "-") return config::file_text(file);
    return std::string{std::istreambuf_iterator<char>{std::cin}, {}};
}

/// The definition in a file; "-" is standard input.
Result<Schedule> read_definition(const std::string& file, const core::SchedulePolicy& defaults) {
    const auto text = text_of(file);
    if (!text) return tl::unexpected{text.error()};
    const auto* const name = file == "-" ? "standard input" : file.c_str();
    nlohmann::json definition;
    try {
        definition = nlohmann::json::parse(*text);
    } catch (const nlohmann::json::parse_error& error) {
        return core::fail(Errc::invalid_argument, fmt::format("{}: no JSON at byte {}", name, error.byte));
    }
    auto schedule = config::read_schedule(definition, defaults);
    if (!schedule) return core::fail(Errc::invalid_argument, fmt::format("{}: {}", name, schedule.error().context));
    return schedule;
}

std::string at_or_never(const std::optional<core::Instant>& at) { return at ? time::format_utc(*at) : "-"; }

void print_line(const Schedule& schedule) {
    const auto last = schedule.last_run_id == 0 ? std::string{"never run"}
                                                : fmt::format("run {} {} at {}", schedule.last_run_id,
                                                              schedule.last_status.empty() ? "running" : schedule.last_status,
                                                              at_or_never(schedule.last_run_at));
    fmt::print("{:<24} {:<10} {:<9} next {:<20}  {}{}{}\n", schedule.schedule_id, schedule.kind, core::name_of(schedule.state),
               at_or_never(schedule.next_at), last, schedule.name.empty() ? "" : "  ", schedule.name);
}

/// What was made or changed.
int print_changed(const Globals& globals, const Result<Schedule>& schedule, const char* what) {
    if (!schedule) return report(schedule.error());
    if (globals.json) {
        print_json(api::schedule_json(*schedule));
    } else {
        fmt::print("schedule {} {}: {}, next {}\n", schedule->schedule_id, what, core::name_of(schedule->state),
                   at_or_never(schedule->next_at));
    }
    return kOk;
}

Result<ports::ScheduleQuery> query_of(const SchedulesOptions& options) {
    ports::ScheduleQuery query;
    query.org_id = options.org;
    query.limit = options.limit;
    const auto given = [](const std::string& text) { return text.empty() ? std::nullopt : std::optional{text}; };
    query.kind = given(options.kind);
    query.source = given(options.source);
    query.label = given(options.label);
    query.name_contains = given(options.find);
    if (!options.state.empty()) query.state = core::schedule_state_from(options.state);
    if (query.label && query.label->find('=') == std::string::npos) {
        return core::fail(Errc::invalid_argument, "--label must be KEY=VALUE");
    }
    return query;
}

void print_slot(const Globals& globals, const core::PlannedSlot& slot) {
    if (globals.json) return print_json(api::planned_slot_json(slot));
    const auto local = time::format_local(slot.nominal_at, slot.offset_seconds);
    const auto jitter = slot.starts_at == slot.nominal_at ? "" : fmt::format("  starts {}", time::format_utc(slot.starts_at));
    fmt::print("{}{}{}{}{}\n", local, slot.fires ? "" : "  not run", jitter, slot.text.empty() ? "" : "  ", slot.text);
}

}  // namespace

int schedules_list(const Globals& globals, const SchedulesOptions& options) {
    const auto query = query_of(options);
    if (!query) return report(query.error());
    return with_desk(globals, [&](DeskSession& session) -> int {
        const auto rows = session.storage.schedules().list(*query);
        if (!rows) return report(rows.error());
        for (const auto& row : *rows) globals.json ? print_json(api::schedule_json(row)) : print_line(row);
        if (globals.json) return kOk;
        if (rows->empty()) fmt::print("there is no such schedule\n");
        if (std::ssize(*rows) == options.limit) fmt::print("there may be more; see --limit\n");
        return kOk;
    });
}

int schedules_show(const Globals& globals, const SchedulesOptions& options) {
    return with_desk(globals, [&](DeskSession& session) -> int {
        const auto schedule = session.storage.schedules().find(options.id, options.org);
        if (!schedule) return report(schedule.error());
        if (globals.json) {
            print_json(api::schedule_json(*schedule));
            return kOk;
        }
        print_line(*schedule);
        fmt::print("of {}, from {}, version {}, made {}, changed {}\n",
                   schedule->org_id.empty() ? "the host itself" : schedule->org_id, schedule->source, schedule->version,
                   time::format_utc(schedule->created_at), time::format_utc(schedule->updated_at));
        fmt::print("{}\n", config::definition_json(*schedule).dump(2, ' ', false, nlohmann::json::error_handler_t::replace));
        return kOk;
    });
}

int schedules_create(const Globals& globals, const SchedulesOptions& options) {
    return with_desk(globals, [&](DeskSession& session) -> int {
        auto wanted = read_definition(options.file, session.desk.defaults());
        if (!wanted) return report(wanted.error());
        if (!options.org.empty()) wanted->org_id = options.org;
        return print_changed(globals, session.desk.create(*wanted, options.by), "made");
    });
}

int schedules_replace(const Globals& globals, const SchedulesOptions& options) {
    return with_desk(globals, [&](DeskSession& session) -> int {
        const auto wanted = read_definition(options.file, session.desk.defaults());
        if (!wanted) return report(wanted.error());
        if (wanted->schedule_id.empty()) return report({Errc::invalid_argument, "id: is missing: which schedule is replaced"});
        const auto change = [&](const Schedule& current) -> Result<Schedule> {
            auto next = *wanted;
            next.org_id = current.org_id;
            next.source = current.source;
            return next;
        };
        return print_changed(globals, session.desk.edit(wanted->schedule_id, options.org, change, options.by), "replaced");
    });
}

int schedules_delete(const Globals& globals, const SchedulesOptions& options) {
    return with_desk(globals, [&](DeskSession& session) -> int {
        const auto removed = session.desk.remove(options.id, options.org, options.purge, options.force, options.by);
        if (!removed) return report(removed.error());
        if (globals.json) {
            print_json({{"id", options.id}, {"deleted", true}});
        } else {
            fmt::print("schedule {} deleted{}\n", options.id, options.purge ? ", with its history" : "; its history stays");
        }
        return kOk;
    });
}

int schedules_act(const Globals& globals, const SchedulesOptions& options, ScheduleSwitch what) {
    using ports::ScheduleAction;
    auto action = ScheduleAction::enable;
    const char* done = "enabled";
    switch (what) {
        case ScheduleSwitch::enable: break;
        case ScheduleSwitch::disable: action = ScheduleAction::disable, done = "disabled"; break;
        case ScheduleSwitch::pause: action = ScheduleAction::pause, done = "paused"; break;
        case ScheduleSwitch::resume:
            action = options.catch_up ? ScheduleAction::resume_catch_up : ScheduleAction::resume_skip, done = "resumed";
            break;
    }
    return with_desk(globals, [&](DeskSession& session) {
        return print_changed(globals, session.desk.act(options.id, options.org, action, options.by), done);
    });
}

int schedules_run(const Globals& globals, const SchedulesOptions& options) {
    return with_desk(globals, [&](DeskSession& session) -> int {
        const auto run = session.desk.run_now(options.id, options.org, {options.input, options.key, options.by});
        if (!run) return report(run.error());
        if (globals.json) {
            auto row = api::run_json(run->first);
            row["created"] = run->second;
            print_json(row);
        } else {
            fmt::print("run {} of schedule {}: {}; {}\n", run->first.run_id, options.id, core::name_of(run->first.state),
                       run->second ? "a host that runs does it" : "it was asked for before, with the same key");
        }
        return kOk;
    });
}

int schedules_preview(const Globals& globals, const SchedulesOptions& options) {
    if (options.id.empty() == options.file.empty()) {
        return report({Errc::invalid_argument, "schedules preview: give either an id or --file"});
    }
    const auto after = instant_option("--after", options.after);
    if (!after) return report(after.error());
    return with_desk(globals, [&](DeskSession& session) -> int {
        auto schedule = options.file.empty() ? session.storage.schedules().find(options.id, options.org)
                                             : read_definition(options.file, session.desk.defaults());
        if (!schedule) return report(schedule.error());
        if (!options.file.empty() && !options.org.empty()) schedule->org_id = options.org;  // its calendars
        if (const auto sound = session.desk.check(*schedule); !sound) return report(sound.error());
        const auto slots = session.desk.preview(*schedule, *after, options.count);
        if (!slots) return report(slots.error());
        for (const auto& slot : *slots) print_slot(globals, slot);
        if (slots->empty() && !globals.json) fmt::print("no slot is known before something happens\n");
        return kOk;
    });
}

int schedules_explain(const Globals& globals, const SchedulesOptions& options) {
    const auto at = instant_option("--at", options.at);
    if (!at) return report(at.error());
    return with_desk(globals, [&](DeskSession& session) -> int {
        const auto explained = session.desk.explain(options.id, options.org, at->value_or(session.clock.now()));
        if (!explained) return report(explained.error());
        if (globals.json) {
            print_json(api::slot_explanation_json(*explained));
        } else {
            fmt::print("{} at {}: {}\n{}\n", explained->schedule_id, time::format_utc(explained->at), explained->answer,
                       explained->text);
        }
        return kOk;
    });
}

int schedules_kinds(const Globals& globals) {
    return with_desk(globals, [&](DeskSession& session) -> int {
        for (const auto& [name, summary] : session.desk.job_kinds()) {
            if (globals.json) {
                print_json({{"name", name}, {"summary", summary}});
            } else {
                fmt::print("{:<12} {}\n", name, summary);
            }
        }
        return kOk;
    });
}

}  // namespace varde::app
