#include "hostile/engine_fixture.hpp"

#include <algorithm>

using namespace hostile;
using core::FailureReason;
using core::Phase;

// Attacks that do not end their rule: it is told no, or nothing comes of it, and its own answer says what it saw.

namespace {

std::string title_of(const core::Verdict& verdict) {
    const auto answer = completed(verdict);
    REQUIRE(answer.findings.size() == 1);
    return answer.findings[0].title;
}

std::optional<core::Failed> configure(Bench& bench, const std::string& fixture, std::string params) {
    auto one = spec(fixture);
    one.params = std::move(params);
    std::vector<ports::RuleSpec> specs{std::move(one)};
    auto failures = bench.engine.configure(std::move(specs));
    REQUIRE(bench.engine.catch_up(kNow).has_value());
    return failures[0];
}

}  // namespace

TEST_CASE("a rule that asks for what it may not have is told no, and its answer counts") {
    const struct {
        const char* fixture;
        const char* title;
    } cases[] = {{"grabs_files", "refused"},
                 {"reads_environment", "nothing found"},
                 {"unprotects_window", "refused"},
                 {"maps_executable", "refused"},
                 {"interposes", "interposed"},
                 {"crashes_at_exit", "still here"},
                 {"injects_log", R"(","event":"forged_event","x":")"}};
    ::setenv("DATABASE_URL", "postgresql://secret", 1);
    for (const auto& one : cases) {
        CAPTURE(std::string{one.fixture});
        Bench bench;
        CHECK_FALSE(bench.use({one.fixture})[0].has_value());
        CHECK(title_of(bench.judge({last_hour(one.fixture)})[0]) == one.title);
        CHECK(title_of(bench.judge({last_hour(one.fixture)})[0]) == one.title);
    }
    ::unsetenv("DATABASE_URL");
}

TEST_CASE("files of the host can be neither read nor written, whatever path a rule is given") {
    const auto folder = std::filesystem::temp_directory_path() / ("varde-refusals-" + std::to_string(::getpid()));
    std::filesystem::create_directory(folder);
    std::filesystem::permissions(folder, std::filesystem::perms::all);
    const auto file = folder / "rules.yaml";
    std::ofstream{file} << "untouched";
    std::filesystem::permissions(file, std::filesystem::perms::all);
    for (const char* fixture : {"reads_files", "writes_files"}) {
        for (const auto& path : {folder, file}) {
            CAPTURE(std::string{fixture});
            CAPTURE(path.string());
            Bench bench;
            CHECK_FALSE(configure(bench, fixture, R"({"path":")" + path.string() + "\"}").has_value());
            CHECK(title_of(bench.judge({last_hour(fixture)})[0]) == "refused");
        }
    }
    std::string text;
    std::ifstream{file} >> text;
    CHECK(text == "untouched");
    CHECK(std::distance(std::filesystem::directory_iterator{folder}, std::filesystem::directory_iterator{}) == 1);
    std::filesystem::remove_all(folder);
}

TEST_CASE("an exception ends one evaluation, not its worker") {
    for (const char* fixture : {"throws", "throws_int"}) {
        Bench bench;
        bench.use({fixture});
        const int worker = bench.engine.worker_pid(fixture);
        CHECK(failed(bench.judge({last_hour(fixture)})[0]).reason == FailureReason::exception_escaped);
        CHECK(bench.engine.worker_pid(fixture) == worker);
    }
}

TEST_CASE("an answer that goes on changing while it is read is one answer or none") {
    Bench bench;
    bench.use({"flips_answer", "healthy"});
    for (int run = 0; run < 2; ++run) {
        const auto verdicts = bench.judge({last_hour("flips_answer"), last_hour("healthy")});
        CHECK(completed(verdicts[1]).outcome == core::Outcome::met);
        if (const auto* failure = std::get_if<core::Failed>(&verdicts[0])) {
            INFO(failure->message);
            const auto reason = failure->reason;
            CHECK(
                (reason == FailureReason::protocol || reason == FailureReason::bad_result || reason == FailureReason::deadline));
            continue;
        }
        const auto title = title_of(verdicts[0]);
        CHECK(title.size() == 64);
        CHECK(std::ranges::all_of(title, [](char c) { return c == 'A' || c == 'B'; }));
    }
}

TEST_CASE("a rule that closes its channel loses its evaluation, and nothing waits longer than its deadline") {
    Bench bench;
    bench.use({"closes_channel", "healthy"});
    const auto began = std::chrono::steady_clock::now();
    const auto verdicts = bench.judge({last_hour("closes_channel"), last_hour("healthy")});
    CHECK(std::chrono::steady_clock::now() - began < std::chrono::seconds{2});
    const auto reason = failed(verdicts[0]).reason;
    CHECK((reason == FailureReason::protocol || reason == FailureReason::deadline));
    CHECK(completed(verdicts[1]).outcome == core::Outcome::met);
}

TEST_CASE("files for another ABI are refused without a call, and the message names both versions") {
    const struct {
        const char* fixture;
        const char* needs;
    } cases[] = {{"abi_old", "0.0"}, {"abi_future", "1.1"}};
    for (const auto& one : cases) {
        const auto read = plugins::inspect(std::filesystem::path{VARDE_HOSTILE_DIR} / (std::string{one.fixture} + ".so"));
        REQUIRE_FALSE(read.has_value());
        INFO(read.error().message);
        CHECK(read.error().reason == FailureReason::abi_mismatch);
        CHECK(read.error().message.find(std::string{"needs rule ABI "} + one.needs) != std::string::npos);
        CHECK(read.error().message.find("this host has 1.0") != std::string::npos);
    }
}

TEST_CASE("a file with two notes is nobody's plugin") {
    const auto read = plugins::inspect(std::filesystem::path{VARDE_HOSTILE_DIR} / "two_entries.so");
    REQUIRE_FALSE(read.has_value());
    CHECK(read.error().reason == FailureReason::load_failed);
    CHECK(read.error().message.find("note") != std::string::npos);
}

TEST_CASE("a crash while an old instance is ended is no failure of the new one") {
    Bench bench;
    for (int i = 0; i < 20; ++i) {  // more than a worker keeps instances
        CAPTURE(i);
        const auto failure = configure(bench, "crashes_in_destroy", R"({"turn":)" + std::to_string(i) + "}");
        if (failure) FAIL_CHECK(core::name_of(failure->phase) << ": " << failure->message);
        const auto verdict = bench.judge({last_hour("crashes_in_destroy")})[0];
        CHECK(std::holds_alternative<core::Completed>(verdict));
    }
}

TEST_CASE("after a crash the next evaluation is answered, and how soon is printed") {
    auto best = std::chrono::nanoseconds::max();
    for (int i = 0; i < 5; ++i) {  // the machine may be busy with something else
        Bench bench;
        const core::Scope calm{"org", "home", "calm"};
        const std::vector events{event("e", std::chrono::seconds{10}, "off", calm)};
        REQUIRE(bench.log.append(events).has_value());
        bench.use({"sometimes_crashes"});
        bench.judge({last_hour("sometimes_crashes", calm)});
        CHECK(failed(bench.judge({last_hour("sometimes_crashes")})[0]).reason == FailureReason::segmentation_fault);
        const auto began = std::chrono::steady_clock::now();
        CHECK(completed(bench.judge({last_hour("sometimes_crashes", calm)})[0]).reason == "calm");
        best = std::min<std::chrono::nanoseconds>(best, std::chrono::steady_clock::now() - began);
    }
    MESSAGE("crash to next answer: " << best.count() / 1000 << " us");  // bench/isolation has the goal
}
