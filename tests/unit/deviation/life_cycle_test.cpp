#include "deviation/life_cycle.hpp"

#include <doctest/doctest.h>
#include <array>

using namespace varde;
using core::Deviation;
using core::DeviationStatus;
using core::instant_from_us;
using deviation::Acknowledgement;

namespace {

constexpr core::Instant kNoon = instant_from_us(1'768'478'400'000'000);
constexpr std::chrono::microseconds kMicrosecond{1};

core::Finding finding(core::Severity severity, const char* title) {
    core::Finding finding;
    finding.severity = severity;
    finding.title = title;
    return finding;
}

Deviation row(DeviationStatus status) {
    auto row = deviation::open("R-001", {"org", "home", "ola"}, "default", finding(core::Severity::medium, "first"), 3, kNoon);
    row.deviation_id = 17;
    row.status = status;
    if (status == DeviationStatus::ack) row.ack_by = "kari";
    if (status == DeviationStatus::closed) row.closed_at = kNoon, row.close_reason = "stale";
    return row;
}

/// Why the change is refused; empty if it is not.
std::string refusal(const core::Result<Deviation>& result) {
    if (result) return "";
    CHECK(result.error().code == core::Errc::conflict);
    return result.error().context;
}

}  // namespace

TEST_CASE("a new deviation is open, starts now and was seen now") {
    const auto opened = deviation::open("R-001", {"org", "home", "ola"}, "front", finding(core::Severity::high, "t"), 2, kNoon);
    CHECK(opened.deviation_id == 0);
    CHECK(opened.rule_id == "R-001");
    CHECK(opened.scope.subject_id == "ola");
    CHECK(opened.subject_key == "front");
    CHECK(opened.status == DeviationStatus::open);
    CHECK(opened.started_at == kNoon);
    CHECK(opened.last_seen_at == kNoon);
    CHECK(opened.episode == 2);
    CHECK(opened.finding.severity == core::Severity::high);
    CHECK_FALSE(opened.closed_at.has_value());
}

TEST_CASE("seen again: the finding and the time are new; id, status, start and episode stay") {
    for (const auto status : {DeviationStatus::open, DeviationStatus::ack}) {
        const auto seen =
            deviation::seen_again(row(status), finding(core::Severity::critical, "second"), kNoon + std::chrono::hours{1});
        CHECK(seen.deviation_id == 17);
        CHECK(seen.status == status);
        CHECK(seen.started_at == kNoon);
        CHECK(seen.episode == 3);
        CHECK(seen.last_seen_at == kNoon + std::chrono::hours{1});
        CHECK(seen.finding.severity == core::Severity::critical);
        CHECK(seen.finding.title == "second");
    }
}

TEST_CASE("an acknowledgement with an end lapses when the deviation is seen at or after it, not before") {
    auto acknowledged = row(DeviationStatus::ack);
    acknowledged.ack_until = kNoon + std::chrono::hours{1};
    const auto before = deviation::seen_again(acknowledged, {}, kNoon + std::chrono::hours{1} - kMicrosecond);
    CHECK(before.status == DeviationStatus::ack);
    CHECK(before.ack_until.has_value());
    const auto at_end = deviation::seen_again(acknowledged, {}, kNoon + std::chrono::hours{1});
    CHECK(at_end.status == DeviationStatus::open);
    CHECK_FALSE(at_end.ack_until.has_value());
    CHECK(at_end.started_at == kNoon);
}

TEST_CASE("a deviation is stale strictly after expire_after") {
    const auto last = row(DeviationStatus::open);
    const std::chrono::minutes expire{180};
    CHECK_FALSE(deviation::is_stale(last, expire, kNoon));
    CHECK_FALSE(deviation::is_stale(last, expire, kNoon + expire));
    CHECK(deviation::is_stale(last, expire, kNoon + expire + kMicrosecond));
    CHECK_FALSE(deviation::is_stale(last, expire, kNoon - std::chrono::hours{24}));
}

TEST_CASE("closing keeps what was known and adds when and why") {
    const auto closed = deviation::close(row(DeviationStatus::ack), "stale", kNoon + std::chrono::hours{9});
    CHECK(closed.status == DeviationStatus::closed);
    CHECK(closed.closed_at == kNoon + std::chrono::hours{9});
    CHECK(closed.close_reason == "stale");
    CHECK(closed.ack_by == "kari");
    CHECK(closed.last_seen_at == kNoon);
    CHECK(closed.finding.title == "first");
}

TEST_CASE("an acknowledgement carries who, why and until when") {
    const auto acknowledged =
        deviation::acknowledge(row(DeviationStatus::open), {"ola", "on my way", kNoon + std::chrono::hours{2}});
    REQUIRE(acknowledged.has_value());
    CHECK(acknowledged->status == DeviationStatus::ack);
    CHECK(acknowledged->ack_by == "ola");
    CHECK(acknowledged->ack_comment == "on my way");
    CHECK(acknowledged->ack_until == kNoon + std::chrono::hours{2});
    CHECK(acknowledged->last_seen_at == kNoon);
}

TEST_CASE("every change of status is allowed or refused as the life cycle says") {
    using S = DeviationStatus;
    struct Case {
        S from;
        S to;
        bool allowed;
    };
    constexpr std::array<Case, 9> kCases{{{S::open, S::open, true},
                                          {S::open, S::ack, true},
                                          {S::open, S::closed, true},
                                          {S::ack, S::open, false},
                                          {S::ack, S::ack, true},
                                          {S::ack, S::closed, true},
                                          {S::closed, S::open, false},
                                          {S::closed, S::ack, false},
                                          {S::closed, S::closed, true}}};
    for (const auto& one : kCases) {
        CAPTURE(core::name_of(one.from));
        CAPTURE(core::name_of(one.to));
        const auto changed = deviation::change_status(row(one.from), one.to, {.by = "ola", .comment = "", .until = {}}, kNoon);
        CHECK(changed.has_value() == one.allowed);
        if (changed) CHECK(changed->status == one.to);
        if (!changed) CHECK_FALSE(refusal(changed).empty());
    }
}

TEST_CASE("setting the status a deviation has changes nothing, not even who acknowledged or why it was closed") {
    const Acknowledgement other{"somebody else", "again", {}};
    CHECK(deviation::change_status(row(DeviationStatus::ack), DeviationStatus::ack, other, kNoon)->ack_by == "kari");
    const auto closed =
        deviation::change_status(row(DeviationStatus::closed), DeviationStatus::closed, other, kNoon + std::chrono::hours{1});
    CHECK(closed->close_reason == "stale");
    CHECK(closed->closed_at == kNoon);
}

TEST_CASE("an operator's close says so") {
    const auto closed = deviation::change_status(row(DeviationStatus::open), DeviationStatus::closed, {}, kNoon);
    CHECK(closed->close_reason == "operator");
    CHECK(closed->closed_at == kNoon);
}

TEST_CASE("refusals name the deviation and its status") {
    CHECK(refusal(deviation::acknowledge(row(DeviationStatus::closed), {})) ==
          "deviation 17 is CLOSED and cannot be acknowledged; only OPEN ones can");
    CHECK(refusal(deviation::acknowledge(row(DeviationStatus::ack), {})) ==
          "deviation 17 is ACK and cannot be acknowledged; only OPEN ones can");
    CHECK(refusal(deviation::change_status(row(DeviationStatus::ack), DeviationStatus::open, {}, kNoon)) ==
          "deviation 17 is ACK; it cannot become OPEN again: a new episode is opened when the rule sees it again");
}
