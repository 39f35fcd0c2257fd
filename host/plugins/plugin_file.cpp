#include "plugins/plugin_file.hpp"

#include "plugins/elf_library.hpp"
#include "plugins/owned_fd.hpp"

#include <array>
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

constexpr const char* kSignatureSuffix = ".sig";

/// O_NONBLOCK: a fifo that took a file's place since it was looked at must not make us wait for its writer.
OwnedFd open_file(int folder, const std::string& name) {
    return OwnedFd{::openat(folder, name.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)};
}

std::string distrust(const struct stat& info, const std::string& path) {
    if (S_ISLNK(info.st_mode)) return "is a symbolic link; copy the file itself";
    if (!S_ISREG(info.st_mode)) return "is not a regular file; remove it";
    if (auto why = distrust_of_owner(info, path); !why.empty()) return why;
    if (static_cast<std::uint64_t>(info.st_size) > kMaxFileBytes)
        return fmt::format("has {} bytes; more than {} are not read", info.st_size, kMaxFileBytes);
    return {};
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

/// One file of a folder on its way to a Plugin.
class Visit {
  public:
    Visit(int folder, const std::string& name, const std::string& path, const Trust& trust)
        : folder_{folder}, name_{name}, path_{path}, trust_{trust} {}

    Examination examine() {
        auto verdict = seal();
        if (verdict)
            verdict->path = path_;
        else
            verdict.error().path = path_;
        return {identity_, std::move(verdict), final_};
    }

  private:
    /// The machine's fault, or that of a moment.
    tl::unexpected<ports::RejectedPlugin> for_now(std::string message) {
        final_ = false;
        return unusable(std::move(message));
    }

    Read<Plugin> seal() {
        struct stat before {};
        // Looked at before it is opened: opening a device can already do something.
        if (::fstatat(folder_, name_.c_str(), &before, AT_SYMLINK_NOFOLLOW) != 0) return for_now(std::strerror(errno));
        identity_ = identity_of(folder_, name_).value_or(FileIdentity{});
        if (auto why = distrust(before, path_); !why.empty()) return untrusted(std::move(why));
        const auto file = open_file(folder_, name_);
        if (!file)
            return errno == EACCES ? untrusted("cannot be read by the host's user; run: chmod go+r " + path_)
                                   : for_now(std::strerror(errno));
        if (::fstat(file.get(), &before) != 0) return for_now(std::strerror(errno));
        if (auto why = distrust(before, path_); !why.empty()) return untrusted(std::move(why));
        identity_.file = FileStamp::of(before);
        if (before.st_size == 0) return unusable("is empty");
        return copy(file.get(), static_cast<std::uint64_t>(before.st_size));
    }

    Read<Plugin> copy(int file, std::uint64_t size) {
        auto sealed = std::make_shared<SealedFile>(::memfd_create("varde-plugin", MFD_CLOEXEC | MFD_ALLOW_SEALING));
        if (sealed->fd() < 0) return for_now(fmt::format("memfd_create: {}", std::strerror(errno)));
        struct stat after {};
        if (!copy_bytes(file, sealed->fd(), size) || ::fstat(file, &after) != 0 || FileStamp::of(after) != identity_.file) {
            final_ = false;
            return untrusted("changed while it was read; it is tried again when it rests");
        }
        if (::fcntl(sealed->fd(), F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL) != 0)
            return for_now(fmt::format("cannot be sealed: {}", std::strerror(errno)));
        const MappedFile mapped{*sealed, size};
        if (mapped.bytes().empty()) return for_now(fmt::format("cannot be mapped: {}", std::strerror(errno)));
        auto plugin = describe(mapped.bytes());
        if (plugin) plugin->bytes = std::move(sealed);
        return plugin;
    }

    /// Reads everything from the sealed copy, not from the file: what is checked is what will run.
    Read<Plugin> describe(std::span<const std::byte> image) {
        auto plugin = read_note(image);
        if (!plugin) return plugin;
        auto library = check_signature(image).and_then([&] { return read_library(image, trust_.libraries); });
        if (!library) {
            library.error().rule_id = plugin->rule_id;
            library.error().kind = plugin->kind;
            return tl::unexpected{std::move(library.error())};
        }
        plugin->build_id = std::move(library->build_id);
        plugin->sha256 = sha256_of(image);
        plugin->size = image.size();
        return plugin;
    }

    Read<void> check_signature(std::span<const std::byte> image) {
        if (!trust_.signature_key) return {};
        const auto signature_path = path_ + kSignatureSuffix;
        const auto file = open_file(folder_, name_ + kSignatureSuffix);
        if (!file) {
            return untrusted(
                fmt::format("has no readable signature {1}: {2}; sign it with: openssl pkeyutl -sign -rawin -inkey "
                            "PRIVATE.pem -in {0} -out {1}",
                            path_, signature_path, std::strerror(errno)));
        }
        struct stat info {};
        std::array<std::byte, SignatureKey::kSignatureBytes> signature{};
        if (::fstat(file.get(), &info) != 0 || !S_ISREG(info.st_mode) || info.st_size != ssize_t{signature.size()} ||
            ::read(file.get(), signature.data(), signature.size()) != ssize_t{signature.size()})
            return untrusted(fmt::format("has a signature {} that is not {} bytes long", signature_path, signature.size()));
        identity_.signature = FileStamp::of(info);
        if (!trust_.signature_key->signed_by(image, signature)) {
            return untrusted(
                fmt::format("has a signature {} that was not made for these bytes with the key that belongs to "
                            "plugins.signature_key",
                            signature_path));
        }
        return {};
    }

    int folder_;
    const std::string& name_;
    const std::string& path_;
    const Trust& trust_;
    FileIdentity identity_;
    bool final_ = true;
};

}  // namespace

MappedFile::MappedFile(const ports::SealedFile& file, std::uint64_t size) {
    void* mapped = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, file.fd(), 0);
    if (mapped != MAP_FAILED) bytes_ = {static_cast<const std::byte*>(mapped), size};
}

MappedFile::~MappedFile() {
    if (!bytes_.empty()) ::munmap(const_cast<std::byte*>(bytes_.data()), bytes_.size());
}

std::optional<FileIdentity> identity_of(int folder, const std::string& name) {
    struct stat info {};
    if (::fstatat(folder, name.c_str(), &info, AT_SYMLINK_NOFOLLOW) != 0) return std::nullopt;
    FileIdentity identity{FileStamp::of(info), {}};
    if (::fstatat(folder, (name + kSignatureSuffix).c_str(), &info, AT_SYMLINK_NOFOLLOW) == 0)
        identity.signature = FileStamp::of(info);
    return identity;
}

core::Result<Trust> load_trust(const config::HostConfig::Plugins& settings) {
    Trust trust{settings.libraries, std::nullopt};
    if (settings.signature_key.empty()) return trust;
    auto key = SignatureKey::load(settings.signature_key);
    if (!key) return tl::unexpected{key.error()};
    trust.signature_key = std::move(*key);
    return trust;
}

Examination examine(int folder, const std::string& name, const std::string& path, const Trust& trust) {
    return Visit{folder, name, path, trust}.examine();
}

Read<Plugin> inspect(const std::filesystem::path& file, const Trust& trust) {
    return examine(AT_FDCWD, file.string(), file.string(), trust).verdict;
}

}  // namespace varde::plugins
