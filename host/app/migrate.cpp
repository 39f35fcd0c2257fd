#include "app/composition.hpp"
#include "store/database.hpp"
#include "store/migrations.hpp"

#include <fmt/format.h>

namespace varde::app {

int migrate(const Globals& globals) {
    auto settings = load_settings(globals);
    if (!settings) return report(settings.error());
    store::DatabaseSettings wanted;
    wanted.url = settings->database.url;
    wanted.sessions = 1;
    wanted.busy_timeout = settings->database.busy_timeout;
    auto database = store::Database::open(wanted);
    if (!database) return report(database.error());
    const auto files = store::migrate(**database, settings->migrations_dir);
    if (!files) return report(files.error());
    for (const auto& file : *files) fmt::print("applied {}\n", file);
    fmt::print("{} is up to date\n", (*database)->description());
    return kOk;
}

}  // namespace varde::app
