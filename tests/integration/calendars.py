#!/usr/bin/env python3
"""Calendars of a real host: made over HTTP and on the command line, seen in preview, run and explain.

    calendars.py BUILD_FOLDER   on SQLite, and on the PostgreSQL of VARDE_TEST_POSTGRES_URL if there is one
"""
import contextlib
import datetime
import json
import os
import pathlib
import sqlite3
import subprocess
import sys
import tempfile

from host_process import ROOT, Checks, HostFailed
from schedule_stage import Stage, instant

ICS = """BEGIN:VCALENDAR\r
VERSION:2.0\r
PRODID:-//varde//test//EN\r
X-WR-CALNAME:Closing days\r
BEGIN:VEVENT\r
UID:1\r
DTSTART;VALUE=DATE:20261224\r
DTEND;VALUE=DATE:20261227\r
SUMMARY:Christmas\\, with a long\r
  line\r
END:VEVENT\r
END:VCALENDAR\r
"""


def day(offset):
    return (datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=offset)).date().isoformat()


def today():
    """Yesterday to tomorrow: whenever midnight comes, the test lies within."""
    return {"dates": [{"first": day(-1), "last": day(1)}]}


def varde(stage, *words, wanted=0, text=None):
    done = subprocess.run([str(stage.build / "bin/varde"), "--config", str(stage.folder / "host.yaml"), "--database", stage.database,
                           "--json", "calendars", *words], cwd=ROOT, input=text, capture_output=True, text=True, timeout=60, check=False)
    if done.returncode != wanted:
        raise HostFailed(f"varde calendars {words} gave {done.returncode}: {done.stderr}{done.stdout}")
    return [json.loads(line) for line in done.stdout.splitlines()] if wanted == 0 else done.stderr


def check_skip(stage, checks):
    stage.call("PUT", "/calendars/closed", {"name": "Closed", **today()}, 201)
    stage.make("left-out", "noop", {}, {"every": "1s"}, calendars={"exclude": ["closed"]})
    rows = stage.wait_runs("left-out", lambda rows: len(rows) >= 2, "two rows")
    checks.equal("slots of an excluded day are rows, and none runs", {(row["state"], row["reason"]) for row in rows},
                 {("skipped", "excluded")})
    checks.check("each names the calendar", all(row["detail"].startswith("calendar 'Closed' excludes ") for row in rows), rows[0])
    told = stage.call("GET", f"/explain?schedule=left-out&at={rows[0]['nominal_at']}", wanted=200)
    checks.equal("explain says so", told["answer"], "excluded")
    planned = stage.call("GET", "/schedules/left-out/preview?count=2", wanted=200)["rows"]
    checks.equal("and the preview", {(row["fires"], row["reason"]) for row in planned}, {(False, "excluded")})
    stage.call("PUT", "/calendars/closed", {"name": "Closed"}, 200)
    stage.wait_runs("left-out", lambda rows: rows[0]["state"] == "success", "a run, once no day is closed")
    stage.remove("left-out")
    stage.make("only-here", "noop", {}, {"every": "1s"}, calendars={"include": ["closed"]})
    stage.wait_runs("only-here", lambda rows: rows and rows[0]["reason"] == "excluded", "a row, since no day is included")
    stage.call("PUT", "/calendars/closed", today(), 200)
    stage.wait_runs("only-here", lambda rows: rows[0]["state"] == "success", "a run on an included day")
    stage.remove("only-here")


def check_roll(stage, checks):
    """A daily schedule whose next slot moves behind the days that a calendar excludes, and back when it is changed."""
    stage.call("PUT", "/calendars/fair", {"dates": []}, 201)
    made = stage.make("daily", "noop", {}, {"cron": "0 12 * * *"}, calendars={"exclude": ["fair"], "roll": "next"})
    first = instant(made["next_at"])
    closed = {"dates": [{"first": first.date().isoformat(), "last": (first.date() + datetime.timedelta(days=1)).isoformat()}]}
    stage.call("PUT", "/calendars/fair", closed, 200)
    moved = stage.find("daily")
    checks.equal("a changed calendar moves the next slot", instant(moved["next_at"]), first + datetime.timedelta(days=2))
    checks.equal("that is no edit of the schedule", (moved["version"], moved["generation"]), (made["version"], made["generation"]))
    planned = stage.call("GET", "/schedules/daily/preview?count=1", wanted=200)["rows"][0]
    checks.check("the preview says from where", "moved from" in planned["text"] and "'fair' excludes" in planned["text"], planned)
    told = stage.call("GET", f"/explain?schedule=daily&at={made['next_at']}", wanted=200)
    checks.check("explain says where to", told["answer"] == "not_due" and "its times come on" in told["text"], told)
    stage.call("PUT", "/calendars/fair", {"dates": []}, 200)
    checks.equal("and back", instant(stage.find("daily")["next_at"]), first)


def check_refusals(stage, checks):
    status, problem = stage.call("DELETE", "/calendars/fair")
    checks.equal("one in use stays, and says who uses it", (status, problem["detail"]),
                 (409, "calendar fair cannot be removed: daily uses it"))
    body = {"kind": "noop", "trigger": {"manual": True}, "policy": {"calendars": {"include": ["nowhere"]}}}
    for path in ("/schedules", "/schedules/preview"):
        status, problem = stage.call("POST", path, body)
        checks.equal(f"{path} knows no such calendar", (status, problem["detail"]),
                     (422, "policy.calendars.include: there is no calendar 'nowhere' in organisation default"))
    status, problem = stage.call("PATCH", "/schedules/daily", {"policy": {"calendars": {"exclude": ["nowhere"]}}})
    checks.equal("nor does an edit", (status, "'nowhere'" in problem["detail"]), (422, True))
    stage.remove("daily")
    stage.call("DELETE", "/calendars/fair", wanted=204)


def check_command_line(stage, checks):
    made = varde(stage, "import", "-", text=json.dumps({"id": "shell", "weekdays": ["sun"]}))[0]
    checks.equal("a definition is imported", (made["id"], made["version"], made["definition"]["weekdays"]), ("shell", 1, ["sun"]))
    checks.equal("and listed", [row["id"] for row in varde(stage, "list")], ["closed", "shell"])
    checks.equal("the host shows it", stage.call("GET", "/calendars/shell", wanted=200), made)
    made = varde(stage, "import", "-", "--id", "ics", text=ICS)[0]
    checks.equal("an iCalendar file too", (made["name"], made["definition"]["dates"]),
                 ("Closing days", [{"first": "2026-12-24", "last": "2026-12-26"}]))
    varde(stage, "remove", "ics")
    checks.check("without an id it is refused", "id: must have" in varde(stage, "import", "-", wanted=2, text="{}"), "no such error")
    varde(stage, "remove", "shell")
    checks.check("it is gone", "there is no calendar shell" in varde(stage, "show", "shell", wanted=1), "no such error")


def check_removed_by_hand(stage, checks):
    """A calendar that is gone from the database is an empty set, and nothing stops without saying so."""
    if not stage.database.startswith("sqlite:"):
        return
    stage.call("PUT", "/calendars/gone", today(), 201)
    stage.make("orphan", "noop", {}, {"every": "1s"}, calendars={"include": ["gone"]})
    stage.wait_runs("orphan", lambda rows: rows and rows[0]["state"] == "success", "a run on an included day")
    with contextlib.closing(sqlite3.connect(stage.database.removeprefix("sqlite:"), timeout=30)) as database, database:
        database.execute("DELETE FROM calendars WHERE calendar_id = 'gone'")
    rows = stage.wait_runs("orphan", lambda rows: rows[0]["reason"] == "excluded", "a row that says why it does not run")
    checks.equal("its rows say what is missing", rows[0]["detail"], "there is no calendar 'gone'")
    planned = stage.call("GET", "/schedules/orphan/preview?count=1", wanted=200)["rows"][0]
    checks.equal("so does the preview", (planned["fires"], planned["text"]), (False, "there is no calendar 'gone'"))
    stage.call("PATCH", "/schedules/orphan", {"name": "still editable"}, 200)
    done = subprocess.run([str(stage.build / "bin/varde"), "--config", str(stage.folder / "host.yaml"), "--database", stage.database,
                           "--json", "doctor"], cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    checks.equal("and doctor", [line["detail"].split(":")[0] for line in lines if line["check"] == "calendars"],
                 ["schedule orphan names calendar 'gone', which organisation default does not have"])
    stage.remove("orphan")


def check_database(build, folder, database, checks):
    stage = Stage(build, folder, database, checks)
    try:
        stage.host.start()
        for check in (check_skip, check_roll, check_refusals, check_command_line, check_removed_by_hand):
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
    sys.exit(main(pathlib.Path(sys.argv[1]).resolve()))
