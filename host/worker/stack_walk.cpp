#include "worker/stack_walk.hpp"

#include <link.h>
#include <ucontext.h>
#include <algorithm>
#include <cstdlib>
#include <cstring>

namespace varde::worker {
namespace {

std::uint64_t stack_end = 0;

struct Registers {
    std::uint64_t instruction = 0;
    std::uint64_t stack = 0;
    std::uint64_t frame = 0;
};

Registers registers_of(const void* context) {
#if defined(__x86_64__)
    const auto& registers = static_cast<const ucontext_t*>(context)->uc_mcontext.gregs;
    return {static_cast<std::uint64_t>(registers[REG_RIP]), static_cast<std::uint64_t>(registers[REG_RSP]),
            static_cast<std::uint64_t>(registers[REG_RBP])};
#elif defined(__aarch64__)
    const auto& registers = static_cast<const ucontext_t*>(context)->uc_mcontext;
    return {registers.pc, registers.sp, registers.regs[29]};
#else
    return {};
#endif
}

struct Modules {
    wire::ControlHeader* header;
    int first_fd;
    std::span<const std::string> names;
    std::uint32_t count = 0;
};

/// The loader knows a plugin as /proc/self/fd/N.
std::string name_of(const char* path, const Modules& modules) {
    if (path == nullptr || path[0] == '\0') return "varde-worker";
    if (const char* number = std::strstr(path, "/self/fd/")) {
        const auto place = static_cast<std::size_t>(std::atoi(number + 9) - modules.first_fd);
        if (place < modules.names.size()) return modules.names[place] + ".so";
    }
    const char* slash = std::strrchr(path, '/');
    return slash == nullptr ? path : slash + 1;
}

int record_module(dl_phdr_info* info, std::size_t, void* context) {
    auto& modules = *static_cast<Modules*>(context);
    if (modules.count == wire::max_modules) return 1;
    wire::ModuleRecord& module = modules.header->modules[modules.count++];
    module.begin = info->dlpi_addr;
    module.end = info->dlpi_addr;
    for (int i = 0; i < info->dlpi_phnum; ++i) {
        const auto& segment = info->dlpi_phdr[i];
        if (segment.p_type == PT_LOAD) module.end = std::max(module.end, info->dlpi_addr + segment.p_vaddr + segment.p_memsz);
    }
    const std::string name = name_of(info->dlpi_name, modules);
    std::memcpy(module.name, name.data(), std::min(name.size(), sizeof module.name - 1));
    return 0;
}

}  // namespace

void note_stack_end(const void* end) { stack_end = reinterpret_cast<std::uint64_t>(end); }

void record_stack(wire::StackRecord& record, const void* context) {
    const Registers registers = registers_of(context);
    record.frames[0] = registers.instruction;
    std::uint32_t count = 1;
    std::uint64_t frame = registers.frame;
    while (count < wire::max_frames && frame % 8 == 0 && frame >= registers.stack && frame + 16 <= stack_end) {
        std::uint64_t pair[2];  // the caller's frame pointer, the return address
        std::memcpy(pair, reinterpret_cast<const void*>(frame), sizeof pair);
        if (pair[1] == 0) break;
        record.frames[count++] = pair[1];
        if (pair[0] <= frame) break;
        frame = pair[0];
    }
    record.n_frames = count;
}

void record_modules(wire::ControlHeader& header, int first_fd, std::span<const std::string> names) {
    Modules modules{&header, first_fd, names};
    ::dl_iterate_phdr(record_module, &modules);
    header.n_modules.store(modules.count, std::memory_order_release);
}

}  // namespace varde::worker
