#!/usr/bin/env python3
"""A rule that fails is taken out of service, seen everywhere, and comes back in every way that is promised.

    quarantine.py BUILD_FOLDER

The real host with two rules of tests/hostile beside a healthy one: `segfaults` always crashes, `sometimes_crashes` does while a home has
an event with state "on" in its window.
"""
import datetime
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

from host_process import ROOT, Checks, Host, HostFailed

HOST_YAML = """breaker:
  consecutive_failures: 3
  lost_workers: 5
  first_back_off_seconds: 1
  max_back_off_seconds: {longest}
isolation:
  worker_path: {build}/bin/varde-worker
"""


class Place:
    """A folder with plugins, rules.yaml and host.yaml, the host in it, and the command line beside it."""

    def __init__(self, build, folder, rules, longest):
        self.build = build
        self.plugins = folder / "plugins"
        self.plugins.mkdir(parents=True)
        for rule in rules:
            shutil.copy(build / f"tests/hostile/plugins/{rule}.so", self.plugins)
        self.rules = folder / "rules.yaml"
        self.rules.write_text("rules:\n" + "".join(
            f"  {rule}: {{enabled_in_scheduler: true, lookback_minutes: 1, memory_mb: 64}}\n" for rule in rules), encoding="utf-8")
        self.config = folder / "host.yaml"
        self.config.write_text(HOST_YAML.format(longest=longest, build=build), encoding="utf-8")
        self.database = f"sqlite:{folder}/varde.db"
        self.host = Host(build, folder, self.database, plugins=self.plugins, rules=self.rules, interval_ms=200, config=self.config)

    def varde(self, *arguments):
        done = subprocess.run([str(self.build / "bin/varde"), "--config", str(self.config), "--plugins", str(self.plugins), "--rules",
                               str(self.rules), *arguments], capture_output=True, text=True, timeout=60, check=False, cwd=ROOT,
                              env={**os.environ, "DATABASE_URL": self.database})
        return done.returncode, done.stdout

    def json_lines(self, *arguments):
        return [json.loads(line) for line in self.varde("--json", *arguments)[1].splitlines()]

    def post(self, event_id, home, state, seconds_ago):
        at = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(seconds=seconds_ago)
        status, _, body = self.host.request("POST", "/event", {
            "id": event_id, "home_id": home, "category": "light", "timestamp": at.isoformat().replace("+00:00", "Z"),
            "payload": {"state": state}})
        if status != 200:
            raise HostFailed(f"POST /event: {status} {body}")

    def wait_for(self, event, rule=None, since=0, timeout=60, **fields):
        return self.host.wait_for(lambda e: e.get("event") == event and (rule is None or e.get("rule_id") == rule) and
                                  all(e.get(key) == value for key, value in fields.items()), timeout, since=since)

    def wait_for_quarantine(self, rule, since=0):
        """The event; by then the run that brought it about has logged its failures too."""
        event = self.wait_for("rule_quarantined", rule, since)
        self.wait_for("scheduler_run_end", since=self.host.mark())
        return event

    def failures(self, rule, since=0):
        with self.host.changed:
            return [e["error"] for e in self.host.events[since:]
                    if e.get("event") == "scheduler_rule_error" and e.get("rule_id") == rule]


def seen_everywhere(place, checks):
    """The four places in which an operator may look, and the incident they lead to."""
    in_log = place.wait_for("rule_quarantined", "segfaults")
    checks.check("the log says until when, and how to clear it", in_log["until"] > in_log["ts"] and
                 "varde rules release segfaults" in in_log["clear"], in_log)

    listed = {one["rule_id"]: one["breaker"] for one in place.json_lines("rules", "list")}
    checks.equal("varde rules list: the state of the rule", (listed["segfaults"] or {}).get("state"), "quarantined")
    checks.equal("varde rules list: the healthy rule has none", listed["healthy"], None)
    status, text = place.varde("rules", "list")
    said = f"quarantined until {in_log['until']}: segmentation_fault"
    checks.check("varde rules list says it in words", status == 0 and said in text, text)

    # The scheduler publishes what it knows once a second.
    place.wait_for("scheduler_run_end", since=place.host.mark())
    rows = place.host.request("GET", "/v1/rules")[2]
    shown = [row["runtime_status"]["breaker"] for row in rows if row["rule_id"] == "segfaults"]
    checks.equal("GET /v1/rules: until", [(one or {}).get("until") for one in shown], [in_log["until"]])

    health = place.host.request("GET", "/health/detail")[2]
    checks.equal("/health/detail: DEGRADED", health["overall_status"], "DEGRADED")
    checks.check("/health/detail: the reason names rule, time and cause", any(
        reason.startswith(f"segfaults: out of service until {in_log['until']}: segmentation_fault") for reason in health["reasons"]),
        health["reasons"])

    incidents = place.host.request("GET", "/v1/incidents?rule_id=segfaults")[2]
    checks.equal("GET /v1/incidents: three crashes are one incident", [(one["reason"], one["repeats"]) for one in incidents],
                 [("segmentation_fault", 2)])
    checks.equal("the log names that incident", in_log["incident_id"], incidents[0]["incident_id"])
    checks.equal("varde incidents list says the same", place.json_lines("incidents", "list", "--rule", "segfaults"), incidents)
    # Functions get their names when an incident is shown, so it is shown before it is read.
    shown = place.json_lines("incidents", "show", in_log["incident_id"][:8])
    whole = place.host.request("GET", f"/v1/incidents/{in_log['incident_id']}")[2]
    checks.equal("varde incidents show, by the beginning of its id", shown, [whole])
    checks.check("it knows plugin and window", whole["plugin"]["path"].endswith("segfaults.so") and "window" in whole, whole)
    status, text = place.varde("incidents", "show", in_log["incident_id"])
    checks.check("and in words", status == 0 and "segmentation_fault" in text and "segfaults.so" in text, text)
    checks.equal("an incident that is not there", place.varde("incidents", "show", "ffffffff")[0], 1)


def taken_out_and_back(build, folder, checks):
    place = Place(build, folder, ("segfaults", "healthy"), longest=300)
    host = place.host.start()
    try:
        place.post("first", "default", "off", 5)
        quarantined = place.wait_for_quarantine("segfaults")
        crashes = [error for error in place.failures("segfaults") if error["reason"] == "segmentation_fault"]
        checks.equal("it is out of service after three crashes", len(crashes), 3)
        checks.equal("the last one says what was done", crashes[-1]["breaker"]["state"], "quarantined")
        checks.equal("nothing in it was cut by the log", "<truncated>" in json.dumps(crashes), False)
        seen_everywhere(place, checks)
        mark = host.mark()
        place.wait_for("scheduler_rule_result", "healthy", since=mark)
        not_asked = place.wait_for("scheduler_rule_error", "segfaults", since=mark)["error"]
        checks.equal("it is not asked any more", not_asked["reason"], "quarantined")
        words = ("out of service since", "segmentation_fault", "varde rules release segfaults")
        checks.check("and says why, until when and what to do", all(word in not_asked["message"] for word in words), not_asked)

        checks.equal("the host stops cleanly", host.stop(), 0)
        mark = host.mark()
        host.start()
        place.wait_for("scheduler_run_end", since=mark)
        place.wait_for("scheduler_rule_error", "segfaults", since=mark)
        reasons = {error["reason"] for error in place.failures("segfaults", mark)}
        checks.equal("after a restart it is still out of service", reasons, {"quarantined"})
        checks.equal("until the same time", place.json_lines("rules", "list")[1]["breaker"]["until"], quarantined["until"])

        mark = host.mark()
        status, text = place.varde("rules", "release", "segfaults")
        checks.check("varde rules release", status == 0 and "released" in text, text)
        back = place.wait_for("rule_back_in_service", "segfaults", since=mark)
        checks.equal("a running host notices", back["why"], "released")
        place.wait_for_quarantine("segfaults", mark)
        checks.equal("it was asked again, and fell again",
                     len([e for e in place.failures("segfaults", mark) if e["reason"] == "segmentation_fault"]), 3)
        checks.equal("a rule that is not out of service", place.varde("rules", "release", "healthy")[0], 0)
        checks.equal("a rule that is not there", place.varde("rules", "release", "R-999")[0], 1)

        mark = host.mark()
        status, _, body = host.request("POST", "/v1/rules/segfaults/release", {})
        checks.equal("POST /v1/rules/segfaults/release", (status, body), (200, {"rule_id": "segfaults", "released": True}))
        checks.equal("it is back", place.wait_for("rule_back_in_service", "segfaults", since=mark)["why"], "released")
        place.wait_for_quarantine("segfaults", mark)

        mark = host.mark()
        place.varde("rules", "disable", "segfaults")
        checks.equal("switching it releases it", place.wait_for("rule_back_in_service", "segfaults", since=mark)["why"], "switched")
        mark = host.mark()
        place.varde("rules", "enable", "segfaults")
        place.wait_for_quarantine("segfaults", mark)

        mark = host.mark()
        other = folder / "other.so"  # the same code in another file
        other.write_bytes((place.plugins / "segfaults.so").read_bytes() + b"\n")
        other.rename(place.plugins / "segfaults.so")
        back = place.wait_for("rule_back_in_service", "segfaults", since=mark)
        checks.equal("another plugin file starts healthy", back["why"], "another plugin file")
        checks.equal("the host answers", host.request("GET", "/health")[0], 200)
        checks.equal("the host stops cleanly again", host.stop(), 0)
    finally:
        host.stop()


def probed(build, folder, checks):
    """One home of two makes the rule crash until its event has left the window of a minute."""
    place = Place(build, folder, ("sometimes_crashes",), longest=2)
    host = place.host.start()
    try:
        place.post("calm", "home-b", "off", 5)
        place.post("crash", "home-a", "on", 45)
        place.wait_for_quarantine("sometimes_crashes")
        lost = [error for error in place.failures("sometimes_crashes") if error["reason"] == "segmentation_fault"]
        checks.equal("one home of two takes the rule out with its fifth lost worker", len(lost), 5)
        place.wait_for("rule_probing", "sometimes_crashes")
        back = place.wait_for("rule_back_in_service", "sometimes_crashes", why="its probes were sound")
        checks.check("sound probes bring it back", back["sha256"])
        mark = host.mark()
        place.wait_for("scheduler_run_end", since=mark)
        end = place.wait_for("scheduler_run_end", since=host.mark())
        checks.equal("its answers are used again", end["counts"]["rules_ok"], 2)
        checks.equal("the host is well", host.request("GET", "/health/detail")[2]["overall_status"], "OK")
    finally:
        host.stop()


def main():
    build = pathlib.Path(sys.argv[1]).resolve()
    checks = Checks()
    with tempfile.TemporaryDirectory(prefix="varde-quarantine-") as name:
        for scenario in (taken_out_and_back, probed):
            folder = pathlib.Path(name) / scenario.__name__
            folder.mkdir()
            try:
                scenario(build, folder, checks)
            except (HostFailed, subprocess.TimeoutExpired) as error:
                checks.check(f"{scenario.__name__}: the host does what is waited for", False, error)
                print((folder / "host.log").read_text(encoding="utf-8", errors="replace")[-4000:])
    return checks.finish()


if __name__ == "__main__":
    sys.exit(main())
