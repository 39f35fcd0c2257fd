#pragma once
#include <cstdint>
#include <memory>

namespace varde::bench {

/// The limit that ingest is measured against: a Beast server, tuned as ours, that reads each body, looks at nothing and answers 200.
class LimitServer {
  public:
    LimitServer();
    ~LimitServer();
    LimitServer(const LimitServer&) = delete;
    LimitServer& operator=(const LimitServer&) = delete;
    [[nodiscard]] std::uint16_t port() const;

  private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace varde::bench
