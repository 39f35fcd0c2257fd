#include "http/limit_server.hpp"

#include <optional>
#include <string>
#include <thread>
#include <utility>

#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>

namespace varde::bench {
namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using asio::ip::tcp;
using boost::system::error_code;
using Socket = asio::basic_stream_socket<tcp, asio::io_context::executor_type>;

class Session : public std::enable_shared_from_this<Session> {
  public:
    explicit Session(Socket socket) : socket_{std::move(socket)} { socket_.set_option(tcp::no_delay{true}); }

    void read() {
        parser_.emplace();
        http::async_read(socket_, buffer_, *parser_, [self = shared_from_this()](error_code error, std::size_t) {
            if (!error) self->write();
        });
    }

  private:
    void write() {
        out_ =
            "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 33\r\n\r\n"
            "{\"received\":true,\"deduped\":false}";
        asio::async_write(socket_, asio::buffer(out_), [self = shared_from_this()](error_code error, std::size_t) {
            if (!error) self->read();
        });
    }

    Socket socket_;
    boost::beast::flat_buffer buffer_;
    std::optional<http::request_parser<http::string_body>> parser_;
    std::string out_;
};

}  // namespace

struct LimitServer::Impl {
    asio::io_context loop{1};
    asio::basic_socket_acceptor<tcp, asio::io_context::executor_type> acceptor{loop.get_executor(), tcp::endpoint{tcp::v4(), 0}};
    std::thread thread;

    void accept() {
        acceptor.async_accept([this](error_code error, Socket socket) {
            if (error) return;
            std::make_shared<Session>(std::move(socket))->read();
            accept();
        });
    }
};

LimitServer::LimitServer() : impl_{std::make_unique<Impl>()} {
    impl_->accept();
    impl_->thread = std::thread{[this] { impl_->loop.run(); }};
}

LimitServer::~LimitServer() {
    impl_->loop.stop();
    impl_->thread.join();
}

std::uint16_t LimitServer::port() const { return impl_->acceptor.local_endpoint().port(); }

}  // namespace varde::bench
