#!/usr/bin/env python3
"""Plugin files of a running host: uploads that pause, writes over the old bytes, deletions that are replacements; removal; pins and
signatures with the documented commands. (hot_swap.py replaces many plugins by cp and mv.)

    plugin_files.py BUILD_FOLDER
"""
import json
import pathlib
import shutil
import subprocess
import sys
import tempfile
import threading
import time

from host_process import Checks, Host, HostFailed

PLUGINS = 3


def rule_id(number):
    return f"X-{number:03}"


class Versions:
    """Versions of rules, made from one library by changing texts of the same length."""

    def __init__(self, build):
        self.image = (build / "tests/integration/announces.so").read_bytes()

    def make(self, number, version):
        return self.image.replace(b"X-000", rule_id(number).encode()).replace(b"0.0.0", f"1.{version // 10}.{version % 10}".encode())

    @staticmethod
    def text(version):
        return f"1.{version // 10}.{version % 10}"


def write_slowly(file, image, mode):
    """As a copy over a slow line: three pieces, the pauses longer than the quiet time."""
    with open(file, mode) as out:
        third = len(image) // 3
        for start in (0, third, 2 * third):
            out.write(image[start:start + third] if start < 2 * third else image[start:])
            out.flush()
            time.sleep(0.3)  # a real host sees real time


def by_slow_copy(file, image):
    write_slowly(file, image, "wb")


def in_place(file, image):
    write_slowly(file, image, "r+b")


def by_half_upload(file, image):
    file.write_bytes(image[:len(image) // 2])  # closed: for the host this is all there will be
    time.sleep(0.9)
    file.write_bytes(image)


def by_delete_and_write(file, image):
    file.unlink()
    file.write_bytes(image)


WAYS = (by_slow_copy, in_place, by_half_upload, by_delete_and_write)


class Watcher(threading.Thread):
    """Asks for the deviations again and again, and posts events, until it is told to stop."""

    def __init__(self, host):
        super().__init__(daemon=True)
        self.host, self.titles, self.problems, self.done = host, set(), [], threading.Event()
        self.start()

    def run(self):
        count = 0
        while not self.done.wait(0.1):
            count += 1
            stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
            status, _, body = self.host.request("POST", "/event", {"id": f"event-{count}", "timestamp": stamp, "category": "motion"})
            if status != 200:
                self.problems.append(f"POST /event: {status} {body}")
            self.titles |= {row["title"] for row in self.host.request("GET", "/deviations?limit=500")[2]}


def replace_all(host, folder, versions):
    """Each plugin replaced in every way, all of them at once, each beginning with another way."""
    def work(number):
        for version in range(1, len(WAYS) + 1):
            WAYS[(number + version) % len(WAYS)](folder / f"{rule_id(number)}.so", versions.make(number, version))
            wait_for_version(host, rule_id(number), versions.text(version))
    threads = [threading.Thread(target=work, args=(number,)) for number in range(PLUGINS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def wait_for_version(host, rule, version):
    """Until it is in use, and a run has been made with it."""
    host.wait_for(lambda e: e.get("event") in ("rule_loaded", "rule_replaced") and (e["rule_id"], e["version"]) == (rule, version), 60)
    mark = host.mark()
    start = host.wait_for(lambda e: e.get("event") == "scheduler_run_start", since=mark)
    host.wait_for(lambda e: e.get("event") == "scheduler_run_end" and e["run_id"] == start["run_id"], since=mark)


def check_replacements(checks, build, folder):
    versions = Versions(build)
    plugins = folder / "plugins"
    plugins.mkdir()
    for number in range(PLUGINS):
        (plugins / f"{rule_id(number)}.so").write_bytes(versions.make(number, 0))
    rules = folder / "rules.yaml"
    rules.write_text("rules:\n" + "".join(f"  {rule_id(n)}:\n    enabled_in_scheduler: true\n" for n in range(PLUGINS)), encoding="utf-8")
    host = Host(build, folder, f"sqlite:{folder}/varde.db", plugins=plugins, rules=rules, interval_ms=1000).start()
    try:
        for number in range(PLUGINS):  # what a host finds half-written at its start it does not know whole
            wait_for_version(host, rule_id(number), versions.text(0))
        watcher = Watcher(host)
        replace_all(host, plugins, versions)
        watcher.done.set()
        watcher.join()
        rows = host.request("GET", "/deviations?limit=500")[2]
        judge_replacements(checks, host, watcher, rows, {(rule_id(n), versions.text(len(WAYS))) for n in range(PLUGINS)})
    finally:
        host.stop()


def judge_replacements(checks, host, watcher, rows, wanted):
    torn = [title for title in watcher.titles if len(set(title.split()[1:])) != 1 or len(title.split()) != 3]
    checks.equal("every answer is of one whole version", torn, [])
    checks.check("answers of several versions were seen", len(watcher.titles) > PLUGINS, watcher.titles)
    checks.equal("in the end every rule answers in its last version", {tuple(row["title"].split()[:2]) for row in rows}, wanted)
    checks.equal("events were taken all the time", watcher.problems, [])
    with host.changed:
        events = list(host.events)
    for name in ("rule_removed", "scheduler_rule_error", "plugins_scan_failed"):
        found = [e for e in events if e.get("event") == name]
        checks.equal(f"no {name}", found[:3], [])
    rejected = [e for e in events if e.get("event") == "rule_rejected"]
    checks.check("half files are reported, and that the rule goes on",
                 rejected and all("stays in use" in e["error"]["message"] for e in rejected), rejected[:3])
    runs = [e for e in events if e.get("event") == "scheduler_run_start"]
    ends = [e for e in events if e.get("event") == "scheduler_run_end"]
    checks.check("each run has its end", abs(len(runs) - len(ends)) <= 1 and len(runs) >= 3, (len(runs), len(ends)))
    checks.equal("no run failed", [e for e in ends if e["level"] != "INFO"], [])


def check_removal(checks, build, folder):
    versions = Versions(build)
    plugins = folder / "plugins"
    plugins.mkdir()
    rules = folder / "rules.yaml"
    rules.write_text("rules:\n  X-001:\n    enabled_in_scheduler: true\n", encoding="utf-8")
    host = Host(build, folder, f"sqlite:{folder}/varde.db", plugins=plugins, rules=rules, interval_ms=1000).start()
    try:
        (plugins / "a.so").write_bytes(versions.make(1, 0))
        began = time.monotonic()
        host.wait_for(lambda e: e.get("event") == "rule_loaded")
        took = time.monotonic() - began
        checks.check("a file that is dropped in is loaded within two seconds", took < 2, took)
        mark = host.mark()
        (plugins / "a.so").unlink()
        checks.check("a file that is taken out is a rule less", host.wait_for(lambda e: e.get("event") == "rule_removed", since=mark))
        mark = host.mark()
        shutil.rmtree(plugins)
        host.wait_for(lambda e: e.get("event") == "plugins_scan_failed", since=mark)
        plugins.mkdir()
        (plugins / "a.so").write_bytes(versions.make(1, 1))
        checks.equal("a folder that is made again is watched again",
                     host.wait_for(lambda e: e.get("event") == "rule_loaded", since=mark)["version"], "1.0.1")
    finally:
        host.stop()


def run(*command):
    return subprocess.run([str(part) for part in command], capture_output=True, text=True, check=False)


def check_trust(checks, build, folder):
    """With the very commands of docs/operations.md."""
    if shutil.which("openssl") is None or shutil.which("sha256sum") is None:
        return checks.skip("signatures and pins made with the documented commands", "openssl or sha256sum is not installed")
    plugin, private, public = folder / "X-001.so", folder / "rules.private.pem", folder / "rules.pem"
    plugin.write_bytes(Versions(build).make(1, 0))
    config = folder / "host.yaml"
    config.write_text(f"plugins:\n  signature_key: {public}\n  lock_file: {folder}/plugins.lock\n", encoding="utf-8")
    run("openssl", "genpkey", "-algorithm", "ed25519", "-out", private)
    run("openssl", "pkey", "-in", private, "-pubout", "-out", public)
    run("openssl", "pkeyutl", "-sign", "-rawin", "-inkey", private, "-in", plugin, "-out", f"{plugin}.sig")
    (folder / "plugins.lock").write_text(run("sha256sum", plugin).stdout, encoding="utf-8")
    inspect = (build / "bin/varde", "--config", config, "--json", "plugin", "inspect", plugin)
    done = run(*inspect)
    facts = json.loads(done.stdout) if done.returncode == 0 else {}
    checks.equal("what openssl signed and sha256sum listed is accepted", (facts.get("signature"), facts.get("lock_file")),
                 ("valid", "listed"))
    checks.check("and its build id is shown", len(facts.get("build_id", "")) == 40, facts)
    plugin.write_bytes(Versions(build).make(1, 1))
    done = run(*inspect)
    checks.check("another content is not: its signature is of other bytes", done.returncode == 4 and "untrusted_file" in done.stderr
                 and "not made for these bytes" in done.stderr, done)
    run("openssl", "pkeyutl", "-sign", "-rawin", "-inkey", private, "-in", plugin, "-out", f"{plugin}.sig")
    done = run(*inspect)
    checks.check("signed again it is still not on the list", done.returncode == 4 and "plugins.lock allows" in done.stderr, done)


def main():
    build = pathlib.Path(sys.argv[1]).resolve()
    checks = Checks()
    with tempfile.TemporaryDirectory(prefix="varde-plugin-files-") as name:
        folder = pathlib.Path(name)
        for part in (check_replacements, check_removal, check_trust):
            inside = folder / part.__name__
            inside.mkdir()
            try:
                part(checks, build, inside)
            except HostFailed as error:
                checks.check(f"{part.__name__}: the host lives through it", False, error)
    return checks.finish()


if __name__ == "__main__":
    sys.exit(main())
