#pragma once
#include "schedule/dispatch_log.hpp"

#include <mutex>
#include <set>
#include <string>
#include <string_view>

namespace varde::schedule {

/// Whether the database answers. Says once that it does not, and once that it does again. Thread-safe.
class StoreHealth {
  public:
    explicit StoreHealth(const DispatchLog& log) : log_{log} {}

    /// What came of something that is done again and again.
    template <class T>
    void note(std::string_view doing, const core::Result<T>& result) {
        result ? answered(doing) : failed(doing, result.error());
    }
    /// What it last said, as long as something fails; else empty.
    [[nodiscard]] std::string problem() const;

  private:
    void answered(std::string_view doing);
    void failed(std::string_view doing, const core::Error& error);

    const DispatchLog& log_;
    mutable std::mutex mutex_;
    std::set<std::string, std::less<>> failing_;
    core::Microseconds away_since_{0};  ///< since boot
    std::string problem_;
};

}  // namespace varde::schedule
