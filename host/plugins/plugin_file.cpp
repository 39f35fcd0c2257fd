#include "plugins/plugin_file.hpp"

#include "plugins/elf_library.hpp"

#include <cerrno>
#include <cstring>
#include <memory>

#include <fcntl.h>
#include <fmt/format.h>
#include <openssl/evp.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

namespace varde::plugins {
namespace {

using ports::Plugin;
using ports::SealedFile;

/// A descriptor that is closed at the end of its scope.
class OwnedFd {
  public:
    explicit OwnedFd(int fd) : fd_{fd} {}
    OwnedFd(const OwnedFd&) = delete;
    OwnedFd& operator=(const OwnedFd&) = delete;
    ~OwnedFd() {
        if (fd_ >= 0) ::close(fd_);
    }
    [[nodiscard]] int get() const { return fd_; }

  private:
    int fd_;
};

/// Why a file must not be run, or empty. Who may write to a rule may do whatever a rule may do.
std::string distrust(const struct stat& info) {
    if (!S_ISREG(info.st_mode)) return "is not a regular file";
    if (info.st_uid != 0 && info.st_uid != ::geteuid())
        return fmt::format("is owned by uid {}, not by root or the host's user", info.st_uid);
    if ((info.st_mode & (S_IWGRP | S_IWOTH)) != 0) return "is writable for group or others; run: chmod go-w on it";
    if (static_cast<std::uint64_t>(info.st_size) > kMaxFileBytes)
        return fmt::format("has {} bytes, more than {}", info.st_size, kMaxFileBytes);
    return {};
}

bool same_content(const struct stat& a, const struct stat& b) {
    return a.st_size == b.st_size && a.st_mtim.tv_sec == b.st_mtim.tv_sec && a.st_mtim.tv_nsec == b.st_mtim.tv_nsec &&
           a.st_ctim.tv_sec == b.st_ctim.tv_sec && a.st_ctim.tv_nsec == b.st_ctim.tv_nsec;
}

/// Copies exactly `size` bytes; false if there are fewer.
bool copy_bytes(int from, int to, std::uint64_t size) {
    char buffer[65536];
    while (size > 0) {
        const auto got = ::read(from, buffer, std::min<std::uint64_t>(sizeof buffer, size));
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) return false;
        for (ssize_t done = 0; done < got;) {
            const auto put = ::write(to, buffer + done, static_cast<std::size_t>(got - done));
            if (put <= 0) return false;
            done += put;
        }
        size -= static_cast<std::uint64_t>(got);
    }
    return true;
}

std::string sha256_of(std::span<const std::byte> bytes) {
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned int length = 0;
    EVP_Digest(bytes.data(), bytes.size(), digest, &length, EVP_sha256(), nullptr);
    std::string text;
    for (unsigned int i = 0; i < length; ++i) text += fmt::format("{:02x}", digest[i]);
    return text;
}

/// Reads everything from the sealed copy, not from the file: what is checked is what will run.
Read<Plugin> describe(std::span<const std::byte> image, std::span<const std::string> more_libraries) {
    auto plugin = read_note(image);
    if (!plugin) return plugin;
    auto library = read_library(image, more_libraries);
    if (!library) {
        library.error().rule_id = plugin->rule_id;
        return tl::unexpected{std::move(library.error())};
    }
    plugin->build_id = std::move(library->build_id);
    plugin->sha256 = sha256_of(image);
    plugin->size = image.size();
    return plugin;
}

Read<Plugin> inspect_open(int fd, std::span<const std::string> more_libraries) {
    struct stat before {};
    struct stat after {};
    if (::fstat(fd, &before) != 0) return untrusted(std::strerror(errno));
    if (auto why = distrust(before); !why.empty()) return untrusted(std::move(why));
    if (before.st_size == 0) return unusable("is empty");
    const auto size = static_cast<std::uint64_t>(before.st_size);
    auto sealed = std::make_shared<SealedFile>(::memfd_create("varde-plugin", MFD_CLOEXEC | MFD_ALLOW_SEALING));
    if (sealed->fd() < 0) return unusable(fmt::format("memfd_create: {}", std::strerror(errno)));
    if (!copy_bytes(fd, sealed->fd(), size) || ::fstat(fd, &after) != 0 || !same_content(before, after)) {
        return untrusted("changed while it was read; it is tried again when it rests");
    }
    if (::fcntl(sealed->fd(), F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL) != 0) {
        return unusable(fmt::format("cannot be sealed: {}", std::strerror(errno)));
    }
    const MappedFile mapped{*sealed, size};
    if (mapped.bytes().empty()) return unusable(fmt::format("cannot be mapped: {}", std::strerror(errno)));
    auto plugin = describe(mapped.bytes(), more_libraries);
    if (plugin) plugin->bytes = std::move(sealed);
    return plugin;
}

}  // namespace

MappedFile::MappedFile(const ports::SealedFile& file, std::uint64_t size) {
    void* mapped = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, file.fd(), 0);
    if (mapped != MAP_FAILED) bytes_ = {static_cast<const std::byte*>(mapped), size};
}

MappedFile::~MappedFile() {
    if (!bytes_.empty()) ::munmap(const_cast<std::byte*>(bytes_.data()), bytes_.size());
}

Read<Plugin> inspect(const std::filesystem::path& file, std::span<const std::string> more_libraries) {
    // O_NONBLOCK: opening a fifo somebody left there must not wait for its writer.
    const OwnedFd fd{::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)};
    auto result = [&]() -> Read<Plugin> {
        if (fd.get() < 0) {
            return untrusted(errno == ELOOP ? "is a symbolic link; copy the file itself" : std::string{std::strerror(errno)});
        }
        return inspect_open(fd.get(), more_libraries);
    }();
    if (result)
        result->path = file.string();
    else
        result.error().path = file.string();
    return result;
}

}  // namespace varde::plugins
