#pragma once
#include <utility>

#include <unistd.h>

namespace varde::plugins {

/// A descriptor that is closed at the end of its scope.
class OwnedFd {
  public:
    explicit OwnedFd(int fd = -1) : fd_{fd} {}
    OwnedFd(OwnedFd&& other) noexcept : fd_{std::exchange(other.fd_, -1)} {}
    OwnedFd& operator=(OwnedFd&& other) noexcept {
        std::swap(fd_, other.fd_);
        return *this;
    }
    ~OwnedFd() {
        if (fd_ >= 0) ::close(fd_);
    }
    [[nodiscard]] int get() const { return fd_; }
    explicit operator bool() const { return fd_ >= 0; }

  private:
    int fd_;
};

}  // namespace varde::plugins
