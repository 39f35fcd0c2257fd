#include "rules/rule_set.hpp"

#include "fakes/log_sink.hpp"
#include "scripted_rules.hpp"

#include <doctest/doctest.h>

using namespace varde;
using core::FailureReason;
using scripted::plugin;

namespace {

struct Fixture {
    scripted::Evaluator evaluator;
    scripted::Catalogue catalogue;
    fakes::LogSink log;
    config::RulesConfig config;
    rules::RuleSet rules{evaluator, catalogue, log};

    Fixture() {
        config.rules["R-001"].enabled_in_scheduler = true;
        config.rules["R-002"];
    }
    /// "EVENT rule" of everything logged so far.
    [[nodiscard]] std::vector<std::string> events() const {
        std::vector<std::string> list;
        for (const auto& entry : log.entries()) list.push_back(entry.event + " " + text(entry, "rule_id"));
        return list;
    }
    [[nodiscard]] static std::string text(const fakes::LogSink::Entry& entry, const char* key) {
        const auto found = entry.fields.find(key);
        return found == entry.fields.end() ? "" : std::get<std::string>(found->second);
    }
    [[nodiscard]] ports::RuleState state(const std::string& id) const {
        for (auto& one : rules.states(config, {})) {
            if (one.rule_id == id) return one;
        }
        FAIL("no state of " << id);
        return {};
    }
};

}  // namespace

TEST_CASE("rules of the file are configured with their plugin, parameters and limits") {
    Fixture f;
    auto& settings = f.config.rules["R-001"];
    settings.params = R"({"a":1})";
    settings.timeout = std::chrono::milliseconds{250};
    settings.memory_mb = 64;
    settings.lookback = std::chrono::minutes{180};
    f.catalogue.holds({.plugins = {plugin("R-001"), plugin("R-002"), plugin("R-009")}, .rejected = {}});
    f.rules.refresh(f.config, true);
    REQUIRE(f.evaluator.configured().size() == 1);
    const auto specs = f.evaluator.configured().front();
    REQUIRE(specs.size() == 2);
    CHECK(specs[0].plugin.rule_id == "R-001");
    CHECK(specs[0].params == R"({"a":1})");
    CHECK(specs[0].timeout == std::chrono::milliseconds{250});
    CHECK(specs[0].memory_bytes == 64ull << 20);
    CHECK(specs[0].lookback == std::chrono::minutes{180});
    CHECK(f.events() == std::vector<std::string>{"rule_loaded R-001", "rule_loaded R-002"});
}

TEST_CASE("the evaluator is told again only when a plugin or the configuration changed") {
    Fixture f;
    f.catalogue.holds({.plugins = {plugin("R-001")}, .rejected = {}});
    f.rules.refresh(f.config, true);
    f.rules.refresh(f.config, false);
    CHECK(f.evaluator.configured().size() == 1);
    f.rules.refresh(f.config, true);
    CHECK(f.evaluator.configured().size() == 2);
    f.catalogue.holds({.plugins = {plugin("R-001", "1.1.0")}, .rejected = {}});
    f.rules.refresh(f.config, false);
    CHECK(f.evaluator.configured().size() == 3);
}

TEST_CASE("a new, a changed and a removed plugin are each logged once") {
    Fixture f;
    f.rules.refresh(f.config, true);
    f.catalogue.holds({.plugins = {plugin("R-001")}, .rejected = {}});
    f.rules.refresh(f.config, false);
    f.catalogue.holds({.plugins = {plugin("R-001", "1.1.0")}, .rejected = {}});
    f.rules.refresh(f.config, false);
    f.catalogue.holds({});
    f.rules.refresh(f.config, false);
    f.rules.refresh(f.config, false);
    CHECK(f.events() == std::vector<std::string>{"rule_loaded R-001", "rule_replaced R-001", "rule_removed R-001"});
    const auto replaced = f.log.entries()[1];
    CHECK(Fixture::text(replaced, "version") == "1.1.0");
    CHECK(Fixture::text(replaced, "old_version") == "1.0.0");
    CHECK(Fixture::text(replaced, "old_sha256") == "sha-of-R-001-1.0.0");
}

TEST_CASE("a file that cannot be used is complained about once, and again when its trouble is another") {
    Fixture f;
    const ports::RejectedPlugin broken{"plugins/x.so", "R-001", FailureReason::load_failed, "not an ELF file"};
    f.catalogue.holds({.plugins = {}, .rejected = {broken}});
    f.rules.refresh(f.config, true);
    f.rules.refresh(f.config, false);
    CHECK(f.log.count("rule_rejected") == 1);
    auto other = broken;
    other.message = "no note";
    f.catalogue.holds({.plugins = {}, .rejected = {other}});
    f.rules.refresh(f.config, false);
    CHECK(f.log.count("rule_rejected") == 2);
    CHECK(f.state("R-001").problem == "load_failed: no note");
}

TEST_CASE("a rule that refuses its parameters is rejected with its own words and comes back when they are mended") {
    Fixture f;
    f.catalogue.holds({.plugins = {plugin("R-001")}, .rejected = {}});
    f.evaluator.refuses("R-001", scripted::failed(FailureReason::create_failed, "timezone: no zone Nowhere/City"));
    f.rules.refresh(f.config, true);
    CHECK(f.events() == std::vector<std::string>{"rule_rejected R-001"});
    CHECK_FALSE(f.state("R-001").loaded);
    CHECK(f.state("R-001").problem == "create_failed: timezone: no zone Nowhere/City");
}

TEST_CASE("a plugin whose hash is not the pinned one is not handed to the evaluator") {
    Fixture f;
    f.config.rules["R-001"].sha256 = "another";
    f.catalogue.holds({.plugins = {plugin("R-001")}, .rejected = {}});
    f.rules.refresh(f.config, true);
    CHECK(f.evaluator.configured().front().empty());
    CHECK(f.state("R-001").problem == "untrusted_file: rules.yaml allows sha256 another only; the file has sha-of-R-001-1.0.0");
    f.config.rules["R-001"].sha256 = "sha-of-R-001-1.0.0";
    f.rules.refresh(f.config, true);
    CHECK(f.state("R-001").loaded);
    CHECK(f.events() == std::vector<std::string>{"rule_rejected R-001", "rule_loaded R-001"});
}

TEST_CASE("a folder that cannot be read keeps the known plugins and is said once") {
    Fixture f;
    f.catalogue.holds({.plugins = {plugin("R-001")}, .rejected = {}});
    f.rules.refresh(f.config, true);
    f.catalogue.cannot_be_read("plugins: Permission denied");
    f.rules.refresh(f.config, false);
    f.rules.refresh(f.config, false);
    CHECK(f.log.count("plugins_scan_failed") == 1);
    CHECK(f.state("R-001").loaded);
    CHECK(f.evaluator.configured().size() == 1);
}

TEST_CASE("states name every rule of the file and every plugin, in id order") {
    Fixture f;
    f.catalogue.holds({.plugins = {plugin("R-001"), plugin("R-009")}, .rejected = {}});
    f.rules.refresh(f.config, true);
    const auto states = f.rules.states(f.config, {"R-001"});
    REQUIRE(states.size() == 3);
    CHECK(states[0].rule_id == "R-001");
    CHECK_FALSE(states[0].enabled);
    CHECK(states[0].loaded);
    CHECK(states[0].version == "1.0.0");
    CHECK(states[1].problem == "not_loaded: there is no plugin file for this rule");
    CHECK(states[2].problem == "not in rules.yaml");
    CHECK(f.state("R-001").enabled);
}

TEST_CASE("the state of a rule tells that it is out of service, until when and why") {
    Fixture f;
    f.catalogue.holds({.plugins = {plugin("R-001")}, .rejected = {}});
    f.rules.refresh(f.config, true);
    core::BreakerRecord breaker;
    breaker.rule_id = "R-001";
    breaker.state = core::BreakerState::quarantined;
    breaker.until = core::instant_from_us(7);
    breaker.reason = "deadline: late";
    auto unknown = breaker;
    unknown.rule_id = "R-900";
    f.evaluator.has_breakers({breaker, unknown});
    CHECK(f.state("R-001").breaker == breaker);
    CHECK(f.state("R-002").breaker == core::BreakerRecord{});
    CHECK(f.rules.states(f.config, {}).size() == 2);
}
