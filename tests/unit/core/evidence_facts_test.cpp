#include "core/evidence_facts.hpp"

#include <doctest/doctest.h>

#include <string>
#include <type_traits>
#include <vector>

using namespace varde;

namespace {

/// "part.name=value", "name=value".
std::vector<std::string> lines_of(const core::Evidence& evidence) {
    std::vector<std::string> lines;
    for (const auto& fact : core::facts_of(evidence)) {
        auto line = fact.part.empty() ? std::string{} : std::string{fact.part} + ".";
        line += std::string{fact.name} + "=";
        std::visit(
            [&](const auto& value) {
                using T = std::decay_t<decltype(value)>;
                if constexpr (std::is_same_v<T, std::string>) {
                    line += value;
                } else if constexpr (std::is_same_v<T, std::int64_t>) {
                    line += std::to_string(value);
                } else if constexpr (std::is_same_v<T, core::Instant>) {
                    line += std::to_string(core::to_us(value)) + "us";
                } else {
                    for (const auto& one : value) line += "[" + one + "]";
                }
            },
            fact.value);
        lines.push_back(std::move(line));
    }
    return lines;
}

}  // namespace

TEST_CASE("of a failure without evidence nothing is known") { CHECK(core::facts_of({}).empty()); }

TEST_CASE("a crash tells plugin, process, fault, stack and what was done, in this order") {
    core::Evidence e;
    e.path = "plugins/R-001.so";
    e.version = "1.0.0";
    e.sdk = "c++";
    e.sha256 = "aa11";
    e.build_id = "beef";
    e.pid = 4711;
    e.incarnation = 2;
    e.uptime = std::chrono::microseconds{1'500'999};
    e.evaluation = 3;
    e.posture = "A";
    e.signal_code = 1;
    e.address_class = "wild";
    e.address = 0xFFFF'FFFF'FFFF'FFFF;
    e.frames = {{"R-001.so", 0x1139, "Rule::evaluate"}, {"?", 0, ""}};
    e.stack_note = "two frames only";
    e.consecutive_failures = 3;
    e.breaker = "quarantined";
    e.action = "worker replaced";
    e.out_until = core::instant_from_us(32);
    e.clear_hint = "varde rules release R-001";
    e.bundle = "var/incidents/1";
    const std::vector<std::string> expected{"plugin.path=plugins/R-001.so",
                                            "plugin.version=1.0.0",
                                            "plugin.sdk=c++",
                                            "plugin.sha256=aa11",
                                            "plugin.build_id=beef",
                                            "process.pid=4711",
                                            "process.incarnation=2",
                                            "process.uptime_ms=1500",
                                            "process.evaluation=3",
                                            "process.posture=A",
                                            "fault.signal_code=1",
                                            "fault.address_class=wild",
                                            "fault.address=0xffffffffffffffff",
                                            "frames=[R-001.so+0x1139 Rule::evaluate][?+0x0]",
                                            "stack_note=two frames only",
                                            "breaker.state=quarantined",
                                            "breaker.action=worker replaced",
                                            "breaker.consecutive_failures=3",
                                            "breaker.until=32us",
                                            "breaker.clear=varde rules release R-001",
                                            "bundle=var/incidents/1"};
    CHECK(lines_of(e) == expected);
}

TEST_CASE("a deadline tells the limit, what was measured, and the window; a window without events says 0") {
    core::Evidence e;
    e.syscall = "socket (41)";
    e.wall = std::chrono::milliseconds{2003};
    e.run_delay = std::chrono::milliseconds{1990};
    e.max_rss_bytes = 1024;
    e.limit = "timeout_ms";
    e.limit_measured = 2003;
    e.limit_value = 2000;
    e.window = {core::instant_from_us(5), core::instant_from_us(9)};
    e.stderr_tail = "late";
    const std::vector<std::string> expected{"fault.syscall=socket (41)",
                                            "resources.wall_ms=2003",
                                            "resources.cpu_ms=0",
                                            "resources.run_delay_ms=1990",
                                            "resources.max_rss_bytes=1024",
                                            "resources.limit=timeout_ms",
                                            "resources.limit_measured=2003",
                                            "resources.limit_value=2000",
                                            "window.since=5us",
                                            "window.until=9us",
                                            "window.events=0",
                                            "stderr=late"};
    CHECK(lines_of(e) == expected);
    e.events = 4;
    e.first_seq = 17;
    e.last_seq = 20;
    const auto lines = lines_of(e);
    CHECK(std::vector(lines.end() - 4, lines.end() - 1) ==
          std::vector<std::string>{"window.events=4", "window.first_seq=17", "window.last_seq=20"});
}
