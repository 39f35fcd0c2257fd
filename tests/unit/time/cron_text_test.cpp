#include "time/cron_fields.hpp"

#include <doctest/doctest.h>

#include <bit>
#include <string>

using namespace varde;
using time::CronDialect;

namespace {

time::CronFields fields_of(std::string_view text, std::string_view key = "") {
    return time::read_cron_fields(text, CronDialect::any, key).value();
}
std::string error_of(std::string_view text, CronDialect dialect = CronDialect::any) {
    const auto read = time::read_cron_fields(text, dialect, "");
    return read ? "" : read.error().context;
}
bool says(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

template <class... Values>
std::uint64_t bits(Values... values) {
    return ((std::uint64_t{1} << values) | ...);
}

}  // namespace

TEST_CASE("five fields are minute to weekday, six have the second first, seven the year last") {
    const auto five = fields_of("1 2 3 4 5");
    CHECK(five.seconds == bits(0));
    CHECK(five.minutes == bits(1));
    CHECK(five.hours == bits(2));
    CHECK(five.days == bits(3));
    CHECK(five.months == bits(4));
    CHECK(five.weekdays == bits(5));
    CHECK(five.any_year);
    CHECK(fields_of("9 1 2 3 4 5").seconds == bits(9));
    const auto seven = fields_of(" 9\t1 2 3 4 5  2030 ");
    CHECK_FALSE(seven.any_year);
    CHECK(seven.years.count() == 1);
    CHECK(seven.years[60]);
}

TEST_CASE("lists, ranges, steps and a/n give the values that they name") {
    CHECK(fields_of("5,7,7 * * * *").minutes == bits(5, 7));
    CHECK(fields_of("0 8-11 * * *").hours == bits(8, 9, 10, 11));
    CHECK(fields_of("0 */6 * * *").hours == bits(0, 6, 12, 18));
    CHECK(fields_of("0 20/2 * * *").hours == bits(20, 22));
    CHECK(fields_of("10-20/5,59 * * * *").minutes == bits(10, 15, 20, 59));
    CHECK(fields_of("? * * * *").minutes == (~std::uint64_t{0} >> 4));
}

TEST_CASE("ranges go over the end, as on a dial") {
    CHECK(fields_of("0 22-1 * * *").hours == bits(22, 23, 0, 1));
    CHECK(fields_of("57-5/3 * * * *").minutes == bits(57, 0, 3));
    CHECK(fields_of("0 0 * nov-feb *").months == bits(11, 12, 1, 2));
    CHECK(fields_of("0 0 * * fri-mon").weekdays == bits(5, 6, 0, 1));
    CHECK(fields_of("0 0 * * thu-tue/2").weekdays == bits(4, 6, 1));
}

TEST_CASE("0 and 7 are Sunday wherever they stand, and names may be in any case") {
    for (const auto* text : {"0", "7", "sun", "SUN", "Sun-Sun", "7-7", "0,7"}) {
        CHECK_MESSAGE(fields_of(std::string{"0 0 * * "} + text).weekdays == bits(0), text);
    }
    CHECK(fields_of("0 0 * * 0-7").weekdays == 0x7f);
    CHECK(fields_of("0 0 * * 7-2").weekdays == bits(0, 1, 2));
    CHECK(fields_of("0 0 * * 5-7").weekdays == bits(5, 6, 0));
    CHECK(fields_of("0 0 * jAn *").months == bits(1));
}

TEST_CASE("L, L-n, nL, LW, L-nW and nW are days of the month; dL and d#n weekdays") {
    const auto days = fields_of("0 0 L,L-2,LW,l-1w,15W,30L,7 * *");
    CHECK(days.days_before_last == bits(0, 2));
    CHECK(days.weekday_nearest_before_last == bits(0, 1));
    CHECK(days.weekday_nearest == bits(15));
    CHECK(days.days_or_last == bits(30));
    CHECK(days.days == bits(7));
    const auto weekdays = fields_of("0 0 * * FRIL,7l,mon#2,1#4,3");
    CHECK(weekdays.last_weekdays == bits(5, 0));
    CHECK(weekdays.weekday_in_month[1] == bits(2, 4));
    CHECK(weekdays.weekdays == bits(3));
}

TEST_CASE("only exactly * or ? leaves a day field or the hour unrestricted") {
    CHECK(fields_of("0 0 * * ?").any_day);
    CHECK(fields_of("0 0 * * ?").any_weekday);
    CHECK_FALSE(fields_of("0 0 */2 * *").any_day);
    CHECK_FALSE(fields_of("0 0 * * *,1").any_weekday);
    CHECK(fields_of("0 * * * *").any_hour);
    CHECK_FALSE(fields_of("0 */1 * * *").any_hour);
}

TEST_CASE("plain values and lists of the time of day do not repeat, everything else does") {
    for (const auto* text : {"0 1 * * *", "0,30 1,2 */2 1-5 *", "5 0 1 * * *", "H H * * *", "H(0-9) 1 * * *"}) {
        CHECK_MESSAGE(!fields_of(text).repeats_in_day, text);
    }
    for (const auto* text : {"* 1 * * *", "0 1-2 * * *", "0/30 1 * * *", "0 ? * * *", "*/5 0 1 * * *", "H/30 1 * * *"}) {
        CHECK_MESSAGE(fields_of(text).repeats_in_day, text);
    }
}

TEST_CASE("macros stand for their expressions") {
    CHECK(fields_of("@daily").hours == bits(0));
    CHECK(fields_of(" @HOURLY ").minutes == bits(0));
    CHECK(fields_of("@yearly").months == bits(1));
    CHECK(fields_of("@weekly").weekdays == bits(0));
    CHECK(fields_of("@every_second").seconds == (~std::uint64_t{0} >> 4));
    for (const auto* text : {"@", "@dai", "@reboot", "@yearly !", "@everysecond"}) CHECK_MESSAGE(!error_of(text).empty(), text);
}

TEST_CASE("H is a value that only the key and the field decide") {
    const auto one = fields_of("H H H H H", "schedule-1");
    CHECK(one.minutes == fields_of("H H H H H", "schedule-1").minutes);
    CHECK(std::popcount(one.minutes) == 1);
    CHECK(one.days <= bits(28));
    CHECK(one.months >= bits(1));
    int differ = 0;
    for (int i = 0; i < 20; ++i) differ += fields_of("H * * * *", "key" + std::to_string(i)).minutes != one.minutes ? 1 : 0;
    CHECK(differ >= 15);
    CHECK(std::popcount(fields_of("H/15 * * * *", "a").minutes) == 4);
    CHECK((fields_of("H(10-12) * * * *", "a").minutes & ~bits(10, 11, 12)) == 0);
    CHECK(std::popcount(fields_of("H(10-19)/5 * * * *", "a").minutes) == 2);
    // These values are promised: another release must not move anybody's schedule.
    CHECK(fields_of("H H * * *", "schedule-1").minutes == bits(18));
    CHECK(fields_of("H H * * *", "schedule-1").hours == bits(14));
}

TEST_CASE("an error names the field, the text and what is allowed") {
    const auto hour = error_of("0 24 * * *");
    CHECK(says(hour, "cron field hour: \"24\" is not allowed"));
    CHECK(says(hour, "0-23"));
    CHECK(says(error_of("0 0 * * mon,xyz"), "cron field day of week: \"xyz\""));
    CHECK(says(error_of("0 0 * * 8"), "0-7"));
    CHECK(says(error_of("61 * * * * *"), "cron field second: \"61\""));
    CHECK(says(error_of("* * *"), "the expression has 3 fields; allowed are 5"));
    CHECK(says(error_of("* * * * *", CronDialect::seconds6), "the expression has 5 fields; allowed are 6"));
    CHECK(says(error_of("@dayly"), "\"@dayly\" is no macro"));
    CHECK(says(error_of("@daily", CronDialect::minutes5), "fields"));
    CHECK(says(error_of(std::string(1025, '*')), "longer than 1024"));
}

TEST_CASE("what is not quite right is refused") {
    for (const auto* text : {"",
                             "-1 * * * *",
                             "1- * * * *",
                             "1-2-3 * * * *",
                             "1,,2 * * * *",
                             "1, * * * *",
                             "*/0 * * * *",
                             "*/60 * * * *",
                             "*/ * * * *",
                             "*1 * * * *",
                             "+1 * * * *",
                             "1/2/3 * * * *",
                             "0x1 * * * *",
                             "99999 * * * *",
                             "* L * * *",
                             "* * L-31 * *",
                             "* * 1LW * *",
                             "* * 1-2W * *",
                             "* * W * *",
                             "* * 32 * *",
                             "* * 0 * *",
                             "* * * 13 *",
                             "* * * 0 *",
                             "* * * * L",
                             "* * * * 2W",
                             "* * * * 1#6",
                             "* * * * 1#0",
                             "* * * * sun#050",
                             "* * * * MON-FRI#1",
                             "* * * * MON-FRIL",
                             "* * * * sunday",
                             "* * * mon *",
                             "* * +1 * *",
                             "0 0 0 1 1 * 1969",
                             "0 0 0 1 1 * 2200",
                             "0 0 0 1 1 * 2030-2020",
                             "H(5-3) * * * *",
                             "H(5) * * * *",
                             "H/61 * * * *",
                             "Hx * * * *"}) {
        CHECK_MESSAGE(!error_of(text).empty(), text);
    }
}
