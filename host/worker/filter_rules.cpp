#include "worker/filter_rules.hpp"

#include "wire/control_layout.hpp"
#include "worker/sandbox_seccomp.hpp"

#include <fcntl.h>
#include <seccomp.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace varde::worker {
namespace {

scmp_arg_cmp equals(unsigned argument, scmp_datum_t value) { return {argument, SCMP_CMP_EQ, value, 0}; }
scmp_arg_cmp masked(unsigned argument, scmp_datum_t mask, scmp_datum_t value) {
    return {argument, SCMP_CMP_MASKED_EQ, mask, value};
}

constexpr scmp_datum_t map_kind = 0x0f | MAP_ANONYMOUS;  // MAP_TYPE and whether a file is behind it
constexpr int pr_set_vma = 0x53564d41;

[[noreturn]] void give_up(const char* step, int error) {
    std::fprintf(stderr, "%s: %s\n", step, std::strerror(error));
    std::exit(1);
}

}  // namespace

FilterRules::FilterRules(Stage stage) : context_{::seccomp_init(SCMP_ACT_TRAP)}, stage_{stage} {
    if (context_ == nullptr) give_up("seccomp_init", ENOMEM);
    ::seccomp_attr_set(context_, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
    allow_memory();
    allow_pipes();
    allow_process_facts();
    if (stage_ == Stage::load) allow_files_of_load();
    deny_files_softly();
}

FilterRules::~FilterRules() { ::seccomp_release(context_); }

bool FilterRules::write_to(int fd) const {
    const int done = ::seccomp_export_bpf(context_, fd);
    errno = -done;
    return done == 0;
}

void FilterRules::add(unsigned action, int call) { add_if(action, call); }

template <class... Conditions>
void FilterRules::add_if(unsigned action, int call, Conditions... conditions) {
    const int done = ::seccomp_rule_add(context_, action, call, sizeof...(conditions), conditions...);
    if (done != 0) give_up("seccomp_rule_add", -done);
}

void FilterRules::allow_memory() {
    // Private anonymous memory only: shared memory would not count against RLIMIT_DATA.
    add_if(SCMP_ACT_ALLOW, SCMP_SYS(mmap), masked(2, PROT_EXEC, 0), masked(3, map_kind, MAP_PRIVATE | MAP_ANONYMOUS));
    add_if(SCMP_ACT_ALLOW, SCMP_SYS(mprotect), masked(2, PROT_EXEC, 0));
    add_if(SCMP_ACT_ERRNO(EPERM), SCMP_SYS(mprotect), masked(2, PROT_EXEC, PROT_EXEC));
    // Window memory that the host sends later; a descriptor of it can only ever be mapped for reading.
    add_if(SCMP_ACT_ALLOW, SCMP_SYS(mmap), masked(2, PROT_EXEC | PROT_WRITE, 0), masked(3, map_kind, MAP_SHARED));
    for (const int call : {SCMP_SYS(brk), SCMP_SYS(munmap), SCMP_SYS(mremap), SCMP_SYS(madvise)}) add(SCMP_ACT_ALLOW, call);
    if (stage_ == Stage::run) {
        add_if(SCMP_ACT_ERRNO(EPERM), SCMP_SYS(mmap), masked(2, PROT_EXEC, PROT_EXEC));
    } else {
        add_if(SCMP_ACT_ERRNO(EPERM), SCMP_SYS(mmap), masked(2, PROT_EXEC, PROT_EXEC),
               masked(3, map_kind, MAP_PRIVATE | MAP_ANONYMOUS));
    }
}

void FilterRules::allow_pipes() {
    if (stage_ == Stage::load) {
        add(SCMP_ACT_ALLOW, SCMP_SYS(read));
    } else {
        add_if(SCMP_ACT_ALLOW, SCMP_SYS(read), equals(0, STDIN_FILENO));
        add_if(SCMP_ACT_ALLOW, SCMP_SYS(read), equals(0, wire::fd_request));
    }
    for (const int fd : {STDOUT_FILENO, STDERR_FILENO}) {
        add_if(SCMP_ACT_ALLOW, SCMP_SYS(write), equals(0, static_cast<scmp_datum_t>(fd)));
        add_if(SCMP_ACT_ALLOW, SCMP_SYS(writev), equals(0, static_cast<scmp_datum_t>(fd)));
    }
    add_if(SCMP_ACT_ALLOW, SCMP_SYS(write), equals(0, wire::fd_response));
    add_if(SCMP_ACT_ALLOW, SCMP_SYS(recvmsg), equals(0, wire::fd_setup));
    add(SCMP_ACT_ALLOW, SCMP_SYS(close));  // who closes its channel ends itself
}

void FilterRules::allow_process_facts() {
    for (const int call : {SCMP_SYS(futex),
                           SCMP_SYS(clock_gettime),
                           SCMP_SYS(clock_getres),
                           SCMP_SYS(gettimeofday),
                           SCMP_SYS(time),
                           SCMP_SYS(nanosleep),
                           SCMP_SYS(clock_nanosleep),
                           SCMP_SYS(getrandom),
                           SCMP_SYS(rt_sigreturn),
                           SCMP_SYS(rt_sigprocmask),
                           SCMP_SYS(restart_syscall),
                           SCMP_SYS(sched_yield),
                           SCMP_SYS(getcpu),
                           SCMP_SYS(sched_getaffinity),
                           SCMP_SYS(getpid),
                           SCMP_SYS(gettid),
                           SCMP_SYS(getuid),
                           SCMP_SYS(geteuid),
                           SCMP_SYS(getgid),
                           SCMP_SYS(getegid),
                           SCMP_SYS(getrusage),
                           SCMP_SYS(sysinfo),
                           SCMP_SYS(uname),
                           SCMP_SYS(exit),
                           SCMP_SYS(exit_group),
                           SCMP_SYS(rseq)})
        add(SCMP_ACT_ALLOW, call);
    // A signal to itself is how abort() works; the crash handler too.
    add_if(SCMP_ACT_ALLOW, SCMP_SYS(tgkill), equals(0, pid_in_filter));
    add_if(SCMP_ACT_ALLOW, SCMP_SYS(prlimit64), equals(2, 0));  // reading limits
    add_if(SCMP_ACT_ALLOW, SCMP_SYS(prctl), equals(0, pr_set_vma));
    // glibc does this before it starts a thread, with signals that are its own; then it is the thread that is refused, and named.
    for (const scmp_datum_t own : {32, 33}) add_if(SCMP_ACT_ALLOW, SCMP_SYS(rt_sigaction), equals(0, own));
    add(SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3));
    add(SCMP_ACT_ERRNO(ENOTTY), SCMP_SYS(ioctl));
}

void FilterRules::allow_files_of_load() {
    add_if(SCMP_ACT_ALLOW, SCMP_SYS(openat), masked(2, O_ACCMODE | O_CREAT | O_TRUNC | O_APPEND, O_RDONLY));
    // Said softly here as well: a SIGSYS of this filter would outrank the EACCES of the next one.
    for (const scmp_datum_t access : {O_WRONLY, O_RDWR, O_ACCMODE})
        add_if(SCMP_ACT_ERRNO(EACCES), SCMP_SYS(openat), masked(2, O_ACCMODE, access));
    for (const scmp_datum_t flag : {O_CREAT, O_TRUNC, O_APPEND})
        add_if(SCMP_ACT_ERRNO(EACCES), SCMP_SYS(openat), masked(2, flag, flag));
    add_if(SCMP_ACT_ALLOW, SCMP_SYS(mmap), masked(3, map_kind, MAP_PRIVATE));
    for (const int call : {SCMP_SYS(fstat), SCMP_SYS(lseek), SCMP_SYS(pread64), SCMP_SYS(seccomp)}) add(SCMP_ACT_ALLOW, call);
    // glibc's fstat is newfstatat with an empty path.
    add_if(SCMP_ACT_ALLOW, SCMP_SYS(newfstatat), masked(3, 0x1000 /* AT_EMPTY_PATH */, 0x1000));
    add_if(SCMP_ACT_ERRNO(EACCES), SCMP_SYS(newfstatat), masked(3, 0x1000, 0));
}

void FilterRules::deny_files_softly() {
    for (const int call :
         {SCMP_SYS(open), SCMP_SYS(openat2), SCMP_SYS(creat), SCMP_SYS(stat), SCMP_SYS(lstat), SCMP_SYS(statx), SCMP_SYS(access),
          SCMP_SYS(faccessat), SCMP_SYS(faccessat2), SCMP_SYS(readlink), SCMP_SYS(readlinkat), SCMP_SYS(getcwd)})
        add(SCMP_ACT_ERRNO(EACCES), call);
    if (stage_ == Stage::load) return;
    for (const int call : {SCMP_SYS(openat), SCMP_SYS(newfstatat), SCMP_SYS(fstat)}) add(SCMP_ACT_ERRNO(EACCES), call);
    add(SCMP_ACT_ERRNO(EBADF), SCMP_SYS(lseek));
}

}  // namespace varde::worker
