#include "made_up_home.hpp"
#include "rule_bench.hpp"

#include <random>

using namespace varde;
using namespace varde::property;

namespace {

const core::Scope kOwn{"org", "home", "subject"};

/// Homes that differ from it in one part of the scope only.
const std::array kOthers{core::Scope{"org", "home2", "subject"}, core::Scope{"org2", "home", "subject"},
                         core::Scope{"org", "home", "subject2"}, core::Scope{"home", "org", "subject"}};

void expect_same(Params params, const RuleBench& bench, const std::vector<core::Verdict>& wanted,
                 const std::vector<core::Verdict>& got) {
    RC_ASSERT(wanted.size() == bench.rules().size());
    RC_ASSERT(wanted.size() == got.size());
    std::size_t i = 0;
    for (const auto& [rule, spec] : bench.rules()) {
        RC_LOG() << rule << ", " << name_of(params) << "\n";
        RC_ASSERT(std::holds_alternative<core::Completed>(wanted[i]));
        RC_ASSERT(answer_text(wanted[i]) == answer_text(got[i]));
        ++i;
    }
}

void count(SpokenCount& spoken, Params params, const RuleBench& bench, const std::vector<core::Verdict>& verdicts) {
    std::size_t i = 0;
    for (const auto& [rule, spec] : bench.rules()) spoken.add(params, rule, verdicts.at(i++));
}

}  // namespace

// Each home has a bench of its own: what an earlier one left behind must not decide whether a failure can be made again.

TEST_CASE("the events of other homes change nothing, whether they came before, after or between a home's own") {
    SpokenCount spoken;
    CHECK(rc::check("other homes' events", [&] {
        const Home home = *any_home(), other = *any_home();
        const auto scope = *rc::gen::elementOf(kOthers);
        const auto own = events_of(home), theirs = events_of(other);  // the ids are the same in both
        for (const Params params : kBothParams) {
            RuleBench alone{params}, beside{params};
            alone.store(own, kOwn);
            const auto wanted = alone.judge_stored(home.until, kOwn);
            count(spoken, params, alone, wanted);
            alone.store(theirs, scope);
            expect_same(params, alone, wanted, alone.judge_stored(home.until, kOwn));
            for (std::size_t i = 0; i < std::max(own.size(), theirs.size()); ++i) {
                if (i < theirs.size()) beside.store({theirs[i]}, scope);
                if (i < own.size()) beside.store({own[i]}, kOwn);
            }
            expect_same(params, alone, wanted, beside.judge_stored(home.until, kOwn));
        }
    }));
    spoken.check();
}

TEST_CASE("the order in which events of different instants come in changes nothing, nor what was asked meanwhile") {
    SpokenCount spoken;
    CHECK(rc::check("any order of arrival", [&] {
        const Home home = *any_home();
        const auto events = distinct_events_of(home);
        auto shuffled = events;
        std::ranges::shuffle(shuffled, std::mt19937{*rc::gen::arbitrary<std::uint32_t>()});
        const auto batch = *rc::gen::inRange<std::size_t>(1, 20);
        for (const Params params : kBothParams) {
            RuleBench in_time{params}, late{params};
            in_time.store(events, kOwn);
            const auto wanted = in_time.judge_stored(home.until, kOwn);
            count(spoken, params, in_time, wanted);
            auto got = late.judge_stored(home.until, kOwn);
            for (std::size_t i = 0; i < shuffled.size(); i += batch) {
                const auto end = std::min(i + batch, shuffled.size());
                late.store(std::vector(shuffled.data() + i, shuffled.data() + end), kOwn);
                got = late.judge_stored(home.until, kOwn);  // answers that still hold are carried over
            }
            expect_same(params, in_time, wanted, got);
        }
    }));
    spoken.check();
}

TEST_CASE("events that are given, in any order, get the answer that stored ones get") {
    CHECK(rc::check("given or stored", [&] {
        const Home home = *any_home();
        const auto events = distinct_events_of(home);
        auto shuffled = events;
        std::ranges::shuffle(shuffled, std::mt19937{*rc::gen::arbitrary<std::uint32_t>()});
        for (const Params params : kBothParams) {
            RuleBench bench{params};
            bench.store(events, {});
            std::vector<core::Verdict> got;
            for (const auto& [rule, spec] : bench.rules()) {
                got.push_back(bench.judge_given(rule, home.until, shuffled));
                if (auto* answer = std::get_if<core::Completed>(&got.back())) answer->steps.clear();
            }
            expect_same(params, bench, bench.judge_stored(home.until, {}), got);
        }
    }));
}
