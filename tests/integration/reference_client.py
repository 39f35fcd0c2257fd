#!/usr/bin/env python3
"""What clients of the reference send, as they send it: the curl lines of its documents and of its smoke test, and its scenarios.

    reference_client.py BUILD_FOLDER

The reference does not meet all of them itself, with its rules.yaml and its newest scripts. These are asked in the form that holds:
smoke 6 wants `evidence` of length 0 for R-001 (evidence is an object with the gating's keys; its `event_ids` are empty) and no deviation
at 10:00:01 (the motion at 10:00:00 is no longer posted; it is here, as first it was); smoke 8 wants R-003 for a door named `inngangsdor`
(R-003's parameter says `front`); sc_r003_front_door_open wants "ingen bevegelse" where the rule says "ingen aktivitet".
"""
import datetime
import json
import pathlib
import shutil
import subprocess
import sys
import tempfile

import scenario_runner
from host_process import ROOT, Checks, Host, HostFailed, know_home

DAY = "2025-12-15T"
JSON = ["-H", "Content-Type: application/json"]


class Curl:
    """curl as the reference's documents call it, against `base`; `key` is a token's secret or empty."""

    def __init__(self, base, key):
        self.base = base
        self.header = ["-H", f"X-API-Key: {key}"] if key else []

    def __call__(self, path, *options, body=None):
        """(status, body as JSON or text)"""
        done = subprocess.run(["curl", "-sS", *self.header, *options, "-w", "\n%{http_code}", self.base + path], input=body, check=True,
                              capture_output=True, text=True, timeout=60)
        text, _, status = done.stdout.rpartition("\n")
        try:
            return int(status), json.loads(text)
        except ValueError:
            return int(status), text

    def post(self, body):
        return self("/event", "-X", "POST", *JSON, "-d", body if isinstance(body, str) else json.dumps(body))


def event(event_id, timestamp, category, **payload):
    return {"id": event_id, "timestamp": timestamp, "category": category, "payload": payload}


def uuid(tail):
    return f"00000000-0000-0000-0000-{tail:012}"


def check_documents(curl, checks):
    """docs/api/http-api.md, README.md, the runbooks and the list of claims."""
    new, again = (200, {"received": True, "deduped": False}), (200, {"received": True, "deduped": True})
    checks.equal("GET /health", curl("/health"), (200, {"status": "ok"}))
    hall = ('{"id":"00000000-0000-0000-0000-000000000001","timestamp":"2025-12-30T12:00:00Z","category":"motion",'
            '"payload":{"state":"on","room":"hall"}}')
    checks.equal("POST /event of http-api.md", curl.post(hall), new)
    spaced = ('{\n    "id": "00000000-0000-0000-0000-000000000001",\n    "timestamp": "2025-12-23T12:00:00Z",\n'
              '    "category": "motion",\n    "payload": {"state": "on"}\n  }')
    checks.equal("POST /event of the runbook has the same id", curl.post(spaced), again)
    status, body = curl("/events?category=motion&limit=10")
    checks.equal("GET /events?category=motion&limit=10", (status, [set(row) >= {"id", "timestamp", "category", "payload"} for row in body],
                 body[0]["payload"]), (200, [True], {"state": "on", "room": "hall"}))
    checks.equal("an aware timestamp and an empty payload", curl.post(event("11111111-1111-1111-1111-111111111111",
                 "2025-12-22T10:00:00Z", "motion")), new)
    status, body = curl.post(event("22222222-2222-2222-2222-222222222222", "2025-12-22T10:00:00", "motion"))
    checks.check("a naive timestamp is a 422 that names it", status == 422 and "timestamp" in json.dumps(body), (status, body))
    now = datetime.datetime.now(datetime.timezone.utc).strftime("%Y%m%dT%H%M%SZ")
    body = {**event(f"ci-pre-smoke-{now}", "2025-12-22T11:00:00Z", "motion"),
            "payload": {"entity_id": "binary_sensor.ci_motion", "room": "default", "state": "on"}}
    checks.equal("POST /event of the CI, without -X POST", curl("/event", *JSON, "-d", json.dumps(body)), new)
    for path in ("/deviations", "/deviations?status=OPEN&subject_key=default&limit=50"):
        status, body = curl(path)
        checks.check(f"GET {path}", status == 200 and isinstance(body, list), (status, body))
    status, body = curl("/deviations/evaluate?since=2025-12-23T10:00:00Z&until=2025-12-23T11:00:00Z")
    found = [row for row in body if row["rule_id"] == "R-001"] if status == 200 else body
    wanted = {"deviation_id", "rule_id", "timestamp", "severity", "title", "explanation", "evidence", "window"}
    checks.check("GET /deviations/evaluate has R-001 with all its keys", len(found) == 1 and wanted <= set(found[0]), (status, body))
    status, body = curl("/debug/scope")
    checks.check("GET /debug/scope", status == 200 and set(body) == {"org_id", "home_id", "subject_id", "role", "user_id"}, (status, body))
    status, body = curl("/health/detail")
    ingest = body["components"]["ingest"] if status == 200 else {}
    wanted = {"status", "max_event_ts", "lag_seconds", "thresholds", "by_category", "room_id_completeness_24h"}
    checks.check("GET /health/detail has what the runbook interprets", wanted <= set(ingest) and
                 set(ingest["thresholds"]) == {"degraded_seconds", "error_seconds"}, (status, body))


def check_smoke(curl, checks):
    """examples/scripts/smoke_test.sh, step by step."""
    now = datetime.datetime.now(datetime.timezone.utc).replace(microsecond=0)
    recent = event("5e6f0a52-31f3-4e5a-9c87-0c1f0a8f9f10", now.isoformat().replace("+00:00", "Z"), "motion", state="on", smoke=True)
    status, body = curl("/event", "-X", "POST", *JSON, "--data-binary", "@-", body=json.dumps(recent, indent=2) + "\n")
    checks.equal("smoke 2: POST /event from standard input", (status, body), (200, {"received": True, "deduped": False}))
    around = "&".join(f"{name}={(now + datetime.timedelta(minutes=minutes)).strftime('%Y-%m-%dT%H:%M:%SZ')}"
                      for name, minutes in (("since", -10), ("until", 10)))
    for step, path in ((3, "/events?limit=10"), (4, "/events?category=motion&limit=10"), (5, f"/events?{around}&limit=10")):
        checks.check(f"smoke {step}: GET /events finds it", recent["id"] in json.dumps(curl(path)[1]))
    posted = [event(uuid(1001), f"{DAY}10:00:00Z", "motion", state="on", smoke=True),
              event(uuid(110), f"{DAY}02:00:00Z", "door", state="open", door="front", smoke=True),
              event(uuid(111), f"{DAY}01:30:00Z", "motion", state="on", smoke=True),
              event(uuid(211), f"{DAY}14:15:00Z", "motion", state="on", smoke=True),
              event(uuid(300), f"{DAY}13:55:00Z", "motion", state="on", smoke=True, note="r003_pre_motion"),
              event(uuid(301), f"{DAY}14:00:00Z", "door", state="open", door="front", smoke=True, note="r003_front_open")]
    checks.equal("smoke: its events are taken", [curl.post(body)[0] for body in posted], [200] * len(posted))

    def found(since, until):
        status, body = curl(f"/deviations/evaluate?since={DAY}{since}Z&until={DAY}{until}Z")
        checks.equal(f"smoke: evaluate {since} to {until}", status, 200)
        return body

    before, after = found("08:00:00", "10:00:00"), found("08:00:00", "10:00:01")
    checks.equal("smoke 6: until is exclusive", ([row["rule_id"] for row in before], after), (["R-001"], []))
    checks.equal("smoke 6: R-001 has no event as evidence", before[0]["evidence"]["event_ids"], [])
    night = [row["rule_id"] for row in found("01:00:00", "03:00:00")]
    checks.check("smoke 7: R-002 at night, and not R-001", "R-002" in night and "R-001" not in night, night)
    checks.equal("smoke 8: only R-003 by day", [row["rule_id"] for row in found("13:50:00", "14:20:00")], ["R-003"])


def scenario(name, events, since, until, *deviations, exact=False):
    window = {"since": since, "until": until}
    return {"id": name, "events": events, "evaluate": window, "expect": {
        "pass_condition": "exact" if exact else "contains", "deviations": [{**one, "window": window} for one in deviations]}}


def scenarios():
    """docs/testing/scenarios of the reference."""
    day = "2025-12-23T"
    front = event("33333333-3333-3333-3333-333333333333", f"{day}12:00:00Z", "door", name="front", state="open")
    return [
        scenario("sc_empty_no_devs", [event("11111111-1111-1111-1111-111111111111", "2025-12-31T10:02:00Z", "motion")],
                 f"{day}10:00:00Z", "2025-12-31T10:05:00Z", exact=True),
        scenario("sc_r001_no_motion", [], f"{day}10:00:00Z", f"{day}10:05:00Z",
                 {"rule_id": "R-001", "severity": "MEDIUM", "title": "Ingen bevegelse registrert i valgt tidsvindu",
                  "evidence_contains": []}),
        scenario("sc_r002_door_open_at_night",
                 [event("aaaaaaaa-aaaa-aaaa-aaaa-aaaaaaaaaaaa", f"{day}23:10:00Z", "motion"),
                  event("22222222-2222-2222-2222-222222222222", f"{day}23:30:00Z", "door", state="open")],
                 f"{day}23:00:00Z", "2025-12-24T00:00:00Z",
                 {"rule_id": "R-002", "severity": "HIGH", "title": "Ytterdør åpnet på natt", "explanation_contains": "ytterdør"}),
        scenario("sc_r002_no_trigger_daytime",
                 [event("66666666-6666-6666-6666-666666666666", f"{day}12:01:00Z", "motion"),
                  event("77777777-7777-7777-7777-777777777777", f"{day}12:02:00Z", "door", state="open")],
                 f"{day}12:00:00Z", f"{day}12:10:00Z", exact=True),
        scenario("sc_r003_front_door_open_no_motion_after", [front], f"{day}11:55:00Z", f"{day}12:20:00Z",
                 {"rule_id": "R-003", "severity": "MEDIUM", "title": "Mulig uvanlig hendelse etter dør",
                  "explanation_contains": "ingen aktivitet"}),
        scenario("sc_r003_no_trigger_with_motion_followup",
                 [front, event("55555555-5555-5555-5555-555555555555", f"{day}12:03:00Z", "motion", state="on")],
                 f"{day}11:55:00Z", f"{day}12:20:00Z", exact=True),
    ]


def started(build, folder, key=False):
    """A host of its own in a home that is known, and the secret of a token that it needs."""
    folder.mkdir()
    database = f"sqlite:{folder}/varde.db"
    config = know_home(build, folder, database)
    secret = ""
    if key:
        with open(config, "a", encoding="utf-8") as file:
            file.write("auth: {required: true}\n")
        done = subprocess.run([build / "bin/varde", "--database", database, "--json", "token", "create", "--name", "ci", "--role",
                               "operator", "--org", "default", "--home", "default", "--subject", "default"], cwd=ROOT, check=True,
                              capture_output=True, text=True, timeout=60)
        secret = json.loads(done.stdout)["token"]
    return Host(build, folder, database, scheduler=False, config=config).start(), secret


def main():
    build = pathlib.Path(sys.argv[1]).resolve()
    checks = Checks()
    with tempfile.TemporaryDirectory(prefix="varde-reference-") as name:
        folder = pathlib.Path(name)
        if shutil.which("curl"):
            for key in (False, True):
                print(f"with a key: {key}", flush=True)
                host, secret = started(build, folder / f"curl-{key}", key)
                try:
                    curl = Curl(f"http://127.0.0.1:{host.port}", secret)
                    if key:
                        checks.equal("without its key a client is refused", Curl(curl.base, "")("/events?limit=10")[0], 401)
                    check_documents(curl, checks)
                    check_smoke(curl, checks)
                except (HostFailed, OSError, subprocess.SubprocessError, LookupError, TypeError) as error:
                    checks.check("the host answers", False, repr(error))
                finally:
                    host.stop()
        else:
            checks.skip("the curl lines", "there is no curl")
        for one in scenarios():
            host, _ = started(build, folder / one["id"])
            try:
                problems = scenario_runner.run(f"http://127.0.0.1:{host.port}", one)
            except scenario_runner.ScenarioError as error:
                problems = [str(error)]
            finally:
                host.stop()
            checks.check(f"scenario {one['id']}", not problems, "; ".join(problems))
    return checks.finish()


if __name__ == "__main__":
    sys.exit(main())
