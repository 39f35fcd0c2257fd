#include "store/incident_json.hpp"

#include <concepts>
#include <nlohmann/json.hpp>

namespace varde::store {
namespace {

using nlohmann::json;
using std::chrono::nanoseconds;

template <class T>
concept Plain = std::integral<T> || std::same_as<T, std::string>;

json encoded(const Plain auto& value) { return value; }
json encoded(nanoseconds value) { return value.count(); }
json encoded(core::Instant value) { return core::to_us(value); }
json encoded(const core::StackFrame& frame) {
    return {{"module", frame.module}, {"offset", frame.offset}, {"function", frame.function}};
}
template <class T>
json encoded(const std::vector<T>& list) {
    auto array = json::array();
    for (const auto& one : list) array.push_back(encoded(one));
    return array;
}

// What was stored by a newer version, or by hand, may have another type: then the default stays.
template <std::integral T>
void decode(const json& from, T& to) {
    if (from.is_number_integer()) to = from.get<T>();
}
void decode(const json& from, std::string& to) {
    if (from.is_string()) to = from.get<std::string>();
}
void decode(const json& from, nanoseconds& to) {
    if (from.is_number_integer()) to = nanoseconds{from.get<std::int64_t>()};
}
void decode(const json& from, core::Instant& to) {
    if (from.is_number_integer()) to = core::instant_from_us(from.get<std::int64_t>());
}
template <class T>
void decode(const json& from, std::vector<T>& to);
template <class T>
void decode_member(const json& object, const char* key, T& to) {
    if (const auto found = object.find(key); found != object.end()) decode(*found, to);
}
void decode(const json& from, core::StackFrame& to) {
    if (!from.is_object()) return;
    decode_member(from, "module", to.module);
    decode_member(from, "offset", to.offset);
    decode_member(from, "function", to.function);
}
template <class T>
void decode(const json& from, std::vector<T>& to) {
    if (!from.is_array()) return;
    to.clear();
    for (const auto& one : from) decode(one, to.emplace_back());
}

/// One list for both directions.
template <class Evidence, class Visit>
void each_field(Evidence& evidence, Visit visit) {
    visit("path", evidence.path);
    visit("version", evidence.version);
    visit("sdk", evidence.sdk);
    visit("sha256", evidence.sha256);
    visit("build_id", evidence.build_id);
    visit("pid", evidence.pid);
    visit("incarnation", evidence.incarnation);
    visit("uptime_ns", evidence.uptime);
    visit("evaluation", evidence.evaluation);
    visit("posture", evidence.posture);
    visit("signal_code", evidence.signal_code);
    visit("address_class", evidence.address_class);
    visit("address", evidence.address);
    visit("syscall", evidence.syscall);
    visit("frames", evidence.frames);
    visit("stack_note", evidence.stack_note);
    visit("wall_ns", evidence.wall);
    visit("cpu_ns", evidence.cpu);
    visit("run_delay_ns", evidence.run_delay);
    visit("max_rss_bytes", evidence.max_rss_bytes);
    visit("limit", evidence.limit);
    visit("limit_measured", evidence.limit_measured);
    visit("limit_value", evidence.limit_value);
    visit("since_us", evidence.window.since);
    visit("until_us", evidence.window.until);
    visit("first_seq", evidence.first_seq);
    visit("last_seq", evidence.last_seq);
    visit("events", evidence.events);
    visit("stderr", evidence.stderr_tail);
    visit("consecutive_failures", evidence.consecutive_failures);
    visit("breaker", evidence.breaker);
    visit("action", evidence.action);
    visit("out_until_us", evidence.out_until);
    visit("clear_hint", evidence.clear_hint);
    visit("bundle", evidence.bundle);
}

template <class Enum>
Enum value_of(std::string_view name, Enum last) {
    for (int i = 0; i < static_cast<int>(last); ++i)
        if (core::name_of(static_cast<Enum>(i)) == name) return static_cast<Enum>(i);
    return last;
}

std::string text_of(const json& value) { return value.dump(-1, ' ', false, json::error_handler_t::replace); }

}  // namespace

std::string failure_json(const core::Failed& failed) {
    json object{{"message", failed.message},
                {"signal", failed.signal},
                {"exit_code", failed.exit_code},
                {"duration_ns", failed.duration.count()}};
    if (failed.evidence) {
        auto& evidence = object["evidence"] = json::object();
        each_field(*failed.evidence, [&](const char* key, const auto& value) {
            if (value != std::decay_t<decltype(value)>{}) evidence[key] = encoded(value);
        });
    }
    return text_of(object);
}

core::Failed failure_from_json(std::string_view text, std::string_view reason, std::string_view phase) {
    core::Failed failed;
    failed.reason = value_of(reason, core::FailureReason::quarantined);
    failed.phase = value_of(phase, core::Phase::destroy);
    const auto object = json::parse(text, nullptr, false);
    if (!object.is_object()) {
        failed.message = "the stored details of this incident cannot be read";
        return failed;
    }
    decode_member(object, "message", failed.message);
    decode_member(object, "signal", failed.signal);
    decode_member(object, "exit_code", failed.exit_code);
    decode_member(object, "duration_ns", failed.duration);
    const auto found = object.find("evidence");
    if (found == object.end() || !found->is_object()) return failed;
    core::Evidence evidence;
    each_field(evidence, [&](const char* key, auto& value) { decode_member(*found, key, value); });
    failed.evidence = std::make_shared<const core::Evidence>(std::move(evidence));
    return failed;
}

std::string instants_json(const std::vector<core::Instant>& instants) { return text_of(encoded(instants)); }

std::vector<core::Instant> instants_from_json(std::string_view text) {
    std::vector<core::Instant> instants;
    decode(json::parse(text, nullptr, false), instants);
    return instants;
}

}  // namespace varde::store
