#!/usr/bin/env python3
"""varde simulate over a month of a real home: the evaluations in which R-001 is met equal an independent count.

usage: simulate_count.py BUILD_FOLDER SHARED_FOLDER   (SHARED_FOLDER/data/casas-home is read in place; skipped with a reason if absent)
"""
import bisect, datetime, gzip, json, pathlib, subprocess, sys, tempfile, time

RULES = """
rules:
  R-001:
    enabled_in_scheduler: true
    lookback_minutes: 240
    params: {motion_categories: [motion]}
"""


def independent_count(file):
    events = [json.loads(line) for line in gzip.open(file, "rt")]
    instant = lambda e: datetime.datetime.fromisoformat(e["timestamp"].replace("Z", "+00:00"))
    active = [instant(e) for e in events if e["category"] == "motion" and e["payload"]["state"] == "on"]
    tick, last, met = instant(events[0]), instant(events[-1]), 0
    while tick <= last:
        first_in_window = bisect.bisect_left(active, tick - datetime.timedelta(minutes=240))
        met += not (first_in_window < len(active) and active[first_in_window] < tick)
        tick += datetime.timedelta(minutes=5)
    return met


def main():
    build, shared = sys.argv[1:3]
    varde = pathlib.Path(build) / "bin/varde"
    file = pathlib.Path(shared) / "data/casas-home/events.jsonl.gz"
    if not file.exists():
        print(f"SKIPPED: {file} is not there")
        return 77
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as rules:
        rules.write(RULES)
        rules.flush()
        started = time.monotonic()
        out = subprocess.run([varde, "--rules", rules.name, "--json", "simulate", "--events", file, "--every", "5m"],
                             capture_output=True, text=True, timeout=600)
        took = time.monotonic() - started
    if out.returncode != 0:
        print(f"FAILED: exit {out.returncode}\n{out.stdout}\n{out.stderr}")
        return 1
    result, expected = json.loads(out.stdout), independent_count(file)
    got = result["rules"]["R-001"]
    print(f"{got['evaluations']} evaluations, R-001 met {got['met']}, independent count {expected}, "
          f"{got['episodes']} episodes, {took:.1f} s, {result['evaluations_per_second']:.0f} evaluations/s")
    if got["met"] != expected or got["failed"] != 0 or expected == 0:
        print("FAILED: the counts differ, or there was nothing to count")
        return 1
    return 0


sys.exit(main())
