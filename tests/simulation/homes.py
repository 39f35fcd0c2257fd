#!/usr/bin/env python3
"""The shipped rules.yaml over recordings of real homes: episodes per rule and day, with the parameters used.

    homes.py [--varde BINARY] [--plugins DIR] [--data DIR] [--home NAME]... [--every 5m] [--params] [--episodes]

DIR has a folder a home with events.jsonl.gz and, where people wrote down what they did, labels.jsonl.gz; it is read in place. What
differs from home to home is put into the parameters and nothing else: what the rooms and the front door are called, and the time zone. Of
a home with labels it is told what was going on when an episode began, how many began in Sleep, and how many while nobody was at home.

No test: a person judges what it prints.
"""
import argparse
import bisect
import collections
import datetime
import gzip
import json
import pathlib
import subprocess
import sys
import tempfile
import zoneinfo

import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]
# What a recording calls the things that rules.yaml names; a home without a bathroom sensor keeps the name that is never seen.
HOMES = {
    "casas-home": {"zone": "America/Los_Angeles", "door": "FrontDoor",
                   "rooms": {"baderom": "bathroom", "stue": "living_room", "inngang": "hall"}},
    "kasteren-a": {"zone": "Europe/Amsterdam", "door": "Frontdoor",
                   "rooms": {"baderom": "bathroom", "stue": "living_room", "inngang": "hall"}},
    "mit-s2": {"zone": "America/New_York", "door": None,
               "rooms": {"baderom": "bathroom", "stue": "living_room", "inngang": "hallway"}},
    "ordonez-a": {"zone": "Europe/Madrid", "door": "Maindoor Entrance",
                  "rooms": {"baderom": "bathroom", "stue": "living_room", "inngang": "hall"}},
}
MOST = 500  # rows that `deviations list` gives


def instant(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))


def lines_of(path):
    with gzip.open(path, "rt", encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def adapted(value, home):
    """The shipped value with this home's names in it."""
    if isinstance(value, dict):
        return {key: adapted(item, home) for key, item in value.items()}
    if isinstance(value, list):
        return [adapted(item, home) for item in value]
    return home["zone"] if value == "Europe/Oslo" else home["rooms"].get(value, value) if isinstance(value, str) else value


def rules_for(home):
    rules = adapted(yaml.safe_load((ROOT / "config/rules.yaml").read_text(encoding="utf-8")), home)
    if home["door"]:
        rules["rules"]["R-003"]["params"]["required_door_name"] = home["door"]
    return rules


class Varde:
    def __init__(self, options, folder):
        self.command = [str(options.varde), "--plugins", str(options.plugins), "--rules", f"{folder}/rules.yaml", "--json",
                        "--database", f"sqlite:{folder}/varde.db"]

    def run(self, *arguments):
        done = subprocess.run([*self.command, *arguments], capture_output=True, text=True, cwd=ROOT, check=False)
        if done.returncode != 0:
            sys.exit(f"varde {arguments[0]} ended with {done.returncode}: {done.stderr[-2000:]}")
        return [json.loads(line) for line in done.stdout.splitlines()]


def simulated(name, options):
    """(rules, totals, episodes) of a home."""
    with tempfile.TemporaryDirectory(prefix="varde-homes-") as folder:
        rules = rules_for(HOMES[name])
        # JSON is YAML: "on" stays a text.
        (pathlib.Path(folder) / "rules.yaml").write_text(json.dumps(rules, indent=1), encoding="utf-8")
        varde = Varde(options, folder)
        (totals,) = varde.run("simulate", "--events", str(options.data / name / "events.jsonl.gz"), "--every", options.every)
        episodes = []
        for rule in rules["rules"]:
            rows = varde.run("deviations", "list", "--rule", rule, "-n", str(MOST))
            if len(rows) == MOST:
                print(f"  {rule}: more than {MOST} episodes; the oldest are not shown")
            episodes += rows
    return rules, totals, sorted(episodes, key=lambda row: row["started_at"])


class Diary:
    """What people wrote down."""

    def __init__(self, labels):
        self.labels = sorted((instant(label["start"]), instant(label["end"]), label["activity"]) for label in labels)
        self.starts = [start for start, _, _ in self.labels]
        self.doors = [(start, activity) for start, _, activity in self.labels if activity in ("Leave_Home", "Enter_Home")]

    def at(self, when):
        """The activity then; in brackets the one before, if there was none."""
        before = self.labels[:bisect.bisect_right(self.starts, when)]
        if not before:
            return "(nothing yet)"
        going_on = [activity for _, end, activity in before[-20:] if end >= when]
        return going_on[-1] if going_on else f"(after {before[-1][2]})"

    def away(self, when):
        last = bisect.bisect_right([start for start, _ in self.doors], when)
        return last > 0 and self.doors[last - 1][1] == "Leave_Home"


def print_days(rules, episodes, first, last, zone):
    """Rows are local days, columns rules."""
    by_day = collections.Counter((instant(row["started_at"]).astimezone(zone).date(), row["rule_id"]) for row in episodes)
    print("  day       " + "".join(f"{rule:>7}" for rule in rules))
    day = instant(first).astimezone(zone).date()
    days = 0
    while day <= instant(last).astimezone(zone).date():
        print(f"  {day}" + "".join(f"{by_day[day, rule] or '.':>7}" for rule in rules))
        day += datetime.timedelta(days=1)
        days += 1
    totals = collections.Counter(row["rule_id"] for row in episodes)
    print("  all       " + "".join(f"{totals[rule]:>7}" for rule in rules))
    print("  a day     " + "".join(f"{totals[rule] / days:>7.2f}" for rule in rules))


def print_activities(rules, episodes, diary):
    print("  rule     episodes  in Sleep  nobody home  going on when they began")
    for rule in rules:
        starts = [instant(row["started_at"]) for row in episodes if row["rule_id"] == rule]
        activities = collections.Counter(diary.at(when) for when in starts)
        most = ", ".join(f"{activity} {count}" for activity, count in activities.most_common(6))
        print(f"  {rule:<8} {len(starts):>8}  {activities['Sleep']:>8}  {sum(map(diary.away, starts)):>11}  {most}")


def report(name, options):
    events = lines_of(options.data / name / "events.jsonl.gz")
    zone = zoneinfo.ZoneInfo(HOMES[name]["zone"])
    rules, totals, episodes = simulated(name, options)
    print(f"\n{name}: {len(events)} events, every {options.every}, {totals['ticks']} runs in {totals['seconds']:.1f} s, "
          f"{len(episodes)} episodes, {totals['counts']['rules_failed']} failures")
    if options.params:
        for rule, settings in rules["rules"].items():
            print(f"  {rule}: lookback {settings['lookback_minutes']}, {json.dumps(settings['params'])}")
    print_days(list(rules["rules"]), episodes, events[0]["timestamp"], events[-1]["timestamp"], zone)
    labels = options.data / name / "labels.jsonl.gz"
    diary = Diary(lines_of(labels)) if labels.exists() else None
    if diary and diary.doors:
        print_activities(list(rules["rules"]), episodes, diary)
    if options.episodes:
        for row in episodes:
            when = instant(row["started_at"])
            told = f"{diary.at(when)}{', nobody home' if diary.away(when) else ''}" if diary else ""
            print(f"  {when.astimezone(zone):%Y-%m-%d %H:%M}  {row['rule_id']}  {row['severity']:<7} until "
                  f"{instant(row['last_seen_at']).astimezone(zone):%m-%d %H:%M}  {told}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--varde", type=pathlib.Path, default=ROOT / "build/release/bin/varde")
    parser.add_argument("--plugins", type=pathlib.Path, help="default: those of the same build")
    parser.add_argument("--data", type=pathlib.Path, default=ROOT.parent / "shared/data")
    parser.add_argument("--home", action="append", choices=HOMES, help="default: all that are there")
    parser.add_argument("--every", default="5m", help="distance of runs; the shipped interval is 1m")
    parser.add_argument("--params", action="store_true", help="print the parameters of every rule")
    parser.add_argument("--episodes", action="store_true", help="print every episode")
    options = parser.parse_args()
    options.plugins = options.plugins or options.varde.resolve().parents[1] / "plugins"
    homes = [name for name in options.home or HOMES if (options.data / name / "events.jsonl.gz").exists()]
    if not homes:
        sys.exit(f"there is no recording of a home in {options.data}")
    for name in homes:
        report(name, options)


if __name__ == "__main__":
    main()
