#pragma once
#include "core/error.hpp"

#include <array>
#include <bitset>
#include <cstdint>
#include <string_view>

namespace varde::time {

/// How many fields an expression has to have. Field count decides if nothing else is asked.
enum class CronDialect : std::uint8_t {
    any,       ///< 5, 6 or 7 fields, or a macro
    minutes5,  ///< minute hour day month weekday
    seconds6,  ///< second minute hour day month weekday
    years7,    ///< second minute hour day month weekday year
    macro,     ///< @daily and the like
};

constexpr int kFirstCronYear = 1970;
constexpr int kLastCronYear = 2199;

/// What an expression says, field by field; bit n stands for the value n. Sunday is weekday 0.
struct CronFields {
    std::uint64_t seconds = 1;
    std::uint64_t minutes = 0;
    std::uint32_t hours = 0;
    std::uint32_t months = 0;                               ///< bits 1..12
    std::uint32_t days = 0;                                 ///< bits 1..31
    std::uint32_t days_before_last = 0;                     ///< L-n: bit n
    std::uint32_t days_or_last = 0;                         ///< nL: bit n
    std::uint32_t weekday_nearest = 0;                      ///< nW: bit n
    std::uint32_t weekday_nearest_before_last = 0;          ///< L-nW: bit n
    std::uint32_t weekdays = 0;                             ///< bits 0..6
    std::array<std::uint8_t, 7> weekday_in_month{};         ///< d#n: bit n of weekday d
    std::uint32_t last_weekdays = 0;                        ///< dL: bits 0..6
    std::bitset<kLastCronYear - kFirstCronYear + 1> years;  ///< bit 0 is 1970; all if the expression has no year
    bool any_day = false;                                   ///< the day field is exactly * or ?
    bool any_weekday = false;                               ///< the weekday field is exactly * or ?
    bool any_hour = false;                                  ///< the hour field is exactly * or ?
    bool any_year = true;                                   ///< no year field, or exactly * or ?
    bool repeats_in_day = false;                            ///< *, / or - in the second, minute or hour field
};

/// Reads an expression: names in any case, lists, ranges (also over the end, 22-6), steps, a/n, ?, L, L-n, nL, LW, nW, d#n, dL, H, macros.
/// `hash_key` decides what H stands for: the same key always gets the same values. Errc::invalid_argument names the field, the text and
/// what is allowed. Year 1970 to 2199.
[[nodiscard]] core::Result<CronFields> read_cron_fields(std::string_view text, CronDialect dialect, std::string_view hash_key);

}  // namespace varde::time
