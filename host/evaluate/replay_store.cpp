#include "evaluate/replay_store.hpp"

#include "evaluate/unique_fd.hpp"

#include <fcntl.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>
#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>
#include <random>
#include <vector>

#include <fmt/format.h>

namespace varde::evaluate {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;
constexpr std::chrono::seconds between_two_of_a_kind{60};

/// Complete under its name or not there at all; readable for us only.
bool write_file(const fs::path& path, std::span<const std::byte> bytes) {
    const fs::path unfinished = path.string() + ".part";
    const UniqueFd fd{::open(unfinished.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600)};
    if (!fd) return false;
    for (std::size_t done = 0; done < bytes.size();) {
        const ssize_t count = ::write(fd.get(), bytes.data() + done, bytes.size() - done);
        if (count <= 0) {
            ::unlink(unfinished.c_str());
            return false;
        }
        done += static_cast<std::size_t>(count);
    }
    return ::rename(unfinished.c_str(), path.c_str()) == 0;
}

bool copy_plugin(const ports::Plugin& plugin, const fs::path& folder) {
    const fs::path path = folder / (plugin.sha256 + ".so");
    if (fs::exists(path)) return true;
    std::vector<std::byte> bytes(plugin.size);
    if (::pread(plugin.bytes->fd(), bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size())) return false;
    return write_file(path, bytes);
}

void delete_oldest(const fs::path& folder, std::size_t keep) {
    std::vector<std::pair<fs::file_time_type, fs::path>> bundles;
    std::error_code ignored;
    for (const auto& entry : fs::directory_iterator{folder, ignored})
        if (entry.path().extension() == ".bundle") bundles.emplace_back(entry.last_write_time(ignored), entry.path());
    std::ranges::sort(bundles);
    for (std::size_t i = 0; i + keep < bundles.size(); ++i) fs::remove(bundles[i].second, ignored);
}

}  // namespace

bool ReplayStore::wants(const ports::Plugin& plugin, core::FailureReason reason) const {
    if (settings_.bundles.empty()) return false;
    const auto last = kept_.find({plugin.rule_id, plugin.sha256, reason});
    return last == kept_.end() || Clock::now() - last->second >= between_two_of_a_kind;
}

std::string ReplayStore::keep(const wire::ReplayBundle& bundle, const ports::Plugin& plugin, core::FailureReason reason) {
    kept_[{plugin.rule_id, plugin.sha256, reason}] = Clock::now();
    if (bundle.image.size() > settings_.max_bundle_bytes) return {};
    std::error_code failed;
    fs::create_directories(settings_.bundles, failed);
    ::chmod(settings_.bundles.c_str(), 0700);
    std::random_device random;
    const fs::path path = fs::absolute(settings_.bundles / fmt::format("{}-{:08x}.bundle", plugin.rule_id, random()), failed);
    if (failed || !copy_plugin(plugin, settings_.bundles) || !write_file(path, wire::encode(bundle))) return {};
    delete_oldest(settings_.bundles, settings_.keep_bundles);
    return path.string();
}

core::Result<StoredReplay> read_replay(const fs::path& file) {
    std::ifstream in{file, std::ios::binary};
    if (!in) return core::fail(core::Errc::not_found, fmt::format("{}: {}", file.string(), std::strerror(errno)));
    const std::vector<char> bytes{std::istreambuf_iterator<char>{in}, {}};
    auto bundle = wire::decode_bundle(std::as_bytes(std::span{bytes}));
    if (!bundle)
        return core::fail(core::Errc::invalid_argument,
                          fmt::format("{} is no replay bundle of this version of varde", file.string()));
    const fs::path plugin = file.parent_path() / (bundle->sha256 + ".so");
    return StoredReplay{std::move(*bundle), plugin};
}

}  // namespace varde::evaluate
