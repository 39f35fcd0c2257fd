#include "api/decision_text.hpp"
#include "api/explanation_text.hpp"
#include "api/problem.hpp"
#include "api/routes.hpp"

#include <string>

namespace varde::api {
namespace {

using core::Errc;
using core::Result;

/// 0: not given.
Result<std::int64_t> before_value(const Request& request) {
    const auto* const text = request.find("before");
    if (text == nullptr) return 0;
    const bool digits = !text->empty() && text->size() <= 18 && text->find_first_not_of("0123456789") == std::string::npos;
    const auto id = digits ? std::stoll(*text) : 0;
    if (id < 1) return core::fail(Errc::invalid_argument, "before must be the decision_id of the last decision seen");
    return id;
}

Result<void> read_filters(const Request& request, ports::DecisionQuery& query) {
    if (auto rule = name_value(request, "rule_id"))
        query.rule_id = *rule;
    else
        return tl::unexpected{rule.error()};
    if (const auto* const text = request.find("outcome")) {
        query.outcome = core::decision_outcome_from(*text);
        if (!query.outcome) {
            return core::fail(Errc::invalid_argument, "outcome must be met, not_met, no_data, unknown, gated, skipped or error");
        }
    }
    if (auto since = time_value(request, "since"))
        query.since = *since;
    else
        return tl::unexpected{since.error()};
    if (auto until = time_value(request, "until"))
        query.until = *until;
    else
        return tl::unexpected{until.error()};
    return {};
}

Result<ports::DecisionQuery> decision_query(const Request& request, const Identity& identity) {
    ports::DecisionQuery query;
    if (auto scope = scope_value(request, identity))
        query.scope = *scope;
    else
        return tl::unexpected{scope.error()};
    if (auto filters = read_filters(request, query); !filters) return tl::unexpected{filters.error()};
    if (auto before = before_value(request))
        query.before = *before;
    else
        return tl::unexpected{before.error()};
    if (auto limit = int_value(request, "limit", 1, 1000, 100))
        query.limit = *limit;
    else
        return tl::unexpected{limit.error()};
    return query;
}

Result<Response> list_decisions(const RouteContext& context, const ports::DecisionQuery& query) {
    const auto rows = context.services.decisions.list(query);
    if (!rows) return tl::unexpected{rows.error()};
    std::string body = "[";
    for (const auto& row : *rows) {
        if (body.size() > 1) body += ',';
        body += decision_json(row);
    }
    return json(body + ']');
}

struct Question {
    std::string rule_id;
    core::Scope scope;
    std::optional<core::Instant> at;
};

Result<Question> read_question(const Request& request, const Identity& identity) {
    Question question;
    const auto rule = name_value(request, "rule_id");
    if (!rule) return tl::unexpected{rule.error()};
    if (!*rule) return core::fail(Errc::invalid_argument, "rule_id is missing");
    question.rule_id = **rule;
    auto scope = home_value(request, identity);
    if (!scope) return tl::unexpected{scope.error()};
    question.scope = std::move(*scope);
    const auto at = time_value(request, "at");
    if (!at) return tl::unexpected{at.error()};
    question.at = *at;
    return question;
}

Result<Response> explain(const RouteContext& context, ports::ExplainedRule rule) {
    Explanation explanation;
    explanation.rule = std::move(rule);
    const auto& asked = explanation.rule.asked;
    const auto rules = context.services.rules();
    const auto settings = rules->rules.find(asked.rule_id);
    const auto baseline = context.services.baselines.find(asked.scope);
    if (!baseline) return tl::unexpected{baseline.error()};
    if (settings != rules->rules.end()) explanation.truth = gating::truth_of(settings->second, *baseline ? &**baseline : nullptr);
    if (auto done = look_up(context.services.decisions, context.services.deviations, explanation); !done)
        return tl::unexpected{done.error()};
    return json(explanation_json(explanation).dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace));
}

}  // namespace

void add_decision_routes(Router& router, const Context& context) {
    router.add({Method::get, "/decisions", ports::Role::viewer,
                [context](const Request& request, const Identity& identity, const Reply& reply) {
                    const auto query = decision_query(request, identity);
                    if (!query) return reply(report(*context, query.error()));
                    answer_from_database(context, reply, [context, query = *query] { return list_decisions(*context, query); });
                }});
    router.add({Method::get, "/decisions/explain", ports::Role::viewer,
                [context](const Request& request, const Identity& identity, const Reply& reply) {
                    const auto asked = read_question(request, identity);
                    if (!asked) return reply(report(*context, asked.error()));
                    auto done = [context, reply](Result<ports::ExplainedRule> rule) {
                        context->post([context, reply, rule = std::move(rule)] {
                            if (!rule) return reply(report(*context, rule.error()));
                            answer_from_database(context, reply, [context, rule = *rule] { return explain(*context, rule); });
                        });
                    };
                    context->services.runs.explain(asked->rule_id, asked->scope, asked->at, std::move(done));
                }});
}

}  // namespace varde::api
