// Runs when varde-worker is built: writes both system call filters as C source. The worker is started a thousand times, libseccomp is then
// needed once.
//   varde-filters FILE.c
#include "worker/filter_rules.hpp"

#include <linux/filter.h>
#include <sys/mman.h>
#include <unistd.h>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <vector>

namespace {

using varde::worker::FilterRules;

[[noreturn]] void give_up(const char* what) {
    std::fprintf(stderr, "varde-filters: %s: %s\n", what, std::strerror(errno));
    std::exit(1);
}

std::vector<sock_filter> compile(FilterRules::Stage stage) {
    const int file = ::memfd_create("filter", MFD_CLOEXEC);
    if (file < 0) give_up("memfd_create");
    if (!FilterRules{stage}.write_to(file)) give_up("seccomp_export_bpf");
    std::vector<sock_filter> instructions(BPF_MAXINSNS);
    const ssize_t bytes = ::pread(file, instructions.data(), instructions.size() * sizeof(sock_filter), 0);
    if (bytes <= 0) give_up("pread");
    ::close(file);
    instructions.resize(static_cast<std::size_t>(bytes) / sizeof(sock_filter));
    return instructions;
}

void print(std::FILE* out, const char* name, const std::vector<sock_filter>& instructions) {
    std::fprintf(out, "const struct sock_filter varde_filter_%s[] = {\n", name);
    for (const sock_filter& one : instructions)
        std::fprintf(out, "    {0x%04x, %u, %u, 0x%08x},\n", one.code, one.jt, one.jf, one.k);
    std::fprintf(out, "};\nconst unsigned varde_filter_%s_length = %zu;\n", name, instructions.size());
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 2) {
        std::fputs("usage: varde-filters FILE.c\n", stderr);
        return 64;
    }
    std::FILE* const out = std::fopen(argv[1], "w");
    if (out == nullptr) give_up(argv[1]);
    std::fputs("/* Written by varde-filters from host/worker/filter_rules.cpp. */\n#include <linux/filter.h>\n", out);
    print(out, "load", compile(FilterRules::Stage::load));
    print(out, "run", compile(FilterRules::Stage::run));
    if (std::fclose(out) != 0) give_up(argv[1]);
    return 0;
}
