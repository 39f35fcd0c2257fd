#include "config/scenario.hpp"

#include "config/file_text.hpp"
#include "config/section.hpp"
#include "time/utc_text.hpp"

#include <fmt/format.h>

namespace varde::config {
namespace {

using ReadItem = std::function<void(const Value&, const std::string& path)>;

/// Hands over each element of a list with its path; an absent list has none.
void each(Section& in, std::string_view key, const ReadItem& read) {
    const auto* list = in.list(key);
    if (list == nullptr) return;
    const auto path = in.path().empty() ? std::string{key} : fmt::format("{}.{}", in.path(), key);
    for (std::size_t i = 0; i < list->items.size(); ++i) read(list->items[i], fmt::format("{}[{}]", path, i));
}

/// The same for a list of maps.
void each_map(Section& in, std::string_view key, const ReadItem& read) {
    each(in, key, [&](const Value& item, const std::string& path) {
        if (item.kind == Value::Kind::map) return read(item, path);
        in.problems().add(item.at, path, "must be a map of keys with values");
    });
}

/// The elements of a list of texts; numbers are taken as they are written, because ids often look like numbers.
std::vector<std::string> texts(Section& in, std::string_view key) {
    std::vector<std::string> out;
    each(in, key, [&](const Value& item, const std::string& path) {
        if (item.kind == Value::Kind::scalar) return out.push_back(item.text);
        in.problems().add(item.at, path, "must be a text");
    });
    return out;
}

std::optional<core::Instant> read_time(Section& in, std::string_view key) {
    std::optional<core::Instant> at;
    in.text(key, 1, 64, [&](std::string text) {
        if (const auto parsed = time::parse_utc(text))
            at = *parsed;
        else
            in.problem(key, parsed.error().context);
    });
    return at;
}

core::Event read_event(const Value& map, const std::string& path, std::int64_t seq, Problems& problems) {
    core::Event event;
    event.seq = seq;
    Section in{map, path, problems};
    in.text("id", 1, 200, event.event_id);
    in.text("category", 1, 100, event.category);
    in.text("stream_id", 1, 100, event.stream_id);
    in.text("org_id", 1, 100, event.scope.org_id);
    in.text("home_id", 1, 100, event.scope.home_id);
    in.text("subject_id", 1, 100, event.scope.subject_id);
    in.text("room_id", 1, 100, event.room_id);
    if (const auto at = read_time(in, "timestamp")) event.time = event.received_at = *at;
    if (const auto* payload = in.map("payload")) event.payload = to_json(*payload, path + ".payload", problems);
    if (event.event_id.empty()) in.problem("id", "is missing");
    if (event.category.empty()) in.problem("category", "is missing");
    if (event.time == core::Instant{}) in.problem("timestamp", "is missing or wrong");
    in.finish();
    return event;
}

void optional_text(Section& in, std::string_view key, std::optional<std::string>& out) {
    in.text(key, 0, 4000, [&out](std::string text) { out = std::move(text); });
}

ExpectedDeviation read_expected(const Value& map, const std::string& path, Problems& problems) {
    ExpectedDeviation expected;
    Section in{map, path, problems};
    in.text("rule_id", 1, 64, expected.rule_id);
    optional_text(in, "severity", expected.severity);
    optional_text(in, "title", expected.title);
    optional_text(in, "explanation_contains", expected.explanation_contains);
    expected.evidence_contains = texts(in, "evidence_contains");
    in.section("window", [&](Section& window) {
        optional_text(window, "since", expected.window_since);
        optional_text(window, "until", expected.window_until);
    });
    if (expected.rule_id.empty()) in.problem("rule_id", "is missing");
    in.finish();
    return expected;
}

void read_expect(Section& in, Scenario& scenario) {
    std::string condition = "contains";
    in.choice("pass_condition", {"contains", "exact"}, condition);
    scenario.exact = condition == "exact";
    scenario.ignore_extra_rule_ids = texts(in, "ignore_extra_rule_ids");
    each_map(in, "deviations", [&](const Value& item, const std::string& path) {
        scenario.expected.push_back(read_expected(item, path, in.problems()));
    });
}

void read_scenario(Section& in, Scenario& scenario) {
    in.text("id", 1, 200, scenario.id);
    in.text("description", 0, 4000, scenario.description);
    each_map(in, "events", [&](const Value& item, const std::string& path) {
        scenario.events.push_back(read_event(item, path, static_cast<std::int64_t>(scenario.events.size()) + 1, in.problems()));
    });
    std::optional<core::Instant> since;
    std::optional<core::Instant> until;
    in.section("evaluate", [&](Section& evaluate) {
        since = read_time(evaluate, "since");
        until = read_time(evaluate, "until");
    });
    if (!since || !until || *since >= *until)
        in.problem("evaluate", "needs 'since' and a later 'until'");
    else
        scenario.evaluate = {*since, *until};
    bool expects = false;
    in.section("expect", [&](Section& expect) {
        expects = true;
        read_expect(expect, scenario);
    });
    if (!expects) in.problem("expect", "is missing");
    if (scenario.id.empty()) in.problem("id", "is missing");
}

}  // namespace

core::Result<Scenario> load_scenario(const std::filesystem::path& file) {
    const auto text = file_text(file);
    if (!text) return tl::unexpected{text.error()};
    Problems problems{file.string()};
    Scenario scenario;
    if (const auto root = read_document(*text, problems)) {
        if (root->kind == Value::Kind::map) {
            Section section{*root, "", problems};
            read_scenario(section, scenario);
            section.finish();
        } else {
            problems.add(root->at, "", "must be a map with id, events, evaluate and expect");
        }
    }
    if (!problems.empty()) return tl::unexpected{problems.error()};
    return scenario;
}

}  // namespace varde::config
