#include "api/http_session.hpp"

#include "api/problem.hpp"
#include "api/response_text.hpp"
#include "api/target.hpp"

#include <array>
#include <optional>
#include <utility>

#include <boost/asio/buffer.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>

namespace varde::api {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using boost::system::error_code;

constexpr std::size_t kReadBytes = 16u << 10;
constexpr std::size_t kReadBodyBytes = 256u << 10;
constexpr std::uint32_t kHeaderBytes = 16u << 10;
/// A body up to here is copied behind its head: one buffer to send is cheaper than two.
constexpr std::size_t kCopyBytes = 16u << 10;
/// How long and how much is read from a client that was refused, so that it sees the answer instead of a reset connection.
constexpr std::chrono::seconds kDrainTime{2};
constexpr std::size_t kDrainBytes = 64u << 20;

Method method_of(http::verb verb) {
    switch (verb) {
        case http::verb::get:
        case http::verb::head: return Method::get;
        case http::verb::post: return Method::post;
        case http::verb::patch: return Method::patch;
        case http::verb::put: return Method::put;
        case http::verb::delete_: return Method::delete_;
        case http::verb::options: return Method::options;
        default: return Method::other;
    }
}

std::string_view view(beast::string_view text) { return {text.data(), text.size()}; }

class Session final : public Connection, public std::enable_shared_from_this<Session> {
  public:
    Session(Socket socket, std::shared_ptr<SessionShare> share) : socket_{std::move(socket)}, share_{std::move(share)} {
        share_->connections.insert(this);
        error_code ignored;
        const auto peer = socket_.remote_endpoint(ignored);
        if (!ignored) remote_ = peer.address().to_string(ignored);
        socket_.set_option(asio::ip::tcp::no_delay{true}, ignored);
    }

    ~Session() override {
        share_->connections.erase(this);
        if (share_->on_closed) share_->on_closed();
    }

    Session(const Session&) = delete;
    Session& operator=(const Session&) = delete;

    void start() {
        next_request();
        read();
    }

    void refuse_connection() {
        keep_alive_ = false;
        phase_ = Phase::answering;
        answer(problem(503, "too many connections (http.max_connections)"));
    }

    void check_deadline(SteadyTime now) override {
        if (now < deadline_) return;
        if (phase_ != Phase::header && phase_ != Phase::body) return close();
        refuse(408, phase_ == Phase::header ? "the request's header did not arrive in time (http.header_timeout_ms)"
                                            : "the request's body did not arrive in time (http.read_timeout_ms)");
    }

    void finish() override {
        if (phase_ == Phase::idle) close();
    }

    void close() override {
        phase_ = Phase::closed;
        error_code ignored;
        socket_.shutdown(Socket::shutdown_both, ignored);
        socket_.close(ignored);
    }

  private:
    enum class Phase { idle, header, body, answering, writing, draining, closed };

    void enter(Phase phase, std::chrono::milliseconds bound) {
        phase_ = phase;
        deadline_ = std::chrono::steady_clock::now() + bound;
    }

    void next_request() {
        parser_.emplace();
        parser_->header_limit(kHeaderBytes);
        parser_->body_limit(share_->settings.max_body_bytes);
        header_seen_ = false;
        enter(Phase::idle, share_->settings.idle_timeout);
    }

    void read() {
        if (std::exchange(reading_, true)) return;
        const auto size = phase_ == Phase::body ? kReadBodyBytes : kReadBytes;
        socket_.async_read_some(buffer_.prepare(size), [self = shared_from_this()](error_code error, std::size_t count) {
            self->on_read(error, count);
        });
    }

    void on_read(error_code error, std::size_t count) {
        reading_ = false;
        if (phase_ == Phase::closed) return;
        if (phase_ == Phase::draining) return on_drained(error, count);
        if (error) return close();
        buffer_.commit(count);
        // A timeout may have been answered while this read was on its way.
        if (phase_ == Phase::idle || phase_ == Phase::header || phase_ == Phase::body) parse();
    }

    void parse() {
        while (buffer_.size() > 0 && !parser_->is_done()) {
            if (phase_ == Phase::idle) enter(Phase::header, share_->settings.header_timeout);
            error_code error;
            const auto used = parser_->put(buffer_.data(), error);
            buffer_.consume(used);
            if (error == http::error::need_more) break;
            if (error) return refuse_unreadable(error);
            if (!header_seen_ && parser_->is_header_done()) on_header();
        }
        if (parser_->is_done()) return dispatch();
        read();
    }

    void on_header() {
        header_seen_ = true;
        if (parser_->is_done()) return;
        parser_->eager(true);
        enter(Phase::body, share_->settings.read_timeout);
        if (!beast::iequals(parser_->get()[http::field::expect], "100-continue")) return;
        // A client that waits for this has sent no body, and its receive window is empty: the few bytes go out at once.
        error_code ignored;
        socket_.non_blocking(true, ignored);
        socket_.write_some(asio::buffer(std::string_view{"HTTP/1.1 100 Continue\r\n\r\n"}), ignored);
    }

    void refuse_unreadable(error_code error) {
        if (error == http::error::body_limit) return refuse(413, "the body is longer than http.max_body_bytes");
        if (error == http::error::header_limit) return refuse(431, "the request's header is longer than 16 KiB");
        if (error == http::error::bad_version) return refuse(505, "the HTTP version is not supported");
        refuse(400, "unreadable HTTP request: " + error.message());
    }

    /// Answers something that is no whole request; the rest of what comes cannot be understood.
    void refuse(int status, std::string_view detail) {
        keep_alive_ = false;
        head_only_ = false;
        request_ = {};
        enter(Phase::answering, share_->answer_timeout);
        answer(problem(status, detail));
    }

    void dispatch() {
        const auto& message = parser_->get();
        keep_alive_ = message.keep_alive();
        head_only_ = message.method() == http::verb::head;
        old_client_ = message.version() < 11;
        enter(Phase::answering, share_->answer_timeout);
        if (!target_.parse(view(message.target()))) {
            request_ = {};
            return answer(problem(400, "the request target is not a readable path"));
        }
        request_.method = method_of(message.method());
        request_.path = target_.path;
        request_.versioned = target_.versioned;
        request_.query.swap(target_.query);
        request_.body = message.body();
        request_.remote = remote_;
        read_fields(message);
        share_->hooks.dispatch(request_, [self = shared_from_this(), ticket = ++ticket_](Response response) {
            // A second answer, or one that comes after the connection gave up, has no request any more.
            if (self->ticket_ == ticket && self->phase_ == Phase::answering) self->answer(std::move(response));
        });
    }

    void read_fields(const http::request<http::string_body>& message) {
        request_.content_type = request_.content_encoding = request_.authorization = request_.api_key = {};
        request_.if_match = request_.idempotency_key = {};
        for (const auto& field : message) {
            switch (field.name()) {
                case http::field::content_type: request_.content_type = view(field.value()); break;
                case http::field::content_encoding: request_.content_encoding = view(field.value()); break;
                case http::field::authorization: request_.authorization = view(field.value()); break;
                case http::field::if_match: request_.if_match = view(field.value()); break;
                case http::field::unknown:
                    if (beast::iequals(field.name_string(), "X-API-Key")) request_.api_key = view(field.value());
                    if (beast::iequals(field.name_string(), "Idempotency-Key")) request_.idempotency_key = view(field.value());
                    break;
                default: break;
            }
        }
    }

    void answer(Response response) {
        keep_alive_ = keep_alive_ && !share_->stopping;
        out_.clear();
        append_head(out_, response, {share_->date, keep_alive_, old_client_});
        if (share_->hooks.decorate && !request_.path.empty()) share_->hooks.decorate(request_, out_);
        out_ += "\r\n";
        body_.clear();
        if (!head_only_) {
            if (response.body.size() <= kCopyBytes) {
                out_ += response.body;
            } else {
                body_ = std::move(response.body);
            }
        }
        enter(Phase::writing, share_->settings.read_timeout);
        const std::array<asio::const_buffer, 2> buffers{asio::buffer(out_), asio::buffer(body_)};
        auto written = [self = shared_from_this()](error_code error, std::size_t) { self->on_written(error); };
        if (body_.empty()) {
            asio::async_write(socket_, buffers.front(), std::move(written));
        } else {
            asio::async_write(socket_, buffers, std::move(written));
        }
    }

    void on_written(error_code error) {
        if (phase_ == Phase::closed) return;
        if (error) return close();
        if (!keep_alive_) return drain();
        body_ = {};
        next_request();
        if (share_->stopping && buffer_.size() == 0) return close();
        parse();
    }

    /// Says that nothing follows, and reads what the client still sends until it closes: a close with unread input would be a reset, which
    /// can take the answer away from the client.
    void drain() {
        error_code error;
        socket_.shutdown(Socket::shutdown_send, error);
        if (error) return close();
        enter(Phase::draining, kDrainTime);
        buffer_.clear();
        read();
    }

    void on_drained(error_code error, std::size_t count) {
        drained_ += count;
        if (error || drained_ > kDrainBytes) return close();
        read();
    }

    Socket socket_;
    std::shared_ptr<SessionShare> share_;
    std::string remote_;
    beast::flat_buffer buffer_;
    std::optional<http::request_parser<http::string_body>> parser_;
    Target target_;
    Request request_;
    std::string out_;   // the head, with a small body
    std::string body_;  // a large one
    SteadyTime deadline_ = SteadyTime::max();
    Phase phase_ = Phase::idle;
    std::uint64_t ticket_ = 0;
    std::size_t drained_ = 0;
    bool reading_ = false;  // a timeout can be answered while a read is pending
    bool header_seen_ = false;
    bool keep_alive_ = true;
    bool head_only_ = false;
    bool old_client_ = false;
};

/// A Reply may be dropped last by another thread, but a session ends on the loop.
struct DeleteOnLoop {
    Socket::executor_type loop;
    void operator()(Session* session) const {
        std::unique_ptr<Session> owner{session};
        if (!loop.running_in_this_thread()) asio::post(loop, [moved = std::move(owner)] {});
    }
};

std::shared_ptr<Session> make_session(Socket socket, const std::shared_ptr<SessionShare>& share) {
    const DeleteOnLoop deleter{socket.get_executor()};
    return {new Session{std::move(socket), share}, deleter};
}

}  // namespace

void serve(Socket socket, const std::shared_ptr<SessionShare>& share) { make_session(std::move(socket), share)->start(); }

void turn_away(Socket socket, const std::shared_ptr<SessionShare>& share) {
    make_session(std::move(socket), share)->refuse_connection();
}

}  // namespace varde::api
