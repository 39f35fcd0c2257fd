#!/usr/bin/env python3
"""What runs decide is on record: GET /v1/decisions and `varde explain` tell it, also of the past, after a restart and after kill -9.

    decisions.py BUILD_FOLDER   on SQLite, and on the PostgreSQL of VARDE_TEST_POSTGRES_URL if there is one
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
  R-001: {enabled_in_scheduler: true, lookback_minutes: 60}
  R-002: {enabled_in_scheduler: true, evaluation_mode: baseline_dependent}
  R-005: {enabled_in_scheduler: true}
"""


def text(at):
    return at.isoformat().replace("+00:00", "Z")


def ago(minutes):
    return NOW - datetime.timedelta(minutes=minutes)


def records(host, rule, **filters):
    query = "".join(f"&{key}={value}" for key, value in filters.items())
    return host.request("GET", f"/v1/decisions?rule_id={rule}{query}")[2]


def after_run(host):
    """Returns once a run that starts after this call is committed."""
    mark = host.mark()
    begun = host.wait_for(lambda e: e.get("event") == "scheduler_run_start", since=mark)
    host.wait_for(lambda e: e.get("event") == "scheduler_run_end" and e.get("run_id") == begun["run_id"], since=mark)


class CommandLine:
    def __init__(self, build, folder, database):
        self.command = [build / "bin/varde", "--database", database, "--plugins", build / "plugins", "--rules", folder / "rules.yaml"]

    def __call__(self, *arguments):
        """(exit status, standard output, standard error)"""
        environment = {key: value for key, value in os.environ.items() if key != "DATABASE_URL"}
        done = subprocess.run([*self.command, *arguments], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120,
                              check=False)
        return done.returncode, done.stdout, done.stderr

    def explanation(self, *arguments):
        status, out, error = self("--json", "explain", *arguments)
        return json.loads(out) if status == 0 else {"status": status, "error": error}


def check_records(host, checks):
    host.request("POST", "/event", {"id": "door", "timestamp": text(ago(30)), "category": "door", "payload": {"state": "closed"}})
    after_run(host)
    silence = records(host, "R-001")
    checks.equal("a rule that finds something is on record", [(row["outcome"], row["reason"], row["changed"]) for row in silence],
                 [("met", "no event of motion in 60 minutes", True)])
    gated = records(host, "R-002")
    checks.equal("so is one that is not asked", [(row["outcome"], row["reason"]) for row in gated],
                 [("gated", "baseline_status_missing: 0 days with data")])
    host.request("POST", "/event", {"id": "motion", "timestamp": text(ago(10)), "category": "motion", "payload": {"state": "on"}})
    after_run(host)
    both = records(host, "R-001")
    checks.equal("a change is a new record, at once", [row["outcome"] for row in both], ["not_met", "met"])
    checks.check("the one before ended when it was last said", both[1]["last_at"] < both[0]["first_at"], both)
    checks.equal("filters", [row["outcome"] for row in records(host, "R-001", outcome="met")], ["met"])
    checks.equal("pages", [row["outcome"] for row in records(host, "R-001", before=both[0]["decision_id"])], ["met"])
    for _ in range(3):
        after_run(host)
    checks.equal("runs that say the same make no more records", len(records(host, "R-001")), 2)
    return both


def check_explain(varde, both, checks):
    now = varde.explanation("R-001")
    checks.equal("explain tells the record of now", (now.get("decision") or {}).get("decision_id"), both[0]["decision_id"])
    again = now.get("asked_again", {})
    checks.equal("and asks again, over the same window", again.get("outcome"), "not_met")
    checks.equal("with the rule's steps", again.get("steps"),
                 [{"kind": "note", "text": "1 events of motion in 60 minutes, 1 of them active"},
                  {"kind": "failed", "text": "no event is active"}])
    past = varde.explanation("R-001", "--at", both[1]["last_at"])
    checks.equal("explain --at tells the record of then", (past.get("decision") or {}).get("outcome"), "met")
    checks.equal("and the deviation of then", [row["title"] for row in past.get("deviations", [])],
                 ["Ingen bevegelse registrert i valgt tidsvindu"])
    before = varde.explanation("R-001", "--at", text(ago(20)))
    checks.check("before the first run nothing is on record", before.get("decision", 0) is None, before)
    checks.equal("yet the rule can be asked", before.get("asked_again", {}).get("outcome"), "met")
    status, out, _ = varde("explain", "R-001")
    checks.check("in plain words", status == 0 and "not_met since" in out and "note        1 events of motion" in out, out)
    status, out, _ = varde("explain", "R-002")
    checks.check("a gated rule says so", status == 0 and "gated since" in out and "baseline_status_missing" in out, out)
    status, out, _ = varde("explain", "R-005")
    checks.check("a rule without steps says that it gives none", status == 0 and "the rule gives none" in out, out)


def check_explain_over_http(host, varde, both, checks):
    def asked_without_times(told):
        return {key: value for key, value in told["asked_again"].items() if key not in ("since", "until", "now")}
    past = host.request("GET", f"/v1/decisions/explain?rule_id=R-001&at={both[1]['last_at']}")[2]
    checks.equal("HTTP tells the same of then", past, varde.explanation("R-001", "--at", both[1]["last_at"]))
    now = host.request("GET", "/v1/decisions/explain?rule_id=R-001")[2]
    checks.equal("and of now, with the steps", asked_without_times(now), asked_without_times(varde.explanation("R-001")))
    status, _, answer = host.request("GET", "/v1/decisions/explain?rule_id=R-099")
    checks.check("a rule that is not there is a 404", status == 404 and "R-099" in answer["detail"], (status, answer))


def check_mistakes(varde, checks):
    status, _, error = varde("explain", "R-099")
    checks.check("a rule that is not there is a usage error", status == 2 and "has no rule R-099" in error, (status, error))
    status, _, error = varde("explain", "R-001", "--at", "noon")
    checks.check("so is an instant that is none", status == 2 and "--at" in error, (status, error))
    status, _, error = varde("explain", "R-001", "--home", "nobody")
    checks.check("a home that was never heard of is named", status == 1 and "default/nobody/default" in error, (status, error))


def check_restarts(host, both, checks):
    runs = records(host, "R-001")[0]["runs"]
    checks.equal("a clean stop", host.stop(), 0)
    host.start()
    after_run(host)
    row = records(host, "R-001")[0]
    checks.check("a record goes on after a restart, and no run before it was lost",
                 row["decision_id"] == both[0]["decision_id"] and row["runs"] >= runs + 4, (row, runs))
    host.kill()
    host.start()
    after_run(host)
    rows = records(host, "R-001")
    checks.equal("and after kill -9", [row["decision_id"] for row in rows], [row["decision_id"] for row in both])


def check_database(build, folder, database, checks):
    folder.mkdir()
    (folder / "rules.yaml").write_text(RULES, encoding="utf-8")
    # Without a baseline job of its own: whether its first look came before the first event would decide why R-002 is gated.
    (folder / "host.yaml").write_text("baseline: {every_minutes: 0}\n", encoding="utf-8")
    host = Host(build, folder, database, rules=folder / "rules.yaml", config=folder / "host.yaml", interval_ms=300)
    varde = CommandLine(build, folder, database)
    try:
        host.start()
        both = check_records(host, checks)
        check_explain(varde, both, checks)
        check_explain_over_http(host, varde, both, checks)
        check_mistakes(varde, checks)
        check_restarts(host, both, checks)
    except (HostFailed, OSError, subprocess.SubprocessError, LookupError, TypeError) as error:
        checks.check("the host answers", False, repr(error))
    finally:
        checks.equal("the host stops cleanly", host.stop(), 0)


def main():
    build = pathlib.Path(sys.argv[1]).resolve()
    checks = Checks()
    with tempfile.TemporaryDirectory(prefix="varde-decisions-") as name:
        folder = pathlib.Path(name)
        check_database(build, folder / "sqlite", f"sqlite:{folder}/varde.db", checks)
        postgres = os.environ.get("VARDE_TEST_POSTGRES_URL")
        if postgres:
            check_database(build, folder / "postgresql", postgres, checks)
        else:
            checks.skip("on PostgreSQL", "VARDE_TEST_POSTGRES_URL is not set; use tests/postgres/with_postgres.sh")
    return checks.finish()


if __name__ == "__main__":
    sys.exit(main())
