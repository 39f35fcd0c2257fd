#include "schedule/store_health.hpp"

#include "schedule/host_time.hpp"

namespace varde::schedule {

std::string StoreHealth::problem() const {
    const std::lock_guard lock{mutex_};
    return problem_;
}

void StoreHealth::answered(std::string_view doing) {
    core::Microseconds away{0};
    {
        const std::lock_guard lock{mutex_};
        const auto found = failing_.find(doing);
        if (found == failing_.end()) return;
        failing_.erase(found);
        if (!failing_.empty()) return;
        problem_.clear();
        away = HostTime::since_boot() - away_since_;
    }
    log_.store_back(away);
}

void StoreHealth::failed(std::string_view doing, const core::Error& error) {
    {
        const std::lock_guard lock{mutex_};
        problem_ = error.context;
        const bool first = failing_.empty();
        failing_.emplace(doing);
        if (!first) return;
        away_since_ = HostTime::since_boot();
    }
    log_.store_failed(doing, error);
}

}  // namespace varde::schedule
