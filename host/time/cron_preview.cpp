#include "time/cron_preview.hpp"

#include "time/utc_text.hpp"

#include <cstdlib>

#include <fmt/format.h>

namespace varde::time {
namespace {

constexpr std::int64_t kMicros = 1'000'000;

/// 02:30:00 of the wall clock.
std::string time_text(std::int64_t wall) {
    constexpr auto kTime = std::string_view{"2026-01-15T"}.size();
    const auto text = format_utc(core::instant_from_us(wall * kMicros)).substr(kTime, 8);
    return text.ends_with(":00") ? text.substr(0, 5) : text;
}

std::string date_text(std::int64_t wall) { return format_utc(core::instant_from_us(wall * kMicros)).substr(0, 10); }

/// The first nominal time in the gap at the span's begin, or kNever.
std::int64_t nominal_in_gap(const CronSpec& spec, const OffsetSpan& span) {
    if (span.gap() == 0) return CronSpec::kNever;
    const auto nominal = spec.next_wall(span.begin + span.before, kLastYear);
    return nominal < span.begin + span.offset ? nominal : CronSpec::kNever;
}

std::string gap_text(const OffsetSpan& span, std::int64_t nominal) {
    return fmt::format("{} {} does not exist: clocks go from {} to {}", date_text(nominal), time_text(nominal),
                       time_text(span.begin + span.before), time_text(span.begin + span.offset));
}

PreviewLine lost(const CronSpec& spec, const OffsetSpan& span, std::int64_t nominal) {
    const auto* why = span.gap() > CronSpec::kLongestFilledGap ? "; a jump of more than three hours adds no fire"
                      : spec.any_hour()                        ? "; the hour field is *, so the next nominal time serves"
                                                               : "; the schedule skips gaps";
    return {core::instant_from_us(span.begin * kMicros), span.offset, PreviewReason::lost_in_gap, gap_text(span, nominal) + why};
}

PreviewLine fire(const CronSpec& spec, const ZoneOffsets& zone, core::Instant at) {
    const auto second = core::to_us(at) / kMicros;
    const auto place = zone.span_at(second);
    const auto& span = zone.spans()[place];
    PreviewLine line{at, span.offset, PreviewReason::natural, ""};
    const auto wall = second + span.offset;
    if (const auto nominal = nominal_in_gap(spec, span);
        second == span.begin && nominal != CronSpec::kNever && spec.fills(span)) {
        line.reason = PreviewReason::end_of_gap;
        line.text = gap_text(span, nominal) + "; fires once at the end of the gap";
    } else if (wall < span.begin + span.before) {
        line.reason = PreviewReason::second_pass;
        line.text = fmt::format("second time that clocks show {}", time_text(wall));
    } else if (place + 1 < zone.spans().size() && wall >= span.end + zone.spans()[place + 1].offset) {
        line.reason = PreviewReason::first_pass;
        line.text = fmt::format("first time that clocks show {}; {} the second time", time_text(wall),
                                spec.fires_in_second_pass() ? "fires also" : "does not fire");
    }
    return line;
}

}  // namespace

std::string_view name_of(PreviewReason reason) {
    switch (reason) {
        case PreviewReason::natural: return "natural";
        case PreviewReason::end_of_gap: return "end_of_gap";
        case PreviewReason::first_pass: return "first_pass";
        case PreviewReason::second_pass: return "second_pass";
        case PreviewReason::lost_in_gap: return "lost_in_gap";
    }
    std::abort();
}

std::vector<PreviewLine> preview(const CronSpec& spec, const ZoneOffsets& zone, core::Instant after, std::size_t count) {
    std::vector<PreviewLine> lines;
    for (std::size_t fires = 0; fires < count; ++fires) {
        const auto at = spec.next(after, zone);
        if (!at) break;
        const auto until = core::to_us(*at) / kMicros;
        for (auto place = zone.span_at(core::to_us(after) / kMicros) + 1; place < zone.spans().size(); ++place) {
            const auto& span = zone.spans()[place];
            if (span.begin > until) break;
            const auto nominal = nominal_in_gap(spec, span);
            if (nominal != CronSpec::kNever && !spec.fills(span)) lines.push_back(lost(spec, span, nominal));
        }
        lines.push_back(fire(spec, zone, *at));
        after = *at;
    }
    return lines;
}

std::string format_local(core::Instant at, std::int32_t offset_seconds) {
    auto text = format_utc(at + std::chrono::seconds{offset_seconds});
    text.pop_back();
    const auto east = std::abs(offset_seconds);
    text += fmt::format("{}{:02}:{:02}", offset_seconds < 0 ? '-' : '+', east / 3600, east / 60 % 60);
    if (east % 60 != 0) text += fmt::format(":{:02}", east % 60);
    return text;
}

}  // namespace varde::time
