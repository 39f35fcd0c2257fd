#include "app/cron_vectors.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace varde;

namespace {

/// What was said about one line, and the score after it.
struct Judged {
    nlohmann::ordered_json answer;
    std::string difference;
    app::CronScore score;
};

Judged judged(const std::string& line) {
    Judged result;
    auto verdict = app::judge_cron_vector(line, result.score).value();
    result.answer = std::move(verdict.answer);
    result.difference = std::move(verdict.difference);
    return result;
}

const std::string kDaily =
    R"({"id":"a","expr":"30 2 * * *","tz":"America/New_York","after":"2024-03-10T00:00:00-05:00","dialect":"unix5","promise":)";

}  // namespace

TEST_CASE("a line that promises the same as its source is compared with its source") {
    const auto equal = judged(kDaily + R"("same","expect_next":"2024-03-10T03:00:00-04:00"})");
    CHECK(equal.answer.dump() == R"({"id":"a","next":"2024-03-10T03:00:00-04:00"})");
    CHECK(equal.difference.empty());
    CHECK(equal.score.equal == 1);
    const auto different = judged(kDaily + R"("same","expect_next":"2024-03-10T03:30:00-04:00"})");
    CHECK(different.score.different == 1);
    CHECK(different.difference ==
          "a: \"30 2 * * *\" in America/New_York after 2024-03-10T00:00:00-05:00: promised 2024-03-10T03:30:00-04:00, answered "
          "2024-03-10T03:00:00-04:00");
}

TEST_CASE("a time as promise wins over the source") {
    const auto line = judged(kDaily + R"("2024-03-10T03:00:00-04:00","expect_next":"2024-03-11T02:30:00-04:00"})");
    CHECK(line.score.equal == 1);
}

TEST_CASE("errors, no answer, accepted and unsupported expressions are answers too") {
    CHECK(judged(R"({"id":"b","expr":"60 * * * *","error":true,"promise":"same","dialect":"unix5"})").score.equal == 1);
    CHECK(judged(R"({"id":"b","expr":"59 * * * *","error":true,"promise":"same","dialect":"unix5"})").score.different == 1);
    CHECK(judged(R"({"id":"b","expr":"22-6 * * * *","error":true,"promise":"accept","dialect":"unix5"})").score.equal == 1);
    CHECK(judged(R"({"id":"b","expr":"99 * * * *","error":true,"promise":"accept","dialect":"unix5"})").score.different == 1);
    const auto unsupported =
        judged(R"({"id":"b","expr":"0 0 * * FRI#L","promise":"unsupported","dialect":"unix5","expect_next":"x"})");
    CHECK(unsupported.score.equal == 1);
    CHECK(unsupported.answer.contains("error"));
    const auto none = judged(R"({"id":"b","expr":"0 0 30 2 *","none":true,"promise":"same","dialect":"unix5"})");
    CHECK(none.answer.dump() == R"({"id":"b","none":true})");
    CHECK(none.score.equal == 1);
}

TEST_CASE("the day fields are combined as the line says, and intervals are asked too") {
    const std::string day = R"({"id":"c","expr":"0 0 13 * FRI","after":"2026-02-14T00:00:00Z","dialect":"unix5","expect_next":)";
    CHECK(judged(day + R"("2026-02-20T00:00:00Z","domdow":"or"})").score.equal == 1);
    CHECK(judged(day + R"("2026-03-13T00:00:00Z","domdow":"and"})").score.equal == 1);
    const std::string every =
        R"({"id":"c","expr":"@every 90m","after":"2022-03-23T12:53:02Z","dialect":"interval-epoch","expect_next":)";
    CHECK(judged(every + R"("2022-03-23T13:30:00Z"})").score.equal == 1);
}

TEST_CASE("lines of other dialects are not asked, and the summary names them") {
    app::CronScore score;
    for (const auto* line : {R"({"id":"d","expr":"0 0 12 ? * 1","dialect":"quartz6","dow":"1-7 sun=1"})",
                             R"({"id":"d","expr":"0 0 * * 1","dialect":"unix5","dow":"1-7 sun=1"})",
                             R"({"id":"d","expr":"H * * * *","dialect":"unix5","impl_specific":true})"}) {
        const auto verdict = app::judge_cron_vector(line, score).value();
        CHECK(verdict.answer.contains("unsupported"));
        CHECK(verdict.difference.empty());
    }
    const auto summary = app::summary_of(score);
    CHECK(summary.starts_with("0 equal, 0 different\n1 not asked: dialect quartz6\n"));
    const bool names_hash = summary.find("1 not asked: values of another engine's hash (dialect unix5)\n") != std::string::npos;
    CHECK(names_hash);
    CHECK(summary.ends_with("1 not asked: weekdays numbered 1-7 from Sunday (dialect unix5)\n"));
}

TEST_CASE("a line that cannot be read is an error that says why") {
    app::CronScore score;
    for (const auto* line :
         {"", "[]", "{", R"({"dialect":"unix5"})", R"({"expr":"* * * * *","dialect":"unix5","tz":"Nowhere"})",
          R"({"expr":"* * * * *","dialect":"unix5","after":"soon"})", R"({"expr":"* * * * *","dialect":"unix5"})"}) {
        const auto verdict = app::judge_cron_vector(line, score);
        REQUIRE_MESSAGE(!verdict.has_value(), line);
        CHECK_FALSE(verdict.error().context.empty());
    }
    CHECK(score.equal + score.different == 0);
}
