#!/usr/bin/env python3
"""Plugins replaced under a running host, in every way that people replace files, while it ticks and takes events in.

    hot_swap.py BUILD_FOLDER [--plugins N] [--replacements N]

24 plugins, each replaced 3 times by default; VARDE_SOAK=1 (./dev soak) makes it 20 times. A plugin's only finding says its version. The
versions of one plugin are written in ascending order, each by one of

    cp         the file is opened for writing, cut to nothing and filled in pieces
    mv         a complete file with another name is renamed over it
    truncated  half of a version is written and left there for longer than the host waits; then the next version is written as by cp

The half files hold versions of their own, which are never complete. What an answer of a run may be:

  1. a version that was complete on disk before the answer was seen, never one that was only half there;
  2. never an older one than the answer before;
  3. in the end, the last one.
"""
import argparse
import datetime
import json
import os
import pathlib
import random
import shutil
import sys
import tempfile
import threading
import time

from host_process import ROOT, Checks, Host, HostFailed, children_of

INTERVAL_MS = 1000
QUIET_MS = 250
ID, VERSION = b"swap-id-placeholder", b"swap-version-placeholder"
NEVER_COMPLETE = 900_000


class Plugin:
    """One file of the plugin folder and its history."""

    def __init__(self, template, folder, number):
        self.rule_id = f"swap-{number:02}"
        self.file = folder / f"{self.rule_id}.so"
        self.template = template
        self.version = 0          # the newest that was ever complete on disk
        self.complete = {}        # version: when
        self.answers = []         # (when it was seen, version), in order
        self.put_whole(by_mv=True)

    def content(self, version):
        """The template under another name: the texts have the same length, the rest of the space is NUL."""
        rule_id, text = self.rule_id.encode(), f"{version:06}".encode()
        assert self.template.count(ID) == 2 and self.template.count(VERSION) == 3
        return self.template.replace(ID, rule_id.ljust(len(ID), b"\0")).replace(VERSION, text.ljust(len(VERSION), b"\0"))

    def put_whole(self, by_mv):
        content = self.content(self.version + 1)
        if by_mv:
            fresh = self.file.with_suffix(".new")
            fresh.write_bytes(content)
            fresh.rename(self.file)
        else:
            self.write_in_pieces(content)
        self.version += 1
        self.complete[self.version] = time.monotonic()

    def write_in_pieces(self, content):
        with open(self.file, "wb", buffering=0) as out:
            for at in range(0, len(content), 4096):
                out.write(content[at:at + 4096])
                time.sleep(0.001)

    def put_half(self):
        content = self.content(NEVER_COMPLETE + self.version)
        self.write_in_pieces(content[:len(content) // 2])

    def replace(self, way):
        if way == "truncated":
            self.put_half()
            time.sleep(3 * QUIET_MS / 1000)
        self.put_whole(by_mv=way == "mv")

    def says(self):
        """The version of its newest answer, 0: none yet."""
        return self.answers[-1][1] if self.answers else 0

    def problems(self):
        """What it answered against the rules above."""
        newest = 0
        for when, version in self.answers:
            if self.complete.get(version, when + 1) > when:
                yield f"{self.rule_id} answered version {version}, which was not complete on disk"
            if version < newest:
                yield f"{self.rule_id} went back from version {newest} to {version}"
            newest = max(newest, version)
        if newest != self.version:
            yield f"{self.rule_id} ended with version {newest}, not {self.version}"


class Watcher(threading.Thread):
    """Reads what the rules say, several times a tick, and posts an event each time."""

    def __init__(self, host, plugins):
        super().__init__(daemon=True)
        self.host, self.plugins = host, {plugin.rule_id: plugin for plugin in plugins}
        self.over = threading.Event()
        self.refused, self.posted, self.broken = [], 0, None

    def run(self):
        try:
            while not self.over.wait(0.1):
                self.post()
                self.look()
        except Exception as error:  # a defect of this test must not look like a good host
            self.broken = repr(error)

    def post(self):
        now = datetime.datetime.now(datetime.timezone.utc).isoformat().replace("+00:00", "Z")
        status, _, body = self.host.request("POST", "/event", {"id": f"event-{self.posted}", "timestamp": now, "category": "motion",
                                                               "payload": {"state": "on"}})
        self.posted += 1
        if status != 200:
            self.refused.append((status, body))

    def look(self):
        rows = self.host.request("GET", "/v1/deviations?limit=500")[2]
        seen = time.monotonic()
        for row in rows:
            plugin = self.plugins.get(row["rule_id"])
            if plugin is None:
                continue
            version = int(row["title"].removeprefix("version ").rstrip("\0") or -1)
            if plugin.says() != version:
                plugin.answers.append((seen, version))


def make_host(build, folder, count):
    plugins = folder / "plugins"
    plugins.mkdir()
    for source in (build / "plugins").glob("R-*.so"):
        shutil.copy(source, plugins)
    template = (build / "tests/hostile/plugins/swap_template.so").read_bytes()
    swapped = [Plugin(template, plugins, number) for number in range(count)]
    rules = (ROOT / "config/rules.yaml").read_text(encoding="utf-8").rstrip() + "\n"
    rules += "".join(f"  {plugin.rule_id}: {{enabled_in_scheduler: true}}\n" for plugin in swapped)
    (folder / "rules.yaml").write_text(rules, encoding="utf-8")
    host = Host(build, folder, f"sqlite:{folder}/varde.db", plugins=plugins, rules=folder / "rules.yaml", interval_ms=INTERVAL_MS)
    settings = {"migrations_dir": str(ROOT / "migrations"), "plugins": {"quiet_ms": QUIET_MS, "rescan_seconds": 5},
                "incidents": {"bundles_dir": str(folder / "incidents")}}
    (folder / "host.yaml").write_text(json.dumps(settings), encoding="utf-8")  # JSON is YAML
    host.command[host.command.index("--config") + 1] = str(folder / "host.yaml")
    return host, swapped


def swap(host, plugins, replacements, checks):
    host.start()
    watcher = Watcher(host, plugins)
    watcher.start()
    if not wait_for_last(plugins, 20):
        raise HostFailed(f"not every plugin runs: {[plugin.rule_id for plugin in plugins if not plugin.says()]}")
    mark, begin = host.mark(), time.monotonic()
    rng = random.Random(20251223)
    turns = [(plugin, ("cp", "mv", "truncated")[turn % 3]) for turn in range(replacements) for plugin in plugins]
    for at in range(0, len(turns), len(plugins)):
        round_of_all = turns[at:at + len(plugins)]
        rng.shuffle(round_of_all)
        writers = [threading.Thread(target=lambda part=part: [plugin.replace(way) for plugin, way in part])
                   for part in (round_of_all[0::4], round_of_all[1::4], round_of_all[2::4], round_of_all[3::4])]
        for writer in writers:
            writer.start()
        for writer in writers:
            writer.join()
        if at // len(plugins) % 2 == 0:  # every second round comes while the one before is still being looked at
            wait_for_last(plugins, 10)
    settled = wait_for_last(plugins, 20)
    seconds = time.monotonic() - begin
    watcher.over.set()
    watcher.join(30)
    report(host, plugins, watcher, mark, seconds, settled, checks)


def wait_for_last(plugins, seconds):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if all(plugin.says() == plugin.version for plugin in plugins):
            return True
        time.sleep(0.1)
    return False


def report(host, plugins, watcher, mark, seconds, settled, checks):
    with host.changed:
        events = list(host.events)
    after = events[mark:]
    starts = sum(e.get("event") == "scheduler_run_start" for e in after)
    replaced = [e for e in after if e.get("event") == "rule_replaced"]
    print(f"        {sum(plugin.version - 1 for plugin in plugins)} replacements in {seconds:.0f} s, {len(replaced)} of them were put to "
          f"use, {starts} ticks, {watcher.posted} events posted", flush=True)
    problems = [problem for plugin in plugins for problem in plugin.problems()]
    checks.check("every answer is of a version that was complete, and never goes back", not problems, problems[:5])
    checks.check("the last versions are in use", settled, [p.rule_id for p in plugins if p.says() != p.version])
    late = [e for e in after if e.get("event") == "scheduler_run_late"]
    checks.in_time("no tick was missed", not late, late)
    checks.in_time("there was a tick every second", abs(starts - seconds) <= 2, f"{starts} in {seconds:.0f} s")
    failed = [e for e in after if e.get("event") == "scheduler_rule_error"]
    checks.check("no evaluation failed", not failed, f"{len(failed)}: {[(e['rule_id'], e['error']) for e in failed[:3]]}")
    checks.check("every event was taken in", watcher.posted > 0 and not watcher.refused and not watcher.broken,
                 watcher.broken or watcher.refused[:3])
    checks.equal("the host was started once", sum(e.get("event") == "host_started" for e in events), 1)
    workers = children_of(host.process.pid)
    shipped = len(list((host.folder / "plugins").glob("R-*.so")))
    checks.check("no more workers than rules and spares", len(workers) <= len(plugins) + shipped + 2 and not any(
        state == "Z" for state, _ in workers.values()), workers)
    checks.equal("it stops cleanly", host.stop(), 0)


def main():
    soak = os.environ.get("VARDE_SOAK") == "1"
    arguments = argparse.ArgumentParser()
    arguments.add_argument("build", type=pathlib.Path)
    arguments.add_argument("--plugins", type=int, default=24)
    arguments.add_argument("--replacements", type=int, default=20 if soak else 3)
    options = arguments.parse_args()
    checks = Checks()
    with tempfile.TemporaryDirectory(prefix="varde-swap-") as folder:
        host, plugins = make_host(options.build.resolve(), pathlib.Path(folder), options.plugins)
        try:
            swap(host, plugins, options.replacements, checks)
        except HostFailed as error:
            checks.check("the host lives", False, error)
        finally:
            host.stop()
    return checks.finish()


if __name__ == "__main__":
    sys.exit(main())
