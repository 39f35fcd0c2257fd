#pragma once
#include "time/cron.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace varde::time {

enum class PreviewReason : std::uint8_t {
    natural,      ///< the clock shows a nominal time
    end_of_gap,   ///< the nominal time does not exist; fires at the first instant after the gap
    first_pass,   ///< the nominal time comes twice; this is the first
    second_pass,  ///< the nominal time comes twice; this is the second
    lost_in_gap,  ///< the nominal time does not exist and nothing takes its place: no fire
};

[[nodiscard]] std::string_view name_of(PreviewReason reason);

struct PreviewLine {
    core::Instant at;  ///< of a lost time: the first instant after the gap
    std::int32_t offset_seconds;
    PreviewReason reason;
    std::string text;  ///< a sentence; empty if natural

    [[nodiscard]] bool fires() const { return reason != PreviewReason::lost_in_gap; }
};

/// The next `count` fires after an instant, and between them every nominal time that is lost in a gap (one line a gap). Fewer if
/// nothing more is due.
[[nodiscard]] std::vector<PreviewLine> preview(const CronSpec& spec, const ZoneOffsets& zone, core::Instant after,
                                               std::size_t count);

/// 2026-01-15T13:00:00+01:00, with six decimals only when they are not zero and seconds of the offset only if it has any.
[[nodiscard]] std::string format_local(core::Instant at, std::int32_t offset_seconds);

}  // namespace varde::time
