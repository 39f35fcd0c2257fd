#!/usr/bin/env python3
"""The hostile catalogue against the real host: 54 ways in which a rule can be broken or evil, and the reaction to each.

    hostile_catalogue.py BUILD_FOLDER [default|no_landlock|no_namespaces|no_pinning|no_user_no_cgroup|not_root] [--only SCENE]

The bad rules come from tests/hostile/fixtures, the expectations are in hostile_expectations.py. Most run in one host at once, each in a
worker of its own; some need a host of their own (hostile_scenes.py). A mode leaves out a layer of the sandbox, or root: everything must
hold without it. Needs root to look into the host's descriptors and to become somebody else.
"""
import argparse
import collections
import datetime
import os
import pathlib
import sys
import tempfile
import time

import hostile_scenes
import hostile_wild
from host_process import Checks, HostFailed
from hostile_expectations import SCENES, WILD
from hostile_host import MODES, Ground, adopt_orphans


class Book:
    """What was wrong with the reaction to each entry."""

    def __init__(self):
        self.problems = collections.defaultdict(list)

    def expect(self, number, right, what):
        if not right:
            self.problems[number].append(what)

    def close(self, checks, numbers):
        right = 0
        for number in sorted(numbers):
            name = WILD[number][0] if number in WILD else SCENES[number]
            right += checks.check(f"{number:2} {name}", not self.problems[number], "; ".join(self.problems[number]))
        print(f"        {right} of {len(numbers)} entries with the expected reaction", flush=True)


def events():
    """An hour of one home in which the healthy rules have something to say; well inside their windows, so that seconds do not matter."""
    now = datetime.datetime.now(datetime.timezone.utc).replace(microsecond=0)
    for minutes, category, payload in ((50, "door", {"state": "open", "door": "front", "entity_id": "front_door"}),
                                       (45, "presence", {"state": "off", "room": "bedroom"}),
                                       (40, "lamp", {"state": "on"}),
                                       (30, "door", {"state": "closed", "door": "front", "entity_id": "front_door"})):
        at = now - datetime.timedelta(minutes=minutes)
        yield {"id": f"event-{minutes}", "timestamp": at.isoformat().replace("+00:00", "Z"), "category": category, "payload": payload}


PARTS = {
    "wild": (set(WILD), hostile_wild.wild_host),
    "files": ({38, 39, 41}, lambda ground, book, checks: hostile_scenes.files_host(ground, book)),
    "creeping": ({17, 47, 48, 49, 51}, lambda ground, book, checks: hostile_scenes.creeping_host(ground, book)),
    "death": ({54}, hostile_scenes.death_host),
}


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("build", type=pathlib.Path)
    arguments.add_argument("mode", choices=list(MODES), nargs="?", default="default")
    arguments.add_argument("--only", choices=list(PARTS))
    options = arguments.parse_args()
    checks = Checks()
    if options.mode == "not_root" and os.geteuid() != 0:
        checks.skip("the hostile catalogue as another user", "this is not root: whoever runs it is nobody special already")
        return checks.finish()
    adopt_orphans()
    book, numbers = Book(), set()
    with tempfile.TemporaryDirectory(prefix="varde-catalogue-") as folder:
        ground = Ground(options.build.resolve(), folder, options.mode)
        ground.seed(events())
        for name, (entries, play) in PARTS.items():
            if options.only not in (None, name):
                continue
            numbers |= entries
            begin = time.monotonic()
            try:
                play(ground, book, checks)
            except (HostFailed, OSError, KeyError, StopIteration) as error:
                for number in entries:
                    book.expect(number, False, f"the scene broke off: {error!r}")
            print(f"        {name}: {time.monotonic() - begin:.1f} s", flush=True)
        book.close(checks, numbers)
    return checks.finish()


if __name__ == "__main__":
    sys.exit(main())
