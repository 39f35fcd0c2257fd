#!/usr/bin/env python3
"""Schedules of kind `plugin` in a real host: jobs of shared libraries, sound and hostile ones, also one that is put there meanwhile.

    plugin_jobs.py BUILD_FOLDER
"""
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

from host_process import Checks, Host, HostFailed, children_of
from schedule_stage import CONFIG, Stage

MANUAL = {"manual": True}


class JobStage(Stage):
    """A stage whose host has a plugins folder of its own."""

    def new_host(self, name):
        self.plugins = self.folder / "plugins"
        self.plugins.mkdir(exist_ok=True)
        self.plugins.chmod(0o755)
        (self.folder / "host.yaml").write_text(CONFIG + "isolation: {max_log_bytes: 100000}\n", encoding="utf-8")
        place = self.folder / name
        place.mkdir()
        return Host(self.build, place, self.database, plugins=self.plugins, rules=self.folder / "rules.yaml",
                    config=self.folder / "host.yaml", interval_ms=200)

    def put(self, file):
        """As an upload does: under another name, then in its place."""
        partial = self.plugins / f".{file.name}.part"
        shutil.copyfile(file, partial)
        partial.chmod(0o755)
        os.replace(partial, self.plugins / file.name)

    def make_job(self, name, job, params=None, **policy):
        return self.make(name, "plugin", {"job": job, **({"params": params} if params else {})}, MANUAL, **policy)

    def run_job(self, name, timeout=30):
        status, answer = self.run_now(name)
        if status != 201:
            raise HostFailed(f"{name} cannot be run: {answer}")
        return self.wait_over(name, timeout=timeout)[0]


def result_of(row):
    result = row.get("result")
    return json.loads(result) if isinstance(result, str) and result else result


def check_kinds(stage, checks):
    kinds = {kind["name"]: kind["summary"] for kind in stage.call("GET", "/job_kinds", wanted=200)["rows"]}
    checks.check("plugin, publish and remote are listed", {"plugin", "publish", "remote"} <= set(kinds), kinds)
    checks.check("those that need the broker say so", all("broker" in kinds[name] for name in ("publish", "remote")), kinds)
    for name in ("publish", "remote"):
        status, problem = stage.call("POST", "/schedules", {"id": name, "kind": name, "params": {}, "trigger": MANUAL})
        checks.check(f"{name} is refused with the reason", status in (400, 422) and "needs the broker" in json.dumps(problem), problem)
    status, problem = stage.call("POST", "/schedules", {"id": "x", "kind": "plugin", "params": {"jobs": "J-hello"}, "trigger": MANUAL})
    checks.check("params of a plugin job are checked", status in (400, 422) and "params.job" in json.dumps(problem), problem)


def check_found_while_running(stage, checks):
    stage.make_job("greet", "J-hello", {"name": "Ada"})
    row = stage.run_job("greet")
    checks.check("without the library the run fails and says so",
                 row["state"] == "failed" and "no library in plugins_dir is the job 'J-hello'" in row["error"], row)
    stage.put(stage.build / "examples/J-hello.so")
    end = time.monotonic() + 15
    while row["state"] != "success" and time.monotonic() < end:
        stage.run_now("greet")
        row = stage.wait_over("greet", count=2)[0]
    checks.equal("a library that is put there is found without a restart", row["state"], "success")
    checks.equal("what it answers is kept", result_of(row), {"greeting": "hello, Ada", "times": 1})
    stage.make_job("late", "J-hello", {"fail_until": 2}, retry={"max_attempts": 3, "backoff": "10ms"})
    row = stage.run_job("late")
    checks.equal("an attempt that fails is made again", (row["state"], row["attempt"]), ("success", 3))
    stage.make_job("bad", "J-hello", {"count": 0}, retry={"max_attempts": 3, "backoff": "10ms"})
    row = stage.run_job("bad")
    checks.equal("a bad param is not tried again", (row["state"], row["attempt"]), ("failed", 1))
    checks.check("and is named", row["error"].startswith("params.count"), row["error"])


def check_hostile(stage, checks):
    stage.put(stage.build / "tests/hostile/plugins/job_acts.so")
    time.sleep(1)
    wanted = {"segfault": "segmentation_fault: SIGSEGV", "throw": "exception_escaped", "exit": "the job ended its process",
              "connect": "forbidden system call: socket", "fork": "forbidden system call", "allocate": "out_of_memory",
              "flood_log": "isolation.max_log_bytes", "no_json": "no JSON"}
    for act in wanted:
        stage.make_job(act, "J-acts", {"act": act})
        stage.run_now(act)
    for act, text in wanted.items():
        row = stage.wait_over(act)[0]
        checks.check(f"{act}: the run fails and says what happened", row["state"] == "failed" and text in row["error"], row)
    stage.make_job("crashes", "J-acts", {"act": "segfault"}, retry={"max_attempts": 2, "backoff": "10ms"})
    checks.equal("a crash is tried again", stage.run_job("crashes")["attempt"], 2)
    stage.make_job("spin", "J-acts", {"act": "spin"}, run_timeout="2s")
    begun = time.monotonic()
    row = stage.run_job("spin")
    checks.equal("a job that hangs is ended at its run_timeout", row["state"], "timed_out")
    checks.check("and not later", time.monotonic() - begun < 10)
    stage.make_job("cancelled", "J-acts", {"act": "sleep"})
    stage.run_now("cancelled")
    running = stage.wait_runs("cancelled", lambda rows: rows and rows[0]["state"] == "running", "its start")[0]
    stage.call("POST", f"/runs/{running['run_id']}/cancel")
    checks.equal("one can be cancelled", stage.wait_over("cancelled")[0]["state"], "cancelled")
    stage.make_job("sees", "J-acts", {"act": "look"})
    checks.equal("it sees no file and no variable of the host", result_of(stage.run_job("sees")), {"files": 0, "variables": 0})
    checks.equal("the host and other jobs go on", stage.run_job("greet")["state"], "success")


def check_rules_untouched(stage, checks):
    blamed = [event for event in stage.host.events if event.get("event") in ("scheduler_rule_error", "rule_rejected", "rule_loaded")]
    checks.equal("the rule loader takes no notice of job libraries", blamed, [])


def check_command_line(stage, checks):
    varde = stage.build / "bin/varde"
    library = stage.plugins / "J-hello.so"
    said = subprocess.run([varde, "--json", "plugin", "inspect", library], capture_output=True, text=True, check=False)
    facts = json.loads(said.stdout) if said.returncode == 0 else said.stderr
    checks.check("plugin inspect says that it is a job", facts and facts["kind"] == "job" and facts["job_id"] == "J-hello", facts)
    bad = stage.build / "tests/hostile/plugins/job_crashes_at_load.so"
    said = subprocess.run([varde, "plugin", "check", bad, "--only", "load.starts"], capture_output=True, text=True, check=False)
    checks.check("plugin check finds a job that cannot be loaded", said.returncode == 1 and "SIGSEGV" in said.stdout, said.stdout)
    said = subprocess.run([varde, "plugin", "check", library], capture_output=True, text=True, check=False)
    checks.check("plugin check passes it", said.returncode == 0 and "the job J-hello 1.0.0" in said.stdout, said.stdout + said.stderr)


def check_stop(stage, checks):
    stage.make_job("asleep", "J-acts", {"act": "sleep"})
    stage.run_now("asleep")
    stage.wait_runs("asleep", lambda rows: rows and rows[0]["state"] == "running", "its start")
    workers = children_of(stage.host.process.pid)
    begun = time.monotonic()
    checks.equal("a host with a job that sleeps stops", stage.host.stop(), 0)
    checks.check("in time", time.monotonic() - begun < 10)
    left = [pid for pid in workers if pathlib.Path(f"/proc/{pid}").exists()]
    checks.check("and leaves no process behind", workers and not left, (workers, left))


def main():
    build = pathlib.Path(sys.argv[1]).resolve()
    checks = Checks()
    with tempfile.TemporaryDirectory(prefix="varde-jobs-") as folder:
        stage = JobStage(build, pathlib.Path(folder) / "stage", f"sqlite:{folder}/varde.db", checks)
        try:
            stage.host.start()
            for check in (check_kinds, check_found_while_running, check_hostile, check_rules_untouched, check_command_line,
                          check_stop):
                check(stage, checks)
        except (HostFailed, OSError, subprocess.SubprocessError, LookupError, TypeError, ValueError) as error:
            checks.check("the host answers", False, repr(error))
        finally:
            checks.equal("the host stops cleanly", stage.host.stop(), 0)
            stage.sink.close()
    return checks.finish()


if __name__ == "__main__":
    sys.exit(main())
