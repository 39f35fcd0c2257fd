#!/usr/bin/env python3
"""The shipped rules.yaml over generated homes for a day: planted incidents found, episodes beyond them, speed, evaluations saved.

    hundred_homes.py [--varde BINARY] [--plugins DIR] [--rules FILE] [--homes 100] [--every 1m] [--seed 1] [--day DATE] [--episodes]
                     [--limit-extra N]

Homes, history and truth come from generate.py. The judged day is simulated twice: as shipped, where an answer is carried on while it holds,
and with --ask-always. Both must find the same episodes, to the last field but those of the evidence that say which window was asked
about.

A planted incident is found if an episode of its rule began in its home while it lasted, or within GRACE after; or if one that was open
already names, when it was last seen, a door event from while it lasted: one deviation stands for all that a rule finds in a home until it
is closed. An episode is beyond the truth if nothing in the truth allows it at its beginning.

Exits 1 if an incident was missed, if the two simulations differ, if an evaluation failed, or if more than --limit-extra episodes are beyond
the truth; without that option any number is only told.
"""
import argparse
import collections
import datetime
import json
import pathlib
import subprocess
import sys
import tempfile
import zoneinfo

import generate

ROOT = pathlib.Path(__file__).resolve().parents[2]
ZONE = zoneinfo.ZoneInfo("Europe/Oslo")
GRACE = datetime.timedelta(minutes=10)
WINDOW_EDGES = {"since_ts", "cutoff_ts"}  # of evidence: a carried answer has those of when it was given (docs/adr/0006)
MOST = 500  # rows that `deviations list` gives


def without(row, keys):
    return {key: value for key, value in row.items() if key not in keys}


class Simulation:
    """One run over the events, in a database of its own."""

    def __init__(self, options, folder, name, since, until, *arguments):
        self.command = [str(options.varde), "--plugins", str(options.plugins), "--rules", str(options.rules), "--json",
                        "--database", f"sqlite:{folder}/{name}.db"]
        (self.totals,) = self.run("simulate", "--events", f"{folder}/events.jsonl", "--from", since, "--to", until,
                                  "--every", options.every, *arguments)
        self.episodes = [episode for rule in sorted(self.totals["rules"]) for episode in self.list(rule)]

    def run(self, *arguments):
        done = subprocess.run([*self.command, *arguments], capture_output=True, text=True, cwd=ROOT, check=False)
        if done.returncode != 0:
            sys.exit(f"varde {arguments[0]} ended with {done.returncode}: {done.stderr[-2000:]}")
        return [json.loads(line) for line in done.stdout.splitlines()]

    def list(self, rule):
        rows = self.run("deviations", "list", "--rule", rule, "-n", str(MOST))
        if len(rows) == MOST:
            sys.exit(f"{rule} has more than {MOST} episodes, which `deviations list` does not show: take fewer --homes")
        return sorted(rows, key=lambda row: (row["home_id"], row["started_at"]))

    def compared(self):
        """What two simulations must have in common: every episode but for its number, and every outcome that was counted."""
        episodes = [{**without(row, {"deviation_id"}), "evidence": without(row["evidence"], WINDOW_EDGES)} for row in self.episodes]
        outcomes = {rule: without(counts, {"carried"}) for rule, counts in self.totals["rules"].items()}
        return episodes, outcomes

    def sum(self, key):
        return sum(counts[key] for counts in self.totals["rules"].values())


def instant(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))


class Truth:
    """What was planted, and what of the episodes it allows."""

    def __init__(self, rows, events_file):
        self.rows = rows
        self.by_home = collections.defaultdict(list)
        for row in rows:
            row["span"] = instant(row["from"]), instant(row["until"]) + GRACE
            self.by_home[row["home_id"]].append(row)
        with open(events_file, encoding="utf-8") as file:
            self.times = {event["id"]: event["timestamp"] for event in map(json.loads, file) if event["category"] == "door"}

    @staticmethod
    def began_in(row, episode):
        return row["home_id"] == episode["home_id"] and row["span"][0] <= instant(episode["started_at"]) <= row["span"][1]

    def names_event_of(self, row, episode):
        times = (self.times.get(event) for event in episode["evidence"].get("event_ids", []))
        return row["home_id"] == episode["home_id"] and any(row["span"][0] <= instant(time) <= row["span"][1] for time in times if time)

    def found_by(self, row, episodes):
        """began | went on | missed"""
        own = [episode for episode in episodes if episode["rule_id"] == row["rule_id"]]
        if any(self.began_in(row, episode) for episode in own):
            return "began"
        return "went on" if any(self.names_event_of(row, episode) for episode in own) else "missed"

    def beyond(self, episodes):
        return [episode for episode in episodes
                if not any(episode["rule_id"] in (row["rule_id"], *row["also"]) and self.began_in(row, episode)
                           for row in self.by_home[episode["home_id"]])]


def local(text):
    return f"{instant(text).astimezone(ZONE):%m-%d %H:%M}"


def print_rules(simulation, truths, extra):
    print("  rule    planted  found  episodes  beyond  evaluations  carried")
    for rule, counts in sorted(simulation.totals["rules"].items()):
        planted = [truth["found"] for truth in truths if truth["rule_id"] == rule]
        found = len(planted) - planted.count("missed")
        print(f"  {rule:<7} {len(planted):>7} {found:>6} {counts['episodes']:>9} {sum(row['rule_id'] == rule for row in extra):>7}"
              f" {counts['evaluations']:>12} {100 * counts['carried'] / counts['evaluations']:>6.1f} %")


def print_kinds(truths):
    kinds = collections.defaultdict(collections.Counter)
    for truth in truths:
        kinds[truth["rule_id"], truth["what"]][truth["found"]] += 1
    print("  planted          began  went on  missed")
    for (rule, what), found in sorted(kinds.items()):
        print(f"  {rule}  {found.total():>8} {found['began']:>6} {found['went on']:>8} {found['missed']:>7}  {what}")


def print_extra(extra):
    for row in extra:
        print(f"  {row['home_id']}  {row['rule_id']}  {row['severity']:<7} {local(row['started_at'])} until {local(row['last_seen_at'])}")


def print_speed(simulations, hours):
    for name, simulation in simulations.items():
        totals, evaluations = simulation.totals, simulation.sum("evaluations")
        print(f"{name}: {totals['ticks']} runs, {evaluations} evaluations in {totals['seconds']:.1f} s: "
              f"{hours * 3600 / totals['seconds']:.0f} times real time, {hours / totals['seconds']:.2f} simulated hours per second; "
              f"asked {evaluations - simulation.sum('carried')}, saved {100 * simulation.sum('carried') / evaluations:.1f} %")


def judged(options, folder):
    """Prints the figures; returns (how many incidents were found, what is wrong)."""
    truth_file = pathlib.Path(folder) / "truth.jsonl"
    since, until = generate.write(f"{folder}/events.jsonl", truth_file, homes=options.homes, day=options.day, seed=options.seed)
    truth = Truth([json.loads(line) for line in truth_file.read_text(encoding="utf-8").splitlines()], f"{folder}/events.jsonl")
    carried = Simulation(options, folder, "carried", since, until)
    asked = Simulation(options, folder, "asked", since, until, "--ask-always")
    for row in truth.rows:
        row["found"] = truth.found_by(row, carried.episodes)
    lost = [row for row in truth.rows if row["found"] == "missed"]
    extra = truth.beyond(carried.episodes)
    hours = (instant(until) - instant(since)).total_seconds() / 3600
    print(f"{options.homes} homes, seed {options.seed}, {carried.totals['events']} events, {hours:.0f} hours, every {options.every}, "
          f"{len(carried.episodes)} episodes")
    print_rules(carried, truth.rows, extra)
    print_kinds(truth.rows)
    found = len(truth.rows) - len(lost)
    print(f"recall {100 * found / len(truth.rows):.1f} %: {found} of {len(truth.rows)}; "
          f"{len(extra)} episodes beyond the truth in {len({row['home_id'] for row in extra})} homes")
    if options.episodes:
        print_extra(extra)
    print_speed({"answers carried": carried, "asked always  ": asked}, hours)
    wrong = [f"missed: {row['home_id']} {row['rule_id']} {local(row['from'])} {row['what']}" for row in lost]
    if carried.compared() != asked.compared():
        wrong.append("episodes or outcomes differ with and without --ask-always")
    if carried.sum("failed") + asked.sum("failed") > 0 or carried.sum("carried") == 0 or asked.sum("carried") != 0:
        wrong.append("evaluations failed, or were carried where they should not be, or were not where they should")
    if options.limit_extra is not None and len(extra) > options.limit_extra:
        wrong.append(f"{len(extra)} episodes are beyond the truth; {options.limit_extra} are known")
    return found, wrong


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--varde", type=pathlib.Path, default=ROOT / "build/release/bin/varde")
    parser.add_argument("--plugins", type=pathlib.Path, help="default: those of the same build")
    parser.add_argument("--rules", type=pathlib.Path, default=ROOT / "config/rules.yaml", help="to try other parameters")
    parser.add_argument("--homes", type=int, default=100)
    parser.add_argument("--every", default="1m", help="distance of runs")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--day", type=datetime.date.fromisoformat, default=datetime.date(2026, 2, 12), help="the judged day")
    parser.add_argument("--episodes", action="store_true", help="list the episodes beyond the truth")
    parser.add_argument("--limit-extra", type=int, help="so many episodes beyond the truth are known and no failure")
    options = parser.parse_args()
    options.plugins = options.plugins or options.varde.resolve().parents[1] / "plugins"
    with tempfile.TemporaryDirectory(prefix="varde-hundred-") as folder:
        found, wrong = judged(options, folder)
    for line in wrong:
        print(f"FAILED  {line}")
    print(f"{found} passed, {len(wrong)} failed")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
