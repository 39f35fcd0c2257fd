#!/usr/bin/env python3
"""A home becomes known: its rules are gated and say so, then the host's own baseline job makes it ready; modes per rule survive a restart.

    gating.py BUILD_FOLDER      on SQLite, and on the PostgreSQL of VARDE_TEST_POSTGRES_URL if there is one
"""
import datetime
import json
import os
import pathlib
import subprocess
import sys
import tempfile

from host_process import ROOT, Checks, Host, HostFailed

NOW = datetime.datetime.now(datetime.timezone.utc).replace(microsecond=0)
RULES = """rules:
  R-001: {enabled_in_scheduler: true, evaluation_mode: baseline_dependent, min_days_with_data: 3,
          params: {motion_categories: [motion]}}
  R-003: {enabled_in_scheduler: true}
"""


def text(at):
    return at.isoformat().replace("+00:00", "Z")


def history():
    """Five days on which somebody is in the living room at noon, the last of them two days ago or more: no motion in the last hour."""
    for days in range(2, 7):
        at = (NOW - datetime.timedelta(days=days)).replace(hour=12, minute=0, second=0)
        yield {"id": f"noon-{days}", "timestamp": text(at), "category": "motion", "payload": {"state": "on", "room": "stue"}}


def window():
    return f"since={text(NOW - datetime.timedelta(hours=1))}&until={text(NOW)}"


def result_of(host, rule, since, **wanted):
    """The next scheduler_rule_result of a rule that has these fields; returns once its run is committed."""
    told = host.wait_for(lambda e: e.get("event") == "scheduler_rule_result" and e.get("rule_id") == rule
                         and all(e.get(key) == value for key, value in wanted.items()), since=since)
    host.wait_for(lambda e: e.get("event") == "scheduler_run_end" and e.get("run_id") == told["run_id"], since=since)
    return told


def truth_of(host, rule):
    truths = host.request("GET", "/v1/rules/evaluation-truth")[2]["rules"]
    return next(truth for truth in truths if truth["rule_id"] == rule)


def check_unknown_home(host, checks):
    mark = host.mark()
    host.request("POST", "/event", {"id": "first", "timestamp": text(NOW - datetime.timedelta(days=30)), "category": "door"})
    told = result_of(host, "R-001", mark, outcome="gated")
    checks.check("a run says which rule it did not ask, and why", told["gating_reason"].startswith("baseline_") and
                 told["counts"]["deviations_upserted"] == 0, told)
    end = host.wait_for(lambda e: e.get("event") == "scheduler_run_end" and e.get("rules_gated") == 1, since=mark)
    checks.equal("and how many", end["counts"]["rules_total"], 2)
    status, headers, body = host.request("GET", f"/v1/deviations/evaluate?{window()}")
    checks.equal("evaluate names it in a header", (status, headers.get("x-varde-rules-gated", "").partition("=")[0], body),
                 (200, "R-001", []))
    truth = truth_of(host, "R-001")
    checks.check("so does evaluation-truth", truth["evaluation_truth"] in ("NOT_EVALUATED", "WEAK_BASIS"), truth)
    checks.equal("a rule that needs no baseline is asked", truth_of(host, "R-003")["evaluation_truth"], "FULLY_EVALUATED")


def check_known_home(host, checks):
    mark = host.mark()
    told = result_of(host, "R-001", mark, outcome="met")
    checks.equal("R-001 is asked and finds something", told["counts"]["deviations_upserted"], 1)
    truth = truth_of(host, "R-001")
    checks.equal("on five days of data", (truth["evaluation_truth"], truth["days_with_data"], truth["coverage_room_bucket"]),
                 ("FULLY_EVALUATED", 5, 1.0))
    rows = host.request("GET", "/v1/deviations?rule_id=R-001")[2]
    checks.equal("the evidence says so", (rows[0]["evidence"]["baseline_ready"], rows[0]["evidence"]["days_with_data"]), (True, 5))
    headers = host.request("GET", f"/v1/deviations/evaluate?{window()}")[1]
    checks.check("evaluate gates nothing", "x-varde-rules-gated" not in headers, headers)


def check_modes(host, checks):
    status, _, body = host.request("POST", "/v1/monitor_modes", {"monitor_key": "R-001", "mode": "test"})
    checks.equal("POST /v1/monitor_modes", (status, body["mode"], body["known_rule"]), (200, "TEST", True))
    result_of(host, "R-001", host.mark(), monitor_mode="TEST")
    row = host.request("GET", "/v1/deviations?rule_id=R-001")[2][0]
    checks.equal("TEST marks the deviation", row["evidence"].get("_monitor_mode"), "TEST")
    host.request("POST", "/monitor_modes", {"monitor_key": "R-001", "mode": "OFF"})


def check_after_restart(host, varde, mark, checks):
    rows = host.request("GET", "/monitor_modes")[2]["rows"]
    checks.equal("OFF is still set", [(row["monitor_key"], row["mode"]) for row in rows], [("R-001", "OFF")])
    told = result_of(host, "R-001", mark, monitor_mode="OFF", outcome="met")
    checks.equal("the rule is asked, and what it finds is dropped", told["counts"]["deviations_upserted"], 0)
    listed = [json.loads(line) for line in varde("--json", "modes", "list").splitlines()]
    checks.equal("varde modes list", [row["mode"] for row in listed], ["OFF"])
    varde("modes", "set", "R-001", "ON")
    told = result_of(host, "R-001", host.mark(), counts={"evaluated": 1, "deviations_upserted": 1, "deviations_closed": 0})
    checks.check("after varde modes set ON it is kept again", "monitor_mode" not in told, told)
    baselines = [json.loads(line) for line in varde("--json", "baseline", "compute").splitlines()]
    checks.equal("varde baseline compute", [(row["baseline_ready"], row["days_with_data"]) for row in baselines], [(True, 5)])


def check_database(build, folder, database, checks):
    folder.mkdir()
    (folder / "rules.yaml").write_text(RULES, encoding="utf-8")
    host = Host(build, folder, database, rules=folder / "rules.yaml", interval_ms=300)
    environment = {key: value for key, value in os.environ.items() if key != "DATABASE_URL"}

    def varde(*arguments):
        return subprocess.run([build / "bin/varde", "--database", database, *arguments], cwd=ROOT, env=environment, check=True,
                              capture_output=True, text=True).stdout

    try:
        host.start()
        check_unknown_home(host, checks)
        checks.equal("history is stored", host.request("POST", "/v1/events", list(history()))[2]["accepted"], 5)
        host.stop()
        mark = host.mark()
        host.start()  # the first round of the job is at start
        changed = host.wait_for(lambda e: e.get("event") == "baseline_changed" and e.get("ready"), since=mark)
        checks.equal("the host counts the home by itself", changed["days_with_data"], 5)
        check_known_home(host, checks)
        check_modes(host, checks)
        host.stop()
        mark = host.mark()
        host.start()
        check_after_restart(host, varde, mark, checks)
    except (HostFailed, OSError, subprocess.SubprocessError, LookupError) as error:
        checks.check("the host answers", False, error)
    finally:
        checks.equal("the host stops cleanly", host.stop(), 0)


def main():
    build = pathlib.Path(sys.argv[1]).resolve()
    checks = Checks()
    with tempfile.TemporaryDirectory(prefix="varde-gating-") as name:
        folder = pathlib.Path(name)
        check_database(build, folder / "sqlite", f"sqlite:{folder}/varde.db", checks)
        if postgres := os.environ.get("VARDE_TEST_POSTGRES_URL"):
            check_database(build, folder / "postgresql", postgres, checks)
        else:
            checks.skip("the same on PostgreSQL", "VARDE_TEST_POSTGRES_URL is not set")
    return checks.finish()


if __name__ == "__main__":
    sys.exit(main())
