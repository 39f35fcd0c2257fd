#!/usr/bin/env python3
"""The reference's curl examples and the rules' scenario files, over HTTP against `varde serve` on a temporary SQLite database.

    scenario_http.py BUILD_FOLDER
"""
import datetime
import pathlib
import sys
import tempfile

import yaml

import scenario_runner
from host_process import ROOT, Checks, Host, HostFailed, know_home

# Word for word the body of the reference's runbook.
EVENT = {"id": "00000000-0000-0000-0000-000000000001", "timestamp": "2025-12-23T12:00:00Z", "category": "motion",
         "payload": {"state": "on"}}
WINDOW = "since=2025-12-23T00:00:00Z&until=2025-12-23T06:00:00Z"


def detail_of(body):
    return body.get("detail", "") if isinstance(body, dict) else ""


def check_events(host, checks):
    status, _, body = host.request("GET", "/health")
    checks.check("GET /health answers ok", status == 200 and body.get("status") == "ok", (status, body))
    for repeat in (False, True):
        status, headers, body = host.request("POST", "/event", EVENT)
        checks.equal(f"POST /event, {'again' if repeat else 'new'}", (status, body), (200, {"received": True, "deduped": repeat}))
    checks.check("a path without /v1 says that it is deprecated", "deprecation" in headers and "/v1/event" in headers.get("link", ""),
                 headers)
    status, headers, body = host.request("POST", "/v1/event", EVENT)
    checks.check("POST /v1/event is the same route", status == 200 and body.get("deduped") is True, (status, body))
    checks.check("a path with /v1 is not deprecated", "deprecation" not in headers, headers)
    status, _, body = host.request("GET", "/events?category=motion")
    got = [(item["id"], item["category"], item["payload"]) for item in body] if status == 200 else body
    checks.equal("GET /events lists it", got, [(EVENT["id"], "motion", {"state": "on"})])
    for name, change in (("a naive timestamp", {"timestamp": "2025-12-23T12:00:00"}), ("an empty id", {"id": " "}),
                         ("an impossible date", {"timestamp": "2025-04-31T12:00:00Z"}), ("a payload that is no object", {"payload": 1})):
        status, headers, body = host.request("POST", "/event", {**EVENT, **change})
        field = next(iter(change))
        named = isinstance(body, dict) and field in f"{body.get('field')} {detail_of(body)}"
        checks.check(f"{name} is refused and {field} is named", status in (400, 422) and named, (status, body))
    checks.check("errors are application/problem+json", headers.get("content-type", "").startswith("application/problem+json"), headers)


def check_evaluate(host, checks):
    status, _, body = host.request("GET", f"/deviations/evaluate?{WINDOW}")
    found = [item for item in body if item["rule_id"] == "R-001"] if status == 200 else []
    checks.check("GET /deviations/evaluate finds R-001 in a window without motion", len(found) == 1, (status, body))
    if found:
        checks.check("its evidence is an object and its window the one asked for",
                     isinstance(found[0]["evidence"], dict) and found[0]["window"]["since"].startswith("2025-12-23T00:00:00"), found[0])
    status, _, body = host.request("GET", "/deviations/evaluate?since=2025-12-23T00:00:00&until=2025-12-23T06:00:00Z")
    checks.check("a naive since is a 400 that names it", status == 400 and "since" in str(detail_of(body)), (status, body))
    status, _, body = host.request("GET", "/v1/deviations/evaluate?since=2025-12-23T00:00:00Z")
    checks.check("a missing until is refused and named", status in (400, 422) and "until" in str(detail_of(body)), (status, body))


def check_deviations(host, checks):
    host.wait_for(lambda e: e.get("event") == "scheduler_run_end" and e.get("counts", {}).get("deviations_upserted", 0) > 0)
    status, _, rows = host.request("GET", "/deviations?status=OPEN")
    open_rows = [row for row in rows if row["rule_id"] == "R-001"] if status == 200 else []
    if not checks.check("the scheduler's R-001 is listed as OPEN", len(open_rows) == 1, (status, rows)):
        return
    deviation = open_rows[0]["deviation_id"]
    for target, wanted in (("ACK", 200), ("OPEN", 409), ("CLOSED", 200), ("ACK", 409)):
        status, _, body = host.request("PATCH", f"/deviations/{deviation}", {"status": target})
        right = status == wanted and (wanted != 200 or body["status"] == target)
        checks.check(f"PATCH to {target} answers {wanted}", right, (status, body))
    status, _, body = host.request("PATCH", f"/deviations/{deviation}", {"status": "GONE"})
    checks.equal("PATCH with an unknown status answers 400", status, 400)
    status, _, body = host.request("PATCH", "/deviations/999999", {"status": "ACK"})
    checks.equal("PATCH of an unknown deviation", (status, detail_of(body)), (404, "Deviation not found"))
    status, _, body = host.request("GET", "/deviations?status=closed")
    checks.check("an unknown status filter is refused", status in (400, 422), (status, body))


def check_rules(host, checks):
    status, _, rules = host.request("GET", "/rules")
    ids = [rule["rule_id"] for rule in rules] if status == 200 else rules
    checks.check("GET /rules lists R-001, R-002 and R-003 in order",
                 isinstance(ids, list) and [i for i in ids if i in ("R-001", "R-002", "R-003")] == ["R-001", "R-002", "R-003"], ids)
    row = next((rule for rule in rules if rule["rule_id"] == "R-001"), {})
    status, _, body = host.request("PATCH", f"/rules/{row.get('id')}", {"is_enabled": False})
    checks.check("PATCH /rules switches a rule off", status == 200 and body.get("is_enabled") is False, (status, body))
    status, _, body = host.request("PATCH", "/rules/999999", {"is_enabled": False})
    checks.equal("PATCH of an unknown rule", (status, detail_of(body)), (404, "Rule not found"))
    status, _, body = host.request("GET", "/no/such/path")
    checks.equal("an unknown path answers 404", status, 404)


def check_health_detail(host, checks):
    def ingest():
        status, _, body = host.request("GET", "/health/detail")
        checks.check("GET /health/detail answers with the reference's words",
                     status == 200 and body["overall_status"] in ("OK", "DEGRADED", "ERROR") and isinstance(body["reasons"], list), body)
        return body["components"]["ingest"], body

    found, body = ingest()
    checks.equal("events of last year are a lag", (found["max_event_ts"], found["status"]), (EVENT["timestamp"], "ERROR"))
    checks.check("which is said and is no error of the host", body["overall_status"] == "DEGRADED" and any(
        "the newest is of 2025-12-23T12:00:00Z" in reason for reason in body["reasons"]), body["reasons"])
    checks.equal("no category has an event of the last 24 hours", found["by_category"], [])
    now = datetime.datetime.now(datetime.timezone.utc)
    for number, minutes in enumerate((90, 1)):
        at = now - datetime.timedelta(minutes=minutes)
        host.request("POST", "/event", {"id": f"health-{number}", "timestamp": at.isoformat(), "category": "heartbeat"})
    found, _ = ingest()
    checks.check("a recent event ends the lag", found["status"] == "OK" and 60 <= found["lag_seconds"] < 120, found)
    row = found["by_category"][0] if found["by_category"] else {}
    checks.check("its category has a count and a lag", (row.get("category"), row.get("n_24h")) == ("heartbeat", 2) and
                 row["max_ts_24h"] == found["max_event_ts"] and row["lag_seconds"] == found["lag_seconds"], found)


def for_all_rules(file):
    """The scenario; one of a rule's own speaks of that rule alone, but here every rule of rules.yaml judges its events."""
    scenario = scenario_runner.load(file)
    if file.parent.parent.parent == ROOT / "plugins":
        own = file.parent.parent.name
        rules = yaml.safe_load((ROOT / "config/rules.yaml").read_text(encoding="utf-8"))["rules"]
        scenario["expect"]["ignore_extra_rule_ids"] = [rule for rule in rules if rule != own]
    return scenario


def check_scenarios(build, folder, checks):
    files = sorted(ROOT.glob("plugins/*/tests/*.yaml")) + sorted(ROOT.glob("examples/scenarios/*.yaml"))
    checks.check("there are at least five scenario files", len(files) >= 5, len(files))
    for number, file in enumerate(files):
        scenario_folder = folder / f"scenario_{number}"
        scenario_folder.mkdir()
        database = f"sqlite:{scenario_folder}/varde.db"
        config = know_home(build, scenario_folder, database)
        host = Host(build, scenario_folder, database, scheduler=False, config=config).start()
        try:
            problems = scenario_runner.run(f"http://127.0.0.1:{host.port}", for_all_rules(file))
        except (scenario_runner.ScenarioError, yaml.YAMLError) as error:
            problems = [str(error)]
        finally:
            host.stop()
        checks.check(f"scenario {file.relative_to(ROOT)}", not problems, "\n        " + "\n        ".join(problems))


def main():
    build = pathlib.Path(sys.argv[1]).resolve()
    checks = Checks()
    with tempfile.TemporaryDirectory(prefix="varde-scenarios-") as name:
        folder = pathlib.Path(name)
        database = f"sqlite:{folder}/varde.db"
        host = Host(build, folder, database, interval_ms=500, config=know_home(build, folder, database)).start()
        try:
            check_events(host, checks)
            check_evaluate(host, checks)
            check_deviations(host, checks)
            check_rules(host, checks)
            check_health_detail(host, checks)
        except (HostFailed, OSError) as error:
            checks.check("the host answers", False, error)
        finally:
            checks.equal("the host stops cleanly", host.stop(), 0)
        check_scenarios(build, folder, checks)
    return checks.finish()


if __name__ == "__main__":
    sys.exit(main())
