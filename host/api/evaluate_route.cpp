#include "api/authentication.hpp"
#include "api/json_text.hpp"
#include "api/problem.hpp"
#include "api/routes.hpp"
#include "time/utc_text.hpp"

#include <utility>
#include <vector>

#include <fmt/format.h>

namespace varde::api {
namespace {

using core::Errc;
using core::Result;
using ports::Role;
using Verdicts = Result<std::vector<ports::RuleVerdict>>;

struct Asked {
    core::Scope scope;
    core::Window window;
};

Result<core::Instant> required_time(const Request& request, std::string_view key) {
    const auto at = time_value(request, key);
    if (!at) return tl::unexpected{at.error()};
    if (!*at) return core::fail(Errc::invalid_argument, fmt::format("{} is missing", key));
    return **at;
}

Result<Asked> read_question(const Request& request, const Identity& identity) {
    Asked asked;
    const auto since = required_time(request, "since");
    if (!since) return tl::unexpected{since.error()};
    const auto until = required_time(request, "until");
    if (!until) return tl::unexpected{until.error()};
    if (*since >= *until) return core::fail(Errc::invalid_argument, "since must be before until");
    asked.window = {*since, *until};
    auto scope = home_value(request, identity);
    if (!scope) return tl::unexpected{scope.error()};
    asked.scope = std::move(*scope);
    return asked;
}

/// A UUID that is the same for the same question: what is evaluated on request is not kept, but a caller can recognise it. Version 8
/// (RFC 9562) from SHA-256.
std::string uuid_of(const Asked& asked, const std::string& rule_id, std::size_t index) {
    auto hex =
        token_hash(fmt::format("{}\n{}\n{}\n{}\n{}\n{}\n{}", asked.scope.org_id, asked.scope.home_id, asked.scope.subject_id,
                               rule_id, core::to_us(asked.window.since), core::to_us(asked.window.until), index));
    hex[12] = '8';
    hex[16] = "89ab"[static_cast<unsigned char>(hex[16]) % 4U];
    return fmt::format("{}-{}-{}-{}-{}", hex.substr(0, 8), hex.substr(8, 4), hex.substr(12, 4), hex.substr(16, 4),
                       hex.substr(20, 12));
}

void append_finding(std::string& out, const Asked& asked, const std::string& rule_id, const core::Finding& finding,
                    std::size_t index) {
    out += out.back() == '[' ? "{" : ",{";
    append_member(out, "deviation_id", uuid_of(asked, rule_id, index));
    append_member(out, "rule_id", rule_id);
    append_member(out, "timestamp", time::format_utc(finding.timestamp));
    append_member(out, "severity", core::name_of(finding.severity));
    append_member(out, "title", finding.title);
    append_member(out, "explanation", finding.explanation);
    append_key(out, "evidence");
    out += finding.evidence;
    append_key(out, "window");
    out += '{';
    append_member(out, "since", time::format_utc(finding.window.since));
    append_member(out, "until", time::format_utc(finding.window.until));
    out += "}}";
}

Response answer(const RouteContext& context, const Asked& asked, const Verdicts& verdicts) {
    if (!verdicts) return report(context, verdicts.error());
    std::string body = "[";
    std::string failed;
    std::string gated;
    for (const auto& [rule_id, verdict, gating_reason] : *verdicts) {
        if (!gating_reason.empty()) {
            gated += fmt::format("{}{}={}", gated.empty() ? "" : ", ", rule_id, gating_reason);
            continue;
        }
        if (const auto* const failure = std::get_if<core::Failed>(&verdict)) {
            failed += fmt::format("{}{}={}", failed.empty() ? "" : ", ", rule_id, core::name_of(failure->reason));
            context.services.log.log(
                ports::LogLevel::error, "api", "evaluate_rule_error", "rule evaluation failed",
                {{"rule_id", rule_id},
                 {"incident_id", failure->incident_id},
                 {"error", ports::Json{error_json("rule_failed", failure->message, core::name_of(failure->reason),
                                                  core::name_of(failure->phase))}}});
            continue;
        }
        const auto& findings = std::get<core::Completed>(verdict).findings;
        for (std::size_t i = 0; i < findings.size(); ++i) append_finding(body, asked, rule_id, findings[i], i);
    }
    auto response = json(body + ']');
    if (!gated.empty()) response.headers.emplace_back("X-Varde-Rules-Gated", std::move(gated));
    if (!failed.empty()) response.headers.emplace_back("X-Varde-Rule-Errors", std::move(failed));
    return response;
}

}  // namespace

void add_evaluate_route(Router& router, const Context& context) {
    router.add({Method::get, "/deviations/evaluate", Role::viewer,
                [context](const Request& request, const Identity& identity, const Reply& reply) {
                    const auto asked = read_question(request, identity);
                    if (!asked) return reply(report(*context, asked.error()));
                    auto done = [context, reply, asked = *asked](Verdicts verdicts) {
                        context->post([context, reply, asked, verdicts = std::move(verdicts)] {
                            reply(answer(*context, asked, verdicts));
                        });
                    };
                    context->services.runs.evaluate(asked->scope, asked->window, std::move(done));
                }});
}

}  // namespace varde::api
