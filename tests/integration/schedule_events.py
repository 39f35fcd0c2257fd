#!/usr/bin/env python3
"""Events that start schedules, and that cancel or move one-offs: filters, organisations, and the host killed in between.

    schedule_events.py BUILD_FOLDER
"""
import datetime
import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import time

from host_process import ROOT, Checks, HostFailed
from schedule_stage import Stage, instant


def now():
    return datetime.datetime.now(datetime.timezone.utc)


def after(seconds):
    return (now() + datetime.timedelta(seconds=seconds)).isoformat()


def send(stage, number, category, payload, headers=None, **scope):
    event = {"id": f"{category}-{number}", "category": category, "payload": payload, "timestamp": now().isoformat(), **scope}
    status, _, answer = stage.host.request("POST", "/v1/event", event, headers)
    if status != 200:
        raise HostFailed(f"POST /event answered {status}: {answer}")
    return answer


def state_of(stage, name, wanted, timeout):
    """The state of the schedule, as soon as it is the wanted one or the time is over."""
    end = time.monotonic() + timeout
    while True:
        state = stage.find(name)["state"]
        if state == wanted or time.monotonic() > end:
            return state
        time.sleep(0.05)


def deletion(stage, name, seconds, user):
    return stage.make_call(name, {"at": after(seconds), "cancel_on": [{"event": "user_reactivated", "where": {"user_id": user}}],
                                  "move_on": [{"event": "user_delayed", "where": {"user.id": user}, "time": "run_at"}]})


def at_of(schedule):
    return schedule["definition"]["trigger"]["at"]


def check_filters(stage, checks):
    stage.make_call("open", {"event": "door", "where": {"state": "open", "sensor.floor": 1}})
    stage.make_call("any", {"event": "door"})
    send(stage, 1, "door", {"state": "closed", "sensor": {"floor": 1}})
    checks.check("an event starts who asks for no more than its category", stage.sink.wait_for("/any", 1, 10), "a call")
    send(stage, 2, "door", {"state": "open", "sensor": {"floor": 1.0}})
    checks.check("and who asks for what is in it", stage.sink.wait_for("/open", 1, 10), "a call")
    stage.sink.wait_for("/any", 2, 10)
    answer = send(stage, 2, "door", {"state": "open", "sensor": {"floor": 1}})
    checks.equal("the event is sent again", answer["deduped"], True)
    send(stage, 3, "door", {"state": "open", "sensor": {"floor": 2}})
    stage.sink.wait_for("/any", 3, 10)
    checks.equal("an event that is sent twice makes one run, and one that is not meant none",
                 [len(stage.wait_over(name)) for name in ("open", "any")], [1, 3])
    status, problem = stage.call("POST", "/schedules", {"id": "bad", "kind": "noop", "trigger": {"event": "door", "where": {"a": [1]}}})
    checks.check("a filter that is wrong is refused with its place", status == 422 and "trigger.where.a" in json.dumps(problem), problem)
    checks.equal("a definition shows its filter", stage.find("open")["definition"]["trigger"],
                 {"event": "door", "where": {"sensor.floor": 1, "state": "open"}, "debounce": "0s"})
    for name in ("open", "any"):
        stage.remove(name)


def check_check15(stage, checks):
    """F 15: cancelled at +2 s of 5; run once if it is not; both with kill -9 in between."""
    for name in ("cancelled", "kept"):
        deletion(stage, name, 6, name)
    other = deletion(stage, "quick", 6, "quick")
    time.sleep(1.5)
    stage.host.kill()
    stage.host.start()
    send(stage, 1, "user_reactivated", {"user_id": "nobody"})
    send(stage, 2, "user_reactivated", {"user_id": "quick"})
    checks.equal("an event cancels a one-off within a second", state_of(stage, "quick", "completed", 1.5), "completed")
    send(stage, 3, "user_reactivated", {"user_id": "cancelled"})
    stage.host.kill()
    stage.host.start()
    checks.check("who is not cancelled runs", stage.sink.wait_for("/kept", 1, 20), "a call")
    for name, number in (("cancelled", 3), ("quick", 2)):
        rows = stage.wait_over(name)
        checks.equal(f"{name}: one row says why", [(row["state"], row["reason"], row["detail"]) for row in rows],
                     [("skipped", "event", f"cancelled by user_reactivated, event user_reactivated-{number}")])
        checks.equal(f"{name} is completed", state_of(stage, name, "completed", 1), "completed")
    checks.equal("and one that is kept ran once", [row["state"] for row in stage.wait_over("kept")], ["success"])
    told = stage.call("GET", f"/explain?schedule=quick&at={at_of(other)}", wanted=200)
    checks.check("explain tells which event it was", told["answer"] == "event" and "user_reactivated-2" in told["text"], told)
    time.sleep(1)
    checks.equal("what was cancelled was not called", [len(stage.sink.keys(f"/{name}")) for name in ("cancelled", "quick", "kept")],
                 [0, 0, 1])
    for name in ("cancelled", "kept", "quick"):
        stage.remove(name)


def check_killed_while_hearing(stage, checks):
    """The event is stored, and the host dies as it looks at it; when another one comes, it is past the time."""
    stage.host.stop()
    stage.host.environment["VARDE_FAULT"] = "hearing:1"
    stage.host.start()
    deletion(stage, "late", 3, "late")
    deletion(stage, "later", 3, "later")
    try:
        send(stage, 10, "user_reactivated", {"user_id": "late"})
    except (HostFailed, OSError):
        pass  # it may die before it has answered; stored it is
    checks.equal("the host dies as it hears an event", stage.host.process.wait(20), -signal.SIGKILL)
    del stage.host.environment["VARDE_FAULT"]
    time.sleep(3.5)
    stage.host.start()
    row = stage.wait_over("late")[0]
    checks.equal("an event stored before its time wins", (row["state"], row["reason"]), ("skipped", "event"))
    checks.check("who was not meant runs", stage.sink.wait_for("/later", 1, 10), "a call")
    checks.equal("and who was does not", len(stage.sink.keys("/late")), 0)
    for name in ("late", "later"):
        stage.remove(name)


def check_moves(stage, checks):
    made = deletion(stage, "moved", 60, "m")
    deletion(stage, "unmoved", 2, "u")
    send(stage, 1, "user_delayed", {"user": {"id": "m"}, "run_at": after(3600)})
    soon = now() + datetime.timedelta(seconds=2)
    send(stage, 2, "user_delayed", {"user": {"id": "m"}, "run_at": soon.isoformat()})
    send(stage, 3, "user_delayed", {"user": {"id": "u"}, "run_at": "whenever"})
    refused = stage.host.wait_for(lambda e: e.get("event") == "schedule_move_refused", 10)
    checks.equal("a time that cannot be read is told of", (refused["schedule_id"], refused["event_id"]), ("unmoved", "user_delayed-3"))
    stage.host.wait_for(lambda e: e.get("event") == "schedule_moved" and e.get("event_id") == "user_delayed-2", 10)
    checks.check("a one-off is moved", stage.sink.wait_for("/moved", 1, 15), "a call")
    rows = stage.wait_runs("moved", lambda rows: any(row["state"] == "success" for row in rows), "the moved run")
    ran = [row for row in rows if row["state"] == "success"]
    checks.equal("it runs at its new time, once", [abs((instant(row["nominal_at"]) - soon).total_seconds()) < 0.01 for row in ran], [True])
    schedule = stage.find("moved")
    off = abs((instant(at_of(schedule)) - soon).total_seconds())
    checks.check("its trigger and version say so", schedule["version"] > made["version"] and off < 0.01, schedule)
    told = stage.call("GET", f"/explain?schedule=moved&at={at_of(made)}", wanted=200)
    checks.check("explain tells of the time before", "moved to" in told["text"], told)
    checks.check("who could not be moved runs at its time", stage.sink.wait_for("/unmoved", 1, 10), "a call")
    deletion(stage, "now", 3600, "n")
    send(stage, 4, "user_delayed", {"user": {"id": "n"}, "run_at": "2020-01-01T00:00:00Z"})
    checks.check("a time that has passed is now", stage.sink.wait_for("/now", 1, 10), "a call")
    for name in ("moved", "unmoved", "now"):
        stage.remove(name)


def check_two_hosts(stage, checks):
    """An event that another host has stored, which then goes away, is heard as soon."""
    if stage.database.startswith("sqlite:"):
        return
    deletion(stage, "shared", 3600, "s")
    stage.make_call("started", {"event": "bell"})
    own, other = stage.host, stage.new_host("second").start()
    stage.host = other
    send(stage, 20, "user_reactivated", {"user_id": "s"})
    send(stage, 20, "bell", {})
    other.kill()
    stage.host = own
    checks.equal("an event of another host cancels a one-off", state_of(stage, "shared", "completed", 5), "completed")
    checks.check("and starts a schedule", stage.sink.wait_for("/started", 1, 15), "a call")
    time.sleep(1.5)
    checks.equal("once", [len(stage.runs(name)) for name in ("shared", "started")], [1, 1])
    for name in ("shared", "started"):
        stage.remove(name)


def add_token(stage, name, org):
    varde = str(pathlib.Path(stage.build) / "bin/varde")
    done = subprocess.run([varde, "--json", "token", "create", "--name", name, "--role", "admin", "--org", org],
                          env=stage.host.environment, cwd=ROOT, capture_output=True, text=True, check=False, timeout=60)
    if done.returncode != 0:
        raise HostFailed(f"varde token create: {done.stderr}")
    return {"X-API-Key": json.loads(done.stdout)["token"]}


def check_orgs(stage, checks):
    """Last: from the first token on, every call needs one."""
    north, south = add_token(stage, "north", "north"), add_token(stage, "south", "south")
    for headers, name in ((north, "of-north"), (south, "of-south")):
        body = {"id": name, "kind": "noop", "trigger": {"event": "gate"}}
        checks.equal(f"{name} is made", stage.call("POST", "/schedules", body, headers=headers)[0], 201)
    body = {"id": "once-south", "kind": "noop", "trigger": {"at": after(3600), "cancel_on": [{"event": "gate"}]}}
    stage.call("POST", "/schedules", body, headers=south)
    send(stage, 1, "gate", {}, north, org_id="north")
    end = time.monotonic() + 10
    while not rows_of(stage, "of-north", north) and time.monotonic() < end:
        time.sleep(0.05)
    checks.equal("an event starts the schedule of its organisation", len(rows_of(stage, "of-north", north)), 1)
    time.sleep(1.5)
    checks.equal("and none of another one", len(rows_of(stage, "of-south", south)), 0)
    _, schedule = stage.call("GET", "/schedules/once-south", headers=south)
    checks.equal("nor does it cancel there", schedule.get("schedule", schedule)["state"], "active")


def rows_of(stage, name, headers):
    return stage.call("GET", f"/runs?schedule_id={name}", headers=headers)[1]["rows"]


def check_database(build, folder, database, checks):
    stage = Stage(build, folder, database, checks)
    try:
        stage.host.start()
        for check in (check_filters, check_check15, check_killed_while_hearing, check_moves, check_two_hosts, check_orgs):
            check(stage, checks)
    except (HostFailed, OSError, subprocess.SubprocessError, LookupError, TypeError, ValueError) as error:
        checks.check("the host answers", False, repr(error))
    finally:
        checks.equal("the host stops cleanly", stage.host.stop(), 0)
        stage.sink.close()


def main(build):
    checks = Checks()
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        check_database(build, folder / "sqlite", f"sqlite:{folder / 'varde.db'}", checks)
        if not os.environ.get("VARDE_TEST_POSTGRES_URL"):
            checks.skip("the same on PostgreSQL", "VARDE_TEST_POSTGRES_URL is not set")
        else:
            check_database(build, folder / "postgres", os.environ["VARDE_TEST_POSTGRES_URL"], checks)
    return checks.finish()


if __name__ == "__main__":
    sys.exit(main(pathlib.Path(sys.argv[1])))
