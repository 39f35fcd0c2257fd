#include "app/composition.hpp"
#include "app/cron_vectors.hpp"
#include "app/json_output.hpp"
#include "app/options.hpp"
#include "time/clock.hpp"
#include "time/cron_preview.hpp"
#include "time/interval.hpp"
#include "time/utc_text.hpp"

#include <fstream>
#include <iostream>
#include <map>

#include <fmt/format.h>

namespace varde::app {
namespace {

using core::Errc;

const std::map<std::string, time::CronDialect, std::less<>> kDialects{{"any", time::CronDialect::any},
                                                                      {"unix5", time::CronDialect::minutes5},
                                                                      {"sec6", time::CronDialect::seconds6},
                                                                      {"sec7", time::CronDialect::years7},
                                                                      {"macro", time::CronDialect::macro}};

const std::map<std::string, core::OverlapPolicy, std::less<>> kRepeatedHours{{"auto", core::OverlapPolicy::automatic},
                                                                             {"first", core::OverlapPolicy::first},
                                                                             {"second", core::OverlapPolicy::second},
                                                                             {"both", core::OverlapPolicy::both}};

void print_line(const Globals& globals, const time::PreviewLine& line) {
    const auto when = time::format_local(line.at, line.offset_seconds);
    if (globals.json) {
        print_json({{line.fires() ? "next" : "lost", when}, {"reason", time::name_of(line.reason)}, {"text", line.text}});
    } else if (line.fires()) {
        std::cout << fmt::format("{}{}{}\n", when, line.text.empty() ? "" : "  ", line.text);
    } else {
        std::cout << fmt::format("no fire: {}\n", line.text);
    }
}

int print_interval(const Globals& globals, const CronOptions& options, core::Instant after, const time::ZoneOffsets& zone) {
    const auto interval = time::Interval::parse(options.expression);
    if (!interval) return report(interval.error());
    for (int i = 0; i < options.count; ++i) {
        after = interval->next(after);
        const auto& span = zone.spans()[zone.span_at(core::to_us(after) / 1'000'000)];
        print_line(globals, {after, span.offset, time::PreviewReason::natural, ""});
    }
    return kOk;
}

int print_cron(const Globals& globals, const CronOptions& options, core::Instant after, const time::ZoneOffsets& zone) {
    time::CronOptions how;
    how.dialect = kDialects.find(options.dialect)->second;
    how.day_match = options.both_days ? time::DayMatch::both : time::DayMatch::either;
    how.gap = options.gap == "skip" ? core::GapPolicy::skip : core::GapPolicy::run_once;
    how.overlap = kRepeatedHours.find(options.repeated_hour)->second;
    how.hash_key = options.hash_key;
    const auto spec = time::CronSpec::parse(options.expression, how);
    if (!spec) return report(spec.error());
    if (!spec->fires()) {
        return report({Errc::invalid_argument, fmt::format("cron: \"{}\" never fires: no day from {} to {} has it",
                                                           options.expression, time::kFirstYear, time::kLastYear)});
    }
    const auto lines = time::preview(*spec, zone, after, static_cast<std::size_t>(options.count));
    for (const auto& line : lines) print_line(globals, line);
    if (lines.empty()) std::cerr << "varde: nothing more is due\n";
    return lines.empty() ? kFailed : kOk;
}

int run_vectors(const Globals& globals, const CronOptions& options) {
    std::ifstream file{options.vectors};
    if (!file) return report({Errc::io_failed, "cannot read " + options.vectors});
    CronScore score;
    std::int64_t number = 0;
    for (std::string line; std::getline(file, line);) {
        ++number;
        const auto verdict = judge_cron_vector(line, score);
        if (!verdict)
            return report({verdict.error().code, fmt::format("{}:{}: {}", options.vectors, number, verdict.error().context)});
        if (globals.json) print_json(verdict->answer);
        if (!verdict->difference.empty()) (globals.json ? std::cerr : std::cout) << verdict->difference << '\n';
    }
    (globals.json ? std::cerr : std::cout) << summary_of(score);
    return score.different == 0 && score.equal > 0 ? kOk : kFailed;
}

}  // namespace

int cron_next(const Globals& globals, const CronOptions& options) {
    if (options.expression.empty() == options.vectors.empty()) {
        return report({Errc::invalid_argument, "cron next: give either an expression or --vectors FILE"});
    }
    if (!options.vectors.empty()) return run_vectors(globals, options);
    const auto zone = time::ZoneOffsets::find(options.zone);
    if (!zone) return report({Errc::invalid_argument, fmt::format("--zone: \"{}\" is no IANA time zone", options.zone)});
    auto after = time::SystemClock{}.now();
    if (!options.after.empty()) {
        const auto given = time::parse_utc(options.after);
        if (!given) return report({given.error().code, "--after " + given.error().context});
        after = *given;
    }
    const bool interval = options.expression.starts_with("@every ");
    return interval ? print_interval(globals, options, after, *zone) : print_cron(globals, options, after, *zone);
}

}  // namespace varde::app
