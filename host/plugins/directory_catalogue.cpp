#include "plugins/directory_catalogue.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <sys/stat.h>

namespace varde::plugins {
namespace {

namespace fs = std::filesystem;
using ports::Plugin;

std::int64_t nanoseconds(const timespec& at) { return at.tv_sec * 1'000'000'000LL + at.tv_nsec; }

/// Two files that claim one rule id: using either would be a guess.
void reject_duplicates(ports::Catalogue& catalogue) {
    std::map<std::string, std::vector<std::string>> paths;
    for (const auto& plugin : catalogue.plugins) paths[plugin.rule_id].push_back(plugin.path);
    std::erase_if(catalogue.plugins, [&](const Plugin& plugin) {
        const auto& all = paths[plugin.rule_id];
        if (all.size() < 2) return false;
        catalogue.rejected.push_back(
            {plugin.path, plugin.rule_id, core::FailureReason::load_failed,
             fmt::format("{} is claimed by {}; remove all but one", plugin.rule_id, fmt::join(all, " and "))});
        return true;
    });
}

}  // namespace

core::Result<ports::Catalogue> DirectoryCatalogue::scan() {
    std::error_code failed;
    std::map<std::string, Known> found;
    for (fs::directory_iterator entry{folder_, failed}, end; !failed && entry != end; entry.increment(failed)) {
        if (entry->path().extension() != ".so") continue;
        const auto path = entry->path().string();
        struct stat info {};
        if (::lstat(path.c_str(), &info) != 0) continue;  // gone again
        const Identity identity{info.st_dev, info.st_ino, info.st_size, nanoseconds(info.st_ctim), nanoseconds(info.st_mtim)};
        const auto before = known_.find(path);
        if (before != known_.end() && before->second.identity == identity) {
            found.emplace(path, before->second);
        } else {
            found.emplace(path, Known{identity, inspect(entry->path())});
        }
    }
    if (failed) return core::fail(core::Errc::io_failed, fmt::format("plugins_dir {}: {}", folder_.string(), failed.message()));
    known_ = std::move(found);
    ports::Catalogue catalogue;
    for (const auto& [path, known] : known_) {
        if (known.verdict)
            catalogue.plugins.push_back(*known.verdict);
        else
            catalogue.rejected.push_back(known.verdict.error());
    }
    reject_duplicates(catalogue);
    std::ranges::sort(catalogue.plugins, {}, &Plugin::rule_id);
    return catalogue;
}

}  // namespace varde::plugins
