#include "schedule/calendar_desk.hpp"

#include "calendar_fixture.hpp"
#include "fakes/log_sink.hpp"

#include <doctest/doctest.h>

using namespace varde;
using core::Calendar;
using core::Errc;

namespace {

/// One calendar, and one schedule that uses it.
class OneCalendar final : public ports::CalendarRepository {
  public:
    core::Schedule user = due::without(due::cron("0 9 24 * *"), {due::holidays()}, core::CalendarRoll::next);
    std::optional<Calendar> row;

    core::Result<Calendar> put(const Calendar& calendar, std::optional<std::int64_t> only, const Recompute& recompute) override {
        if (only && (!row || row->version != *only)) return core::fail(Errc::conflict, "another version");
        const auto version = row ? row->version + 1 : 1;
        row = calendar;
        row->version = version;
        recompute(user, {std::make_shared<const Calendar>(*row)});
        return *row;
    }
    core::Result<void> remove(const std::string&, const std::string&, std::optional<std::int64_t>) override {
        if (!row) return core::fail(Errc::not_found, "none");
        row.reset();
        return {};
    }
    core::Result<Calendar> find(const std::string&, const std::string&) override {
        if (!row) return core::fail(Errc::not_found, "none");
        return *row;
    }
    core::Result<std::vector<Calendar>> list(const std::string&) override {
        return row ? std::vector{*row} : std::vector<Calendar>{};
    }
    core::Result<core::Calendars> of(const core::Schedule&) override { return core::Calendars{}; }
};

}  // namespace

TEST_CASE("a calendar that is put moves cursors by the clock's now, is logged once, and wakes the dispatcher") {
    OneCalendar rows;
    rows.user.next_at = due::at("2026-12-24T09:00:00Z");
    const time::ManualClock clock{due::at("2026-12-01T00:00:00Z")};
    fakes::LogSink log;
    int changes = 0;
    schedule::CalendarDesk desk{rows, clock, log, [&] { ++changes; }};
    const auto put = desk.put(*due::holidays(), {}, "ann").value();
    CHECK(put.created_at == clock.now());
    CHECK(put.updated_at == clock.now());
    CHECK(rows.user.next_at == due::at("2026-12-26T09:00:00Z"));
    CHECK(changes == 1);
    CHECK(log.count("calendar_changed") == 1);
    CHECK(desk.find("holidays", "default").value() == put);
    CHECK(desk.list("default")->size() == 1);
}

TEST_CASE("what is refused is not logged, and wakes nobody") {
    OneCalendar rows;
    const time::ManualClock clock{due::at("2026-12-01T00:00:00Z")};
    fakes::LogSink log;
    int changes = 0;
    schedule::CalendarDesk desk{rows, clock, log, [&] { ++changes; }};
    CHECK(desk.put(*due::holidays(), 3, "ann").error().code == Errc::conflict);
    CHECK(desk.remove("holidays", "default", {}, "ann").error().code == Errc::not_found);
    CHECK(changes == 0);
    CHECK(log.count("calendar_changed") == 0);
    REQUIRE(desk.put(*due::holidays(), {}, "ann").has_value());
    CHECK(desk.remove("holidays", "default", {}, "ann").has_value());
    CHECK(changes == 2);
    CHECK(log.count("calendar_changed") == 2);
}
