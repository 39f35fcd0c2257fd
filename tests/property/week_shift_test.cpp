#include "made_up_home.hpp"
#include "rule_bench.hpp"

using namespace varde;
using namespace varde::property;

namespace {

/// Whole weeks, up to twelve years away, that lead from January to a day of winter time: 52 weeks are a year less 1.24 days, so twelve
/// years drift by 15 days, and with five weeks more every home stays between the end of November and the middle of March. Whole weeks
/// between two days of one offset are the same in Oslo as in UTC; over a change of the clocks the answers may differ, and should.
rc::Gen<std::chrono::weeks> any_shift() {
    return rc::gen::apply([](int years, int weeks) { return std::chrono::weeks{52 * years + weeks}; }, rc::gen::inRange(-12, 13),
                          rc::gen::inRange(-5, 6));
}

}  // namespace

TEST_CASE("all times some whole weeks later: every rule gives the same answer, so much later") {
    RuleBench defaults{Params::defaults}, shipped{Params::shipped};
    SpokenCount spoken;
    CHECK(rc::check("whole weeks later", [&] {
        const Home home = *any_home();
        const std::chrono::weeks shift = *any_shift();
        const auto events = events_of(home);
        auto later = events;
        for (core::Event& event : later) event.time += shift, event.received_at += shift;
        for (const Params params : kBothParams) {
            RuleBench& bench = params == Params::defaults ? defaults : shipped;
            for (const auto& [rule, spec] : bench.rules()) {
                const auto before = bench.judge_given(rule, home.until, events);
                const auto after = bench.judge_given(rule, home.until + shift, later);
                spoken.add(params, rule, before);
                RC_LOG() << rule << ", " << name_of(params) << ", " << shift.count() << " weeks\n";
                RC_ASSERT(std::holds_alternative<core::Completed>(before));
                RC_ASSERT(answer_text(before) == answer_text(after, shift));
            }
        }
    }));
    spoken.check();
}
