#include "schedule/host_identity.hpp"

#include <array>
#include <random>

#include <fmt/format.h>
#include <unistd.h>

namespace varde::schedule {

std::string random_id() {
    std::random_device source;
    return fmt::format("{:08x}{:08x}{:08x}{:08x}", source(), source(), source(), source());
}

std::string host_name() {
    std::array<char, 256> name{};
    if (::gethostname(name.data(), name.size() - 1) != 0) return fmt::format("pid {}", ::getpid());
    return fmt::format("{} (pid {})", name.data(), ::getpid());
}

}  // namespace varde::schedule
