#include "jobs/http_job.hpp"

#include "jobs/http_client.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace varde::jobs {
namespace {

using core::Errc;
using nlohmann::json;

constexpr std::size_t kMostResult = 65'536;  ///< what a run keeps

struct Params {
    HttpParams http{.url = {}, .headers = {}, .timeout = std::chrono::seconds{30}};
    std::string method = "GET";
    std::optional<std::string> body;
    std::vector<int> expect;  ///< empty: 200..299
    bool follow_redirects = false;
    int keep = 16'384;
};

std::optional<std::string> method_from(std::string_view name) {
    constexpr std::array<std::string_view, 6> kMethods{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"};
    return std::ranges::find(kMethods, name) == kMethods.end() ? std::nullopt : std::optional<std::string>{name};
}

void read_expect(config::JsonSection& section, std::vector<int>& out) {
    const auto* const list = section.any("expect");
    if (list == nullptr) return;
    const auto is_status = [](const json& item) {
        return item.is_number_integer() && item.get<double>() >= 200 && item.get<double>() <= 599;
    };
    if (!list->is_array() || list->empty() || list->size() > 100 || !std::ranges::all_of(*list, is_status)) {
        return section.problem("expect", "must be a list of statuses from 200 to 599");
    }
    out = list->get<std::vector<int>>();
}

core::Result<Params> read(const std::string& text) {
    Params params;
    std::vector<std::string> problems;
    const auto value = json_of(text).value_or(json{});
    config::JsonSection section{value, "params", problems};
    read_http_params(section, params.http);
    std::string method;
    section.text("method", 1, 10, method);
    if (const auto known = method_from(method)) {
        params.method = *known;
    } else if (!method.empty()) {
        section.problem("method", "must be one of GET, HEAD, POST, PUT, PATCH, DELETE");
    }
    const bool asks = params.method == "GET" || params.method == "HEAD";
    if (const auto* const body = section.any("body")) params.body = body->dump(-1, ' ', false, json::error_handler_t::replace);
    if (params.body && asks)
        section.problem("body", fmt::format("is not sent with {}; choose POST, PUT or PATCH", params.method));
    read_expect(section, params.expect);
    section.boolean("follow_redirects", params.follow_redirects);
    if (params.follow_redirects && !asks) section.problem("follow_redirects", "is for GET and HEAD only");
    if (params.follow_redirects && has_env_header(params.http)) {
        section.problem("follow_redirects",
                        "is not possible with headers from the environment: they would go to the other server");
    }
    section.integer("keep", 0, 32'768, params.keep);
    section.finish();
    if (!problems.empty()) return core::fail(Errc::invalid_argument, fmt::format("{}", fmt::join(problems, "; ")));
    return params;
}

std::string result_of(const HttpReply& reply, std::size_t keep) {
    const auto dumped = [&](const json& body, bool truncated) {
        const nlohmann::ordered_json result{{"status", reply.status}, {"body", body}, {"truncated", truncated}};
        return result.dump(-1, ' ', false, json::error_handler_t::replace);
    };
    if (reply.body.size() <= keep) {
        auto value = json_of(reply.body);
        auto text = dumped(value ? std::move(*value) : json(reply.body), false);
        if (text.size() <= kMostResult) return text;
    }
    // A control character takes six bytes in JSON.
    for (;; keep /= 2) {
        auto text = dumped(cut(reply.body, keep), true);
        if (text.size() <= kMostResult) return text;
    }
}

bool is_expected(int status, const std::vector<int>& expect) {
    if (expect.empty()) return status >= 200 && status <= 299;
    return std::ranges::find(expect, status) != expect.end();
}

ports::JobAnswer failed(std::string error, bool retry) { return {false, std::move(error), {}, retry}; }

}  // namespace

HttpJob::HttpJob(Environment environment) : environment_{std::move(environment)} {}

core::Result<void> HttpJob::check(const std::string& params) const {
    if (const auto sound = read(params); !sound) return tl::unexpected{sound.error()};
    return {};
}

bool HttpJob::reaches_beyond_org(const std::string& text) const {
    const auto params = read(text);
    return !params || has_env_header(params->http);
}

ports::JobAnswer HttpJob::run(const ports::JobCall& call) {
    const auto params = read(call.params);
    if (!params) return failed(params.error().context, false);
    auto headers = headers_of(params->http, call, environment_);
    if (!headers) return failed(headers.error().context, false);

    HttpRequest request;
    request.method = params->method;
    request.url = params->http.url;
    request.headers = std::move(*headers);
    request.body = params->body;
    request.timeout = timeout_of(params->http, call);
    request.follow_redirects = params->follow_redirects;
    const auto reply = http_call(request, call.stop);
    if (!reply) return failed(reply.error().text, reply.error().may_pass());

    ports::JobAnswer answer;
    answer.result = result_of(*reply, static_cast<std::size_t>(params->keep));
    answer.ok = is_expected(reply->status, params->expect);
    if (answer.ok) return answer;
    answer.error = status_error(request.url, reply->status);
    answer.retry = status_may_pass(reply->status);
    return answer;
}

}  // namespace varde::jobs
