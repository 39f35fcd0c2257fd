#!/usr/bin/env python3
"""One run with seven broken rules beside the healthy ones.

    hostile_run.py BUILD_FOLDER

Seven scheduler_rule_error with distinct reasons, rules_failed 7, the healthy rules' deviations the same as without them, the host
alive, no zombie, nothing left over. The plugins come from tests/hostile.
"""
import datetime
import json
import pathlib
import shutil
import subprocess
import sys
import tempfile

from host_process import ROOT, Checks, Host, HostFailed, children_of, is_alive

# What each of tests/hostile's plugins does, by file name, and the reason that the host must give.
HOSTILE = {"throws": "exception_escaped", "segfaults": "segmentation_fault", "aborts": "aborted", "exits": "exited", "spins": "deadline",
           "allocates": "out_of_memory", "overflows_stack": "stack_overflow"}


def rules_file(target, extra):
    """config/rules.yaml with the rules of `extra` enabled on top."""
    text = (ROOT / "config/rules.yaml").read_text(encoding="utf-8").rstrip() + "\n"
    for rule_id in extra:
        text += f"  {rule_id}:\n    enabled_in_scheduler: true\n    lookback_minutes: 60\n    timeout_ms: 500\n    memory_mb: 64\n"
    target.write_text(text, encoding="utf-8")
    return target


def events():
    """An hour of one home in which the healthy rules have something to say; well inside their windows, so that seconds do not matter."""
    now = datetime.datetime.now(datetime.timezone.utc).replace(microsecond=0)
    for minutes, category, payload in ((50, "door", {"state": "open", "door": "front", "entity_id": "front_door"}),
                                       (45, "presence", {"state": "off", "room": "bedroom"}),
                                       (30, "door", {"state": "closed", "door": "front", "entity_id": "front_door"})):
        at = now - datetime.timedelta(minutes=minutes)
        yield {"id": f"event-{minutes}", "timestamp": at.isoformat().replace("+00:00", "Z"), "category": category, "payload": payload}


def one_run(build, folder, plugins, rules, posted):
    """(log events of the first run over data, deviations, children during, still alive after the stop, zombies, health)"""
    folder.mkdir()
    host = Host(build, folder, f"sqlite:{folder}/varde.db", plugins=plugins, rules=rules, interval_ms=1000)
    host.start()
    try:
        for event in posted:
            status, _, body = host.request("POST", "/event", event)
            if status != 200:
                raise HostFailed(f"POST /event: {status} {body}")
        mark = host.mark()
        start = host.wait_for(lambda e: e.get("event") == "scheduler_run_start", since=mark)
        end = host.wait_for(lambda e: e.get("event") == "scheduler_run_end" and e.get("run_id") == start["run_id"], 120, since=mark)
        with host.changed:
            log = [e for e in host.events if e.get("run_id") == start["run_id"]]
        rows = host.request("GET", "/deviations?limit=500")[2]
        health = host.request("GET", "/health")[0]
        children = children_of(host.process.pid)
        zombies = [pid for pid, (state, _) in children.items() if state == "Z"]
        stopped = host.stop()
    finally:
        host.stop()
    return {"log": log, "end": end, "rows": rows, "health": health, "zombies": zombies, "stopped": stopped,
            "left_over": [pid for pid in children if is_alive(pid)]}


def comparable(rows, rule_ids):
    """The rows of these rules without what depends on the second in which a run happened."""
    keys = ("rule_id", "status", "severity", "title", "explanation", "subject_key", "evidence")
    return sorted((json.dumps({key: row.get(key) for key in keys}, sort_keys=True) for row in rows if row["rule_id"] in rule_ids))


def inspect(build, file):
    done = subprocess.run([build / "bin/varde", "--json", "plugin", "inspect", file], capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def main():
    build = pathlib.Path(sys.argv[1]).resolve()
    checks = Checks()
    source = build / "tests/hostile/plugins"
    hostile = {name: source / f"{name}.so" for name in HOSTILE}
    absent = [name for name, file in hostile.items() if not file.exists()]
    if absent:
        checks.check("tests/hostile has the seven plugins", False, f"missing in {source}: {', '.join(absent)}")
        return checks.finish()
    with tempfile.TemporaryDirectory(prefix="varde-hostile-") as name:
        folder = pathlib.Path(name)
        plugins = folder / "plugins"
        shutil.copytree(build / "plugins", plugins, ignore=lambda _, names: [n for n in names if not n.endswith((".so", ".yaml"))])
        posted = list(events())
        try:
            calm = one_run(build, folder / "calm", plugins, rules_file(folder / "calm.yaml", []), posted)
            reasons = {}
            for behaviour, file in hostile.items():
                shutil.copy(file, plugins)
                reasons[inspect(build, file)["rule_id"]] = HOSTILE[behaviour]
            wild = one_run(build, folder / "wild", plugins, rules_file(folder / "wild.yaml", sorted(reasons)), posted)
        except (HostFailed, subprocess.CalledProcessError) as error:
            checks.check("the host lives through it", False, error)
            return checks.finish()
        errors = [e for e in wild["log"] if e.get("event") == "scheduler_rule_error"]
        for rule_id, reason in sorted(reasons.items()):
            got = [e["error"].get("reason") for e in errors if e.get("rule_id") == rule_id]
            checks.equal(f"{rule_id} becomes one scheduler_rule_error: {reason}", got, [reason])
        checks.equal("there is no other scheduler_rule_error", len(errors), len(reasons))
        checks.equal("the reasons are distinct", len({e["error"].get("reason") for e in errors}), len(reasons))
        checks.equal("rules_failed", wild["end"]["counts"]["rules_failed"], len(reasons))
        checks.equal("rules_failed without them", calm["end"]["counts"]["rules_failed"], 0)
        healthy = {"R-001", "R-002", "R-003"}
        checks.check("the healthy rules found something", comparable(calm["rows"], healthy), calm["rows"])
        checks.equal("the healthy rules' deviations are the same", comparable(wild["rows"], healthy), comparable(calm["rows"], healthy))
        checks.equal("nothing was stored for the broken rules", [r for r in wild["rows"] if r["rule_id"] in reasons], [])
        checks.equal("the host answers", wild["health"], 200)
        checks.equal("no zombie", wild["zombies"], [])
        checks.equal("no process is left over", wild["left_over"], [])
        checks.equal("the host stops cleanly", wild["stopped"], 0)
    return checks.finish()


if __name__ == "__main__":
    sys.exit(main())
