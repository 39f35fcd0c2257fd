#include "evaluate/breaker.hpp"

#include <doctest/doctest.h>

#include <random>

using namespace varde;
using core::BreakerState;
using evaluate::Breaker;
using evaluate::FailureWeight;

TEST_CASE("whatever happens: nobody is asked too early, kept too long, or asked more often than there are probes") {
    for (unsigned seed = 1; seed <= 300; ++seed) {
        std::mt19937 random{seed};
        const auto pick = [&](unsigned below) { return static_cast<unsigned>(random() % below); };
        Breaker::Settings settings;
        settings.consecutive = 1 + pick(6);
        settings.within_window = 1 + pick(8);
        settings.window = std::chrono::seconds{1 + pick(900)};
        settings.first_back_off = std::chrono::seconds{1 + pick(20)};
        settings.max_back_off = std::chrono::seconds{1 + pick(400)};
        settings.probes = 1 + pick(5);
        Breaker breaker{settings, {}};
        const auto longest = std::chrono::microseconds{settings.max_back_off} * 12 / 10;
        core::Instant now = core::instant_from_us(1'768'478'400'000'000);
        for (int step = 0; step < 300; ++step) {
            now += std::chrono::milliseconds{pick(40'000)};
            const auto before = breaker.record();
            const auto turn = breaker.turn(now);
            if (evaluate::is_out(before.state) && before.state != BreakerState::probing && now < before.until) {
                REQUIRE(turn == Breaker::Turn::wait);
            } else {
                REQUIRE(turn != Breaker::Turn::wait);
            }
            REQUIRE((turn == Breaker::Turn::probe) == (breaker.record().state == BreakerState::probing));
            if (turn == Breaker::Turn::wait) continue;
            if (turn == Breaker::Turn::probe) {
                REQUIRE(breaker.probes_left() >= 1);
                REQUIRE(breaker.probes_left() <= settings.probes);
            }
            const unsigned what = pick(10);
            if (what < 4) {
                breaker.answered(now);
            } else {
                const auto weight = what < 7 ? FailureWeight::lost_worker : what < 9 ? FailureWeight::alive : FailureWeight::none;
                breaker.failed({weight, "deadline: late", "incident-1"}, now, std::generate_canonical<double, 32>(random));
            }
            const auto& record = breaker.record();
            REQUIRE(record.until <= now + longest);
            REQUIRE(record.recent.size() < settings.within_window);
            const bool fell = record.state == BreakerState::quarantined || record.state == BreakerState::probing;
            if (!fell) REQUIRE(record.consecutive < settings.consecutive);
            if (record.state == BreakerState::backing_off || record.state == BreakerState::quarantined) {
                REQUIRE_FALSE(record.reason.empty());
            }
            REQUIRE(record.level <= 20);
        }
        // And there is always a way back: sound answers alone.
        for (int step = 0; breaker.record().state != BreakerState::healthy; ++step) {
            REQUIRE(step < 1000);
            now += std::chrono::seconds{10};
            if (breaker.turn(now) != Breaker::Turn::wait) breaker.answered(now);
        }
    }
}
