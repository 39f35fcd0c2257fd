#pragma once
#include <chrono>
#include <cstdint>
#include <string>

namespace varde::app {

/// A line on stderr that shows how far long work is; silent unless stderr is a terminal. One thread.
class Progress {
  public:
    /// `total` 0: unknown, only the count is shown.
    Progress(std::string what, std::int64_t total);
    void show(std::int64_t count);  ///< draws at most ten times a second
    void done();                    ///< clears the line

  private:
    std::string what_;
    std::int64_t total_;
    bool terminal_;
    std::chrono::steady_clock::time_point next_{};
};

}  // namespace varde::app
