#include "hostile/engine_fixture.hpp"

// New versions of a rule come into use while the engine runs: tried out, shown live windows, swapped in, taken back.
using namespace hostile;
using core::FailureReason;

namespace {

struct Running {
    fakes::EventLog log;
    fakes::LogSink sink;
    evaluate::EvaluationEngine engine;

    explicit Running(int shadow_windows = 3, std::uint64_t probation = 100)
        : engine{&log, settings(shadow_windows, probation), sink} {
        core::Event live = event("live-1", std::chrono::seconds{5}, "on");
        live.category = "live";
        REQUIRE(log.append(std::vector{live}).has_value());
    }
    static config::HostConfig::Isolation settings(int shadow_windows, std::uint64_t probation) {
        auto settings = Bench::settings();
        settings.shadow_windows = shadow_windows;
        settings.probation = probation;
        return settings;
    }
    void use(int version) {
        engine.configure({spec("versioned_" + std::to_string(version))});
        REQUIRE(engine.catch_up(kNow).has_value());
    }
    /// One run: which version answered.
    std::string tick() {
        REQUIRE(engine.catch_up(kNow).has_value());
        const auto verdicts = engine.evaluate(std::vector{last_hour("versioned")});
        REQUIRE(verdicts.has_value());
        const auto* failure = std::get_if<core::Failed>(&(*verdicts)[0]);
        return failure != nullptr ? std::string{core::name_of(failure->reason)} : completed((*verdicts)[0]).reason;
    }
    /// Until the trial of the candidate is over; without a run in between.
    void wait_for_trial() { hostile::wait_for_trial(engine); }
    [[nodiscard]] ports::RuleInUse in_use() const { return engine.in_use().at(0); }
};

}  // namespace

TEST_CASE("a new version is shown three live windows, then takes over between two runs") {
    Running rules;
    rules.use(1);
    CHECK(rules.tick() == "1");
    rules.use(2);
    CHECK(rules.tick() == "1");
    rules.wait_for_trial();
    CHECK(rules.in_use().sha256 == spec("versioned_1").plugin.sha256);
    for (int run = 0; run < 3; ++run) CHECK(rules.tick() == "1");
    CHECK(rules.tick() == "2");
    CHECK(rules.in_use().sha256 == spec("versioned_2").plugin.sha256);
    CHECK(rules.in_use().candidate_sha256.empty());
}

TEST_CASE("who asks after a run that took the result of a trial is told of it all the same, once") {
    Running rules;
    rules.use(1);
    rules.use(2);
    CHECK_FALSE(rules.engine.settle());
    REQUIRE(rules.engine.await_trial(std::chrono::seconds{20}));
    CHECK(rules.tick() == "1");
    CHECK(rules.engine.settle());
    CHECK_FALSE(rules.engine.settle());
}

TEST_CASE("without shadow windows a sound version takes over at once") {
    Running rules{0};
    rules.use(1);
    CHECK(rules.tick() == "1");
    rules.use(2);
    rules.wait_for_trial();
    CHECK(rules.tick() == "2");
}

TEST_CASE("a version that fails its trial never sees a live window") {
    Running rules;
    rules.use(1);
    rules.use(3);
    rules.wait_for_trial();
    const auto use = rules.in_use();
    CHECK(use.sha256 == spec("versioned_1").plugin.sha256);
    REQUIRE(use.candidate_failure.has_value());
    CHECK(use.candidate_failure->reason == FailureReason::selftest_failed);
    CHECK(use.candidate_failure->message.find("segmentation_fault") != std::string::npos);
    for (int run = 0; run < 5; ++run) CHECK(rules.tick() == "1");
    // Configured again with the same file it is not tried again.
    rules.use(3);
    CHECK(rules.in_use().candidate_failure.has_value());
}

TEST_CASE("a version that fails on a live window it is shown is turned down; the one in use answers all the while") {
    Running rules;
    rules.use(1);
    rules.use(4);
    rules.wait_for_trial();
    for (int run = 0; run < 5; ++run) CHECK(rules.tick() == "1");
    REQUIRE(rules.in_use().candidate_failure.has_value());
    CHECK(rules.in_use().candidate_failure->reason == FailureReason::segmentation_fault);
}

TEST_CASE("a version that fails on probation gives way to the one before; only the failed run is lost") {
    Running rules;
    rules.use(1);
    rules.use(5);
    rules.wait_for_trial();
    for (int run = 0; run < 3; ++run) CHECK(rules.tick() == "1");
    for (int run = 0; run < 2; ++run) CHECK(rules.tick() == "5");
    CHECK(rules.tick() == "segmentation_fault");
    for (int run = 0; run < 5; ++run) CHECK(rules.tick() == "1");
    CHECK(rules.sink.count("rule_rolled_back") == 1);
    CHECK(rules.in_use().candidate_failure->reason == FailureReason::segmentation_fault);
}

TEST_CASE("after its probation a failing version is only a failing rule") {
    Running rules{3, 2};
    rules.use(1);
    rules.use(5);
    rules.wait_for_trial();
    for (int run = 0; run < 3; ++run) CHECK(rules.tick() == "1");
    for (int run = 0; run < 2; ++run) CHECK(rules.tick() == "5");
    CHECK(rules.tick() == "segmentation_fault");
    CHECK(rules.tick() == "5");
    CHECK(rules.sink.count("rule_rolled_back") == 0);
}

TEST_CASE("a rule that is new in a running engine is tried out first; one that hangs there holds up nobody") {
    Running rules;
    rules.engine.configure({spec("versioned_1")});
    auto specs = std::vector{spec("versioned_1"), spec("hangs_at_load"), spec("healthy")};
    const auto begin = std::chrono::steady_clock::now();
    const auto failures = rules.engine.configure(specs);
    CHECK(std::chrono::steady_clock::now() - begin < Bench::settings().load_timeout);
    CHECK_FALSE(failures[0].has_value());
    CHECK(failures[1]->reason == FailureReason::not_loaded);
    CHECK(rules.tick() == "1");
    rules.wait_for_trial();
    rules.wait_for_trial();
    const auto use = rules.engine.in_use();
    REQUIRE(use[1].candidate_failure.has_value());
    CHECK(use[1].candidate_failure->reason == FailureReason::deadline);
    CHECK(use[2].sha256 == specs[2].plugin.sha256);
    REQUIRE(rules.engine.catch_up(kNow).has_value());
    CHECK(completed((*rules.engine.evaluate(std::vector{last_hour("healthy")}))[0]).outcome == core::Outcome::met);
}

TEST_CASE("putting the old file back ends the trial of the new one") {
    Running rules;
    rules.use(1);
    rules.use(2);
    rules.use(1);
    CHECK(rules.in_use().candidate_sha256.empty());
    for (int run = 0; run < 5; ++run) CHECK(rules.tick() == "1");
}
