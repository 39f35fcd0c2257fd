#include "plugins/lock_file.hpp"

#include "plugins/trusted_text.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <sys/stat.h>

namespace varde::plugins {
namespace {

constexpr std::size_t kHashCharacters = 64;

struct Line {
    std::string sha256;
    std::string file_name;
};

/// "HEX  NAME" or "HEX *NAME"; the star says that the file was read as binary, which makes no difference here.
std::optional<Line> read_line(std::string_view text) {
    const auto hash = text.substr(0, kHashCharacters);
    const auto is_hex = [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); };
    if (hash.size() != kHashCharacters || !std::ranges::all_of(hash, is_hex)) return std::nullopt;
    const auto rest = text.substr(kHashCharacters);
    if (!rest.starts_with("  ") && !rest.starts_with(" *")) return std::nullopt;
    const auto path = rest.substr(2);
    Line line{std::string{hash}, std::string{path.substr(path.find_last_of('/') + 1)}};
    std::ranges::transform(line.sha256, line.sha256.begin(),
                           [](char c) { return c >= 'A' && c <= 'F' ? static_cast<char>(c + 32) : c; });
    if (line.file_name.empty()) return std::nullopt;
    return line;
}

}  // namespace

core::Result<LockFile> LockFile::load(const std::filesystem::path& file) {
    const auto text = trusted_text(file, "plugins.lock_file");
    if (!text) return tl::unexpected{text.error()};
    return parse(*text, file.string());
}

core::Result<LockFile> LockFile::parse(std::string_view text, std::string name) {
    LockFile lock;
    lock.name_ = std::move(name);
    for (int number = 1; !text.empty(); ++number) {
        const auto end = std::min(text.find('\n'), text.size());
        auto line = text.substr(0, end);
        // The last line without its end: somebody is still writing.
        const bool whole = end < text.size();
        text.remove_prefix(whole ? end + 1 : end);
        if (line.ends_with('\r')) line.remove_suffix(1);
        if (line.find_first_not_of(" \t") == std::string_view::npos || line.starts_with('#')) continue;
        auto read = read_line(line);
        if (!read || !whole) {
            return core::fail(
                core::Errc::config_invalid,
                fmt::format("{}:{}: must be a whole line 'SHA256  FILE.so', as sha256sum prints it", lock.name_, number));
        }
        lock.hashes_[std::move(read->file_name)].insert(std::move(read->sha256));
    }
    return lock;
}

std::optional<std::string> LockFile::refusal(const std::string& file_name, const std::string& sha256) const {
    const auto found = hashes_.find(file_name);
    if (found == hashes_.end()) return fmt::format("is not listed in {}; it has sha256 {}", name_, sha256);
    if (found->second.contains(sha256)) return std::nullopt;
    return fmt::format("has sha256 {}, {} allows {} only", sha256, name_, fmt::join(found->second, " or "));
}

core::Result<bool> LockWatch::look(core::Instant now) {
    if (file_.empty()) return false;
    struct stat info {};
    const bool there = ::stat(file_.c_str(), &info) == 0;
    const auto shown = there ? FileStamp::of(info) : FileStamp{};
    if (seen_ != shown) rest_.disturb(there ? core::instant_from_us(shown.changed_ns / 1000) : now, now);
    seen_ = shown;
    const bool rested = rest_.lasts(quiet_, now);
    if (loaded_ == shown || (lock_ && !rested)) return false;
    auto lock = LockFile::load(file_);
    if (!lock) return tl::unexpected{lock.error()};
    lock_ = std::move(*lock);
    loaded_ = rested ? seen_ : std::nullopt;
    return true;
}

}  // namespace varde::plugins
