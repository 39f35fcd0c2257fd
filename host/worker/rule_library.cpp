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

/// Rules and jobs: what their entries are called and must say.
struct Contract {
    const char* symbol;
    const char* thing;
    std::uint64_t magic;
    std::uint16_t major;
    std::uint16_t minor;
};
constexpr Contract rules{"varde_rule_v1", "rule", VARDE_MAGIC, VARDE_ABI_MAJOR, VARDE_ABI_MINOR};
constexpr Contract jobs{"varde_job_v1", "job", VARDE_JOB_MAGIC, VARDE_JOB_ABI_MAJOR, VARDE_JOB_ABI_MINOR};

const char* id_of(const varde_rule_entry& entry) { return entry.rule_id; }
const char* id_of(const varde_job_entry& entry) { return entry.job_id; }

const char* missing_function(const varde_rule_entry& entry) {
    const bool complete = entry.create != nullptr && entry.evaluate != nullptr && entry.destroy != nullptr;
    return complete ? nullptr : "create, evaluate and destroy are required, one is NULL";
}
const char* missing_function(const varde_job_entry& entry) { return entry.run != nullptr ? nullptr : "run is required and NULL"; }

template <class Entry>
std::optional<wire::Fault> check_entry(const Entry& entry, const wire::SetupPlugin& setup, const Contract& contract) {
    using enum wire::FaultReason;
    const std::string symbol = contract.symbol;
    if (entry.abi_major != contract.major || entry.abi_minor_needed > contract.minor)
        return fault(abi_mismatch, std::string{"the "} + contract.thing + " needs ABI " +
                                       version_text(entry.abi_major, entry.abi_minor_needed) + ", this worker has " +
                                       version_text(contract.major, contract.minor));
    if (const char* missing = missing_function(entry)) return fault(load_failed, symbol + ": " + missing);
    if (differs(id_of(entry), setup.rule_id))
        return fault(manifest_mismatch, std::string{contract.thing} + " id of the entry is not that of the file's note");
    if (differs(entry.version, setup.version))
        return fault(manifest_mismatch, "version of the entry is not that of the file's note");
    if (differs(entry.sdk, setup.sdk)) return fault(manifest_mismatch, "sdk of the entry is not that of the file's note");
    if (entry.abi_minor_needed != setup.abi_minor_needed || entry.abi_major != setup.abi_major)
        return fault(manifest_mismatch, "ABI version of the entry is not that of the file's note");
    if (entry.flags != 0 || entry.reserved0 != 0) return fault(abi_mismatch, symbol + ": flags and reserved0 must be 0");
    for (const std::uint64_t slot : entry.reserved)
        if (slot != 0) return fault(abi_mismatch, symbol + ": reserved slots must be 0");
    return std::nullopt;
}

template <class Entry>
std::optional<wire::Fault> load_library(int fd, const wire::SetupPlugin& setup, Entry& entry, const Contract& contract) {
    using enum wire::FaultReason;
    const std::string symbol = contract.symbol;
    try {
        namespace dll = boost::dll;
        // The throwing overload: only it carries the text of dlerror().
        const auto* library =
            new dll::shared_library("/proc/self/fd/" + std::to_string(fd), dll::load_mode::rtld_now | dll::load_mode::rtld_local);
        if (!library->has(symbol)) return fault(load_failed, "the library exports no " + symbol);
        const auto& exported = library->get<const Entry>(symbol);
        if (exported.magic != contract.magic) return fault(load_failed, symbol + " has a wrong magic number");
        constexpr std::size_t first_version_bytes = offsetof(Entry, reserved) + sizeof(Entry::reserved);
        if (exported.struct_size < first_version_bytes || exported.struct_size > 4096)
            return fault(load_failed, symbol + " has an impossible struct_size: " + std::to_string(exported.struct_size));
        std::memcpy(&entry, &exported, sizeof entry);
        return check_entry(entry, setup, contract);
    } catch (const std::exception& error) {
        return fault(load_failed, error.what());
    }
}

}  // namespace

std::optional<wire::Fault> load_rule_library(int fd, const wire::SetupPlugin& setup, varde_rule_entry& entry) {
    return load_library(fd, setup, entry, rules);
}

std::optional<wire::Fault> load_job_library(int fd, const wire::SetupPlugin& setup, varde_job_entry& entry) {
    return load_library(fd, setup, entry, jobs);
}

}  // namespace varde::worker
