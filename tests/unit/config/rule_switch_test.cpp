#include "config/settings.hpp"

#include <doctest/doctest.h>

using namespace varde;

namespace {

std::string switched(std::string_view text, const std::string& rule_id, bool enabled) {
    auto changed = config::with_rule_enabled(text, "rules.yaml", rule_id, enabled);
    const std::string problem = changed ? "" : changed.error().context;
    REQUIRE(problem == "");
    return *changed;
}

}  // namespace

TEST_CASE("switching a rule changes one word and keeps comments, order and spacing") {
    const std::string before =
        "# top\nrules:\n  R-001:   # one\n    enabled_in_scheduler:  true   # why\n    params: {a: [1,  2]}\n  R-002: {}\n";
    const std::string after =
        "# top\nrules:\n  R-001:   # one\n    enabled_in_scheduler:  false   # why\n    params: {a: [1,  2]}\n  R-002: {}\n";
    CHECK(switched(before, "R-001", false) == after);
    CHECK(switched(after, "R-001", true) == before);
    CHECK(switched(before, "R-001", true) == before);
}

TEST_CASE("a rule without the key gets it as its first one") {
    CHECK(switched("rules:\n  R-001:\n    # note\n    timeout_ms: 50\n", "R-001", true) ==
          "rules:\n  R-001:\n    # note\n    enabled_in_scheduler: true\n    timeout_ms: 50\n");
    CHECK(switched("rules: {R-001: {}, R-002: {timeout_ms: 50}}\n", "R-001", true) ==
          "rules: {R-001: {enabled_in_scheduler: true}, R-002: {timeout_ms: 50}}\n");
    CHECK(switched("rules: {R-001: {}, R-002: {timeout_ms: 50}}\n", "R-002", false) ==
          "rules: {R-001: {}, R-002: {enabled_in_scheduler: false, timeout_ms: 50}}\n");
}

TEST_CASE("Windows line ends and letters outside ASCII stay as they are") {
    CHECK(switched("# bl\xC3\xA5\r\nrules:\r\n  R-001:\r\n    timeout_ms: 50\r\n", "R-001", true) ==
          "# bl\xC3\xA5\r\nrules:\r\n  R-001:\r\n    enabled_in_scheduler: true\r\n    timeout_ms: 50\r\n");
    CHECK(switched("rules: {R-001: {group: \"bl\xC3\xA5\", enabled_in_scheduler: true}}", "R-001", false) ==
          "rules: {R-001: {group: \"bl\xC3\xA5\", enabled_in_scheduler: false}}");
}

TEST_CASE("a file that starts with a byte order mark can be switched too") {
    CHECK(switched("\xEF\xBB\xBFrules: {R-001: {enabled_in_scheduler: true}}", "R-001", false) ==
          "\xEF\xBB\xBFrules: {R-001: {enabled_in_scheduler: false}}");
}

TEST_CASE("a rule that the file does not have is not found") {
    const auto changed = config::with_rule_enabled("rules: {R-001: {}}", "rules.yaml", "R-009", true);
    REQUIRE_FALSE(changed.has_value());
    CHECK(changed.error().code == core::Errc::not_found);
    CHECK(changed.error().context == "rules.yaml has no rule R-009");
}

TEST_CASE("a file with mistakes is not edited") {
    const auto changed = config::with_rule_enabled("rules: {R-001: {timeout: 1}}", "rules.yaml", "R-001", true);
    REQUIRE_FALSE(changed.has_value());
    CHECK(changed.error().code == core::Errc::config_invalid);
}
