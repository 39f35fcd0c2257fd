#pragma once
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <sys/socket.h>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>

namespace varde::testing {

/// An HTTP server on a port of this machine that answers one request after the other as it is told.
class SmallServer {
  public:
    using Request = boost::beast::http::request<boost::beast::http::string_body>;
    using Response = boost::beast::http::response<boost::beast::http::string_body>;
    /// nullopt: it gives no answer, and waits until the client goes away.
    using Answer = std::function<std::optional<Response>(const Request&)>;

    explicit SmallServer(Answer answer) : answer_{std::move(answer)}, thread_{[this] { serve(); }} {}
    ~SmallServer() {
        ::shutdown(listener_.native_handle(), SHUT_RDWR);  // ends the accept()
        thread_.join();
    }
    SmallServer(const SmallServer&) = delete;
    SmallServer& operator=(const SmallServer&) = delete;

    [[nodiscard]] std::string url(const std::string& target) const {
        return "http://127.0.0.1:" + std::to_string(port_) + target;
    }
    /// What it was asked so far, in order.
    [[nodiscard]] std::vector<Request> requests() const {
        const std::lock_guard lock{mutex_};
        return requests_;
    }

    [[nodiscard]] static Response answer(int status, std::string body = {}, const std::string& type = "application/json") {
        Response response;
        response.result(static_cast<unsigned>(status));
        response.set(boost::beast::http::field::content_type, type);
        response.body() = std::move(body);
        return response;
    }
    [[nodiscard]] static Response redirect(const std::string& to) {
        auto response = answer(302);
        response.set(boost::beast::http::field::location, to);
        return response;
    }

  private:
    using Tcp = boost::asio::ip::tcp;

    void serve() {
        for (;;) {
            boost::system::error_code failed;
            Tcp::socket peer{loop_};
            listener_.accept(peer, failed);
            if (failed) return;
            converse(peer);
        }
    }
    void converse(Tcp::socket& peer) {
        boost::system::error_code failed;
        boost::beast::flat_buffer buffer;
        Request request;
        boost::beast::http::read(peer, buffer, request, failed);
        if (failed) return;
        {
            const std::lock_guard lock{mutex_};
            requests_.push_back(request);
        }
        if (auto response = answer_(request)) {
            response->keep_alive(false);
            response->prepare_payload();
            boost::beast::http::write(peer, *response, failed);
        } else {
            char byte = 0;
            while (!failed) peer.read_some(boost::asio::buffer(&byte, 1), failed);
        }
    }

    Answer answer_;
    boost::asio::io_context loop_{1};
    Tcp::acceptor listener_{loop_, {boost::asio::ip::make_address_v4("127.0.0.1"), 0}};
    std::uint16_t port_ = listener_.local_endpoint().port();
    mutable std::mutex mutex_;
    std::vector<Request> requests_;
    std::thread thread_;
};

}  // namespace varde::testing
