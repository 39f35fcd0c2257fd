#include "evaluate/rule_worker.hpp"
#include "evaluate/sandboxed_jobs.hpp"
#include "fakes/log_sink.hpp"
#include "plugins/plugin_file.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <filesystem>
#include <mutex>
#include <thread>

using namespace varde;
using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

constexpr core::Instant kSlot = core::Instant{std::chrono::sys_days{std::chrono::year{2026} / 1 / 15} + std::chrono::hours{3}};

/// The job libraries of this folder; `names` can change while jobs run.
class Folder final : public ports::PluginCatalogue {
  public:
    explicit Folder(std::vector<std::string> names) : names_{std::move(names)} {}
    core::Result<ports::Catalogue> scan() override {
        const std::lock_guard lock{mutex_};
        ports::Catalogue found;
        for (const auto& name : names_) {
            auto plugin = plugins::inspect(std::filesystem::path{VARDE_HOSTILE_DIR} / (name + ".so"));
            REQUIRE_MESSAGE(plugin.has_value(), name);
            (plugin->kind == ports::PluginKind::job ? found.jobs : found.plugins).push_back(std::move(*plugin));
        }
        found.bad_jobs.push_back({"plugins/J-open.so", "J-open", core::FailureReason::untrusted_file, "can be written by others",
                                  ports::PluginKind::job});
        found.rejected.push_back({"plugins/J-cut.so", "", core::FailureReason::load_failed, "is cut off"});
        return found;
    }
    void add(const std::string& name) {
        const std::lock_guard lock{mutex_};
        names_.push_back(name);
    }

  private:
    std::mutex mutex_;
    std::vector<std::string> names_;
};

config::HostConfig::Isolation settings() {
    config::HostConfig::Isolation isolation;
    isolation.worker_path = VARDE_WORKER;
    isolation.load_timeout = milliseconds{500};
    isolation.max_log_bytes = 100'000;
    return isolation;
}

struct Bench {
    Folder folder{{"job_acts", "job_crashes_at_load", "job_hangs_at_load", "job_lies", "healthy"}};
    time::SystemClock clock;
    fakes::LogSink log;
    std::stop_source stop;
    evaluate::SandboxedJobs jobs{folder, settings(), clock, log};

    ports::JobAnswer run(const std::string& job, const std::string& params, core::Microseconds timeout = seconds{60}) {
        return jobs.run({job, params, "nightly/1/2026-01-15T03:00:00Z/scheduled", kSlot, 2, timeout, 64, stop.get_token()});
    }
    ports::JobAnswer act(const std::string& what) { return run("J-acts", R"({"act":")" + what + "\"}"); }
};

bool says(const ports::JobAnswer& answer, const std::string& text) {
    const bool found = !answer.ok && answer.error.find(text) != std::string::npos;
    if (!found) MESSAGE(answer.ok << " " << answer.error);
    return found;
}

}  // namespace

TEST_CASE("a job is told its attempt, slot, times and params, and its answer is kept") {
    Bench bench;
    const auto answer = bench.run("J-acts", R"({"deep":{"list":[1,2]},"name":"Ada"})", seconds{30});
    CHECK(answer.ok);
    CHECK(answer.error.empty());
    CHECK(answer.result ==
          R"({"attempt":2,"nominal_us":1768446000000000,"took_us":30000000,"slot":"nightly/1/2026-01-15T03:00:00Z/scheduled",)"
          R"("nodes":6,"params":{"deep":{"list":[1,2]},"name":"Ada"}})");
}

TEST_CASE("a job that fails says why, keeps what it had, and decides whether another attempt may help") {
    Bench bench;
    const auto failed = bench.act("fail");
    CHECK(failed.error == "no luck");
    CHECK(failed.result == R"({"half":1})");
    CHECK(failed.retry);
    const auto given_up = bench.act("give_up");
    CHECK(given_up.error == "never");
    CHECK_FALSE(given_up.retry);
    CHECK(says(bench.act("silent"), "the job returned -7 without saying why"));
    CHECK(bench.act("no_text").error == "?  ");
}

TEST_CASE("a job that dies fails with what happened, and the next one runs") {
    Bench bench;
    CHECK(says(bench.act("segfault"), "J-acts 1.0.0: segmentation_fault: SIGSEGV: forbidden memory access at address 0x0"));
    CHECK(says(bench.act("abort"), "J-acts 1.0.0: aborted: SIGABRT"));
    CHECK(says(bench.act("exit"), "J-acts 1.0.0: exited: the job ended its process with exit code 0"));
    CHECK(says(bench.act("throw"), "exception_escaped: run let an exception out: std::runtime_error: out of a C function"));
    CHECK(says(bench.act("throw_int"), "exception_escaped: run let an exception out: int"));
    CHECK(says(bench.act("overflow"), "stack_overflow"));
    CHECK(says(bench.act("allocate"), "out_of_memory"));
    CHECK(bench.act("segfault").retry);
    CHECK(bench.act("none").ok);
    CHECK(bench.log.count("job_failed") == 8);
    const auto logged = bench.log.entries();
    const auto first = std::ranges::find(logged, "job_failed", &fakes::LogSink::Entry::event);
    REQUIRE(first != logged.end());
    CHECK(std::get<std::string>(first->fields.at("place")).starts_with("J-acts.so+0x"));
}

TEST_CASE("a job has no processes, no network, no files and no environment") {
    Bench bench;
    CHECK(says(bench.act("fork"), "violation: forbidden system call"));
    CHECK(says(bench.act("connect"), "violation: forbidden system call: socket"));
    CHECK(says(bench.act("shell"), "violation: forbidden system call"));
    CHECK(bench.act("look").result == R"({"files":0,"variables":0})");
}

TEST_CASE("a job that does not end is ended when its run is to stop") {
    for (const std::string act : {"spin", "sleep"}) {
        CAPTURE(act);
        Bench bench;
        std::jthread later{[&] {
            std::this_thread::sleep_for(milliseconds{300});
            bench.stop.request_stop();
        }};
        const auto begun = std::chrono::steady_clock::now();
        CHECK(says(bench.act(act), "stopped; the job's process was ended"));
        CHECK(std::chrono::steady_clock::now() - begun < seconds{10});
    }
}

TEST_CASE("a job that heeds should_stop answers with what it has") {
    Bench bench;
    std::jthread later{[&] {
        std::this_thread::sleep_for(milliseconds{200});
        bench.stop.request_stop();
    }};
    const auto answer = bench.act("heed");
    CHECK(answer.ok);
    CHECK(answer.result == R"({"stopped":true})");
}

TEST_CASE("a job whose time is nearly over is asked to stop before anybody stops it") {
    Bench bench;
    CHECK(bench.run("J-acts", R"({"act":"heed"})", milliseconds{500}).ok);
    CHECK_FALSE(bench.stop.stop_requested());
}

TEST_CASE("output has limits that are named") {
    Bench bench;
    CHECK(says(bench.act("flood_log"), "log_flood: wrote more than isolation.max_log_bytes (100000) to its log in one run"));
    CHECK(bench.act("flood_stdout").ok);
    CHECK(says(bench.act("big_result"), "the job returned -2 without saying why"));
    CHECK(bench.act("full_result").result.size() == 65'536);
    CHECK(says(bench.act("deep_result"), "bad_result: what the job answered is no JSON, or nested deeper than 64"));
    CHECK(bench.act("bad_half").error == "no luck");
    CHECK(bench.act("bad_half").result.empty());
    CHECK(bench.act("bad_half").retry);
    const auto no_json = bench.act("no_json");
    CHECK(says(no_json, "bad_result: what the job answered is no JSON"));
    CHECK_FALSE(no_json.retry);
}

TEST_CASE("a library that cannot be loaded, or lies about itself, is a failure of its runs") {
    Bench bench;
    CHECK(says(bench.run("J-crashes-at-load", "{}"), "segmentation_fault"));
    CHECK(says(bench.run("J-hangs-at-load", "{}"), "deadline: no answer within 500 ms"));
    const auto lies = bench.run("J-lies", "{}");
    CHECK(says(lies, "manifest_mismatch: job id of the entry is not that of the file's note"));
    CHECK_FALSE(lies.retry);
}

TEST_CASE("a job that is not there is named, with what is there instead; one that comes later is found") {
    Bench bench;
    CHECK(says(bench.run("J-9", "{}"), "params.job: no library in plugins_dir is the job 'J-9'; there is: J-acts, "));
    CHECK(says(bench.run("healthy", "{}"), "params.job: 'healthy' is a rule and no job"));
    CHECK(says(bench.run("J-open", "{}"), "plugins/J-open.so: untrusted_file: can be written by others"));
    CHECK(says(bench.run("J-cut", "{}"), "plugins/J-cut.so: load_failed: is cut off"));
    CHECK(bench.run("J-9", "{}").retry);
    CHECK_FALSE(bench.run("J-late", "{}").ok);
    bench.folder.add("job_late");
    CHECK(bench.run("J-late", "{}").ok);
}

TEST_CASE("jobs run side by side, each in a process of its own") {
    Bench bench;
    std::vector<std::jthread> threads;
    std::atomic<int> sound = 0;
    for (int i = 0; i < 8; ++i) {
        threads.emplace_back([&, i] {
            const auto answer = bench.act(i % 2 == 0 ? "none" : "segfault");
            if (answer.ok == (i % 2 == 0)) ++sound;
        });
    }
    threads.clear();
    CHECK(sound == 8);
}
