#pragma once
#include "api/message.hpp"
#include "config/settings.hpp"
#include "core/error.hpp"
#include "ports/log_sink.hpp"
#include "time/clock.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>

namespace boost::asio {
class io_context;
}

namespace varde::api {

/// HTTP/1.1 as a protocol: connections, their limits and timeouts, requests in, responses out. Knows no route. Works on the loop thread.
///
/// One request of a connection is in progress at a time; pipelined ones wait in the buffer, so answers keep their order.
class HttpListener {
  public:
    struct Hooks {
        /// Called for each request that is whole.
        std::function<void(Request&, Reply)> dispatch;
        /// Appends header lines ("Name: value\r\n") that go with every answer to this request.
        std::function<void(const Request&, std::string&)> decorate;
    };

    HttpListener(boost::asio::io_context& loop, const config::HostConfig::Http& settings,
                 std::chrono::milliseconds answer_timeout, const time::Clock& clock, ports::LogSink& log, Hooks hooks);
    ~HttpListener();  ///< closes everything

    [[nodiscard]] core::Result<void> listen();
    void stop(std::chrono::milliseconds bound, std::function<void()> stopped);
    [[nodiscard]] std::uint16_t port() const;
    [[nodiscard]] std::size_t connections() const;

  private:
    struct Impl;
    std::shared_ptr<Impl> impl_;
};

}  // namespace varde::api
