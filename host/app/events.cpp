#include "app/composition.hpp"
#include "app/generator.hpp"
#include "app/json_output.hpp"
#include "app/modules.hpp"
#include "app/progress.hpp"
#include "ingest/file_import.hpp"
#include "ingest/room_watch.hpp"
#include "time/utc_text.hpp"

#include <csignal>
#include <fstream>
#include <iostream>
#include <ranges>
#include <thread>

#include <fmt/format.h>

namespace varde::app {
namespace {

using nlohmann::ordered_json;

std::string scope_fields(const core::Scope& scope) {
    return fmt::format(R"("org_id":"{}","home_id":"{}","subject_id":"{}")", scope.org_id, scope.home_id, scope.subject_id);
}

/// Everything in a generated event is plain ASCII of ours: nothing needs escaping.
std::string generated_line(const core::Event& event) {
    return fmt::format(R"({{"id":"{}","timestamp":"{}","category":"{}","payload":{},{}}})", event.event_id,
                       time::format_utc(event.time), event.category, event.payload, scope_fields(event.scope));
}

std::string truth_line(const PlantedIncident& incident) {
    return fmt::format(R"({{"kind":"{}","rule_id":"{}",{},"start":"{}","end":"{}"}})", incident.kind, incident.rule_id,
                       scope_fields(incident.scope), time::format_utc(incident.window.since),
                       time::format_utc(incident.window.until));
}

core::Result<core::Window> range_of(const GenerateOptions& options) {
    core::Window range{};
    range.until = std::chrono::floor<std::chrono::seconds>(time::SystemClock{}.now());
    if (!options.end.empty() && options.end != "now") {
        const auto end = time::parse_utc(options.end);
        if (!end) return core::fail(core::Errc::invalid_argument, "--end " + end.error().context);
        range.until = *end;
    }
    range.since = range.until - std::chrono::days{options.days};
    if (!options.start.empty()) {
        const auto start = time::parse_utc(options.start);
        if (!start) return core::fail(core::Errc::invalid_argument, "--start " + start.error().context);
        range.since = *start;
        if (options.end.empty()) range.until = range.since + std::chrono::days{options.days};
    }
    if (range.since >= range.until) return core::fail(core::Errc::invalid_argument, "--start must lie before --end");
    return range;
}

void print_event(const core::Event& event, bool json) {
    const auto time = time::format_utc(event.time);
    if (!json) {
        fmt::print("{:>8}  {:<27} {:<12} {:<12} {}/{}/{}  {}\n", event.seq, time, event.category, event.room_id,
                   event.scope.org_id, event.scope.home_id, event.scope.subject_id, event.payload);
        return;
    }
    ordered_json line{{"seq", event.seq},
                      {"id", event.event_id},
                      {"timestamp", time},
                      {"category", event.category},
                      {"room_id", event.room_id},
                      {"org_id", event.scope.org_id},
                      {"home_id", event.scope.home_id},
                      {"subject_id", event.scope.subject_id},
                      {"stream_id", event.stream_id}};
    line["payload"] = ordered_json::parse(event.payload, nullptr, false);
    print_json(line);
}

volatile std::sig_atomic_t interrupted = 0;

}  // namespace

int events_import(const Globals& globals, const ImportOptions& options) {
    auto settings = load_settings(globals);
    if (!settings) return report(settings.error());
    auto storage = Storage::open(*settings, Storage::Schema::must_be_current);
    if (!storage) return report(storage.error());
    Log log{*settings, stderr};
    const time::SystemClock clock;
    ingest::GroupCommit intake{storage->events(), clock, settings->ingest, log.sink()};
    ingest::RoomWatch rooms{storage->rooms(), log.sink()};
    if (auto known = rooms.look(); !known) return report(known.error());
    rooms.start();
    ingest::ImportOptions reading;
    reading.rooms = [&rooms] { return rooms.picture(); };
    reading.context.stream_id = options.stream_id;
    reading.context.received_at = clock.now();
    reading.context.check_future = false;
    Progress progress{"events", 0};
    const auto show = [&progress](const ingest::ImportReport& so_far) { progress.show(so_far.read); };
    const auto result = ingest::import_event_file(options.file, settings->ingest, reading, intake, show);
    progress.done();
    if (!result) return report(result.error());
    for (const auto& item : result->first_refused) {
        std::cerr << fmt::format("{}:{}: refused: {}\n", options.file, item.line, item.problem);
    }
    if (globals.json) {
        print_json(
            {{"read", result->read}, {"stored", result->stored}, {"deduped", result->deduped}, {"refused", result->refused}});
    } else {
        fmt::print("{} read, {} stored, {} already there, {} refused\n", result->read, result->stored, result->deduped,
                   result->refused);
    }
    return result->refused == 0 ? kOk : kFindings;
}

int events_tail(const Globals& globals, const TailOptions& options) {
    auto settings = load_settings(globals);
    if (!settings) return report(settings.error());
    auto storage = Storage::open(*settings, Storage::Schema::must_be_current);
    if (!storage) return report(storage.error());
    ports::EventQuery query;
    query.limit = options.limit;
    auto newest = storage->events().list(query);
    if (!newest) return report(newest.error());
    std::int64_t last = 0;
    for (const auto& event : std::views::reverse(*newest)) {
        print_event(event, globals.json);
        last = std::max(last, event.seq);
    }
    if (!options.follow) return kOk;
    std::signal(SIGINT, [](int) { interrupted = 1; });
    while (interrupted == 0 && std::fflush(stdout) == 0) {
        const auto seen =
            storage->events().read_after(last, 1000, [&](const core::Event& event) { print_event(event, globals.json); });
        if (!seen) return report(seen.error());
        if (*seen == last) std::this_thread::sleep_for(std::chrono::milliseconds{500});
        last = *seen;
    }
    return kOk;
}

int events_generate(const Globals&, const GenerateOptions& options) {
    const auto range = range_of(options);
    if (!range) return report(range.error());
    const auto zone = time::Zone::find(options.zone);
    if (!zone) return report({core::Errc::invalid_argument, fmt::format("--zone: there is no IANA zone '{}'", options.zone)});
    std::ofstream file;
    std::ofstream truth;
    const auto opened = [](std::ofstream& stream, const std::string& path) {
        if (!path.empty()) stream.open(path);
        return path.empty() || stream.is_open();
    };
    if (!opened(file, options.out)) return report({core::Errc::io_failed, "cannot write " + options.out});
    if (!opened(truth, options.truth)) return report({core::Errc::io_failed, "cannot write " + options.truth});
    auto& out = options.out.empty() ? std::cout : file;
    std::int64_t events = 0;
    std::int64_t incidents = 0;
    generate_homes(
        {options.homes, *range, options.seed, *zone},
        [&](const core::Event& event) { out << generated_line(event) << '\n', ++events; },
        [&](const PlantedIncident& incident) {
            ++incidents;
            if (truth.is_open()) truth << truth_line(incident) << '\n';
        });
    out.flush();
    truth.flush();
    if (!out || (truth.is_open() && !truth)) return report({core::Errc::io_failed, "the events could not be written in full"});
    std::cerr << fmt::format("{} events of {} homes, {} planted incidents, seed {}\n", events, options.homes, incidents,
                             options.seed);
    return kOk;
}

}  // namespace varde::app
