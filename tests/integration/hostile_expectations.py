"""The hostile catalogue: what each of its 54 entries must lead to. One entry can have several behaviours, each a plugin of tests/hostile.

Reasons and phases are those of host/core/verdict.hpp. Where the catalogue's words differ: a SIGSEGV is segmentation_fault, at the stack's
guard stack_overflow; SIGABRT is aborted; every other signal is crashed.
"""
import dataclasses
import platform


@dataclasses.dataclass(frozen=True)
class Expected:
    reasons: tuple = ()     # one of these; empty: the rule answers
    phase: str = "evaluate"
    says: tuple = ()        # the message holds one of these
    title: str = ""         # what the rule's finding is called, if it answers
    rejected: bool = False  # the file is refused before anything of it runs
    evidence: tuple = ()    # of the stored incident, (key, what is_evidence() understands)
    settings: tuple = ()    # of the rule in rules.yaml


# Of the log event and of the stored incident.
KEYS = {"stderr": "stderr|stderr_tail", "cpu": "cpu_ms"}


def fails(reason, says="", phase="evaluate", **evidence):
    return Expected(tuple(reason.split("|")), phase, tuple(says.split("|")) if says else (),
                    evidence=tuple((KEYS.get(key, key), wanted) for key, wanted in evidence.items()))


def with_settings(expected, **settings):
    return dataclasses.replace(expected, settings=tuple(settings.items()))


def violates(says, **evidence):
    return fails("violation", says, **evidence)


def answers(title, **settings):
    return Expected(title=title, settings=tuple(settings.items()))


def refused(reason, says):
    return Expected(tuple(reason.split("|")), "load", tuple(says.split("|")), rejected=True)


def is_evidence(wanted, values):
    """Whether what an incident holds under one key is what was expected."""
    if wanted is none:
        return not any(values)
    if callable(wanted):
        return any(wanted(value) for value in values)
    return wanted in values


def names(text):
    """Frames that name a module or a function with this text."""
    return lambda frames: isinstance(frames, list) and any(text in str(frame) for frame in frames)


def holds(text):
    return lambda value: text in str(value)


def below(limit):
    return lambda value: isinstance(value, (int, float)) and 0 <= value < limit


def some(value):
    return bool(value)


def none(_):
    """There must be nothing under the key: is_evidence() knows it by name."""
    return False


X86 = platform.machine() == "x86_64"
# The path of a file of the host, for rules that want to touch it; the scene fills it in.
HOST_PATH = "{path}"

# number: (name, {plugin: Expected}). Entries that need a host of their own stand in SCENES below.
WILD = {
    1: ("null_deref", {"segfaults": fails("segmentation_fault", "0x10", address_class="null", frames=names("evaluate"))}),
    2: ("stack_bomb", {"overflows_stack": fails("stack_overflow", "stack", address_class="stack_guard")}),
    3: ("abort_call, assert_fail", {"aborts": fails("aborted", "last words", stderr=holds("last words")),
                                    "asserts": fails("aborted", "the windows are open", stderr=holds("windows are open"))}),
    4: ("div_zero, ill, trap", {"divides": fails("crashed", "SIGFPE"), "bad_opcode": fails("crashed", "SIGILL"),
                                "breakpoint": fails("crashed", "SIGTRAP")}),
    5: ("throw_std, throw_int", {"throws": fails("exception_escaped", "std::runtime_error: thrown by a fixture"),
                                 "throws_int": fails("exception_escaped", "int")}),
    6: ("throw_noexcept", {"throws_noexcept": fails("aborted", "std::runtime_error")}),
    # The loader has no frames to unwind through: the exception becomes std::terminate. The catalogue's word was load_failed.
    7: ("throw_in_ctor", {"throws_at_load": fails("aborted", "thrown while loading", phase="load")}),
    8: ("crash_in_ctor", {"crashes_at_load": fails("segmentation_fault", "0x10", phase="load")}),
    9: ("hang_ctor", {"hangs_at_load": fails("deadline", "400 ms", phase="load")}),
    # A worker ends with _exit, so no destructor ever runs; destroy() crashes when the rule is taken away, which is no failed evaluation.
    10: ("crash_in_dtor", {"crashes_at_exit": answers("still here"), "crashes_in_destroy": answers("still here")}),
    11: ("exit_zero, quick_exit", {"exits": fails("exited", "exit code 0"), "quick_exits": fails("exited", "exit code 0"),
                                   "leaves_at_once": fails("exited", "exit code 3")}),
    12: ("spin", {"spins": fails("deadline", "200 ms", frames=names("spins"))}),
    13: ("sleep_forever, deadlock", {"sleeps": fails("deadline", "200 ms", cpu=below(50)),
                                     "deadlocks": fails("deadline", "200 ms", cpu=below(50))}),
    14: ("block_signals_spin", {"blocks_signals": fails("deadline", "200 ms", stack_note=some, frames=none)}),
    # Time enough to touch 64 MiB on a busy machine.
    15: ("malloc_bomb", {"allocates": with_settings(fails("out_of_memory", "64 MiB", limit="memory_mb"), timeout_ms=5000),
                         "allocates_cpp": with_settings(fails("out_of_memory", "64 MiB"), timeout_ms=5000)}),
    16: ("mmap_shared_bomb", {"shares_memory": violates("mmap", syscall=holds("mmap"))}),
    18: ("fork_bomb", {"forks": violates("clone"), "vforks": violates("vfork|clone"), "clones": violates("clone")}),
    19: ("thread_bomb, thread_linger", {"starts_thread": violates("thread|clone"), "leaves_thread": violates("thread|clone")}),
    20: ("fd_grab", {"grabs_files": answers("refused"), "duplicates_fds": violates("dup")}),
    21: ("read_env", {"reads_environment": answers("nothing found"), "kills_parent": violates("kill|getppid")}),
    22: ("read_fs, write_fs", {"reads_files": answers("refused", params={"path": HOST_PATH}),
                               "writes_files": answers("refused", params={"path": HOST_PATH})}),
    23: ("connect_db", {"connects": violates("socket"), "connects_unix": violates("socket")}),
    24: ("exec_shell", {"starts_shell": violates("execve"), "runs_system": violates("forbidden system call")}),
    25: ("ptrace_host, vm_write", {"traces": violates("ptrace"), "attaches": violates("ptrace"),
                                   "writes_processes": violates("process_vm_writev")}),
    26: ("kill_host", {"kills_host": violates("kill")}),
    27: ("write_window", {"writes_window": fails("segmentation_fault", "SIGSEGV", address_class="read_only")}),
    28: ("remap_window", {"unprotects_window": answers("refused"), "maps_window": violates("mmap")}),
    29: ("truncate_ctl", {"truncates_channel": violates("ftruncate"), "punches_channel": fails("protocol", "not asked")}),
    30: ("lie_count", {"lies_about_size": fails("protocol|bad_result", "cannot be read")}),
    31: ("toctou_result", {"flips_answer": Expected(("protocol", "bad_result", "deadline"), title="AB")}),
    32: ("forge_seq", {"rings_early": fails("protocol", "not asked"), "forges_number": fails("protocol", "not asked")}),
    33: ("futex_storm", {"wakes_without_end": fails("protocol|log_flood|deadline")}),
    34: ("log_flood", {"floods_log": fails("log_flood", "max_log_bytes"), "injects_log": answers('","event":"forged_event","x":"')}),
    35: ("nan_text", {"not_a_number": fails("bad_result", "finite"), "negative_severity": fails("bad_result", "severity"),
                      "wrong_row": fails("bad_result", "row"), "not_text": fails("bad_result", "UTF-8"),
                      "many_findings": fails("bad_result", "64 findings"), "contradicts": fails("bad_result", "not met")}),
    # An entry whose magic or size is rubbish has no version that could be named: it is no usable library. The catalogue says abi_mismatch.
    36: ("abi_old, abi_future, abi_garbage", {"abi_old": refused("abi_mismatch", "needs rule ABI 0.0, this host has 1.0"),
                                              "abi_future": refused("abi_mismatch", "needs rule ABI 1.1, this host has 1.0"),
                                              "abi_magic": fails("load_failed", "magic", phase="load"),
                                              "abi_empty": fails("load_failed", "struct_size: 0", phase="load"),
                                              "abi_huge": fails("load_failed", "struct_size: 4294967295", phase="load")}),
    37: ("no_symbol, two_entries, not_elf, wrong_arch, truncated_file", {
        "no_entry": fails("load_failed", "exports no varde_rule_v1", phase="load"),
        "two_entries": refused("load_failed", ".note.varde|more than one note"),
        "not_elf": refused("load_failed", "ELF"), "wrong_arch": refused("load_failed", "machine"),
        "truncated_file": refused("load_failed|untrusted_file", "cut off|ELF|outside"), "empty_file": refused("load_failed", "empty")}),
    40: ("symlink_escape, fifo, huge_file", {"symlink": refused("untrusted_file", "symbolic link"),
                                             "fifo": refused("untrusted_file", "regular file"),
                                             "huge_file": refused("untrusted_file", "more than")}),
    42: ("interpose", {"interposes": answers("interposed")}),
    43: ("sig_hijack", {"installs_handler": violates("rt_sigaction"), "moves_signal_stack": violates("sigaltstack"),
                        "crashes_blocked": fails("segmentation_fault", "SIGSEGV")}),
    44: ("jit_exec", {"maps_executable": answers("refused")}),
    45: ("io_uring_bypass, userfaultfd, memfd, bpf", {
        f"calls_{call}": violates(call, syscall=holds(call))
        for call in ("io_uring_setup", "userfaultfd", "memfd_create", "bpf", "perf_event_open", "keyctl", "mount")}),
    46: ("ia32_syscall", {"calls_ia32": violates("forbidden system call"), "calls_x32": violates("forbidden system call")} if X86 else {}),
    50: ("starve_host", {**{f"calls_{call}": violates(call) for call in ("setpriority", "sched_setaffinity", "sched_setscheduler",
                                                                         "ioprio_set")},
                         "hogs_memory": fails("deadline", "200 ms")}),
    52: ("lying_manifest", {"lying_note": fails("manifest_mismatch", "note", phase="load")}),
    53: ("handler_deadlock", {"crashes_in_malloc": fails("aborted|segmentation_fault"), "crashes_in_stdio": fails("segmentation_fault"),
                              "crashes_in_what": fails("segmentation_fault"), "hangs_in_what": fails("deadline", "200 ms")}),
}

# Entries that are a story, each told by a function of hostile_scenes.py.
SCENES = {17: "leak_slow", 38: "swap_during_load", 39: "in_place_overwrite", 41: "unique_singleton", 47: "flaky", 48: "nondeterministic",
          49: "slow_creep", 51: "co-tenant_forger", 54: "host_death"}

assert sorted([*WILD, *SCENES]) == list(range(1, 55))
