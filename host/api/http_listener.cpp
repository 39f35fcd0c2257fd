#include "api/http_session.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <fmt/chrono.h>
#include <fmt/format.h>
#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>

namespace varde::api {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;
using std::chrono::milliseconds;

namespace {

/// Asio opens sockets that programs started by this process inherit. (A worker started in the instant between closes it at once itself.)
void keep_from_children(int socket) { ::fcntl(socket, F_SETFD, FD_CLOEXEC); }

/// "Sun, 06 Nov 1994 08:49:37 GMT"
std::string http_date(core::Instant at) {
    const auto seconds = std::chrono::floor<std::chrono::seconds>(at);
    return fmt::format("{:%a, %d %b %Y %H:%M:%S} GMT", fmt::gmtime(static_cast<std::time_t>(seconds.time_since_epoch().count())));
}

/// Connections that are only told 503 and closed; beyond this many even that is saved.
constexpr std::size_t kMostTurnedAway = 256;

}  // namespace

struct HttpListener::Impl : std::enable_shared_from_this<HttpListener::Impl> {
    asio::io_context& loop;
    const config::HostConfig::Http settings;
    const time::Clock& clock;
    ports::LogSink& log;
    std::shared_ptr<SessionShare> share;
    asio::basic_socket_acceptor<tcp, asio::io_context::executor_type> acceptor;
    asio::steady_timer tick_timer;
    asio::steady_timer accept_timer;
    std::function<void()> stopped;
    SteadyTime stop_deadline = SteadyTime::max();
    SteadyTime next_full_warning{};
    bool closed = false;

    Impl(asio::io_context& l, const config::HostConfig::Http& s, milliseconds answer_timeout, const time::Clock& c,
         ports::LogSink& k, Hooks hooks)
        : loop{l}, settings{s}, clock{c}, log{k}, acceptor{l.get_executor()}, tick_timer{l}, accept_timer{l} {
        share =
            std::make_shared<SessionShare>(SessionShare{s, answer_timeout, std::move(hooks), http_date(c.now()), false, {}, {}});
    }

    core::Result<void> listen() {
        error_code error;
        const auto address = asio::ip::make_address(settings.address == "localhost" ? "127.0.0.1" : settings.address, error);
        if (!error) {
            const tcp::endpoint endpoint{address, settings.port};
            acceptor.open(endpoint.protocol(), error);
            if (!error) keep_from_children(acceptor.native_handle());
            if (!error) acceptor.set_option(asio::socket_base::reuse_address{true}, error);
            if (!error) acceptor.bind(endpoint, error);
            if (!error) acceptor.listen(4096, error);
        }
        if (error) {
            error_code ignored;
            acceptor.close(ignored);
            return core::fail(core::Errc::io_failed,
                              fmt::format("cannot listen on {} port {}: {}", settings.address, settings.port, error.message()));
        }
        share->on_closed = [weak = weak_from_this()] {
            if (const auto self = weak.lock()) self->connection_closed();
        };
        accept();
        tick();
        return {};
    }

    void accept() {
        acceptor.async_accept([self = shared_from_this()](error_code error, Socket socket) {
            if (self->closed || !self->acceptor.is_open()) return;
            if (!error) {
                keep_from_children(socket.native_handle());
                self->take(std::move(socket));
                return self->accept();
            }
            // Out of file descriptors, mostly: trying again at once would spin.
            self->log.log(ports::LogLevel::warning, "api", "http_accept_failed", error.message());
            self->accept_timer.expires_after(milliseconds{100});
            self->accept_timer.async_wait([self](error_code cancelled) {
                if (!cancelled && self->acceptor.is_open()) self->accept();
            });
        });
    }

    void take(Socket socket) {
        const auto most = static_cast<std::size_t>(settings.max_connections);
        const auto now = share->connections.size();
        if (now < most) return serve(std::move(socket), share);
        if (std::chrono::steady_clock::now() >= next_full_warning) {
            next_full_warning = std::chrono::steady_clock::now() + std::chrono::seconds{10};
            log.log(ports::LogLevel::warning, "api", "http_connections_full", "connections are refused (http.max_connections)",
                    {{"max_connections", static_cast<std::int64_t>(most)}});
        }
        if (now < most + kMostTurnedAway) turn_away(std::move(socket), share);
    }

    /// One timer for the deadlines of all connections: setting a timer for every request costs more than the rest of the session.
    void tick() {
        const auto shortest =
            std::min({settings.header_timeout, settings.read_timeout, settings.idle_timeout, share->answer_timeout});
        tick_timer.expires_after(std::clamp(shortest / 4, milliseconds{5}, milliseconds{500}));
        tick_timer.async_wait([self = shared_from_this()](error_code cancelled) {
            if (cancelled || self->closed) return;
            self->share->date = http_date(self->clock.now());
            self->check_deadlines();
            if (!self->closed) self->tick();
        });
    }

    void check_deadlines() {
        const auto now = std::chrono::steady_clock::now();
        const bool give_up = now >= stop_deadline;
        for (auto* const connection : snapshot()) {
            // One connection's end can be another's only through this set.
            if (!share->connections.contains(connection)) continue;
            if (give_up) {
                connection->close();
            } else {
                connection->check_deadline(now);
            }
        }
        if (give_up) finish_stop();
    }

    [[nodiscard]] std::vector<Connection*> snapshot() const { return {share->connections.begin(), share->connections.end()}; }

    void stop(milliseconds bound, std::function<void()> done) {
        if (closed) {
            if (done) asio::post(loop, std::move(done));
            return;
        }
        stopped = std::move(done);
        share->stopping = true;
        error_code ignored;
        acceptor.close(ignored);
        accept_timer.cancel();
        stop_deadline = std::chrono::steady_clock::now() + bound;
        for (auto* const connection : snapshot()) {
            if (share->connections.contains(connection)) connection->finish();
        }
        if (share->connections.empty()) finish_stop();
    }

    void connection_closed() {
        if (share->stopping && share->connections.empty()) finish_stop();
    }

    void finish_stop() {
        if (std::exchange(closed, true)) return;
        tick_timer.cancel();
        if (stopped) asio::post(loop, std::exchange(stopped, nullptr));
    }

    void close_all() {
        closed = true;
        share->stopping = true;
        share->on_closed = nullptr;
        share->hooks.dispatch = [](Request&, const Reply&) {};
        share->hooks.decorate = nullptr;
        error_code ignored;
        acceptor.close(ignored);
        accept_timer.cancel();
        tick_timer.cancel();
        for (auto* const connection : snapshot()) connection->close();
    }
};

HttpListener::HttpListener(asio::io_context& loop, const config::HostConfig::Http& settings, milliseconds answer_timeout,
                           const time::Clock& clock, ports::LogSink& log, Hooks hooks)
    : impl_{std::make_shared<Impl>(loop, settings, answer_timeout, clock, log, std::move(hooks))} {}

HttpListener::~HttpListener() { impl_->close_all(); }

core::Result<void> HttpListener::listen() { return impl_->listen(); }

void HttpListener::stop(milliseconds bound, std::function<void()> stopped) { impl_->stop(bound, std::move(stopped)); }

std::uint16_t HttpListener::port() const {
    error_code ignored;
    return impl_->acceptor.local_endpoint(ignored).port();
}

std::size_t HttpListener::connections() const { return impl_->share->connections.size(); }

}  // namespace varde::api
