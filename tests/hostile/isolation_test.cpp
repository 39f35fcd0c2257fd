#include "evaluate/post_mortem.hpp"
#include "evaluate/posture_probe.hpp"
#include "hostile/engine_fixture.hpp"
#include "wire/message.hpp"

#include <algorithm>

// What the sandbox is made of, what it leaves as evidence, and rules that share a worker.
using namespace hostile;
using core::FailureReason;

namespace {

ports::RuleSpec grouped(const std::string& fixture) {
    auto one = spec(fixture);
    one.group = "together";
    return one;
}

const core::Evidence& evidence_of(const core::Failed& failure) {
    REQUIRE(failure.evidence != nullptr);
    return *failure.evidence;
}

bool names_plugin(const core::Evidence& evidence, const std::string& module) {
    return std::ranges::any_of(evidence.frames, [&](const core::StackFrame& frame) { return frame.module == module; });
}

struct Folder {
    std::filesystem::path path = std::filesystem::temp_directory_path() / ("varde-bundles-" + std::to_string(::getpid()));
    Folder() = default;
    Folder(const Folder&) = delete;
    Folder& operator=(const Folder&) = delete;
    ~Folder() { std::filesystem::remove_all(path); }
};

}  // namespace

TEST_CASE("a crash says which plugin, where in it, with what it was asked") {
    Bench bench;
    bench.use({"segfaults"});
    const auto failure = failed(bench.judge({last_hour("segfaults")})[0]);
    const auto& evidence = evidence_of(failure);
    CHECK(evidence.path.ends_with("segfaults.so"));
    CHECK(evidence.version == "1.0.0");
    CHECK(evidence.sha256.size() == 64);
    CHECK(evidence.pid > 0);
    CHECK(evidence.incarnation == 1);
    CHECK(evidence.evaluation == 1);
    CHECK(evidence.address_class == "null");
    CHECK(evidence.address == 0x10);
    CHECK(evidence.events == 2);
    CHECK(evidence.first_seq == 1);
    CHECK(evidence.last_seq == 2);
    CHECK(evidence.window == core::Window{kNow - std::chrono::minutes{60}, kNow});
    REQUIRE(!evidence.frames.empty());
    CHECK(evidence.frames[0].module == "segfaults.so");
    CHECK(names_plugin(evidence, "varde-worker"));
}

TEST_CASE("functions are named later, by a worker that only reads the symbol table") {
    Bench bench;
    bench.use({"segfaults"});
    const auto failure = failed(bench.judge({last_hour("segfaults")})[0]);
    const auto frames = evaluate::symbolise(Bench::settings(), spec("segfaults").plugin, evidence_of(failure).frames, bench.sink);
    const std::string problem = frames ? "" : frames.error().context;
    REQUIRE(problem == "");
    const auto named = [&](const core::StackFrame& frame) { return frame.function.find("evaluate") != std::string::npos; };
    CHECK(std::ranges::any_of(*frames, named));
}

TEST_CASE("a rule that hangs leaves its stack; one that blocks signals is killed all the same, and that is said") {
    Bench bench;
    bench.use({"spins"});
    const auto failure = failed(bench.judge({last_hour("spins")})[0]);
    CHECK(failure.reason == FailureReason::deadline);
    const auto& evidence = evidence_of(failure);
    CHECK(names_plugin(evidence, "spins.so"));
    CHECK(evidence.limit == "timeout_ms");
    CHECK(evidence.limit_value == 300);
    CHECK(evidence.limit_measured >= 300);
    CHECK(evidence.cpu > std::chrono::milliseconds{100});
    CHECK(evidence.max_rss_bytes > (1u << 20));
    CHECK(evidence.max_rss_bytes < (32u << 20));
}

TEST_CASE("rules of a group share one worker; who ends it gets one of its own and the others go on") {
    Bench bench;
    const core::Scope calm{"org", "home", "calm"};
    REQUIRE(bench.log.append(std::vector{event("c", std::chrono::seconds{10}, "off", calm)}).has_value());
    std::vector<ports::RuleSpec> specs{grouped("healthy"), grouped("sometimes_crashes"), grouped("mirror")};
    specs[2].params = R"({"reads":[[0,0,0,1,0]]})";
    for (const auto& failure : bench.engine.configure(specs)) CHECK_FALSE(failure.has_value());
    REQUIRE(bench.engine.catch_up(kNow).has_value());
    const int together = bench.engine.worker_pid("healthy");
    CHECK(bench.engine.worker_pid("sometimes_crashes") == together);
    CHECK(bench.engine.worker_pid("mirror") == together);
    const auto verdicts = bench.judge({last_hour("sometimes_crashes"), last_hour("sometimes_crashes", calm), last_hour("mirror"),
                                       last_hour("healthy"), last_hour("healthy", calm)});
    CHECK(failed(verdicts[0]).reason == FailureReason::segmentation_fault);
    CHECK(completed(verdicts[1]).reason == "calm");
    CHECK(completed(verdicts[2]).findings.size() == 1);
    CHECK(completed(verdicts[3]).outcome == core::Outcome::met);
    CHECK(completed(verdicts[4]).outcome == core::Outcome::not_met);
    CHECK(bench.engine.worker_pid("healthy") == bench.engine.worker_pid("mirror"));
    CHECK(bench.engine.worker_pid("healthy") != bench.engine.worker_pid("sometimes_crashes"));
    CHECK(bench.sink.count("group_split") == 1);
    // It stays apart, also when the rules are configured again.
    bench.engine.configure(specs);
    REQUIRE(bench.engine.catch_up(kNow).has_value());
    CHECK(bench.engine.worker_pid("healthy") != bench.engine.worker_pid("sometimes_crashes"));
    CHECK(completed(bench.judge({last_hour("sometimes_crashes", calm)})[0]).reason == "calm");
}

TEST_CASE("a member that cannot be loaded takes nobody of its group with it") {
    for (const char* broken : {"crashes_at_load", "hangs_at_load", "lying_note"}) {
        CAPTURE(std::string{broken});
        Bench bench;
        const auto failures = bench.engine.configure({grouped("healthy"), grouped(broken)});
        CHECK_FALSE(failures[0].has_value());
        CHECK(failures[1].has_value());
        REQUIRE(bench.engine.catch_up(kNow).has_value());
        CHECK(completed(bench.judge({last_hour("healthy")})[0]).outcome == core::Outcome::met);
    }
}

TEST_CASE("a worker that grows is replaced by a fresh one before it fails") {
    auto settings = Bench::settings();
    settings.max_growth_mb = 8;
    Bench bench{settings};
    bench.use({"leaks"});
    const int first = bench.engine.worker_pid("leaks");
    for (int run = 0; run < 200; ++run) CHECK(completed(bench.judge({last_hour("leaks")})[0]).outcome == core::Outcome::not_met);
    CHECK(bench.engine.worker_pid("leaks") != first);
    CHECK(bench.sink.count("worker_recycled") >= 1);
}

TEST_CASE("a worker is replaced after max_evaluations, and nobody notices") {
    auto settings = Bench::settings();
    settings.max_evaluations = 10;
    Bench bench{settings};
    bench.use({"healthy"});
    for (int run = 0; run < 35; ++run) CHECK(completed(bench.judge({last_hour("healthy")})[0]).outcome == core::Outcome::met);
    CHECK(bench.sink.count("worker_recycled") == 3);
}

TEST_CASE("each optional layer can be missing, and rules run without it") {
    for (const std::vector<std::string>& without : {std::vector<std::string>{},
                                                    {"landlock"},
                                                    {"namespaces"},
                                                    {"own_user"},
                                                    {"own_user", "namespaces", "landlock", "cgroup"}}) {
        auto settings = Bench::settings();
        settings.without = without;
        Bench bench{settings};
        for (const auto& failure : bench.use({"healthy", "connects", "opens_file"})) CHECK_FALSE(failure.has_value());
        const auto verdicts = bench.judge({last_hour("healthy"), last_hour("connects"), last_hour("opens_file")});
        CHECK(completed(verdicts[0]).outcome == core::Outcome::met);
        CHECK(failed(verdicts[1]).reason == FailureReason::violation);
        CHECK(completed(verdicts[2]).reason == "refused");
        const std::uint32_t posture = bench.engine.posture("healthy");
        for (const std::string& layer : without) {
            CAPTURE(layer);
            if (layer == "landlock") CHECK((posture & wire::posture_landlock_files) == 0);
            if (layer == "namespaces") CHECK((posture & wire::posture_namespaces) == 0);
            if (layer == "own_user") CHECK((posture & wire::posture_own_user) == 0);
        }
        CHECK((posture & wire::posture_seccomp) != 0);
    }
}

TEST_CASE("without a layer that is required no rule runs") {
    auto settings = Bench::settings();
    settings.require = {"landlock"};
    settings.without = {"landlock"};
    fakes::LogSink sink;
    evaluate::EvaluationEngine engine{nullptr, settings, sink};
    const auto failures = engine.configure({spec("healthy")});
    REQUIRE(failures[0].has_value());
    CHECK(failures[0]->reason == FailureReason::spawn_failed);
    CHECK(failures[0]->message.find("isolation.require") != std::string::npos);
}

TEST_CASE("a failed evaluation can be made again from its bundle") {
    const Folder folder;
    config::HostConfig::Incidents incidents;
    incidents.bundles = folder.path;
    evaluate::ReplayStore replays{incidents};
    Bench bench;
    bench.engine.keep_replays_in(replays);
    bench.use({"sometimes_crashes", "healthy"});
    const auto verdicts = bench.judge({last_hour("sometimes_crashes"), last_hour("healthy")});
    const auto first = failed(verdicts[0]);
    REQUIRE(!evidence_of(first).bundle.empty());
    const auto stored = evaluate::read_replay(evidence_of(first).bundle);
    REQUIRE(stored.has_value());
    CHECK(stored->bundle.rule_id == "sometimes_crashes");
    CHECK(stored->bundle.event_ids == std::vector<std::string>{"e-1", "e-2"});
    const auto plugin = plugins::inspect(stored->plugin);
    REQUIRE(plugin.has_value());
    CHECK(plugin->sha256 == stored->bundle.sha256);
    const auto again = evaluate::replay(Bench::settings(), stored->bundle, *plugin, bench.sink);
    REQUIRE(again.has_value());
    CHECK(failed(*again).reason == FailureReason::segmentation_fault);
    // Another version of the rule, on the very same window.
    const auto other = evaluate::replay(Bench::settings(), stored->bundle, spec("healthy").plugin, bench.sink);
    REQUIRE(other.has_value());
    CHECK(completed(*other).outcome == core::Outcome::met);
    CHECK(std::filesystem::status(folder.path).permissions() == std::filesystem::perms::owner_all);
}

TEST_CASE("the built-in hostile rule gets nowhere, and the report says what stopped it") {
    fakes::LogSink sink;
    const auto posture = evaluate::measure_posture(Bench::settings(), sink);
    REQUIRE(posture.problem == "");
    CHECK(posture.attempts.size() == 14);
    for (const auto& attempt : posture.attempts) {
        INFO(attempt.name << ": " << attempt.by << ", behind it " << attempt.behind);
        CHECK(attempt.stopped);
    }
    CHECK(posture.holds());
    evaluate::log_posture(posture, sink);
    CHECK(sink.count("host_isolation_posture") == 1);
    CHECK_FALSE(std::filesystem::exists("/tmp/varde-probe"));
}

TEST_CASE("where the other layers are left out the filter alone still stops every attempt, and the level says so") {
    auto settings = Bench::settings();
    settings.without = {"own_user", "namespaces", "landlock", "cgroup"};
    fakes::LogSink sink;
    const auto posture = evaluate::measure_posture(settings, sink);
    CHECK(posture.holds());
    CHECK(posture.level == "C");
    const auto read = std::ranges::find(posture.attempts, std::string{"read_file"}, &ports::IsolationAttempt::name);
    REQUIRE(read != posture.attempts.end());
    CHECK(read->behind == "nothing");
}

TEST_CASE("without a worker program the posture cannot be measured, and that is no level") {
    auto settings = Bench::settings();
    settings.worker_path = "/nowhere/varde-worker";
    fakes::LogSink sink;
    const auto posture = evaluate::measure_posture(settings, sink);
    CHECK(posture.level == "none");
    CHECK(posture.problem.find("/nowhere/varde-worker") != std::string::npos);
    CHECK_FALSE(posture.holds());
}
