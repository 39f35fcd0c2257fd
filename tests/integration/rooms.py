#!/usr/bin/env python3
"""Rooms that a host derives: a sensor is mapped to a room, its events say only who they are from, and R-004 finds the long stay there.

    rooms.py BUILD_FOLDER   on SQLite, and on the PostgreSQL of VARDE_TEST_POSTGRES_URL if there is one
"""
import datetime
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time

from host_process import ROOT, Checks, Host, HostFailed

NOW = datetime.datetime.now(datetime.timezone.utc).replace(microsecond=0)
HOUR_AGO = NOW - datetime.timedelta(minutes=60)
PIR = "binary_sensor.pir_bath"
RULES = """rules:
  R-004:
    enabled_in_scheduler: true
    lookback_minutes: 120
    params: {bathroom_room_id: baderom, use_derived_room: true}
"""


class Homes:
    """A host with its database, and the program beside it."""

    def __init__(self, build, folder, database, checks):
        folder.mkdir()
        self.folder, self.checks = folder, checks
        (folder / "rules.yaml").write_text(RULES, encoding="utf-8")
        self.command = [str(build / "bin/varde"), "--config", str(ROOT / "config/host.yaml"), "--database", database]
        self.host = Host(build, folder, database, rules=folder / "rules.yaml", interval_ms=300)
        self.sent = 0

    def varde(self, *arguments):
        return subprocess.run([*self.command, *arguments], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)

    def event(self, home, payload):
        self.sent += 1
        return {"id": f"e{self.sent}", "timestamp": HOUR_AGO.isoformat().replace("+00:00", "Z"), "category": "presence", "home_id": home,
                "payload": payload}

    def send(self, home, **payload):
        """The room that the host says the event is of."""
        event = self.event(home, {"state": "on", **payload})
        status, _, answer = self.host.request("POST", "/v1/event", event)
        if status != 200:
            raise HostFailed(f"POST /event answered {status}: {answer}")
        return self.rooms(home)[event["id"]]

    def rooms(self, home):
        rows = self.host.request("GET", f"/v1/events?home_id={home}&limit=1000")[2]
        return {row["id"]: row["room_id"] or "" for row in rows}

    def put(self, path, home, body):
        status, _, answer = self.host.request("PUT", f"/v1/{path}?home_id={home}", body)
        self.checks.equal(f"PUT /v1/{path} of {home}", (status, answer.get("created")), (200, True))


def after_run(host):
    mark = host.mark()
    begun = host.wait_for(lambda e: e.get("event") == "scheduler_run_start", since=mark)
    host.wait_for(lambda e: e.get("event") == "scheduler_run_end" and e.get("run_id") == begun["run_id"], since=mark)


def check_derivation(homes, checks):
    homes.put("room_mappings", "mapped", {"entity_id": PIR, "room_id": "baderom"})
    homes.put("rooms", "named", {"room_id": "baderom", "display_name": "Badet på loftet"})
    checks.equal("a mapped sensor says in which room it was", homes.send("mapped", entity_id=PIR), "baderom")
    checks.equal("a display name does, in any case", homes.send("named", area="BADET PÅ LOFTET"), "baderom")
    checks.equal("a room id that the home has does", homes.send("named", room_id="baderom", entity_id=PIR), "baderom")
    checks.equal("another home knows nothing of it", homes.send("other", entity_id=PIR), "")
    checks.equal("there the payload's own words count", homes.send("other", area="Badet på loftet"), "Badet på loftet")
    payload = homes.host.request("GET", "/v1/events?home_id=mapped")[2][0]["payload"]
    checks.equal("the payload is as it was sent", payload, {"state": "on", "entity_id": PIR})
    after_run(homes.host)
    found = homes.host.request("GET", "/v1/deviations?rule_id=R-004")[2]
    checks.equal("R-004 finds the long stay in the rooms that were derived", sorted(row["home_id"] for row in found), ["mapped", "named"])


def check_changes(homes, checks):
    status = homes.host.request("DELETE", f"/v1/room_mappings?home_id=mapped&entity_id={PIR}")[0]
    checks.equal("a mapping is removed", status, 200)
    checks.equal("and counts no more at once", homes.send("mapped", entity_id=PIR), "")
    checks.equal("what is stored keeps its room", sorted(homes.rooms("mapped").values()), ["", "baderom"])
    checks.equal("removed once is enough", homes.host.request("DELETE", f"/v1/room_mappings?home_id=mapped&entity_id={PIR}")[0], 404)


def check_command_line(homes, checks):
    done = homes.varde("rooms", "map", PIR, "baderom", "--home", "by-hand")
    checks.equal("varde rooms map", (done.returncode, done.stderr), (0, ""))
    end = time.monotonic() + 20
    room = homes.send("by-hand", entity_id=PIR)
    while room != "baderom" and time.monotonic() < end:
        time.sleep(0.2)
        room = homes.send("by-hand", entity_id=PIR)
    checks.equal("a running host notices", room, "baderom")
    homes.varde("rooms", "set", "hall", "--name", "Gangen", "--home", "by-hand")
    rows = [json.loads(line) for line in homes.varde("--json", "rooms", "list", "--home", "by-hand").stdout.splitlines()]
    scope = {"org_id": "default", "home_id": "by-hand"}
    checks.equal("varde --json rooms list", rows, [{**scope, "room_id": "hall", "display_name": "Gangen"},
                                                   {**scope, "entity_id": PIR, "room_id": "baderom", "active": True}])
    listed = homes.varde("rooms", "list", "--home", "by-hand").stdout
    checks.check("varde rooms list", "hall" in listed and PIR in listed and "in baderom" in listed, listed)
    events = homes.folder / "events.jsonl"
    events.write_text(json.dumps({**homes.event("by-hand", {"area": "gangen"}), "id": "imported"}), encoding="utf-8")
    checks.equal("varde events import", homes.varde("events", "import", str(events)).returncode, 0)
    checks.equal("imported events get their rooms too", homes.rooms("by-hand")["imported"], "hall")
    checks.equal("a room is removed by hand", homes.varde("rooms", "remove", "hall", "--home", "by-hand").returncode, 0)
    checks.equal("and a mapping", homes.varde("rooms", "unmap", PIR, "--home", "by-hand").returncode, 0)
    checks.equal("one that there is not is told", homes.varde("rooms", "unmap", PIR, "--home", "by-hand").returncode, 1)
    bad = homes.varde("rooms", "set", " blank ")
    checks.check("an id that no event could have is refused", bad.returncode == 2 and "room_id must be" in bad.stderr, bad.stderr)


def check_restart(homes, checks):
    homes.put("room_mappings", "mapped", {"entity_id": PIR, "room_id": "hall"})
    homes.host.stop()
    homes.host.start()
    checks.equal("the first event after a start knows its room", homes.send("mapped", entity_id=PIR), "hall")


def check_database(build, folder, database, checks):
    homes = Homes(build, folder, database, checks)
    try:
        homes.host.start()
        for check in (check_derivation, check_changes, check_command_line, check_restart):
            check(homes, checks)
    except (HostFailed, OSError, subprocess.SubprocessError, LookupError, TypeError, ValueError) as error:
        checks.check("the host answers", False, repr(error))
    finally:
        checks.equal("the host stops cleanly", homes.host.stop(), 0)


def main(build):
    checks = Checks()
    with tempfile.TemporaryDirectory(prefix="varde-rooms-") as name:
        folder = pathlib.Path(name)
        check_database(build, folder / "sqlite", f"sqlite:{folder}/varde.db", checks)
        postgres = os.environ.get("VARDE_TEST_POSTGRES_URL")
        if postgres:
            check_database(build, folder / "postgresql", postgres, checks)
        else:
            checks.skip("on PostgreSQL", "VARDE_TEST_POSTGRES_URL is not set; use tests/postgres/with_postgres.sh")
    return checks.finish()


if __name__ == "__main__":
    sys.exit(main(pathlib.Path(sys.argv[1]).resolve()))
