#!/usr/bin/env python3
"""kill -9 at every step of firing, claiming, starting and finishing, and two hosts on one PostgreSQL of which one is always being killed:
no slot is lost, none runs twice, and each one without a run has a reason.

    schedules_kill9.py BUILD_FOLDER sqlite|postgresql   the fault points; a debug build
    schedules_kill9.py BUILD_FOLDER two_hosts           20 seconds, 60 schedules; with VARDE_SOAK=1 10 minutes and 1,000
"""
import datetime
import os
import pathlib
import signal
import sys
import tempfile
import time

from host_process import Checks, HostFailed
from schedule_stage import LEASE_S, Stage
from slot_book import SlotBook, read

POINTS = ("before_fire", "firing", "fired", "before_claim", "claimed", "started", "worked", "before_finish", "finished")
ANCHOR = datetime.datetime(2026, 1, 1, tzinfo=datetime.timezone.utc)
ANCHOR_US = int(ANCHOR.timestamp()) * 1_000_000


def wait_until(right, what, timeout):
    end = time.monotonic() + timeout
    while not right():
        if time.monotonic() > end:
            raise HostFailed(f"{what} did not come within {timeout} s")
        time.sleep(0.1)


def quiet(stage, names):
    """No more slots, and every run over."""
    for name in names:
        stage.call("POST", f"/schedules/{name}/pause", wanted=200)
    sql = "SELECT count(*) FROM runs WHERE state IN ('waiting', 'pending', 'running')"
    wait_until(lambda: read(stage.database, sql)[0][0] == 0, "the end of all runs", LEASE_S * 3 + 20)


def kill_at(stage, point, checks):
    """The host meets its end at the point, and another one goes on."""
    stage.host.environment["VARDE_FAULT"] = f"{point}:4"
    try:
        stage.host.start()
    except HostFailed:
        pass  # so soon
    died = stage.host.process.wait(40)
    checks.equal(f"the host dies at {point}", died, -signal.SIGKILL)
    del stage.host.environment["VARDE_FAULT"]


def check_points(build, folder, database, checks):
    stage = Stage(build, folder, database, checks)
    stage.host.start()
    names = [f"k{n}" for n in range(10)]
    for name in names:  # more than there are workers, so that some are claimed and not started as they fall due
        stage.make_call(name, {"every": "500ms", "anchor": ANCHOR.isoformat()}, path="/k", coalesce=False, catch_up="all",
                        max_instances=100, misfire_grace="10m")
    stage.sink.wait_for("/k", 20)
    stage.host.stop()
    for point in POINTS:
        kill_at(stage, point, checks)
    stage.host.start()
    calls = len(stage.sink.keys("/k"))
    stage.sink.wait_for("/k", calls + 20)
    quiet(stage, names)
    SlotBook(stage.database, 500_000, ANCHOR_US, names).check(checks, f"after {len(POINTS)} kills")
    keys = stage.sink.keys("/k")
    checks.equal("no slot was called twice", len(keys) - len(set(keys)), 0)
    checks.equal("the host stops cleanly", stage.host.stop(), 0)
    stage.sink.close()


def check_two_hosts(build, folder, database, checks):
    long = os.environ.get("VARDE_SOAK") == "1"
    seconds, schedules, every = (600, 1_000, 20) if long else (20, 60, 4)
    stage = Stage(build, folder, database, checks)
    stage.host.start()
    other = stage.new_host("other").start()
    names = [f"t{n}" for n in range(schedules)]
    for name in names:
        stage.make(name, "noop", {}, {"every": "1s", "anchor": ANCHOR.isoformat()}, coalesce=False, catch_up="all", misfire_grace="10m",
                   max_instances=100)
    end = time.monotonic() + seconds
    kills = 0
    while time.monotonic() < end:
        time.sleep(every / 2)
        other.kill()
        kills += 1
        time.sleep(every / 2)
        other.start()
    quiet(stage, names)
    book = SlotBook(stage.database, 1_000_000, ANCHOR_US, names)
    book.check(checks, f"{kills} kills in {seconds} s, {schedules} schedules")
    owners = read(stage.database, "SELECT count(DISTINCT owner) FROM runs WHERE state = 'success'")[0][0]
    checks.check("both hosts did some of it", owners >= 2, owners)
    checks.check("most of them succeeded", book.states.get("success", 0) > book.slots * 0.5, book.states)
    for host in (stage.host, other):
        checks.equal("a host stops cleanly", host.stop(), 0)
    stage.sink.close()


def main(build, mode):
    checks = Checks()
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        database = f"sqlite:{folder / 'varde.db'}" if mode == "sqlite" else os.environ.get("VARDE_TEST_POSTGRES_URL", "")
        if not database:
            checks.skip("kill -9 on PostgreSQL", "VARDE_TEST_POSTGRES_URL is not set")
            return checks.finish()
        try:
            (check_two_hosts if mode == "two_hosts" else check_points)(build, folder / "stage", database, checks)
        except (HostFailed, OSError, LookupError, TypeError, ValueError) as error:
            checks.check("the hosts answer", False, repr(error))
    return checks.finish()


if __name__ == "__main__":
    sys.exit(main(pathlib.Path(sys.argv[1]), sys.argv[2]))
