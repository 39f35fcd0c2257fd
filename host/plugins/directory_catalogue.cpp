#include "plugins/directory_catalogue.hpp"

#include <algorithm>
#include <set>

#include <fmt/format.h>

namespace varde::plugins {
namespace {

using ports::Plugin;

constexpr std::string_view kSignatureSuffix = ".sig";

/// A file that says it is some rule.
struct Claim {
    const Plugin* plugin;
    bool only_kept;
};

/// Two files that claim one id: using either would be a guess. But a file that is gone, or holds something else by now, gives way.
void settle_claims(const std::vector<Claim>& claims, std::vector<Plugin>& usable, std::vector<ports::RejectedPlugin>& rejected) {
    const bool any_firm = std::ranges::any_of(claims, [](const Claim& claim) { return !claim.only_kept; });
    std::vector<const Plugin*> left;
    std::vector<std::string> paths;
    for (const auto& claim : claims) {
        if (any_firm && claim.only_kept) continue;
        left.push_back(claim.plugin);
        paths.push_back(claim.plugin->path);
    }
    if (left.size() == 1) return usable.push_back(*left.front());
    for (const auto* plugin : left) {
        rejected.push_back({plugin->path, plugin->rule_id, core::FailureReason::load_failed,
                            fmt::format("{} is claimed by {}; remove all but one", plugin->rule_id, fmt::join(paths, " and ")),
                            plugin->kind});
    }
}

/// What was noticed of FILE.so.sig was noticed of FILE.so; but that nobody writes to the one says nothing of the other.
Notices by_library(const Notices& notices) {
    Notices of_libraries{notices.everything, {}};
    for (const auto& [name, writing] : notices.writing) {
        if (name.ends_with(kSignatureSuffix))
            of_libraries.writing.try_emplace(name.substr(0, name.size() - kSignatureSuffix.size()));
        else
            of_libraries.writing[name] = writing;
    }
    return of_libraries;
}

}  // namespace

DirectoryCatalogue::DirectoryCatalogue(std::filesystem::path folder, config::HostConfig::Plugins settings,
                                       const time::Clock* clock)
    : folder_{std::move(folder)},
      settings_{std::move(settings)},
      clock_{clock != nullptr ? *clock : system_clock_},
      lock_{settings_.lock_file, settings_.quiet} {}

core::Result<ports::Catalogue> DirectoryCatalogue::scan() {
    const std::lock_guard lock{mutex_};
    const auto now = clock_.now();
    const bool first = !std::exchange(scanned_, true);
    const auto pins_changed = refresh_trust(now);
    if (!pins_changed) return tl::unexpected{pins_changed.error()};
    const auto notices = by_library(watch_.take());
    const bool rescan = now >= last_look_ + settings_.rescan || now < last_look_;
    const bool must_look =
        !looked_ || waiting_ || rescan || notices.any() || !watch_.active() || watched_ != which_folder(folder_);
    if (must_look) {
        looked_ = false;
        if (auto done = look(notices, first, now); !done) return tl::unexpected{done.error()};
        looked_ = true;
        last_look_ = now;
    }
    if (must_look || *pins_changed) judge();
    return catalogue_;
}

core::Result<bool> DirectoryCatalogue::refresh_trust(core::Instant now) {
    if (!trust_) {
        auto trust = load_trust(settings_);
        if (!trust) return tl::unexpected{trust.error()};
        trust_ = std::move(*trust);
    }
    return lock_.look(now);
}

core::Result<void> DirectoryCatalogue::look(const Notices& notices, bool at_once, core::Instant now) {
    auto folder = PluginFolder::open(folder_);
    if (!folder) return tl::unexpected{folder.error()};
    // Before the folder is listed: what happens from here on is reported.
    if (!watch_.active() || watched_ != folder->which()) {
        watch_.start(folder->fd());
        watched_ = folder->which();
    }
    const auto names = folder->libraries();
    if (!names) return tl::unexpected{names.error()};
    std::set<std::string> all{names->begin(), names->end()};
    for (const auto& [name, file] : files_) all.insert(name);
    for (const auto& name : all) see(*folder, name, notices, at_once, now);
    waiting_ = std::ranges::any_of(files_, [](const auto& entry) { return entry.second.waiting(); });
    return {};
}

void DirectoryCatalogue::see(const PluginFolder& folder, const std::string& name, const Notices& notices, bool at_once,
                             core::Instant now) {
    auto& file = files_[name];
    const auto noticed = notices.writing.find(name);
    WatchedFile::Sighting sighting{identity_of(folder.fd(), name), noticed != notices.writing.end(), std::nullopt, at_once};
    if (sighting.noticed) sighting.writing = noticed->second;
    switch (file.see(sighting, now, settings_.quiet)) {
        case WatchedFile::Step::nothing: return;
        case WatchedFile::Step::forget: files_.erase(name); return;
        case WatchedFile::Step::examine: file.examined(examine(folder.fd(), name, (folder_ / name).string(), *trust_)); return;
    }
}

void DirectoryCatalogue::judge() {
    catalogue_ = {};
    std::map<std::string, std::vector<Claim>> rules, jobs;  // by id, so that the plugins come sorted
    for (auto& [name, file] : files_) {
        file.judge([&, &name = name](const Plugin& plugin) { return lock_.refusal(name, plugin.sha256); });
        if (const auto* plugin = file.in_use()) {
            auto& claims = plugin->kind == ports::PluginKind::job ? jobs : rules;
            claims[plugin->rule_id].push_back({plugin, file.only_kept()});
        }
        if (const auto* complaint = file.complaint())
            (complaint->kind == ports::PluginKind::job ? catalogue_.bad_jobs : catalogue_.rejected).push_back(*complaint);
    }
    for (const auto& [rule_id, claimed] : rules) settle_claims(claimed, catalogue_.plugins, catalogue_.rejected);
    for (const auto& [job_id, claimed] : jobs) settle_claims(claimed, catalogue_.jobs, catalogue_.bad_jobs);
}

}  // namespace varde::plugins
