#!/usr/bin/env python3
"""Days of people who live alone, with incidents that are known: events to simulate, and the truth to hold the rules against.

    generate.py --out EVENTS.jsonl --truth TRUTH.jsonl [--homes 100] [--history 4] [--day 2026-02-12] [--seed 1]

The history holds ordinary days, so that every home's baseline is ready; then comes one judged day, from midnight to midnight in Oslo, with
the incidents of incidents.py in turns: two homes of twelve have none. The same arguments give the same files on every machine.

A line of the truth: {"home_id", "rule_id", "from", "until", "what", "also"}. Within that span the rule has to speak; the rules of `also`
may. Errands are there too ("what": "errand"), because R-003 cannot tell them from a fall outside the door.
"""
import argparse
import datetime
import json
import pathlib
import random
import zoneinfo

import incidents
from daily_life import DAY, Diary, Plans, live_a_day
from sensors import Habits, Sensors, as_lines, silenced

ZONE = zoneinfo.ZoneInfo("Europe/Oslo")
UTC = datetime.timezone.utc


class Calendar:
    """Minutes after the first midnight as instants. No day of the judged span may have 23 or 25 hours: minutes are counted through."""

    def __init__(self, day, history):
        self.start = datetime.datetime.combine(day - datetime.timedelta(days=history), datetime.time(), ZONE).astimezone(UTC)
        self.judged = history * DAY
        self.end = self.judged + DAY
        if self.instant(self.judged) != datetime.datetime.combine(day, datetime.time(), ZONE).astimezone(UTC):
            raise SystemExit(f"summer time begins or ends in the {history} days before {day}: choose another --day")

    def instant(self, minute):
        return self.start + datetime.timedelta(minutes=minute)

    def text(self, minute):
        return self.instant(minute).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def home(number, seed, calendar):
    """(events, truth) of one home."""
    dice = random.Random(f"{seed}/{number}")
    name = f"home-{number:03}"
    habits = {"up": dice.uniform(6.2, 7.6) * 60, "bed": dice.uniform(21.8, 23.3) * 60, "nurse": dice.random() < 0.3}
    sensors = Sensors({"org_id": "default", "home_id": name, "subject_id": "resident"}, Habits.of(dice), dice)
    house = incidents.House(Diary(calendar.end), sensors, Plans(), dice, calendar.judged)
    for midnight in range(0, calendar.end, DAY):
        live_a_day(house.diary, dice, midnight, habits)
    for incident in incidents.TURNS[(number - 1) % len(incidents.TURNS)]:
        incident(house)
    for midnight in range(0, calendar.end, DAY):
        incidents.leave_home_now_and_then(house, midnight, habits)
    sensors.watch(house.diary.merged())
    sensors.beat(calendar.end)
    events = [(at, event) for at, event in silenced(sensors.events, house.dead) if 0 <= at < calendar.end]
    truth = [{"home_id": name, "rule_id": rule, "from": calendar.text(start), "until": calendar.text(end), "what": what, "also": also}
             for rule, start, end, what, also in house.truth if end > calendar.judged]
    return as_lines(events, calendar.text, name), truth


def write(events_file, truth_file, *, homes=100, history=4, day=datetime.date(2026, 2, 12), seed=1):
    """Writes both files; returns the instants between which rules are judged."""
    calendar = Calendar(day, history)
    with open(events_file, "w", encoding="utf-8") as events, open(truth_file, "w", encoding="utf-8") as truths:
        for number in range(1, homes + 1):
            lines, truth = home(number, seed, calendar)
            events.writelines(line + "\n" for line in lines)
            truths.writelines(json.dumps(row) + "\n" for row in truth)
    return calendar.text(calendar.judged), calendar.text(calendar.end)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=pathlib.Path, required=True)
    parser.add_argument("--truth", type=pathlib.Path, required=True)
    parser.add_argument("--homes", type=int, default=100)
    parser.add_argument("--history", type=int, default=4, help="ordinary days before the judged one")
    parser.add_argument("--day", type=datetime.date.fromisoformat, default=datetime.date(2026, 2, 12), help="the judged day")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    since, until = write(options.out, options.truth, homes=options.homes, history=options.history, day=options.day, seed=options.seed)
    print(f"{options.homes} homes; judge them from {since} to {until}")


if __name__ == "__main__":
    main()
