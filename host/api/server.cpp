#include "api/server.hpp"

#include "api/http_listener.hpp"
#include "api/json_text.hpp"
#include "api/loop_pool.hpp"
#include "api/problem.hpp"
#include "api/router.hpp"
#include "api/routes.hpp"

#include <exception>
#include <utility>

#include <fmt/format.h>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>

namespace varde::api {

namespace asio = boost::asio;
using core::Result;

struct Server::Impl : std::enable_shared_from_this<Server::Impl> {
    asio::io_context& loop;
    const HttpSettings settings;
    LoopPool pool;
    Context context;
    Router router;
    TokenCache cache;
    HttpListener listener;
    const bool tokens_needed;

    Impl(asio::io_context& l, const HttpSettings& s, const Services& services)
        : loop{l},
          settings{s},
          pool{l, s.database_threads},
          context{std::make_shared<RouteContext>(
              RouteContext{s, services, pool, [&l](std::function<void()> then) { asio::post(l, std::move(then)); }})},
          cache{services.clock, s.token_cache},
          listener{l,
                   s.http,
                   s.answer_timeout,
                   services.clock,
                   services.log,
                   {[this](Request& request, Reply reply) { dispatch(request, std::move(reply)); },
                    [this](const Request& request, std::string& head) { announce_successor(request, head); }}},
          tokens_needed{s.require_tokens || !is_loopback(s.http.address)} {
        add_event_routes(router, context);
        add_deviation_routes(router, context);
        add_evaluate_route(router, context);
        add_rule_routes(router, context);
        add_health_routes(router, context);
        add_incident_routes(router, context);
        add_monitor_mode_routes(router, context);
        add_decision_routes(router, context);
        add_room_routes(router, context);
        add_schedule_routes(router, context);
        add_calendar_routes(router, context);
        add_run_routes(router, context);
    }

    /// Paths without /v1 are the reference's old ones.
    void announce_successor(const Request& request, std::string& head) const {
        if (request.versioned || request.path == "/health" || request.path.starts_with("/health/")) return;
        if (request.path.starts_with("/debug/")) return;
        head.append("Deprecation: true\r\nSunset: ").append(settings.sunset).append("\r\nLink: </v1");
        for (const char c : request.path) {  // decoded, so it may hold anything
            const bool plain = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '/' ||
                               c == '-' || c == '_' || c == '.' || c == '~';
            if (plain) {
                head += c;
            } else {
                head += fmt::format("%{:02X}", static_cast<unsigned char>(c));
            }
        }
        head += ">; rel=\"successor-version\"\r\n";
    }

    void dispatch(Request& request, Reply reply) {
        const auto match = router.match(request);
        if (match.route == nullptr) {
            if (match.allow.empty()) return reply(problem(404, "Not Found"));
            auto response = problem(405, "Method Not Allowed");
            response.headers.emplace_back("Allow", match.allow);
            return reply(std::move(response));
        }
        if (!match.route->role) return call(*match.route, request, Identity{}, std::move(reply));
        const auto secret = secret_of(request.api_key, request.authorization);
        if (!secret) {
            if (tokens_needed) return reply(problem(401, "Unauthorized"));
            return call(*match.route, request, Identity{"local", ports::Role::admin, {}}, std::move(reply));
        }
        auto hash = token_hash(*secret);
        if (const auto* const known = cache.find(hash)) return authorise(*match.route, request, *known, std::move(reply));
        look_up(*match.route, request, std::move(hash), std::move(reply));
    }

    void look_up(const Route& route, const Request& request, std::string hash, Reply reply) {
        // The pool's threads must never be the last owner of what joins them: hence weak.
        pool.run([weak = weak_from_this(), &tokens = context->services.tokens, &route, &request, hash = std::move(hash),
                  reply = std::move(reply)]() -> LoopPool::Then {
            auto found = tokens.find_active(hash);
            return [weak, &route, &request, hash, reply, found = std::move(found)] {
                const auto self = weak.lock();
                if (!self) return;
                if (!found) return reply(report(*self->context, found.error()));
                if (!*found) return reply(problem(401, "Unauthorized"));
                const auto& token = **found;
                const Identity identity{token.name, token.role, token.scope};
                self->cache.keep(hash, identity);
                self->authorise(route, request, identity, reply);
            };
        });
    }

    void authorise(const Route& route, const Request& request, const Identity& identity, Reply reply) {
        if (identity.role < *route.role) {
            return reply(problem(403, fmt::format("Forbidden: this needs the role {}; the token has {}",
                                                  ports::name_of(*route.role), ports::name_of(identity.role))));
        }
        call(route, request, identity, std::move(reply));
    }

    void call(const Route& route, const Request& request, const Identity& identity, Reply reply) {
        try {
            route.action(request, identity, reply);
        } catch (const std::exception& error) {  // memory, or a defect: this request's, not the host's end
            context->services.log.log(ports::LogLevel::error, "api", "http_request_failed", error.what(),
                                      {{"error", ports::Json{error_json("exception", error.what())}}});
            reply(problem(500, "internal error; the host's log says more"));
        }
    }
};

Server::Server(asio::io_context& loop, HttpSettings settings, Services services)
    : impl_{std::make_shared<Impl>(loop, settings, services)} {}

Server::~Server() = default;

Result<void> Server::start() {
    const auto& http = impl_->settings.http;
    if (auto safe = check_exposure(http.address, impl_->settings.require_tokens, impl_->context->services.tokens); !safe)
        return safe;
    if (auto listening = impl_->listener.listen(); !listening) return listening;
    impl_->context->services.log.log(
        ports::LogLevel::info, "api", "http_started", "listening",
        {{"address", http.address}, {"port", static_cast<std::int64_t>(port())}, {"tokens_needed", impl_->tokens_needed}});
    return {};
}

void Server::stop(std::chrono::milliseconds bound, std::function<void()> stopped) {
    impl_->listener.stop(bound, std::move(stopped));
}

std::uint16_t Server::port() const { return impl_->listener.port(); }

std::size_t Server::connections() const { return impl_->listener.connections(); }

}  // namespace varde::api
