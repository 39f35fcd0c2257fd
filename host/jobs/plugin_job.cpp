#include "jobs/plugin_job.hpp"

#include "config/json_section.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace varde::jobs {
namespace {

using core::Errc;
using core::Result;
using nlohmann::json;

struct Params {
    std::string job;
    json params = json::object();
    int memory_mb = 128;
};

bool is_job_id(const std::string& text) {
    return std::ranges::all_of(text, [](char c) {
        return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';
    });
}

Result<Params> read(const std::string& text) {
    Params params;
    std::vector<std::string> problems;
    const auto value = json::parse(text, nullptr, false);
    config::JsonSection section{value, "params", problems};
    section.text("job", 1, 31, params.job);
    if (section.any("job") == nullptr) section.problem("job", "is missing: the id of a job in plugins_dir, such as \"J-hello\"");
    if (!is_job_id(params.job)) section.problem("job", "must be letters, digits, '.', '_' and '-'");
    section.object("params", [&](const json& given, const std::string&) { params.params = given; });
    if (!params.params.is_object()) section.problem("params", "must be an object");
    section.integer("memory_mb", 16, 1024, params.memory_mb);
    section.finish();
    if (!problems.empty()) return core::fail(Errc::invalid_argument, fmt::format("{}", fmt::join(problems, "; ")));
    return params;
}

}  // namespace

Result<void> PluginJob::check(const std::string& params) const {
    if (const auto sound = read(params); !sound) return tl::unexpected{sound.error()};
    return {};
}

ports::JobAnswer PluginJob::run(const ports::JobCall& call) {
    const auto params = read(call.params);
    if (!params) return {false, params.error().context, {}, false};
    return libraries_.run({params->job, params->params.dump(-1, ' ', false, json::error_handler_t::replace), call.slot_key,
                           call.run.nominal_at, call.run.attempt, call.schedule.policy.run_timeout,
                           static_cast<std::uint64_t>(params->memory_mb), call.stop});
}

}  // namespace varde::jobs
