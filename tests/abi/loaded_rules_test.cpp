// Loads each plugin file as the worker does and judges an empty window with it.
#include <dlfcn.h>

#include <cstdio>

#include <varde/test.hpp>

namespace {

const char* fault_of(const char* file) {
    void* library = dlopen(file, RTLD_NOW | RTLD_LOCAL);
    if (library == nullptr) return dlerror();
    const auto* entry = static_cast<const varde_rule_entry*>(dlsym(library, "varde_rule_v1"));
    if (entry == nullptr) return "has no varde_rule_v1";
    if (entry->magic != VARDE_MAGIC || entry->struct_size != sizeof *entry || entry->abi_major != VARDE_ABI_MAJOR)
        return "has a bad entry";
    varde::test::Rule rule("{}", *entry);
    if (!rule.created()) return "refuses to be made without parameters";
    const auto answer = rule.evaluate({"2026-01-15T08:00:00Z", "2026-01-15T12:00:00Z"});
    std::printf("%s %s: outcome %d of an empty window\n", entry->rule_id, entry->version, answer.outcome);
    return answer.status == VARDE_OK && answer.violations.empty() ? nullptr : "fails on an empty window";
}

}  // namespace

int main(int argc, char** argv) {
    int faults = 0;
    for (int i = 1; i < argc; ++i)
        if (const char* fault = fault_of(argv[i])) faults += std::printf("%s: %s\n", argv[i], fault) > 0;
    return faults;
}
