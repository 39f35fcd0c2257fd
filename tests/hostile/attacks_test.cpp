#include "hostile/engine_fixture.hpp"

using namespace hostile;
using core::FailureReason;
using core::Phase;

namespace {

struct Attack {
    const char* fixture;
    FailureReason reason;
    const char* says;  ///< part of the message
};

// What each does is in fixtures/.
const Attack kAttacks[] = {
    {"throws", FailureReason::exception_escaped, "std::runtime_error: thrown by a fixture"},
    {"throws_int", FailureReason::exception_escaped, "int"},
    {"throws_noexcept", FailureReason::aborted, "std::runtime_error"},
    {"crashes_in_what", FailureReason::segmentation_fault, "SIGSEGV"},
    {"hangs_in_what", FailureReason::deadline, "300 ms"},
    {"segfaults", FailureReason::segmentation_fault, "0x10"},
    {"crashes_blocked", FailureReason::segmentation_fault, "SIGSEGV"},
    {"crashes_in_malloc", FailureReason::aborted, "malloc"},
    {"crashes_in_stdio", FailureReason::segmentation_fault, "0x10"},
    {"writes_window", FailureReason::segmentation_fault, "SIGSEGV"},
    {"overflows_stack", FailureReason::stack_overflow, "stack"},
    {"aborts", FailureReason::aborted, "last words"},
    {"asserts", FailureReason::aborted, "the windows are open"},
    {"divides", FailureReason::crashed, "SIGFPE"},
    {"bad_opcode", FailureReason::crashed, "SIGILL"},
    {"breakpoint", FailureReason::crashed, "SIGTRAP"},
    {"exits", FailureReason::exited, "exit code 0"},
    {"quick_exits", FailureReason::exited, "exit code 0"},
    {"leaves_at_once", FailureReason::exited, "exit code 3"},
    {"spins", FailureReason::deadline, "300 ms"},
    {"sleeps", FailureReason::deadline, "300 ms"},
    {"deadlocks", FailureReason::deadline, "300 ms"},
    {"blocks_signals", FailureReason::deadline, "300 ms"},
    {"hogs_memory", FailureReason::deadline, "300 ms"},
    {"allocates", FailureReason::out_of_memory, "64 MiB"},
    {"allocates_cpp", FailureReason::out_of_memory, "64 MiB"},
    {"floods_log", FailureReason::log_flood, "max_log_bytes"},
    {"connects", FailureReason::violation, "socket"},
    {"connects_unix", FailureReason::violation, "socket"},
    {"forks", FailureReason::violation, "clone"},
    {"vforks", FailureReason::violation, "vfork"},
    {"clones", FailureReason::violation, "clone"},
    {"starts_shell", FailureReason::violation, "execve"},
    {"runs_system", FailureReason::violation, "forbidden system call"},
    {"starts_thread", FailureReason::violation, "thread"},
    {"leaves_thread", FailureReason::violation, "thread"},
    {"duplicates_fds", FailureReason::violation, "dup"},
    {"kills_host", FailureReason::violation, "kill"},
    {"kills_parent", FailureReason::violation, "forbidden system call"},
    {"installs_handler", FailureReason::violation, "rt_sigaction"},
    {"moves_signal_stack", FailureReason::violation, "sigaltstack"},
    {"traces", FailureReason::violation, "ptrace"},
    {"attaches", FailureReason::violation, "ptrace"},
    {"writes_processes", FailureReason::violation, "process_vm_writev"},
    {"shares_memory", FailureReason::violation, "mmap"},
    {"maps_window", FailureReason::violation, "mmap"},
    {"truncates_channel", FailureReason::violation, "ftruncate"},
    {"calls_io_uring_setup", FailureReason::violation, "io_uring_setup"},
    {"calls_userfaultfd", FailureReason::violation, "userfaultfd"},
    {"calls_memfd_create", FailureReason::violation, "memfd_create"},
    {"calls_bpf", FailureReason::violation, "bpf"},
    {"calls_perf_event_open", FailureReason::violation, "perf_event_open"},
    {"calls_keyctl", FailureReason::violation, "keyctl"},
    {"calls_mount", FailureReason::violation, "mount"},
    {"calls_setpriority", FailureReason::violation, "setpriority"},
    {"calls_sched_setaffinity", FailureReason::violation, "sched_setaffinity"},
    {"calls_sched_setscheduler", FailureReason::violation, "sched_setscheduler"},
    {"calls_ioprio_set", FailureReason::violation, "ioprio_set"},
#if defined(__x86_64__)
    {"calls_ia32", FailureReason::violation, "forbidden system call"},
    {"calls_x32", FailureReason::violation, "forbidden system call"},
#endif
    {"wrong_row", FailureReason::bad_result, "row"},
    {"many_findings", FailureReason::bad_result, "64 findings"},
    {"not_text", FailureReason::bad_result, "UTF-8"},
    {"not_a_number", FailureReason::bad_result, "finite"},
    {"negative_severity", FailureReason::bad_result, "severity"},
    {"contradicts", FailureReason::bad_result, "not met"},
    {"rings_early", FailureReason::protocol, "not asked"},
    {"forges_number", FailureReason::protocol, "not asked"},
    {"lies_about_size", FailureReason::protocol, "cannot be read"},
    {"wakes_without_end", FailureReason::protocol, "not asked"},
    {"punches_channel", FailureReason::protocol, "not asked"},
    {"forges_neighbour", FailureReason::protocol, "cannot be read"},
};

void check_same(const core::Completed& a, const core::Completed& b) {
    CHECK(a.outcome == b.outcome);
    CHECK(a.reason == b.reason);
    REQUIRE(a.findings.size() == b.findings.size());
    for (std::size_t i = 0; i < a.findings.size(); ++i) {
        CHECK(a.findings[i].title == b.findings[i].title);
        CHECK(a.findings[i].evidence == b.findings[i].evidence);
        CHECK(a.findings[i].window == b.findings[i].window);
    }
}

}  // namespace

TEST_CASE("a healthy rule sees its events and its findings name them") {
    Bench bench;
    CHECK_FALSE(bench.use({"healthy"})[0].has_value());
    const auto answer = completed(bench.judge({last_hour("healthy")})[0]);
    CHECK(answer.outcome == core::Outcome::met);
    REQUIRE(answer.findings.size() == 1);
    CHECK(answer.findings[0].severity == core::Severity::high);
    CHECK(answer.findings[0].evidence == R"({"event_ids":["e-1"],"count":1,"share":0.5,"until":"2026-01-15T12:00:00+00:00"})");
    CHECK(answer.findings[0].window == core::Window{kNow - std::chrono::minutes{60}, kNow});
    CHECK(answer.findings[0].timestamp == kNow);
}

TEST_CASE("every attack has exactly its own reason, and the rules beside it answer as if it were not there") {
    const core::Completed alone = [] {
        Bench bench;
        bench.use({"healthy"});
        return completed(bench.judge({last_hour("healthy")})[0]);
    }();
    for (const Attack& attack : kAttacks) {
        CAPTURE(std::string{attack.fixture});
        Bench bench;
        const auto failures = bench.use({attack.fixture, "healthy"});
        if (failures[0]) FAIL(failures[0]->message);
        const auto verdicts = bench.judge({last_hour(attack.fixture), last_hour("healthy")});
        check_same(completed(verdicts[1]), alone);
        const auto* failure = std::get_if<core::Failed>(&verdicts[0]);
        CHECK(failure != nullptr);
        if (failure == nullptr) continue;
        INFO(failure->message);
        CHECK(core::name_of(failure->reason) == core::name_of(attack.reason));
        CHECK(failure->phase == Phase::evaluate);
        CHECK(failure->message.find(attack.says) != std::string::npos);
    }
}

TEST_CASE("all attacks in one tick leave no process, no zombie and no descriptor behind") {
    const int children_before = children();
    const std::size_t fds_before = open_fds();
    {
        Bench bench;
        std::vector<std::string> fixtures;
        std::vector<ports::Evaluation> asked;
        for (const Attack& attack : kAttacks) {
            fixtures.emplace_back(attack.fixture);
            asked.push_back(last_hour(attack.fixture));
        }
        fixtures.emplace_back("healthy");
        asked.push_back(last_hour("healthy"));
        bench.use(fixtures);
        const auto verdicts = bench.judge(asked);
        for (std::size_t i = 0; i + 1 < verdicts.size(); ++i) {
            CAPTURE(fixtures[i]);
            CHECK(std::holds_alternative<core::Failed>(verdicts[i]));
        }
        CHECK(completed(verdicts.back()).outcome == core::Outcome::met);
        CHECK(children() <= children_before + static_cast<int>(fixtures.size()));
    }
    CHECK(children() == children_before);
    CHECK(open_fds() == fds_before);
    CHECK_FALSE(std::filesystem::exists("/tmp/varde-was-here"));
}

TEST_CASE("files and the environment are out of reach, and being told so is no failure") {
    ::setenv("DATABASE_URL", "postgresql://secret", 1);
    Bench bench;
    bench.use({"opens_file"});
    CHECK(completed(bench.judge({last_hour("opens_file")})[0]).reason == "refused");
    ::unsetenv("DATABASE_URL");
}

TEST_CASE("a crash fails one evaluation; the ones before and after it in the same request are answered") {
    Bench bench;
    std::vector<ports::Evaluation> asked;
    std::vector<core::Event> events;
    for (int i = 0; i < 6; ++i) {
        const core::Scope scope{"org", "home", "subject " + std::to_string(i)};
        events.push_back(event("e", std::chrono::seconds{10}, i == 2 ? "on" : "off", scope));
        asked.push_back(last_hour("sometimes_crashes", scope));
    }
    REQUIRE(bench.log.append(events).has_value());
    bench.use({"sometimes_crashes"});
    const int first_worker = bench.engine.worker_pid("sometimes_crashes");
    const auto verdicts = bench.judge(asked);
    for (std::size_t i = 0; i < verdicts.size(); ++i) {
        CAPTURE(i);
        if (i == 2)
            CHECK(failed(verdicts[i]).reason == FailureReason::segmentation_fault);
        else
            CHECK(completed(verdicts[i]).reason == "calm");
    }
    CHECK(bench.engine.worker_pid("sometimes_crashes") != first_worker);
}

TEST_CASE("a rule whose worker dies three times in a run is not asked again in that run, but in the next") {
    Bench bench;
    std::vector<ports::Evaluation> asked;
    std::vector<core::Event> events;
    for (int i = 0; i < 10; ++i) {
        const core::Scope scope{"org", "home", "subject " + std::to_string(i)};
        events.push_back(event("e", std::chrono::seconds{10}, "on", scope));
        asked.push_back(last_hour("sometimes_crashes", scope));
    }
    REQUIRE(bench.log.append(events).has_value());
    bench.use({"sometimes_crashes"});
    const auto verdicts = bench.judge(asked);
    for (const auto& verdict : verdicts) CHECK(failed(verdict).reason == FailureReason::segmentation_fault);
    CHECK(failed(verdicts[9]).message.find("not asked") != std::string::npos);
    CHECK(failed(bench.judge({asked[0]})[0]).message.find("not asked") == std::string::npos);
}

TEST_CASE("what goes wrong while a library is loaded is found out at configure, in the worker") {
    const struct {
        const char* fixture;
        FailureReason reason;
        Phase phase;
    } cases[] = {{"crashes_at_load", FailureReason::segmentation_fault, Phase::load},
                 {"hangs_at_load", FailureReason::deadline, Phase::load},
                 {"throws_at_load", FailureReason::aborted, Phase::load},
                 {"no_entry", FailureReason::load_failed, Phase::load},
                 {"abi_magic", FailureReason::load_failed, Phase::load},
                 {"abi_empty", FailureReason::load_failed, Phase::load},
                 {"abi_huge", FailureReason::load_failed, Phase::load},
                 {"connects_at_load", FailureReason::violation, Phase::load},
                 {"lying_note", FailureReason::manifest_mismatch, Phase::load},
                 {"refuses_params", FailureReason::create_failed, Phase::create}};
    for (const auto& one : cases) {
        CAPTURE(std::string{one.fixture});
        Bench bench;
        const auto failures = bench.use({one.fixture, "healthy"});
        REQUIRE(failures[0].has_value());
        INFO(failures[0]->message);
        CHECK(core::name_of(failures[0]->reason) == core::name_of(one.reason));
        CHECK(failures[0]->phase == one.phase);
        const auto verdicts = bench.judge({last_hour(one.fixture), last_hour("healthy")});
        CHECK(failed(verdicts[0]).reason == one.reason);
        CHECK(completed(verdicts[1]).outcome == core::Outcome::met);
    }
}

TEST_CASE("a refused parameter is named by its path") {
    Bench bench;
    const auto failures = bench.use({"refuses_params"});
    REQUIRE(failures[0].has_value());
    CHECK(failures[0]->message == "limits.low: must be above 0");
}

TEST_CASE("a worker killed from outside is replaced, and only the evaluation in flight can be lost") {
    Bench bench;
    bench.use({"healthy"});
    ::kill(bench.engine.worker_pid("healthy"), SIGKILL);
    const auto first = bench.judge({last_hour("healthy")})[0];
    if (const auto* failure = std::get_if<core::Failed>(&first)) CHECK(failure->reason == FailureReason::crashed);
    CHECK(completed(bench.judge({last_hour("healthy")})[0]).outcome == core::Outcome::met);
}

TEST_CASE("without a worker program every rule says so and nothing else happens") {
    config::HostConfig::Isolation settings;
    settings.worker_path = "/nowhere/varde-worker";
    fakes::LogSink sink;
    evaluate::EvaluationEngine engine{nullptr, settings, sink};
    std::vector<ports::RuleSpec> specs{spec("healthy")};
    const auto failures = engine.configure(std::move(specs));
    REQUIRE(failures[0].has_value());
    CHECK(failures[0]->reason == FailureReason::spawn_failed);
    CHECK(failed(engine.evaluate_events(last_hour("healthy"), "{}", {})).reason == FailureReason::spawn_failed);
}
