#include "app/cron_vectors.hpp"

#include "time/cron_preview.hpp"
#include "time/interval.hpp"
#include "time/utc_text.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>

#include <fmt/format.h>

namespace varde::app {
namespace {

using core::Errc;
using core::fail;
using nlohmann::json;

/// What a line gets as its answer; `text` is for people.
struct Answer {
    enum class Kind { time, none, error } kind;
    core::Instant at;
    std::string text;
};

/// Why a line is not asked; empty if it is.
std::string unsupported_reason(const json& line) {
    const auto dialect = line.value("dialect", "");
    constexpr std::array<std::string_view, 6> kAsked{"unix5", "sec6", "sec7", "macro", "interval-epoch", "other"};
    if (std::ranges::find(kAsked, dialect) == kAsked.end()) return "dialect " + dialect;
    if (line.contains("dow")) return "weekdays numbered 1-7 from Sunday (dialect " + dialect + ")";
    if (line.contains("impl_specific")) return "values of another engine's hash (dialect " + dialect + ")";
    return "";
}

time::CronDialect dialect_of(const std::string& name) {
    if (name == "unix5") return time::CronDialect::minutes5;
    if (name == "sec6") return time::CronDialect::seconds6;
    if (name == "sec7") return time::CronDialect::years7;
    return name == "macro" ? time::CronDialect::macro : time::CronDialect::any;
}

Answer time_answer(core::Instant at, const time::ZoneOffsets& zone) {
    const auto& span = zone.spans()[zone.span_at(core::to_us(at) / 1'000'000)];
    return {Answer::Kind::time, at, time::format_local(at, span.offset)};
}

core::Result<Answer> answer_to(const json& line) {
    const auto expression = line.at("expr").get<std::string>();
    const auto zone = time::ZoneOffsets::find(line.value("tz", "UTC"));
    if (!zone) return fail(Errc::invalid_argument, "tz: no IANA zone");
    auto after = time::parse_utc(line.value("after", "2026-01-01T00:00:00Z"));
    if (!after) return fail(after.error().code, "after " + after.error().context);
    if (line.value("dialect", "") == "interval-epoch") {
        const auto interval = time::Interval::parse(expression);
        if (!interval) return Answer{Answer::Kind::error, {}, interval.error().context};
        return time_answer(interval->next(*after), *zone);
    }
    time::CronOptions options;
    options.dialect = dialect_of(line.value("dialect", ""));
    if (line.value("domdow", "") == "and") options.day_match = time::DayMatch::both;
    const auto spec = time::CronSpec::parse(expression, options);
    if (!spec) return Answer{Answer::Kind::error, {}, spec.error().context};
    const auto next = spec->next(*after, *zone);
    if (!next) return Answer{Answer::Kind::none, {}, "none"};
    return time_answer(*next, *zone);
}

/// What the line promises, in words, and whether the answer keeps it.
struct Promise {
    bool kept;
    std::string text;
};

core::Result<Promise> promise_of(const json& line, const Answer& answer) {
    const auto promise = line.value("promise", "same");
    const auto is = [&answer](Answer::Kind kind) { return answer.kind == kind; };
    if (promise == "accept") return Promise{!is(Answer::Kind::error), "any answer but an error"};
    if (promise == "unsupported" || (promise == "same" && line.value("error", false))) {
        return Promise{is(Answer::Kind::error), "an error"};
    }
    if (promise == "same" && line.value("none", false)) return Promise{is(Answer::Kind::none), "none"};
    const auto text = promise == "same" ? line.at("expect_next").get<std::string>() : promise;
    const auto expected = time::parse_utc(text);
    if (!expected) return fail(Errc::invalid_argument, "the promised time " + expected.error().context);
    return Promise{is(Answer::Kind::time) && answer.at == *expected, text};
}

nlohmann::ordered_json answer_json(const json& line, const Answer& answer) {
    nlohmann::ordered_json out{{"id", line.value("id", "")}};
    if (answer.kind == Answer::Kind::time) out["next"] = answer.text;
    if (answer.kind == Answer::Kind::none) out["none"] = true;
    if (answer.kind == Answer::Kind::error) out["error"] = answer.text;
    return out;
}

core::Result<CronVerdict> judge(const json& line, CronScore& score) {
    if (const auto reason = unsupported_reason(line); !reason.empty()) {
        ++score.unsupported[reason];
        return CronVerdict{{{"id", line.value("id", "")}, {"unsupported", reason}}, ""};
    }
    const auto answer = answer_to(line);
    if (!answer) return tl::unexpected{answer.error()};
    const auto promise = promise_of(line, *answer);
    if (!promise) return tl::unexpected{promise.error()};
    ++(promise->kept ? score.equal : score.different);
    CronVerdict verdict{answer_json(line, *answer), ""};
    if (!promise->kept) {
        verdict.difference =
            fmt::format("{}: \"{}\" in {} after {}: promised {}, answered {}", line.value("id", ""), line.value("expr", ""),
                        line.value("tz", "UTC"), line.value("after", "-"), promise->text, answer->text);
    }
    return verdict;
}

}  // namespace

core::Result<CronVerdict> judge_cron_vector(const std::string& line, CronScore& score) {
    const auto parsed = json::parse(line, nullptr, false);
    if (!parsed.is_object()) return fail(Errc::invalid_argument, "is no JSON object");
    try {
        return judge(parsed, score);
    } catch (const json::exception& error) {
        return fail(Errc::invalid_argument, error.what());
    }
}

std::string summary_of(const CronScore& score) {
    auto text = fmt::format("{} equal, {} different\n", score.equal, score.different);
    for (const auto& [reason, count] : score.unsupported) text += fmt::format("{} not asked: {}\n", count, reason);
    return text;
}

}  // namespace varde::app
