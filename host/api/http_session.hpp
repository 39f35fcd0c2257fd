#pragma once
#include "api/http_listener.hpp"

#include <chrono>
#include <memory>
#include <string>
#include <unordered_set>

#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>

/// Between http_listener.cpp and http_session.cpp; nobody else includes it.
namespace varde::api {

/// With the concrete executor: cheaper than the type-erased one for every operation.
using Socket = boost::asio::basic_stream_socket<boost::asio::ip::tcp, boost::asio::io_context::executor_type>;
using SteadyTime = std::chrono::steady_clock::time_point;

/// A connection as the listener sees it.
class Connection {
  public:
    virtual ~Connection() = default;
    /// Ends what has taken too long. Called a few times in each timeout.
    virtual void check_deadline(SteadyTime now) = 0;
    /// The listener stops: closes now if no request is in progress, else after its answer.
    virtual void finish() = 0;
    virtual void close() = 0;
};

/// What the connections of one listener share. Outlives them.
struct SessionShare {
    const config::HostConfig::Http settings;
    const std::chrono::milliseconds answer_timeout;
    HttpListener::Hooks hooks;
    std::string date;  ///< the Date header's text, renewed every second
    bool stopping = false;
    std::unordered_set<Connection*> connections;
    std::function<void()> on_closed;  ///< a connection is gone
};

/// Serves the socket until it is closed. The session owns itself.
void serve(Socket socket, const std::shared_ptr<SessionShare>& share);

/// Answers 503 without reading a request, and closes: one connection too many.
void turn_away(Socket socket, const std::shared_ptr<SessionShare>& share);

}  // namespace varde::api
