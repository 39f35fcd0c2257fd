#include "fixture.hpp"
#include "store/deviation_repository.hpp"

#include <cstdlib>

using namespace varde;
using namespace varde::store::testing;

TEST_SUITE_BEGIN("restart");

TEST_CASE("a PostgreSQL that was stopped and started again needs no restart of the host") {
    Fixture<OnPostgres> fixture;
    const char* const control = std::getenv("VARDE_TEST_POSTGRES_CTL");
    if (!fixture.ready() || !control) return;
    const auto server = [&](const char* verb) { REQUIRE(std::system((std::string{control} + " " + verb).c_str()) == 0); };
    const auto log = fixture.open_log();
    store::SqlDeviationRepository deviations{fixture.database()};
    value_of(log->append(std::vector{event_of("a", 1)}));
    value_of(deviations.list({}));

    server("stop");
    for (int i = 0; i < 3; ++i) {
        const auto refused = log->append(std::vector{event_of("b", 1)});
        REQUIRE_FALSE(refused.has_value());
        CHECK(refused.error().code == core::Errc::database_unavailable);
        CHECK(refused.error().context.find("not-a-secret") == std::string::npos);
        CHECK(deviations.list({}).error().code == core::Errc::database_unavailable);
        CHECK(fixture.database().ping().error().code == core::Errc::database_unavailable);
    }
    CHECK(store::Database::open(fixture.settings()).error().code == core::Errc::database_unavailable);

    server("start");
    const auto results = value_of(log->append(std::vector{event_of("a", 1), event_of("b", 1)}));
    CHECK(results[0].deduped);
    CHECK_FALSE(results[1].deduped);
    CHECK(value_of(deviations.list({})).empty());

    server("restart");
    CHECK(value_of(log->append(std::vector{event_of("b", 1)}))[0].deduped);
}

TEST_SUITE_END();
