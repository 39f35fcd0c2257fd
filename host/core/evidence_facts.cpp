#include "core/evidence_facts.hpp"

#include <array>
#include <charconv>
#include <utility>

namespace varde::core {
namespace {

std::string hex(std::uint64_t number) {
    std::array<char, 16> digits{};
    const auto done = std::to_chars(digits.data(), digits.data() + digits.size(), number, 16);
    return "0x" + std::string{digits.data(), done.ptr};
}

std::int64_t ms(std::chrono::nanoseconds duration) {
    return std::chrono::duration_cast<std::chrono::milliseconds>(duration).count();
}

/// Collects the facts of one part.
class Part {
  public:
    Part(std::vector<EvidenceFact>& facts, std::string_view name) : facts_{facts}, name_{name} {}

    void text(std::string_view name, const std::string& value) {
        if (!value.empty()) facts_.push_back({name_, name, value});
    }
    void texts(std::string_view name, std::vector<std::string> value) {
        if (!value.empty()) facts_.push_back({name_, name, std::move(value)});
    }
    /// Also if it is 0.
    void number(std::string_view name, std::int64_t value) { facts_.push_back({name_, name, value}); }
    void known_number(std::string_view name, std::int64_t value) {
        if (value != 0) number(name, value);
    }
    void time(std::string_view name, Instant value) {
        if (value != Instant{}) facts_.push_back({name_, name, value});
    }

  private:
    std::vector<EvidenceFact>& facts_;
    std::string_view name_;
};

void add_plugin(Part part, const Evidence& evidence) {
    part.text("path", evidence.path);
    part.text("version", evidence.version);
    part.text("sdk", evidence.sdk);
    part.text("sha256", evidence.sha256);
    part.text("build_id", evidence.build_id);
}

void add_process(Part part, const Evidence& evidence) {
    if (evidence.pid == 0) return;
    part.number("pid", evidence.pid);
    part.number("incarnation", static_cast<std::int64_t>(evidence.incarnation));
    part.number("uptime_ms", ms(evidence.uptime));
    part.number("evaluation", static_cast<std::int64_t>(evidence.evaluation));
    part.text("posture", evidence.posture);
}

void add_fault(Part part, const Evidence& evidence) {
    part.known_number("signal_code", evidence.signal_code);
    part.text("address_class", evidence.address_class);
    if (!evidence.address_class.empty()) part.text("address", hex(evidence.address));
    part.text("syscall", evidence.syscall);
}

void add_stack(Part part, const Evidence& evidence) {
    std::vector<std::string> frames;
    frames.reserve(evidence.frames.size());
    for (const auto& frame : evidence.frames) frames.push_back(text_of(frame));
    part.texts("frames", std::move(frames));
    part.text("stack_note", evidence.stack_note);
}

void add_resources(Part part, const Evidence& evidence) {
    if (evidence.wall.count() != 0) {
        part.number("wall_ms", ms(evidence.wall));
        part.number("cpu_ms", ms(evidence.cpu));
        part.number("run_delay_ms", ms(evidence.run_delay));
    }
    part.known_number("max_rss_bytes", static_cast<std::int64_t>(evidence.max_rss_bytes));
    if (evidence.limit.empty()) return;
    part.text("limit", evidence.limit);
    part.number("limit_measured", evidence.limit_measured);
    part.number("limit_value", evidence.limit_value);
}

void add_window(Part part, const Evidence& evidence) {
    if (evidence.window == Window{}) return;
    part.time("since", evidence.window.since);
    part.time("until", evidence.window.until);
    part.number("events", evidence.events);
    part.known_number("first_seq", evidence.first_seq);
    part.known_number("last_seq", evidence.last_seq);
}

void add_breaker(Part part, const Evidence& evidence) {
    part.text("state", evidence.breaker);
    part.text("action", evidence.action);
    part.known_number("consecutive_failures", evidence.consecutive_failures);
    part.time("until", evidence.out_until);
    part.text("clear", evidence.clear_hint);
}

}  // namespace

std::string text_of(const StackFrame& frame) {
    auto text = frame.module + "+" + hex(frame.offset);
    if (!frame.function.empty()) text += " " + frame.function;
    return text;
}

std::vector<EvidenceFact> facts_of(const Evidence& evidence) {
    std::vector<EvidenceFact> facts;
    add_plugin({facts, "plugin"}, evidence);
    add_process({facts, "process"}, evidence);
    add_fault({facts, "fault"}, evidence);
    add_stack({facts, ""}, evidence);
    add_resources({facts, "resources"}, evidence);
    add_window({facts, "window"}, evidence);
    Part{facts, ""}.text("stderr", evidence.stderr_tail);
    add_breaker({facts, "breaker"}, evidence);
    Part{facts, ""}.text("bundle", evidence.bundle);
    return facts;
}

std::string_view without_worker_log(std::string_view message) { return message.substr(0, message.find("; stderr: ")); }

}  // namespace varde::core
