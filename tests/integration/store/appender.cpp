// store_appender URL PREFIX BATCHES BATCH_SIZE: appends events PREFIX-0, PREFIX-1, ... and writes "acknowledged N" after each durable
// batch, at the end "stored N". A test kills it.
#include "store/database.hpp"
#include "store/event_log.hpp"

#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

using namespace varde;

namespace {

[[noreturn]] void stop(const core::Error& error) {
    std::fprintf(stderr, "store_appender: %s\n", error.context.c_str());
    std::exit(1);
}

std::vector<core::Event> make_batch(const std::string& prefix, int first, int size) {
    std::vector<core::Event> events(static_cast<std::size_t>(size));
    for (core::Event& event : events) {
        event.event_id = prefix + "-" + std::to_string(first++);
        event.category = "motion";
        event.time = core::instant_from_us(1'768'478'400'000'000 + first);
        event.received_at = event.time;
    }
    return events;
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 5) return 2;
    store::DatabaseSettings settings;
    settings.url = argv[1];
    settings.busy_timeout = std::chrono::seconds{30};
    const auto database = store::Database::open(settings);
    if (!database) stop(database.error());
    const auto log = store::SqlEventLog::open(**database);
    if (!log) stop(log.error());
    const int batches = std::atoi(argv[3]), size = std::atoi(argv[4]);
    int stored = 0;
    for (int batch = 0; batch < batches; ++batch) {
        const auto results = (*log)->append(make_batch(argv[2], batch * size, size));
        if (!results) stop(results.error());
        for (const ports::Appended& result : *results) stored += result.deduped ? 0 : 1;
        std::printf("acknowledged %d\n", (batch + 1) * size);
        std::fflush(stdout);
    }
    std::printf("stored %d\n", stored);
}
