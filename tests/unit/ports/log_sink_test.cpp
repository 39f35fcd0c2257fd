#include "fakes/log_sink.hpp"

#include <doctest/doctest.h>

using namespace varde;

TEST_CASE("log() writes an event without a run and with its fields") {
    fakes::LogSink sink;
    sink.log(ports::LogLevel::warning, "plugins", "rule_removed", "gone",
             {{"rule_id", std::string{"R-001"}}, {"n", std::int64_t{2}}});
    REQUIRE(sink.entries().size() == 1);
    const auto entry = sink.entries().front();
    CHECK(entry.level == ports::LogLevel::warning);
    CHECK(entry.component == "plugins");
    CHECK(entry.event == "rule_removed");
    CHECK(entry.run_id.empty());
    CHECK(entry.message == "gone");
    CHECK(std::get<std::string>(entry.fields.at("rule_id")) == "R-001");
    CHECK(std::get<std::int64_t>(entry.fields.at("n")) == 2);
}

TEST_CASE("a sink wants every level unless it says otherwise") {
    const fakes::LogSink sink;
    CHECK(sink.wants(ports::LogLevel::debug));
}
