#include "worker/rule_library.hpp"

#include <boost/dll/shared_library.hpp>

#include <cstring>
#include <string>

namespace varde::worker {
namespace {

std::optional<wire::Fault> fault(wire::FaultReason reason, std::string message) {
    return wire::Fault{reason, {}, std::move(message)};
}

bool differs(const char* entry, const char (&note)[32]) {
    return entry == nullptr || std::strncmp(entry, note, sizeof note) != 0;
}

std::string version_text(std::uint32_t major, std::uint32_t minor) { return std::to_string(major) + "." + std::to_string(minor); }

std::optional<wire::Fault> check_entry(const varde_rule_entry& entry, const wire::SetupPlugin& setup) {
    using enum wire::FaultReason;
    if (entry.abi_major != VARDE_ABI_MAJOR || entry.abi_minor_needed > VARDE_ABI_MINOR)
        return fault(abi_mismatch, "the rule needs ABI " + version_text(entry.abi_major, entry.abi_minor_needed) +
                                       ", this worker has " + version_text(VARDE_ABI_MAJOR, VARDE_ABI_MINOR));
    if (entry.create == nullptr || entry.evaluate == nullptr || entry.destroy == nullptr)
        return fault(load_failed, "varde_rule_v1: create, evaluate and destroy are required, one is NULL");
    if (differs(entry.rule_id, setup.rule_id))
        return fault(manifest_mismatch, "rule id of the entry is not that of the file's note");
    if (differs(entry.version, setup.version))
        return fault(manifest_mismatch, "version of the entry is not that of the file's note");
    if (differs(entry.sdk, setup.sdk)) return fault(manifest_mismatch, "sdk of the entry is not that of the file's note");
    if (entry.abi_minor_needed != setup.abi_minor_needed || entry.abi_major != setup.abi_major)
        return fault(manifest_mismatch, "ABI version of the entry is not that of the file's note");
    if (entry.flags != 0 || entry.reserved0 != 0) return fault(abi_mismatch, "varde_rule_v1: flags and reserved0 must be 0");
    for (const std::uint64_t slot : entry.reserved)
        if (slot != 0) return fault(abi_mismatch, "varde_rule_v1: reserved slots must be 0");
    return std::nullopt;
}

}  // namespace

std::optional<wire::Fault> load_rule_library(int fd, const wire::SetupPlugin& setup, varde_rule_entry& entry) {
    using enum wire::FaultReason;
    try {
        namespace dll = boost::dll;
        // The throwing overload: only it carries the text of dlerror().
        const auto* library =
            new dll::shared_library("/proc/self/fd/" + std::to_string(fd), dll::load_mode::rtld_now | dll::load_mode::rtld_local);
        if (!library->has("varde_rule_v1")) return fault(load_failed, "the library exports no varde_rule_v1");
        const auto& exported = library->get<const varde_rule_entry>("varde_rule_v1");
        if (exported.magic != VARDE_MAGIC) return fault(load_failed, "varde_rule_v1 has a wrong magic number");
        constexpr std::size_t first_version_bytes = offsetof(varde_rule_entry, reserved) + sizeof(varde_rule_entry::reserved);
        if (exported.struct_size < first_version_bytes || exported.struct_size > 4096)
            return fault(load_failed, "varde_rule_v1 has an impossible struct_size: " + std::to_string(exported.struct_size));
        std::memcpy(&entry, &exported, sizeof entry);
        return check_entry(entry, setup);
    } catch (const std::exception& error) {
        return fault(load_failed, error.what());
    }
}

}  // namespace varde::worker
