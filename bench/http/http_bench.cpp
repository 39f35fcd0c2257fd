// What HTTP ingest costs over its limits, measured side by side: prints ratios, since absolute rates belong to the machine.
//   bench_http [ROUNDS] [DIRECTORY] [single|bulk]     the directory is on the disk to be measured; default: the working directory
#include "http/ingest_server.hpp"
#include "http/limit_server.hpp"
#include "http/load_client.hpp"
#include "http/raw_insert.hpp"
#include "time/clock.hpp"
#include "time/utc_text.hpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <unistd.h>

using namespace varde;
using namespace varde::bench;
using namespace std::chrono_literals;

namespace {

constexpr double kSingleGoal = 0.30;
constexpr double kBulkGoal = 0.40;
constexpr int kBulkEvents = 1'000;
/// Loads before the first round: the database's cache fills and its log reaches the size it keeps, as in a host that has run for a minute.
constexpr int kWarmUpLoads = 2;

/// Events as a gateway sends them: ids grow with time, 184 bytes each.
class EventTexts {
  public:
    std::string next() {
        ++count_;
        return fmt::format(R"({{"id":"{:08x}-{:04x}-7cde-8f01-{:012x}","timestamp":"{}","category":"motion",)"
                           R"("payload":{{"entity_id":"binary_sensor.bath_motion","state":"on","room_id":"bath"}}}})",
                           run_, count_ >> 16 & 0xffff, count_, timestamp_);
    }

  private:
    std::int64_t count_ = 0;
    std::string timestamp_ = time::format_utc(time::SystemClock{}.now());
    std::uint32_t run_ = static_cast<std::uint32_t>(::getpid());
};

void make_request(std::string& out, const char* path, std::size_t size) {
    out.clear();
    fmt::format_to(std::back_inserter(out),
                   "POST {} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n", path,
                   size);
}

LoadResult post_singles(std::uint16_t port, EventTexts& texts) {
    Load load;
    load.port = port;
    load.next_request = [&](std::string& out) {
        const auto body = texts.next();
        make_request(out, "/v1/event", body.size());
        out += body;
    };
    return run_load(load);
}

LoadResult post_bulks(std::uint16_t port, EventTexts& texts, int connections) {
    Load load;
    load.port = port;
    load.connections = connections;
    load.next_request = [&](std::string& out) {
        std::string body = "[";
        for (int i = 0; i < kBulkEvents; ++i) {
            if (i > 0) body += ',';
            body += texts.next();
        }
        body += ']';
        make_request(out, "/v1/events", body.size());
        out += body;
    };
    return run_load(load);
}

double median(std::vector<double> values) {
    std::ranges::sort(values);
    return values[values.size() / 2];
}

void print(const char* name, const LoadResult& result, double events) {
    fmt::print("  {:<28} {:>9.0f} events/s   p50 {:>7.0f} us   p99 {:>7.0f} us   {:>6.2f} us CPU/event   failures {}\n", name,
               result.rate() * events, result.p50_us, result.p99_us,
               result.cpu_seconds * 1e6 / (static_cast<double>(result.answers) * events), result.failures);
}

bool judge(const char* name, const std::vector<double>& ratios, double goal) {
    if (ratios.empty()) return true;
    const double ratio = median(ratios);
    fmt::print("{:<52} {:.2f}   goal >= {:.2f}   {}\n", name, ratio, goal, ratio >= goal ? "reached" : "NOT reached");
    return ratio >= goal;
}

}  // namespace

int main(int argc, char** argv) {
    const int rounds = argc > 1 ? std::atoi(argv[1]) : 3;
    const std::filesystem::path directory = argc > 2 ? argv[2] : std::filesystem::current_path();
    const auto work = directory / fmt::format("varde-bench-{}", ::getpid());
    std::filesystem::create_directories(work);
    const std::string part = argc > 3 ? argv[3] : "";
    std::vector<double> single;
    std::vector<double> bulk;
    std::vector<double> bulk_four;
    std::int64_t failures = 0;
    EventTexts texts;
    IngestServer ingest{work / "ingest.db"};
    for (int i = 0; i < kWarmUpLoads; ++i) (void)post_bulks(ingest.port(), texts, 4);
    (void)ingest.events_per_commit();
    for (int round = 0; round < rounds; ++round) {
        fmt::print("round {}\n", round + 1);
        if (part != "bulk") {
            LimitServer limit_server;
            const auto limit = post_singles(limit_server.port(), texts);
            print("body read only, 64 conn.", limit, 1);
            const auto durable = post_singles(ingest.port(), texts);
            print("durable, 64 conn.", durable, 1);
            fmt::print("  {:.1f} events per commit\n", ingest.events_per_commit());
            single.push_back(durable.rate() / limit.rate());
            failures += durable.failures;
        }
        if (part != "single") {
            const auto raw = raw_insert_rate(work / fmt::format("raw-{}.db", round), 500'000);
            fmt::print("  {:<28} {:>9.0f} events/s\n", "raw inserts", raw);
            const auto one = post_bulks(ingest.port(), texts, 1);
            print("1,000 a POST, 1 conn.", one, kBulkEvents);
            const auto four = post_bulks(ingest.port(), texts, 4);
            print("1,000 a POST, 4 conn.", four, kBulkEvents);
            bulk.push_back(one.rate() * kBulkEvents / raw);
            bulk_four.push_back(four.rate() * kBulkEvents / raw);
            failures += one.failures + four.failures;
        }
    }
    std::filesystem::remove_all(work);
    bool reached = judge("single POST, durable / body read only, 64 conn.", single, kSingleGoal);
    if (!bulk.empty())
        fmt::print("{:<52} {:.2f}   no goal: client and server take turns\n", "1,000 a POST, durable, 1 conn. / raw inserts",
                   median(bulk));
    reached = judge("1,000 a POST, durable, 4 conn. / raw inserts", bulk_four, kBulkGoal) && reached;
    if (failures > 0) fmt::print("{} requests failed\n", failures);
    return reached && failures == 0 ? 0 : 1;
}
