#include "worker/sandbox_landlock.hpp"

#include "wire/message.hpp"

#include <sys/syscall.h>
#include <unistd.h>

// linux/landlock.h of Debian 12 knows ABI 2; the kernel may know more. The numbers are kernel interface and cannot change.
#ifndef SYS_landlock_create_ruleset
#define SYS_landlock_create_ruleset 444
#endif
#ifndef SYS_landlock_restrict_self
#define SYS_landlock_restrict_self 446
#endif

namespace varde::worker {
namespace {

struct RulesetAttributes {
    std::uint64_t handled_access_fs;
    std::uint64_t handled_access_net;  // since ABI 4
    std::uint64_t scoped;              // since ABI 6
};
constexpr unsigned create_ruleset_version = 1;

}  // namespace

std::uint32_t deny_by_landlock() {
    const long abi = ::syscall(SYS_landlock_create_ruleset, nullptr, 0, create_ruleset_version);
    if (abi < 1) return 0;
    RulesetAttributes attributes{};
    attributes.handled_access_fs = (1u << 13) - 1;           // execute .. make_sym
    if (abi >= 2) attributes.handled_access_fs |= 1u << 13;  // refer
    if (abi >= 3) attributes.handled_access_fs |= 1u << 14;  // truncate
    if (abi >= 5) attributes.handled_access_fs |= 1u << 15;  // ioctl on devices
    if (abi >= 4) attributes.handled_access_net = 3;         // bind and connect TCP
    if (abi >= 6) attributes.scoped = 3;                     // abstract unix sockets, signals
    const std::size_t size = abi >= 6 ? sizeof attributes : abi >= 4 ? 16 : 8;
    const long ruleset = ::syscall(SYS_landlock_create_ruleset, &attributes, size, 0);
    if (ruleset < 0) return 0;
    const long done = ::syscall(SYS_landlock_restrict_self, ruleset, 0);
    ::close(static_cast<int>(ruleset));
    if (done != 0) return 0;
    std::uint32_t posture = wire::posture_landlock_files;
    if (abi >= 4) posture |= wire::posture_landlock_network;
    if (abi >= 6) posture |= wire::posture_landlock_scope;
    return posture;
}

}  // namespace varde::worker
