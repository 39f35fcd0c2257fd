#!/usr/bin/env python3
"""What a rule keeps (varde.state/1) outlives its worker, the host's process and its plugin's file.

    rule_state.py BUILD_FOLDER

The rule `remembers` of tests/hostile counts its evaluations in what it keeps, and says version and count in the title of what it finds.
"""
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

from host_process import ROOT, Checks

RULES = "rules:\n  remembers: {enabled_in_scheduler: true, lookback_minutes: 1440, memory_mb: 64}\n"
EVENT = '{"id": "%s", "home_id": "%s", "timestamp": "%s", "category": "motion", "payload": {}}\n'


def main(build):
    checks = Checks()
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        plugins = folder / "plugins"
        plugins.mkdir()
        (folder / "rules.yaml").write_text(RULES, encoding="utf-8")

        def varde(*arguments):
            done = subprocess.run([str(build / "bin/varde"), "--config", str(ROOT / "config/host.yaml"), "--plugins", str(plugins),
                                   "--rules", str(folder / "rules.yaml"), *arguments], capture_output=True, text=True, timeout=120,
                                  check=False, cwd=ROOT, env={**os.environ, "DATABASE_URL": f"sqlite:{folder}/varde.db"})
            checks.equal(f"varde {arguments[0]} succeeds", (done.returncode, done.stderr[-400:] if done.returncode else ""), (0, ""))
            return done.stdout

        def titles():
            rows = [json.loads(line) for line in varde("--json", "deviations", "list").splitlines()]
            return sorted(row["title"] for row in rows)

        now = subprocess.run(["date", "-u", "+%Y-%m-%dT%H:%M:%SZ", "-d", "1 hour ago"], capture_output=True, text=True, check=True)
        events = folder / "events.jsonl"
        events.write_text(EVENT % ("a", "home-a", now.stdout.strip()), encoding="utf-8")
        varde("migrate")
        varde("events", "import", str(events))

        shutil.copy(build / "tests/hostile/plugins/remembers_1.so", plugins / "remembers.so")
        varde("run")
        varde("run")
        checks.equal("two runs of two processes count to two", titles(), ["version 1, evaluation 2"])

        events.write_text(EVENT % ("b", "home-b", now.stdout.strip()), encoding="utf-8")
        varde("events", "import", str(events))
        shutil.copy(build / "tests/hostile/plugins/remembers_2.so", plugins / "remembers.so")
        varde("run")
        checks.equal("the next version goes on where the last one was; another home begins anew", titles(),
                     ["version 2, evaluation 1", "version 2, evaluation 3"])
    return checks.finish()


if __name__ == "__main__":
    sys.exit(main(pathlib.Path(sys.argv[1]).resolve()))
