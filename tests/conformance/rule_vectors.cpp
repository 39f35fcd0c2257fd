// Checks one rule against every vector the reference answered: R-00N.jsonl, its part of peer_bugs.jsonl (answer `recommended`) and
// of errors.jsonl (refused when the rule is made). A rule sees its own scope only. The rule is linked in; no host, no process.
// Vectors without parameters are answered again with the defaults that rule.yaml promises.
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

varde::test::Window window_of(const Json& vector) {
    varde::test::Window window(vector["since"].get<std::string>(), vector["until"].get<std::string>(),
                               vector["now"].get<std::string>());
    for (const Json& event : vector["events"]) {
        bool own = true;
        for (const char* key : {"org_id", "home_id", "subject_id"})
            own &= !event.contains(key) || event[key] == vector["scope"][key];
        if (!own) continue;
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

// The defaults of the `params` of a rule.yaml as the parameters somebody would write.
Json defaults_of(const YAML::Node& params) {
    Json out = Json::object();
    for (const auto& entry : params) {
        const YAML::Node spec = entry.second;
        const auto type = spec["type"].as<std::string>();
        Json& value = out[entry.first.as<std::string>()];
        if (type == "object")
            value = defaults_of(spec["members"]);
        else if (!spec["default"])
            out.erase(entry.first.as<std::string>());
        else if (type == "integer")
            value = spec["default"].as<int64_t>();
        else if (type == "boolean")
            value = spec["default"].as<bool>();
        else if (type == "list_of_text")
            value = spec["default"].as<std::vector<std::string>>();
        else if (type == "text" || type == "local_time" || type == "zone")
            value = spec["default"].as<std::string>();
        else
            throw std::runtime_error("rule.yaml: unknown type " + type);
    }
    return out;
}

std::string difference(const Json& vector, const Json& params, const Json& expected) {
    varde::test::Rule rule(params.dump());
    if (!rule.created()) return "refused: " + rule.refused_param + ": " + rule.refusal;
    const auto answer = rule.evaluate(window_of(vector));
    if (!answer.violations.empty()) return answer.violations.front();
    if (answer.status != VARDE_OK) return "error: " + answer.error;
    Json want = Json::array(), got = Json::array();
    for (const Json& deviation : expected) want.push_back(shown(deviation));
    for (const auto& finding : answer.findings) got.push_back(shown(finding));
    // The evidence's own member order is part of what users see, so texts are compared.
    return want.dump() == got.dump() ? "" : "\n  expected " + want.dump() + "\n  got      " + got.dump();
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
    const Json defaults = defaults_of(manifest["params"]);
    Tally vectors, peers, errors, promised;
    check_file(folder / (id + ".jsonl"), vectors, [](const Json& v) { return difference(v, v["params"], v["expected"]); });
    check_file(folder / "peer_bugs.jsonl", peers, [](const Json& v) { return difference(v, v["params"], v["recommended"]); });
    check_file(folder / "errors.jsonl", errors, refused_at_load);
    check_file(folder / (id + ".jsonl"), promised,
               [&](const Json& v) { return v["params"].empty() ? difference(v, defaults, v["expected"]) : std::string(); });
    std::cout << id << ": " << vectors.checked - vectors.failed << "/" << vectors.checked << " vectors, "
              << peers.checked - peers.failed << "/" << peers.checked << " peer bugs, " << errors.checked - errors.failed << "/"
              << errors.checked << " refused parameters, "
              << (promised.failed == 0 ? "rule.yaml keeps its promises\n" : "rule.yaml promises other defaults\n");
    return vectors.failed + peers.failed + errors.failed + promised.failed == 0 && vectors.checked > 0 ? 0 : 1;
} catch (const std::exception& error) {
    std::cout << "failed: " << error.what() << "\n";
    return 1;
}
