#include "rules/rules_watch.hpp"

#include <sys/stat.h>

namespace varde::rules {

RulesWatch::State RulesWatch::state_now() const {
    struct stat found {};
    if (::stat(file_.c_str(), &found) != 0) return {};
    const auto ns = [](const timespec& time) { return std::int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec; };
    return {ns(found.st_mtim), ns(found.st_ctim), found.st_ino, found.st_size};
}

std::optional<core::Result<config::RulesConfig>> RulesWatch::look(bool at_once) {
    const auto state = state_now();
    if (answered_ == state) {
        pending_.reset();
        return std::nullopt;
    }
    const bool settled = at_once || pending_ == state;
    pending_ = state;
    if (!settled) return std::nullopt;
    answered_ = state;
    pending_.reset();
    return config::load_rules(file_);
}

}  // namespace varde::rules
