#!/usr/bin/env python3
"""The rules of rules.yaml are schedules like all others: the run of the interval has a history, a rule may have a time of its own, and an
event may ask a rule at once.

    rule_schedules.py BUILD_FOLDER
"""
import datetime
import pathlib
import sys
import tempfile
import time

import postgres_server
from host_process import Checks, Host, HostFailed
from schedule_stage import Stage

RULES = """scheduler: {{interval_minutes: 1}}
rules:
  R-002:
    enabled_in_scheduler: true
    params: {{night_window: {{start_local_time: "00:00:00", end_local_time: "23:59:59"}}, timezone: UTC}}
    {schedule}
  R-003: {{enabled_in_scheduler: true}}
"""
ON_DOOR = "schedule: {event: door}"


class RuleStage(Stage):
    """A host at the interval of its rules.yaml, which a test may write."""

    def new_host(self, name):
        place = self.folder / name
        place.mkdir()
        return Host(self.build, place, self.database, rules=self.folder / "rules.yaml", config=self.folder / "host.yaml")

    def write_rules(self, schedule=""):
        (self.folder / "rules.yaml").write_text(RULES.format(schedule=schedule), encoding="utf-8")

    def ids(self):
        return sorted(row["id"] for row in self.call("GET", "/schedules?source=config&limit=100", wanted=200)["rows"])

    def send_door(self, name, org="default", state="open"):
        event = {"id": name, "org_id": org, "category": "door", "payload": {"state": state, "name": "front"},
                 "timestamp": datetime.datetime.now(datetime.timezone.utc).isoformat()}
        self.call("POST", "/event", event, 200)

    def wait_ids(self, wanted):
        end = time.monotonic() + 20
        while self.ids() != wanted:
            if time.monotonic() > end:
                raise HostFailed(f"the schedules of rules.yaml are {self.ids()} and not {wanted}")
            time.sleep(0.05)


def total(row):
    return (row["result"] or {}).get("rules_total")


def check_interval(stage, checks):
    """The host runs the rules at its start, and then at the interval."""
    first = stage.wait_over("rules")[0]
    checks.equal("the host asks for a run at its start", (first["kind"], first["requested_by"]), ("manual", "the host, at its start"))
    checks.check("it ran the rules", first["state"] == "success" and first["result"]["run_id"], first)
    schedule = stage.find("rules")
    checks.equal("the interval is that of rules.yaml", schedule["definition"]["trigger"]["every"], "1m")
    checks.equal("rules.yaml is who changes it", stage.call("PUT", "/schedules/rules", schedule["definition"])[0], 409)
    checks.equal("and who removes it", stage.call("DELETE", "/schedules/rules")[0], 409)
    health = stage.host.request("GET", "/health/detail")[2]
    checks.equal("the last run is in /health/detail", health["components"]["scheduler"]["last_run"]["run_id"], first["result"]["run_id"])


def check_own_times(stage, checks):
    """rules.yaml gives a rule another time, while the host runs."""
    stage.write_rules("schedule: {every: 200ms}")
    stage.wait_ids(["rules", "rules:R-002"])
    stage.send_door("first")  # a home to look at
    rows = stage.wait_runs("rules:R-002", lambda rows: any(total(row) == 1 for row in rows), "a run over a home")
    checks.check("it runs by itself, every 200 ms", len(rows) >= 1, rows)
    stage.run_now("rules")
    rows = stage.wait_runs("rules", lambda rows: any(total(row) is not None and row["requested_by"] != "the host, at its start"
                                                    for row in rows), "a run of the others")
    checks.equal("the run of the interval leaves it out", total(rows[0]), 1)
    stage.write_rules("schedule: {every: 5x}")
    rejected = stage.host.wait_for(lambda e: e.get("event") == "config_rejected")
    checks.check("what is wrong with it is said with its place", "rules.R-002.schedule" in str(rejected), rejected)


def check_events(stage, checks):
    """A door that is opened is answered at once, also one of another organisation: rules are about all of them."""
    stage.write_rules(ON_DOOR)
    stage.wait_ids(["rules", "rules:R-002"])
    stage.host.wait_for(lambda e: e.get("event") == "config_reloaded")
    before = 0
    for number in range(100):  # the host learns within a second which events are listened to
        stage.send_door(f"warm-{number}")
        before = len(stage.runs("rules:R-002", kind="event"))
        if before:
            break
        time.sleep(0.1)
    stage.wait_over("rules:R-002")
    for org in ("default", "acme"):
        mark = stage.host.mark()
        sent = time.time()
        stage.send_door(f"open-{org}", org)
        found = stage.host.wait_for(lambda e: e.get("event") == "scheduler_rule_result" and e.get("rule_id") == "R-002", since=mark)
        checks.in_time(f"{org}: an open door asks the rule within a second", time.time() - sent < 1, f"{time.time() - sent:.3f} s")
        checks.check(f"{org}: it found the door", found["counts"]["deviations_upserted"] == 1, found)
        stage.wait_over("rules:R-002")
    open_rows = stage.host.request("GET", "/deviations?rule_id=R-002")[2]
    checks.check("the open door is a deviation", "R-002" in str(open_rows), open_rows)
    stage.run_now("rules")
    rows = stage.wait_runs("rules", lambda rows: rows[0]["state"] == "success" and total(rows[0]) == 4, "a run of both rules in both homes")
    checks.equal("a rule with an event is part of the interval's run too", total(rows[0]), 4)


def check_pause(stage, checks):
    stage.call("POST", "/schedules/rules/pause", wanted=200)
    stage.write_rules()
    stage.wait_ids(["rules"])
    checks.equal("what somebody paused stays so over an edit of rules.yaml", stage.find("rules")["state"], "paused")
    stage.call("POST", "/schedules/rules/resume", wanted=200)


def main():
    build = pathlib.Path(sys.argv[1]).resolve()
    checks = Checks()
    with tempfile.TemporaryDirectory(prefix="varde-rule-schedules-") as folder:
        databases = {"sqlite": f"sqlite:{folder}/varde.db", "postgresql": postgres_server.server_url()}
        for engine, database in databases.items():
            if not database:
                checks.skip(f"{engine}: rules on schedules", "VARDE_TEST_POSTGRES_URL is not set")
                continue
            print(f"-- {engine}")
            place = pathlib.Path(folder) / engine
            stage = RuleStage(build, place, database, checks)
            stage.write_rules()
            try:
                stage.host.start()
                for check in (check_interval, check_own_times, check_events, check_pause):
                    check(stage, checks)
                checks.equal("the host stops cleanly", stage.host.stop(), 0)
            except HostFailed as error:
                checks.check(f"{engine}: the host does as it is told", False, error)
            finally:
                stage.host.stop()
                stage.sink.close()
    return checks.finish()


if __name__ == "__main__":
    sys.exit(main())
