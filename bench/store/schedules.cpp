// What schedules and runs cost: slots a second through fire_due and finish (run at once), runs a second through claim and finish, in
// batches of 500, and a renewal of 1,000 leases. Without arguments; with VARDE_TEST_POSTGRES_URL also on PostgreSQL
// (VARDE_POSTGRES_FSYNC=on tests/postgres/with_postgres.sh bench_schedules). VARDE_BENCH_ROUNDS: slots of each of 2,000 schedules (20).
#include "store/database.hpp"
#include "store/migrations.hpp"
#include "store/run_repository.hpp"
#include "store/schedule_repository.hpp"

#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>

#include <fmt/format.h>
#include <libpq-fe.h>

namespace {

using namespace varde;
constexpr int kSchedules = 2000;
constexpr int kBatch = 500;
const core::Instant kStart = core::instant_from_us(1'768'478'400'000'000);

template <class T>
T need(core::Result<T> result) {
    if (!result) {
        fmt::print(stderr, "bench_schedules: {}\n", result.error().context);
        std::exit(1);
    }
    if constexpr (!std::is_void_v<T>) return std::move(*result);
}

template <class Work>
double seconds_of(Work&& work) {
    const auto start = std::chrono::steady_clock::now();
    work();
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

class Bench {
  public:
    Bench(const char* name, const std::string& url) : name_{name} {
        if (const char* const rounds = std::getenv("VARDE_BENCH_ROUNDS")) rounds_ = std::atoi(rounds);
        store::DatabaseSettings settings;
        settings.url = url;
        database_ = need(store::Database::open(settings));
        need(store::migrate(*database_, VARDE_SOURCE_DIR "/migrations"));
        schedules_ = std::make_unique<store::SqlScheduleRepository>(*database_);
        runs_ = std::make_unique<store::SqlRunRepository>(*database_);
        host_ = need(runs_->register_host("bench", "bench", kStart));
    }

    void run() {
        print("definitions created", kSchedules, seconds_of([&] { create(); }));
        const auto slots = std::int64_t{kSchedules} * rounds_;
        print("slots fired as running, and ended", slots, seconds_of([&] { rounds([&] { fire_and_finish(); }); }));
        print("slots fired as pending", slots, seconds_of([&] { rounds([&] { fire(core::RunState::pending); }); }));
        print("pending runs claimed and ended", slots, seconds_of([&] { claim_and_finish(); }));
        fire(core::RunState::running);
        fire(core::RunState::running);
        print("leases renewed", 2 * kBatch, seconds_of([&] { need(runs_->renew("bench", host_.epoch, now_, lease_)); }));
    }

  private:
    void print(const char* what, std::int64_t count, double seconds) const {
        fmt::print("{:<12} {:<36} {:9.0f} a second, {:7.1f} us each\n", name_, what, static_cast<double>(count) / seconds,
                   seconds / static_cast<double>(count) * 1e6);
        std::fflush(stdout);
    }

    void create() {
        for (int i = 0; i < kSchedules; ++i) {
            core::Schedule schedule;
            schedule.schedule_id = fmt::format("home-{:05}.nightly", i);
            schedule.name = "what the bench runs";
            schedule.kind = "noop";
            schedule.params = R"({"url":"http://127.0.0.1/run","body":{"a":1}})";
            schedule.trigger.kind = core::TriggerKind::interval;
            schedule.trigger.period = std::chrono::minutes{1};
            schedule.created_at = schedule.updated_at = kStart;
            schedule.next_at = kStart;
            need(schedules_->create(schedule));
        }
    }

    template <class Work>
    void rounds(Work work) {
        for (int i = 0; i < rounds_; ++i) {
            for (int done = 0; done < kSchedules; done += kBatch) work();
            now_ += std::chrono::minutes{1};
        }
    }

    std::vector<core::Run> fire(core::RunState state) {
        return need(schedules_->fire_due(now_, kBatch,
                                         [&](const ports::DueSchedule& due) {
                                             ports::DueDecision decision;
                                             decision.last_nominal = due.schedule.next_at;
                                             decision.next_at = *due.schedule.next_at + std::chrono::minutes{1};
                                             core::Run run;
                                             run.schedule_id = due.schedule.schedule_id;
                                             run.job_kind = due.schedule.kind;
                                             run.nominal_at = run.run_at = run.created_at = *due.schedule.next_at;
                                             run.state = state;
                                             if (state == core::RunState::running) {
                                                 run.owner = host_.host_id;
                                                 run.epoch = host_.epoch;
                                                 run.attempt = 1;
                                                 run.lease_until = now_ + lease_;
                                                 run.started_at = now_;
                                             }
                                             decision.runs.push_back(std::move(run));
                                             return decision;
                                         }))
            .rows;
    }

    void finish(const std::vector<core::Run>& runs) {
        std::vector<ports::FinishedRun> ends;
        for (const core::Run& run : runs) {
            ports::FinishedRun end;
            end.run_id = run.run_id;
            end.attempt = run.attempt;
            end.finished_at = now_;
            end.result = R"({"ok":true})";
            ends.push_back(std::move(end));
        }
        const auto stored = need(runs_->finish(host_.host_id, host_.epoch, ends));
        if (stored.size() != runs.size()) std::exit(1);
    }

    void fire_and_finish() { finish(fire(core::RunState::running)); }

    void claim_and_finish() {
        ports::ClaimRequest request{host_.host_id, host_.epoch, now_, lease_, kBatch, {}, {}};
        for (;;) {
            std::vector<core::Run> runs;
            for (auto& claimed : need(runs_->claim(request))) runs.push_back(std::move(claimed.run));
            if (runs.empty()) return;
            finish(runs);
        }
    }

    const char* name_;
    int rounds_ = 20;
    std::unique_ptr<store::Database> database_;
    std::unique_ptr<ports::ScheduleRepository> schedules_;
    std::unique_ptr<ports::RunRepository> runs_;
    ports::JobHost host_;
    core::Instant now_ = kStart;
    core::Microseconds lease_ = std::chrono::seconds{10};
};

void postgres_run(const std::string& url, const std::string& sql) {
    PGconn* const connection = PQconnectdb(url.c_str());
    PQclear(PQexec(connection, ("SET client_min_messages = error; " + sql).c_str()));
    PQfinish(connection);
}

}  // namespace

int main() {
    const auto dir = std::filesystem::temp_directory_path() / fmt::format("varde-bench-{}", ::getpid());
    std::filesystem::create_directories(dir);
    Bench{"sqlite", "sqlite:" + (dir / "varde.db").string()}.run();
    std::filesystem::remove_all(dir);
    const char* const url = std::getenv("VARDE_TEST_POSTGRES_URL");
    if (!url) {
        fmt::print("postgresql: skipped, VARDE_TEST_POSTGRES_URL is not set\n");
        return 0;
    }
    postgres_run(url, "DROP SCHEMA IF EXISTS bench_schedules CASCADE; CREATE SCHEMA bench_schedules");
    Bench{"postgresql", std::string{url} + "?options=-csearch_path%3Dbench_schedules"}.run();
    postgres_run(url, "DROP SCHEMA bench_schedules CASCADE");
}
