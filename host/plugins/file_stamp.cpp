#include "plugins/file_stamp.hpp"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

namespace varde::plugins {

FileStamp FileStamp::of(const struct ::stat& info) {
    const auto ns = [](const timespec& at) { return std::int64_t{at.tv_sec} * 1'000'000'000 + at.tv_nsec; };
    return {info.st_dev, info.st_ino, info.st_size, ns(info.st_ctim), ns(info.st_mtim)};
}

std::string distrust_of_owner(const struct ::stat& info, const std::string& path) {
    if (info.st_uid != 0 && info.st_uid != ::geteuid())
        return fmt::format("is owned by uid {}, not by root or the host's user; run: chown root {}", info.st_uid, path);
    if ((info.st_mode & (S_IWGRP | S_IWOTH)) != 0)
        return fmt::format("is writable for group or others; run: chmod go-w {}", path);
    return {};
}

}  // namespace varde::plugins
