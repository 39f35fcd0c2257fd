#!/usr/bin/env python3
"""`varde plugin check` on the rules of this project, which must pass, and on rules that attack, which must fail and hurt nothing.

    plugin_check.py BUILD_FOLDER
"""
import json
import pathlib
import subprocess
import sys
import tempfile
import xml.dom.minidom

from host_process import Checks

# Which check a plugin of tests/hostile fails first, and what the text says. The others are about what is no fault of the rule's file.
HOSTILE = {
    "aborts": ("windows.empty", "aborted in evaluate"), "allocates": ("windows.empty", "out_of_memory in evaluate"),
    "allocates_cpp": ("windows.empty", "out_of_memory"), "connects": ("windows.empty", "system call: socket"),
    "connects_at_load": ("load.starts", "violation in load"), "contradicts": ("windows.empty", "the outcome is not met"),
    "crashes_at_load": ("load.starts", "segmentation_fault in load"), "divides": ("windows.empty", "SIGFPE"),
    "exits": ("windows.empty", "exit code 0"), "forks": ("windows.empty", "system call: clone"),
    "hangs_at_load": ("load.starts", "deadline in load"), "installs_handler": ("windows.empty", "rt_sigaction"),
    "kills_host": ("windows.empty", "system call: kill"), "lying_note": ("load.starts", "manifest_mismatch"),
    "many_findings": ("windows.empty", "more than 64 findings"), "not_a_number": ("windows.empty", "not finite"),
    "not_text": ("windows.empty", "not UTF-8"), "overflows_stack": ("windows.empty", "stack_overflow"),
    "remembers_3": ("load.selftest", "two and two are five"), "remembers_4": ("load.selftest", "aborted in load"),
    "refuses_params": ("params.defaults", "limits.low: must be above 0"), "rings_early": ("windows.empty", "protocol"),
    "segfaults": ("windows.empty", "segmentation_fault in evaluate"), "shares_memory": ("windows.empty", "system call: mmap"),
    "sleeps": ("windows.empty", "deadline in evaluate"), "sometimes_crashes": ("windows.one", "segmentation_fault"),
    "spins": ("windows.empty", "deadline in evaluate"), "starts_shell": ("windows.empty", "execve"),
    "starts_thread": ("windows.empty", "violation"), "throws": ("windows.empty", "thrown by a fixture"),
    "throws_int": ("windows.empty", "exception_escaped"), "traces": ("windows.empty", "ptrace"),
    "writes_window": ("windows.empty", "segmentation_fault"), "wrong_row": ("windows.empty", "not a row of the window"),
}
# These keep to the rules, or only until windows are large.
CALM = ("healthy", "opens_file", "mirror", "remembers_2")


class Program:
    def __init__(self, build, folder):
        self.command = [str(build / "bin/varde")]
        rules = folder / "rules.yaml"
        rules.write_text("rules:\n" + "".join(f"  {name}:\n    timeout_ms: 200\n    memory_mb: 64\n" for name in HOSTILE), encoding="utf-8")
        host = folder / "host.yaml"
        host.write_text(f"rules_file: {rules}\nisolation:\n  load_timeout_ms: 500\n", encoding="utf-8")
        self.command += ["--config", str(host)]

    def run(self, *arguments):
        done = subprocess.run([*self.command, *map(str, arguments)], capture_output=True, text=True, timeout=300)
        return done.returncode, done.stdout, done.stderr

    def check(self, file, *arguments):
        """(exit code, {check: line}, summary) from the JSON report."""
        code, out, err = self.run("--json", "plugin", "check", file, *arguments)
        lines = [json.loads(line) for line in out.splitlines()]
        if not lines:
            raise AssertionError(f"no output, exit code {code}: {err}")
        return code, {line["check"]: line for line in lines[:-1]}, lines[-1]


def only(names):
    return [part for name in names for part in ("--only", name)]


def check_good_rules(checks, program, build):
    for rule in (f"R-{number:03}" for number in range(1, 11)):
        code, lines, summary = program.check(build / f"plugins/{rule}.so")
        troubles = [f"{name}: {line['text']}" for name, line in lines.items() if line["status"] != "pass"]
        checks.equal(f"{rule} passes every check", (code, troubles), (0, []))
        checks.check(f"{rule} was really judged", summary["passed"] == len(lines) >= 20, summary)


def check_hostile_rules(checks, program, folder):
    short = only(("file.accepted", "load", "params.defaults", "windows.empty", "windows.one"))
    for name, (first, says) in HOSTILE.items():
        code, lines, _ = program.check(folder / f"{name}.so", *short)
        failed = [check for check, line in lines.items() if line["status"] == "fail"]
        text = lines[failed[0]]["text"] if failed else ""
        checks.check(f"{name} fails {first}", code == 1 and failed[:1] == [first] and says in text, f"{code} {failed} {text}")
    for name in CALM:
        code, lines, _ = program.check(folder / f"{name}.so", *short)
        checks.equal(f"{name} passes these", (code, [c for c, line in lines.items() if line["status"] == "fail"]), (0, []))


def check_gates(checks, program, folder):
    code, lines, summary = program.check(folder / "crashes_at_load.so")
    skipped = {name for name, line in lines.items() if line["status"] == "skip"}
    checks.check("what cannot be checked is skipped and says why", code == 1 and "windows.empty" in skipped
                 and lines["windows.empty"]["text"] == "see load.starts" and summary["failed"] == 1, summary)
    code, lines, _ = program.check(folder / "segfaults.so")
    checks.check("a crash is the verdict of one check, and the next check is made",
                 [lines[f"windows.{size}"]["status"] for size in ("empty", "one", "10000")] == ["fail"] * 3, lines)
    fuzz = lines["params.fuzz"]
    checks.check("parameters are not blamed for a rule that breaks with its own", fuzz["status"] == "skip", fuzz)
    code, lines, _ = program.check(folder / "healthy.so", *only(["answers.valid_until", "windows.100000"]))
    checks.check("an answer that does not hold as long as it says is found", "was to hold for ever" in lines["answers.valid_until"]["text"],
                 lines)
    text = lines["windows.100000"]["text"]
    checks.check("a rule that is too talkative for a large window is found", "4096 evidence fields" in text, text)


def check_slow_harm(checks, program, folder):
    """What shows only after a while, or to who looks closely."""
    for name, check, says in (("leaks", "budget.memory", "fills up"), ("creeps", "budget.pace", "becomes slower"),
                              ("crashes_in_destroy", "params.fuzz", "destroy failed"),
                              ("interposes", "file.exports", "more symbols are exported"),
                              ("answers_at_random", "answers.repeat", "asked again at once")):
        file = folder / f"{name}.so"
        if not file.exists():
            checks.skip(name, "tests/hostile has no such plugin")
            continue
        code, lines, _ = program.check(file, *only([check]))
        checks.check(f"{name} fails {check}", code == 1 and says in lines[check]["text"], lines[check])


def check_files(checks, program, folder):
    text = folder / "text.so"
    text.write_text("no library", encoding="utf-8")
    code, lines, _ = program.check(text)
    checks.check("a file that is no library is one failure", code == 1 and lines["file.accepted"]["status"] == "fail"
                 and all(line["status"] == "skip" for name, line in lines.items() if name != "file.accepted"), lines)
    code, lines, _ = program.check(folder / "absent.so")
    checks.check("so is a file that is not there", code == 1 and "No such file" in lines["file.accepted"]["text"], lines)


def check_reports(checks, program, hostile, folder):
    report = folder / "report.xml"
    code, out, _ = program.run("plugin", "check", hostile / "segfaults.so", *only(["file", "windows.empty"]), "--junit", report)
    suite = xml.dom.minidom.parse(str(report)).documentElement
    checks.equal("JUnit names the failure", (code, suite.getAttribute("failures"), len(suite.getElementsByTagName("failure"))), (1, "1", 1))
    checks.check("the text names the seed and the command that repeats it",
                 "(seed 1)" in out and "--seed 1 --only windows.empty" in out, out)
    one, two = (program.check(hostile / "sometimes_crashes.so", "--seed", seed, *only(["windows.one"]))[1]["windows.one"]
                for seed in (5, 5))
    checks.equal("a seed repeats a check word for word", (one["status"], one["text"], one["seed"]), (two["status"], two["text"], 5))
    code, out, _ = program.run("plugin", "check", "--list")
    checks.check("--list names the checks", code == 0 and "windows.empty" in out and "answers.arrival_order" in out, out)
    code, _, err = program.run("plugin", "check", hostile / "healthy.so", "--only", "windws")
    checks.check("an unknown check is a mistake of usage", code == 2 and "there is no check 'windws'" in err, err)
    code, _, err = program.run("plugin", "check")
    checks.check("so is no file", code == 2 and "needs a FILE.so" in err, err)


def workers():
    """Ids of the worker processes on this machine."""
    found = set()
    for folder in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            state = (folder / "stat").read_text().rpartition(")")[2].split()[0]
            if (folder / "comm").read_text().strip() == "varde-worker" and state != "Z":
                found.add(folder.name)
        except OSError:
            continue
    return found


def main():
    build = pathlib.Path(sys.argv[1]).resolve()
    checks = Checks()
    before = workers()
    with tempfile.TemporaryDirectory(prefix="varde-plugin-check-") as name:
        folder = pathlib.Path(name)
        program = Program(build, folder)
        hostile = build / "tests/hostile/plugins"
        check_good_rules(checks, program, build)
        check_hostile_rules(checks, program, hostile)
        check_gates(checks, program, hostile)
        check_slow_harm(checks, program, hostile)
        check_files(checks, program, folder)
        check_reports(checks, program, hostile, folder)
    # Without a parent: those of other tests that run beside this one have theirs.
    checks.equal("no worker is left over", {pid for pid in workers() - before if parent_of(pid) == "1"}, set())
    return checks.finish()


def parent_of(pid):
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1]
    except OSError:
        return ""


if __name__ == "__main__":
    sys.exit(main())
