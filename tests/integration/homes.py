#!/usr/bin/env python3
"""Homes with settings of their own (`homes:` in rules.yaml): night is local to the home, a rule is off or on trial in one home alone.

    homes.py BUILD_FOLDER
"""
import datetime
import json
import pathlib
import subprocess
import sys
import tempfile

from host_process import ROOT, Checks, Host, HostFailed

NOW = datetime.datetime.now(datetime.timezone.utc).replace(microsecond=0)
DOOR_AT = NOW - datetime.timedelta(minutes=30)


def zone_where_it_is(hour):
    """A zone whose clock showed this hour when the door was opened. Etc/GMT+5 is five hours west."""
    east = (hour - DOOR_AT.hour + 12) % 24 - 12
    return f"Etc/GMT{-east:+d}" if east else "Etc/GMT"


NIGHT, DAY = zone_where_it_is(2), zone_where_it_is(12)
RULES = f"""rules:
  R-002:
    enabled_in_scheduler: true
    lookback_minutes: 120
    params: {{timezone: {DAY}, allowed_entity_ids: []}}
homes:
  - home_id: west
    timezone: {NIGHT}
  - home_id: trial
    timezone: {NIGHT}
    monitor_mode: "TEST"
  - home_id: without
    timezone: {NIGHT}
    rules:
      R-002: {{enabled_in_scheduler: false}}
  - subject_id: guest
    rules:
      R-002: {{lookback_minutes: 10}}
"""
HOMES = {"plain": False, "west": True, "trial": True, "without": False}


def door(host, home, subject="default"):
    status, _, answer = host.request("POST", "/event", {
        "id": f"door-{home}-{subject}", "timestamp": DOOR_AT.isoformat().replace("+00:00", "Z"), "category": "door", "home_id": home,
        "subject_id": subject, "payload": {"state": "open", "entity_id": "binary_sensor.front"}})
    if status != 200:
        raise HostFailed(f"POST /event answered {status}: {answer}")


def after_run(host):
    mark = host.mark()
    begun = host.wait_for(lambda e: e.get("event") == "scheduler_run_start", since=mark)
    host.wait_for(lambda e: e.get("event") == "scheduler_run_end" and e.get("run_id") == begun["run_id"], since=mark)


def decision(host, home, subject="default"):
    rows = host.request("GET", f"/v1/decisions?rule_id=R-002&home_id={home}&subject_id={subject}")[2]
    return rows[0]["outcome"], rows[0]["reason"]


def check_runs(host, checks):
    for home in HOMES:
        door(host, home)
    door(host, "west", "guest")
    after_run(host)
    rows = host.request("GET", "/deviations")[2]
    found = {row["home_id"]: row for row in rows}
    checks.equal("the door is an alarm where it was night", sorted(found), sorted(home for home, met in HOMES.items() if met))
    checks.equal("and one that is marked in the home on trial", {home: row["evidence"].get("_monitor_mode") for home, row in found.items()},
                 {"west": None, "trial": "TEST"})
    checks.equal("where it was day, nothing", decision(host, "plain")[0], "not_met")
    checks.equal("where the rule is off, that is on record", decision(host, "without"),
                 ("skipped", "switched off for this home in rules.yaml"))
    checks.equal("a subject's shorter window does not reach the door", decision(host, "west", "guest")[0], "not_met")


def check_evaluate(host, checks):
    window = f"since={(NOW - datetime.timedelta(hours=2)).strftime('%Y-%m-%dT%H:%M:%SZ')}&until={NOW.strftime('%Y-%m-%dT%H:%M:%SZ')}"
    for home, met in (("plain", False), ("west", True)):
        answers = host.request("GET", f"/deviations/evaluate?{window}&home_id={home}")[2]
        checks.equal(f"an evaluation on request uses the params of the home ({home})", len(answers) > 0, met)


def check_edits(host, rules, checks):
    mark = host.mark()
    rules.write_text(RULES.replace("subject_id: guest", "subject_id: guest\n    timezone: Europe/Bergen"), encoding="utf-8")
    rejected = host.wait_for(lambda e: e.get("event") == "config_rejected", since=mark)
    checks.check("a zone that does not exist is refused with its place", f"{rules}:17:15: homes[3].timezone: 'Europe/Bergen'" in
                 rejected["error"]["message"], rejected)
    mark = host.mark()
    rules.write_text(RULES.replace("lookback_minutes: 10", "params: {night_window: {start_local_time: \"now\"}}"), encoding="utf-8")
    rejected = host.wait_for(lambda e: e.get("event") == "config_rejected", since=mark)
    checks.check("so are params that do not fit the rule", "homes[3].rules.R-002.params.night_window.start_local_time" in
                 rejected["error"]["message"], rejected)
    mark = host.mark()
    rules.write_text(RULES.replace(f"home_id: west\n    timezone: {NIGHT}", f"home_id: west\n    timezone: {DAY}"), encoding="utf-8")
    host.wait_for(lambda e: e.get("event") == "config_reloaded", since=mark)
    after_run(host)
    checks.equal("a good edit is in force at the next run", decision(host, "west")[0], "not_met")


def check_commands(build, folder, database, checks):
    def varde(*arguments):
        done = subprocess.run([build / "bin/varde", "--plugins", build / "plugins", "--rules", folder / "rules.yaml",
                               "--database", database, *arguments], cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
        return done.returncode, done.stdout, done.stderr
    (folder / "rules.yaml").write_text(RULES, encoding="utf-8")
    status, out, error = varde("check")
    checks.check("varde check takes the file", status == 0 and "4 entries of homes:" in out, (status, out, error))
    told = json.loads(varde("--json", "explain", "R-002", "--home", "trial")[1])
    checks.equal("varde explain tells the params and mode of the home", (told["params"]["timezone"], told["monitor_mode"]),
                 (NIGHT, "TEST"))
    told = json.loads(varde("--json", "explain", "R-002", "--home", "without")[1])
    checks.equal("and that the rule is off there", told["enabled_in_scheduler"], False)
    checks.equal("it is asked with these params all the same", told["asked_again"]["outcome"], "met")


def main():
    build = pathlib.Path(sys.argv[1]).resolve()
    checks = Checks()
    with tempfile.TemporaryDirectory(prefix="varde-homes-") as name:
        folder = pathlib.Path(name)
        rules, database = folder / "rules.yaml", f"sqlite:{folder}/varde.db"
        rules.write_text(RULES, encoding="utf-8")
        host = Host(build, folder, database, rules=rules, interval_ms=300)
        try:
            host.start()
            check_runs(host, checks)
            check_evaluate(host, checks)
            check_edits(host, rules, checks)
        except (HostFailed, OSError, LookupError, TypeError) as error:
            checks.check("the host answers", False, repr(error))
        finally:
            checks.equal("the host stops cleanly", host.stop(), 0)
        check_commands(build, folder, database, checks)
    return checks.finish()


if __name__ == "__main__":
    sys.exit(main())
