// Checks one rule against every vector the reference answered: R-00N.jsonl, its part of peer_bugs.jsonl (answer `recommended`) and
// of errors.jsonl (refused when the rule is made). A rule sees its own scope only. The rule is linked in; no host, no process.
// Vectors without parameters are answered again with the defaults that rule.yaml promises. Every answer, also with the parameters of the
// shipped rules.yaml, must hold as long as it says.
#include <yaml-cpp/yaml.h>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iostream>
#include <nlohmann/json.hpp>

#include <varde/test.hpp>

namespace {

using Json = nlohmann::ordered_json;
namespace fs = std::filesystem;

struct Tally {
    int checked = 0;
    int failed = 0;
};

fs::path conformance_folder() {
    const char* shared = std::getenv("VARDE_SHARED");
    return fs::path(shared ? shared : VARDE_SOURCE_DIR "/../shared") / "conformance";
}

// The events of the vector's own scope that `wanted` takes, in a window that ends `ahead` microseconds later.
varde::test::Window window_of(const Json& vector, int64_t ahead, const std::function<bool(const Json&)>& wanted) {
    const auto moved = [&](const char* key) {
        return varde::test::time_text(varde::test::time_from(vector[key].get<std::string>()) + ahead, "Z");
    };
    varde::test::Window window(moved("since"), moved("until"), moved("now"));
    for (const Json& event : vector["events"]) {
        bool own = true;
        for (const char* key : {"org_id", "home_id", "subject_id"})
            own &= !event.contains(key) || event[key] == vector["scope"][key];
        if (!own || !wanted(event)) continue;
        const Json payload = event.value("payload", Json::object());
        const bool has_room = event.contains("room_id") && event["room_id"].is_string();
        window.add({.id = event["id"],
                    .time = event["timestamp"],
                    .category = event["category"],
                    .payload = payload.dump(),
                    .room = has_room ? event["room_id"].get<std::string>() : "",
                    .stream = event.value("stream_id", "prod")});
    }
    return window;
}

// The reference's evidence as Varde shows it: a list is the list of event ids.
Json shown(const Json& deviation) {
    Json out = deviation;
    out.erase("rule_id");
    if (out["evidence"].is_array()) out["evidence"] = Json{{"event_ids", deviation["evidence"]}};
    return out;
}

Json shown(const varde::test::Finding& finding) {
    return {{"severity", finding.severity},
            {"title", finding.title},
            {"explanation", finding.explanation},
            {"evidence", Json::parse(finding.evidence)},
            {"window", {{"since", finding.since}, {"until", finding.until}}},
            {"timestamp", finding.timestamp}};
}

Json values_of(const YAML::Node& params,
               const std::function<YAML::Node(const std::string& name, const YAML::Node& spec)>& value_of);

Json typed(const YAML::Node& value, const YAML::Node& spec) {
    const auto type = spec["type"].as<std::string>();
    if (type == "object")
        return values_of(spec["members"], [&](const std::string& name, const YAML::Node&) { return value[name]; });
    if (type == "integer") return value.as<int64_t>();
    if (type == "boolean") return value.as<bool>();
    if (type == "list_of_text") return value.as<std::vector<std::string>>();
    if (type == "text" || type == "local_time" || type == "zone") return value.as<std::string>();
    throw std::runtime_error("rule.yaml: unknown type " + type);
}

// The parameters somebody would write, by the `params` of a rule.yaml; without those that have no value.
Json values_of(const YAML::Node& params,
               const std::function<YAML::Node(const std::string& name, const YAML::Node& spec)>& value_of) {
    Json out = Json::object();
    for (const auto& entry : params) {
        const auto name = entry.first.as<std::string>();
        if (const YAML::Node value = value_of(name, entry.second)) out[name] = typed(value, entry.second);
    }
    return out;
}

Json defaults_of(const YAML::Node& params) {
    Json out = values_of(params, [](const std::string&, const YAML::Node& spec) { return spec["default"]; });
    for (const auto& entry : params)
        if (entry.second["members"]) out[entry.first.as<std::string>()] = defaults_of(entry.second["members"]);
    return out;
}

// What the shipped rules.yaml gives the rule.
Json shipped_params(const std::string& id, const YAML::Node& params) {
    const YAML::Node given = YAML::LoadFile(VARDE_SOURCE_DIR "/config/rules.yaml")["rules"][id]["params"];
    return values_of(params, [&](const std::string& name, const YAML::Node&) { return given[name]; });
}

std::string difference(const Json& vector, const Json& params, const Json& expected) {
    varde::test::Rule rule(params.dump());
    if (!rule.created()) return "refused: " + rule.refused_param + ": " + rule.refusal;
    const auto answer = rule.evaluate(window_of(vector, 0, [](const Json&) { return true; }));
    if (!answer.violations.empty()) return answer.violations.front();
    if (answer.status != VARDE_OK) return "error: " + answer.error;
    Json want = Json::array(), got = Json::array();
    for (const Json& deviation : expected) want.push_back(shown(deviation));
    for (const auto& finding : answer.findings) got.push_back(shown(finding));
    // The evidence's own member order is part of what users see, so texts are compared.
    return want.dump() == got.dump() ? "" : "\n  expected " + want.dump() + "\n  got      " + got.dump();
}

// The part of an answer that a host carries over until valid_until.
std::string held(const varde::test::Answer& answer) {
    if (!answer.violations.empty()) return answer.violations.front();
    std::string text = std::to_string(answer.outcome) + answer.error;
    for (const auto& finding : answer.findings) text += ", " + finding.severity + " " + finding.title;
    return text;
}

// An answer is the same just before its valid_until, and half way to it, in a window that moved along and if no event came. An event
// that was stored ahead of its time comes when the window reaches it, so there is none here.
std::string broken_promise(const Json& vector, const Json& params) {
    constexpr int64_t kReach = 2 * varde::test::kDay;  // an answer that holds longer is looked at so far ahead
    const int64_t until = varde::test::time_from(vector["until"].get<std::string>());
    const auto came = [&](const Json& event) { return varde::test::time_from(event["timestamp"].get<std::string>()) < until; };
    varde::test::Rule rule(params.dump());
    if (!rule.created()) return "refused: " + rule.refused_param + ": " + rule.refusal;
    const auto now = rule.evaluate(window_of(vector, 0, came));
    if (now.valid_until == "ask always") return "";
    const int64_t holds = now.valid_until == "never" ? kReach : varde::test::time_from(now.valid_until) - until;
    for (const int64_t ahead : {std::min(holds, kReach) / 2, std::min(holds, kReach) - 1}) {
        if (ahead <= 0) continue;
        const auto then = rule.evaluate(window_of(vector, ahead, came));
        if (held(then) != held(now))
            return "\n  '" + held(now) + "' was to hold until " + now.valid_until + " but is '" + held(then) + "' after " +
                   std::to_string(ahead) + " us\n  " + params.dump();
    }
    return "";
}

std::string refused_at_load(const Json& vector) {
    varde::test::Rule rule(vector["params"].dump());
    if (rule.created()) return "accepted, but the reference raises " + vector["error_text"].get<std::string>();
    if (rule.status != VARDE_E_PARAM) return "status " + std::to_string(rule.status) + ": " + rule.refusal;
    return rule.refused_param.empty() || rule.refusal.empty() ? "no parameter or no text is named" : "";
}

void check_file(const fs::path& file, Tally& tally, const std::function<std::string(const Json&)>& check) {
    std::ifstream in(file);
    if (!in) throw std::runtime_error("cannot read " + file.string());
    for (std::string line; std::getline(in, line);) {
        const Json vector = Json::parse(line);
        if (vector["rule_id"] != varde_rule_v1.rule_id) continue;
        ++tally.checked;
        const std::string problem = check(vector);
        if (problem.empty()) continue;
        if (++tally.failed <= 10) std::cout << vector["vector_id"].get<std::string>() << ": " << problem << "\n";
    }
}

}  // namespace

int main() try {
    const fs::path folder = conformance_folder();
    const std::string id = varde_rule_v1.rule_id;
    if (!fs::exists(folder)) {
        std::cout << "skipped: no folder " << folder << "; set VARDE_SHARED\n";
        return 77;
    }
    const YAML::Node manifest = YAML::LoadFile(std::string(VARDE_SOURCE_DIR "/plugins/") + id + "/rule.yaml");
    const Json defaults = defaults_of(manifest["params"]), shipped = shipped_params(id, manifest["params"]);
    Tally vectors, peers, errors, promised, held;
    check_file(folder / (id + ".jsonl"), vectors, [](const Json& v) { return difference(v, v["params"], v["expected"]); });
    check_file(folder / "peer_bugs.jsonl", peers, [](const Json& v) { return difference(v, v["params"], v["recommended"]); });
    check_file(folder / "errors.jsonl", errors, refused_at_load);
    check_file(folder / (id + ".jsonl"), promised,
               [&](const Json& v) { return v["params"].empty() ? difference(v, defaults, v["expected"]) : std::string(); });
    check_file(folder / (id + ".jsonl"), held, [](const Json& v) { return broken_promise(v, v["params"]); });
    check_file(folder / (id + ".jsonl"), held, [&](const Json& v) { return broken_promise(v, shipped); });
    const auto of = [](const Tally& tally) {
        return std::to_string(tally.checked - tally.failed) + "/" + std::to_string(tally.checked);
    };
    std::cout << id << ": " << of(vectors) << " vectors, " << of(peers) << " peer bugs, " << of(errors) << " refused parameters, "
              << of(held) << " answers held, "
              << (promised.failed == 0 ? "rule.yaml keeps its promises\n" : "rule.yaml promises other defaults\n");
    return vectors.failed + peers.failed + errors.failed + promised.failed + held.failed == 0 && vectors.checked > 0 ? 0 : 1;
} catch (const std::exception& error) {
    std::cout << "failed: " << error.what() << "\n";
    return 1;
}
