#!/usr/bin/env python3
"""Schedules of a real host, over HTTP: what research/seeds_scheduler_services.md asks in its section F, checks 2 to 8 and 11 to 13.

    schedules.py BUILD_FOLDER   on SQLite, and on the PostgreSQL of VARDE_TEST_POSTGRES_URL if there is one
"""
import datetime
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time

import postgres_server
from host_process import ROOT, Checks, HostFailed
from schedule_stage import LEASE_S, LIVE, Stage, instant

def run_of(answer):
    return answer.get("run", answer)


def check_failures(stage, checks):
    """F 3: failures are failures."""
    stage.make("fails", "noop", {"fail": "no disk"}, {"manual": True})
    stage.make("throws", "noop", {"throw": True, "fail": "bad luck"}, {"manual": True})
    stage.make("hangs", "noop", {"sleep": "1h"}, {"manual": True}, run_timeout="1s")
    stage.make("thrice", "noop", {"fail": "again"}, {"manual": True}, retry={"max_attempts": 3, "backoff": "10ms"})
    for name in ("fails", "throws", "hangs", "thrice"):
        checks.equal(f"{name} is started by hand", stage.run_now(name)[0], 201)
    ends = {name: stage.wait_over(name)[0] for name in ("fails", "throws", "hangs", "thrice")}
    checks.equal("they end as what they are", {name: row["state"] for name, row in ends.items()},
                 {"fails": "failed", "throws": "failed", "hangs": "timed_out", "thrice": "failed"})
    checks.equal("with what they said", [ends[name]["error"] for name in ("fails", "throws", "thrice")], ["no disk", "bad luck", "again"])
    checks.equal("three attempts, and no more", ends["thrice"]["attempt"], 3)
    checks.equal("the schedule says so", stage.find("thrice")["last_status"], "failed")
    stats = stage.call("GET", "/runs/stats?schedule_id=thrice", wanted=200)
    checks.equal("nothing of it counts as a success", stats["success_rate"], 0)
    stage.make("rest", "http", {"url": stage.sink.url("/status/503"), "method": "POST"}, {"manual": True},
               retry={"max_attempts": 2, "backoff": "10ms"})
    stage.run_now("rest")
    row = stage.wait_over("rest")[0]
    checks.equal("a server that says 503 is asked again, and then it has failed", (row["state"], row["attempt"]), ("failed", 2))
    checks.equal("with one key for both attempts", len(set(stage.sink.keys("/status/503"))), 1)


def check_manual(stage, checks):
    stage.make_call("by-hand", {"manual": True})
    status, first = stage.run_now("by-hand", {"input": {"body": {"n": 1}}}, key="k1")
    again, same = stage.run_now("by-hand", {"input": {"body": {"n": 2}}}, key="k1")
    checks.equal("a key makes one run", (status, again, run_of(first)["run_id"] == run_of(same)["run_id"]), (201, 200, True))
    row = stage.wait_over("by-hand")[0]
    checks.equal("it is of kind manual, and has succeeded", (row["kind"], row["state"]), ("manual", "success"))
    checks.equal("the input reaches the job", json.loads(stage.sink.calls[-1]["body"]), {"n": 1})
    stage.make("busy", "noop", {"sleep": "20s"}, {"manual": True})
    stage.run_now("busy")
    stage.wait_runs("busy", lambda rows: rows[0]["state"] == "running", "its start")
    status, problem = stage.run_now("busy")
    checks.check("a second one is refused while the first is alive", status == 409 and "busy" in json.dumps(problem), problem)
    run_id = stage.runs("busy")[0]["run_id"]
    stage.call("POST", f"/runs/{run_id}/cancel", wanted=200)
    row = stage.wait_over("busy", timeout=10)[0]
    checks.equal("a run is cancelled", (row["state"], row["reason"]), ("cancelled", "cancelled"))
    status, _ = stage.call("POST", f"/runs/{run_id}/cancel")
    checks.equal("once", status, 409)
    checks.equal("and tried again", stage.call("POST", f"/runs/{run_id}/retry")[0], 201)
    for row in stage.runs("busy", state="running") + stage.runs("busy", state="pending"):
        stage.call("POST", f"/runs/{row['run_id']}/cancel", wanted=200)
    stage.wait_over("busy", 2)


def check_refusals(stage, checks):
    """F 4, 13: what can never work is refused when it is made."""
    for cron in ("invalid", "* * *", "61 * * * *", "* * 0 * *", "0 0 30 2 *", "0 0 31 4 *", ""):
        status, problem = stage.call("POST", "/schedules", {"id": "bad", "kind": "noop", "trigger": {"cron": cron}})
        checks.check(f"cron {cron!r} is refused", status in (400, 422) and "cron" in json.dumps(problem), (status, problem))
    status, problem = stage.call("POST", "/schedules", {"id": "bad", "kind": "teleport", "trigger": {"manual": True}})
    checks.check("so is a kind that nobody knows", status in (400, 422) and "teleport" in json.dumps(problem), (status, problem))
    status, problem = stage.call("POST", "/schedules", {"id": "bad", "kind": "noop", "frequency": "hourly", "time_config": {"minute": 99}})
    checks.check("so is minute 99", status in (400, 422) and "time_config.minute" in json.dumps(problem), (status, problem))
    checks.equal("and nothing of it is stored", stage.call("GET", "/schedules/bad")[0], 404)
    for key, day in (("day_of_week", "friday"), ("day", "Fri")):
        body = {"id": f"weekly-{key}", "kind": "noop", "frequency": "weekly", "time_config": {key: day, "hour": 9, "minute": 0}}
        stage.call("POST", "/schedules", body, 201)
        next_at = stage.find(f"weekly-{key}")["next_at"]
        checks.equal(f"weekly with {key} {day} is due on a Friday", instant(next_at).strftime("%A"), "Friday")


def check_changes(stage, checks):
    """F 6: changes are seen at once, over HTTP and in the database."""
    stage.make_call("steady", {"every": "1s"}, path="/before", catch_up="none", misfire_grace="1s")
    checks.check("it runs", stage.sink.wait_for("/before", 2), "two calls")
    body = {"params": {"url": stage.sink.url("/after"), "method": "POST"}}
    stage.call("PATCH", "/schedules/steady", body, 200)
    changed_at = time.time()
    checks.check("a changed parameter counts from the next slot", stage.sink.wait_for("/after", 2, 10), "two calls")
    late = [call for call in stage.sink.calls if call["path"] == "/before" and call["at"] > changed_at + 2]
    checks.equal("and nothing is called the old way after two seconds", late, [])
    stage.call("POST", "/schedules/steady/disable", wanted=200)
    off = len(stage.sink.keys("/after"))
    time.sleep(2.5)  # what must not happen takes as long as two slots
    checks.check("switched off it rests", len(stage.sink.keys("/after")) <= off + 1, len(stage.sink.keys("/after")) - off)
    stage.call("POST", "/schedules/steady/enable", wanted=200)
    seen = len(stage.sink.keys("/after"))
    checks.check("switched on it goes on", stage.sink.wait_for("/after", seen + 1, 10), "one call")
    rows = stage.runs("steady", state="skipped", reason="disabled")
    checks.check("what was left out has a row", len(rows) == 1 and rows[0]["slots"] >= 2, rows)
    keys = stage.sink.keys("/before") + stage.sink.keys("/after")
    checks.equal("no slot was called twice", len(keys), len(set(keys)))
    stage.remove("steady")
    gone = len(stage.sink.keys("/after"))
    time.sleep(2.5)
    checks.check("deleted it is gone, and its history is not", len(stage.sink.keys("/after")) <= gone + 1 and stage.runs("steady"), gone)


def check_reload(stage, checks):
    """F 7: an edit of something else never costs a slot."""
    stage.make_call("busy-edits", {"cron": "*/3 * * * * *"}, catch_up="none", misfire_grace="2s")
    begun = time.time()
    version = 0
    while time.time() < begun + 10:
        version += 1
        stage.call("PATCH", "/schedules/busy-edits", {"name": f"version {version}"}, 200)
        time.sleep(0.05)
    stage.call("POST", "/schedules/busy-edits/disable", wanted=200)
    ended = time.time()
    stage.wait_runs("busy-edits", lambda rows: not any(row["state"] in LIVE for row in rows), "the end of its runs")
    slots = [slot for slot in range(int(begun), int(ended) + 1) if slot % 3 == 0 and begun + 0.3 < slot < ended - 0.3]
    called = {instant(key.split("/")[2]).timestamp() for key in stage.sink.keys("/busy-edits")}
    checks.check(f"{version} edits in {len(slots)} slots lose none", set(slots) <= called, (slots, sorted(called)))
    checks.equal("and double none", len(stage.sink.keys("/busy-edits")), len(called))


def check_overlap(stage, checks):
    """F 8: a handler that takes longer than the period; a pool of one."""
    stage.make("slow", "noop", {"sleep": "2500ms"}, {"every": "1s"})
    rows = stage.wait_runs("slow", lambda rows: len(rows) >= 3, "the second run and what was left out between")
    stage.call("POST", "/schedules/slow/disable", wanted=200)
    left = [row for row in rows if row["reason"] == "overlap"]
    checks.check("slots during a run are left out, with that reason", left and all(row["state"] == "skipped" for row in left), rows)
    stage.make("blocker", "noop", {"sleep": "4s"}, {"manual": True}, queue="single")
    soon = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=2)
    stage.make("blocked", "noop", {}, {"every": "30s", "anchor": soon.isoformat()}, queue="single", misfire_grace="1s",
               catch_up="none")
    stage.run_now("blocker")
    row = stage.wait_over("blocked")[0]
    checks.equal("who waits too long for a worker is a misfire", (row["state"], row["reason"]), ("skipped", "misfire"))
    explained = stage.call("GET", f"/explain?schedule=blocked&at={row['nominal_at']}", wanted=200)
    checks.check("and that can be asked", "misfire" in json.dumps(explained), explained)
    stage.remove("blocked")
    stage.make("queued", "noop", {"sleep": "600ms"}, {"every": "1s"}, overlap="queue_one", queue="single")
    stage.wait_runs("queued", lambda rows: sum(row["state"] == "success" for row in rows) >= 2, "two runs", 20)
    stage.call("POST", "/schedules/queued/disable", wanted=200)


def send_event(stage, number, category):
    event = {"id": f"{category}-{number}", "category": category, "payload": {"state": "open"},
             "timestamp": datetime.datetime.now(datetime.timezone.utc).isoformat()}
    stage.call("POST", "/event", event, 200)


def await_trigger(stage, name, category):
    """Sends events until the first one starts the schedule: the host learns within a second which categories do. Gives the rows."""
    for number in range(100):
        send_event(stage, f"first-{number}", category)
        if stage.runs(name):
            break
        time.sleep(0.1)
    return stage.wait_over(name)


def check_events(stage, checks):
    """An event answers at once."""
    stage.make_call("on-door", {"event": "door", "debounce": "300ms"})
    before = len(await_trigger(stage, "on-door", "door"))
    called = len(stage.sink.keys("/on-door"))
    sent = time.time()
    for number in range(5):
        send_event(stage, number, "door")
    checks.check("an event starts its schedule", stage.sink.wait_for("/on-door", called + 1, 10), "a call")
    call = [call for call in stage.sink.calls if call["path"] == "/on-door"][called]
    checks.in_time("within a second", call["at"] - sent < 1, f"{call['at'] - sent:.3f} s")
    rows = stage.wait_over("on-door", before + 1)
    checks.equal("five events within the debounce are one slot, of kind event", (len(rows) - before, rows[0]["kind"]), (1, "event"))
    stage.make("ask-rules", "rule_evaluation", {}, {"event": "fridge"})
    row = await_trigger(stage, "ask-rules", "fridge")[0]
    checks.check("rules are asked at once too", row["state"] == "success" and "run_id" in (row["result"] or {}), row)


def check_dependencies(stage, checks):
    stage.make("a", "noop", {}, {"manual": True})
    stage.make("b", "noop", {}, {"after_success": True}, depends_on=["a"])
    stage.make("c", "noop", {}, {"manual": True}, depends_on=["b"])
    status, problem = stage.call("PATCH", "/schedules/a", {"policy": {"depends_on": ["c"]}})
    checks.check("a circle is refused with its path", status == 409 and "a -> c -> b -> a" in json.dumps(problem).replace("\\u003e", ">")
                 or "cycle" in json.dumps(problem), (status, problem))
    stage.run_now("a")
    row = stage.wait_over("b")[0]
    checks.equal("what follows runs when the other has succeeded", (row["kind"], row["state"]), ("after", "success"))
    answer = stage.call("GET", "/schedules/a/dependents?transitive=true", wanted=200)
    checks.check("who depends on it is told", "b" in json.dumps(answer) and "c" in json.dumps(answer), answer)
    checks.equal("and keeps it from being deleted", stage.call("DELETE", "/schedules/a")[0], 409)


def check_sync(stage, checks):
    """F 12: definitions from a list on a server."""
    def item(number, hour=3):
        return {"domain_config_id": f"c{number}", "data": {"domain": f"{number}.example", "maxPages": 7, "allow_deep_scan": "false",
                "schedule": {"frequency": "daily", "time": {"hour": hour, "minute": 0}}}}
    kept = [item(n) for n in range(7)]
    stage.sink.answers["/list"] = (200, {"data": kept})
    stage.make("sync", "api_sync", {"url": stage.sink.url("/list"), "target_kind": "http", "item_key": "body",
                                 "target_params": {"url": stage.sink.url("/scan"), "method": "POST"}}, {"manual": True})
    stage.run_now("sync")
    first = stage.wait_over("sync")[0]
    if not checks.check("a first sync", first["state"] == "success", first):
        return
    changed = [item(n, 4) for n in range(3)] + kept[3:] + [item(n) for n in range(10, 15)] + [{"data": {}}, {"domain_config_id": "x"}]
    stage.sink.answers["/list"] = (200, {"data": changed})
    counts = []
    for done in (2, 3):
        stage.run_now("sync")
        result = stage.wait_over("sync", done)[0]["result"]
        counts.append([result[key] for key in ("created", "updated", "skipped", "unchanged")])
    checks.equal("5 new, 3 changed, 2 invalid, 4 unchanged; again, nothing", counts, [[5, 3, 2, 4], [0, 0, 2, 12]])
    before = stage.call("GET", "/schedules?source=sync:sync&limit=100", wanted=200)["rows"]
    for answer in ((500, {}), (200, b"{nonsense"), (200, {"data": []})):
        stage.sink.answers["/list"] = answer
        stage.run_now("sync")
    row = stage.wait_over("sync", 4)[0]
    checks.equal("a list that cannot be used is a failure", row["state"], "failed")
    checks.equal("and alters nothing", stage.call("GET", "/schedules?source=sync:sync&limit=100", wanted=200)["rows"], before)


def check_crash(stage, checks):
    """F 2, 5: what was acknowledged is there after kill -9; a run that was cut off ends."""
    body = {"id": "durable", "name": "Nattvakt", "owner": "ola", "labels": {"a": "å"}, "kind": "noop", "params": {"sleep": "1s"},
            "trigger": {"cron": "0 3 * * *", "timezone": "Europe/Oslo"}, "policy": {"retry": {"max_attempts": 4}}}
    made = stage.call("POST", "/schedules", body, 201)
    stage.make("long", "noop", {"sleep": "60s"}, {"manual": True})
    stage.run_now("long")
    stage.wait_runs("long", lambda rows: rows[0]["state"] == "running", "its start")
    stage.host.kill()
    stage.host.start()
    found = stage.find("durable")
    checks.equal("a schedule survives kill -9 whole", found, made.get("schedule", made))
    row = stage.wait_over("long", timeout=LEASE_S + 15)[0]
    checks.equal("a run that was cut off is abandoned", (row["state"], row["reason"]), ("abandoned", "owner_lost"))
    checks.equal("and another one can be asked for", stage.run_now("long")[0], 201)
    stage.call("POST", f"/runs/{stage.runs('long')[0]['run_id']}/cancel", wanted=200)
    stage.wait_over("long", 2)


def check_misfires(stage, checks):
    """F 8: the host was down for several slots."""
    stage.make_call("coalesced", {"every": "1s"}, misfire_grace="5m")
    stage.make_call("each", {"every": "1s"}, misfire_grace="5m", coalesce=False, max_instances=50)
    stage.make_call("strict", {"every": "1s"}, misfire_grace="1s", catch_up="none")
    for name in ("coalesced", "each", "strict"):
        stage.sink.wait_for(f"/{name}", 1)
    stage.host.stop()
    down = time.time()
    time.sleep(5.5)
    stage.host.start()
    up = time.time()
    for name in ("coalesced", "each", "strict"):
        stage.wait_runs(name, lambda rows: any(row["state"] == "success" and instant(row["nominal_at"]).timestamp() > up
                                               for row in rows), "a run after the start", 20)
    for name in ("coalesced", "each", "strict"):
        stage.call("POST", f"/schedules/{name}/disable", wanted=200)
    rows = stage.runs("coalesced", reason="coalesced")
    checks.check("with coalescing one of them is run, and a row tells of the others", any(row["slots"] >= 3 for row in rows), rows)
    missed = [row for row in stage.runs("each", state="success") if down < instant(row["nominal_at"]).timestamp() < down + 5]
    checks.check("without it each of them is", len(missed) in (4, 5, 6), len(missed))
    rows = stage.runs("strict", reason="misfire")
    checks.check("past the grace none is, and one row counts them", any(row["slots"] >= 3 for row in rows), rows)


def check_cleanup(stage, checks):
    """F 11: the arithmetic is tests/unit/store's; here it is reachable."""
    stats = stage.call("GET", "/runs/stats?days=1", wanted=200)
    checks.check("statistics over everything add up", stats["total"] == sum(stats["by_state"].values()) > 0, stats)
    answer = stage.call("POST", "/runs/cleanup", {"days": 90}, 200)
    checks.check("nothing is old enough to be cleaned up", answer.get("deleted") == 0, answer)


def check_command_line(stage, checks):
    def varde(*arguments):
        return subprocess.run([str(stage.build / "bin/varde"), "--config", str(stage.folder / "host.yaml"), "--database", stage.database,
                               *arguments], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    definition = stage.folder / "schedule.json"
    definition.write_text(json.dumps({"id": "from-file", "kind": "noop", "trigger": {"every": "1h"}}), encoding="utf-8")
    done = varde("schedules", "create", str(definition))
    checks.check("varde schedules create", done.returncode == 0 and "from-file" in done.stdout, (done.stdout, done.stderr))
    checks.equal("varde schedules run", varde("schedules", "run", "from-file").returncode, 0)
    row = stage.wait_over("from-file")[0]
    checks.equal("the running host carries it out", row["state"], "success")
    run_id = str(row["run_id"])
    for command in ("schedules list", "schedules show from-file", "schedules preview from-file", "schedules kinds",
                    "schedules pause from-file", "schedules resume from-file", "runs list", "runs stats", f"runs show {run_id}",
                    "schedules delete from-file"):
        done = varde(*command.split())
        checks.check("varde " + command, done.returncode == 0 and (done.stdout or done.stderr), done.stderr)


def check_second_host(stage, checks):
    if stage.database.startswith("sqlite:"):
        other = stage.new_host("second")
        done = subprocess.run(other.command, env=other.environment, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
        checks.check("a second host on a SQLite file is refused", done.returncode != 0 and "another host schedules" in done.stderr,
                     (done.returncode, done.stderr))


def check_outage(stage, checks):
    """F 6: the database goes away."""
    stage.make_call("through", {"every": "1s"})
    stage.sink.wait_for("/through", 1)
    postgres_server.switch("stop")
    stage.host.wait_for(lambda e: e.get("event") == "schedule_store_failed", 30)
    time.sleep(LEASE_S + 1)  # its lease is lost meanwhile
    postgres_server.switch("start")
    stage.host.wait_for(lambda e: e.get("event") == "schedule_store_back", 60)
    seen = len(stage.sink.keys("/through"))
    checks.check("it goes on by itself", stage.sink.wait_for("/through", seen + 2, 30), "two calls")
    keys = stage.sink.keys("/through")
    checks.equal("and no slot was called twice", len(keys), len(set(keys)))
    checks.equal("the schedule is as it was", stage.find("through")["state"], "active")
    stage.remove("through")


def check_zone_rules(stage, checks):
    """Stored next slots follow the time zone rules of the machine (5.3 of research/schedulers.md)."""
    stage.make("by-wall", "noop", {}, {"cron": "30 2 1 1 *", "timezone": "America/New_York"})
    due = stage.find("by-wall")["next_at"]
    stage.host.stop()
    # As if the host had computed it with rules by which New York is an hour off.
    stage.execute("UPDATE schedules SET next_at = next_at + 3600000000 WHERE schedule_id = 'by-wall'")
    stage.execute("UPDATE schedule_facts SET value = '1999a' WHERE name = 'tzdata'")
    mark = stage.host.mark()
    stage.host.start()
    changed = stage.host.wait_for(lambda e: e.get("event") == "tzdata_changed", since=mark)
    checks.equal("other time zone rules are noticed", (changed["before"], changed["moved"]), ("1999a", 1))
    checks.equal("what is to come moves to its time by the new ones", stage.find("by-wall")["next_at"], due)
    component = stage.host.request("GET", "/health/detail")[2]["components"]["schedules"]
    checks.equal("their version is in /health/detail", component["tzdata"], changed["now"])


def check_defaults(stage, checks):
    """Seed 003's names for what schedules do that do not say."""
    stage.host.stop()
    stage.host.environment.update({"JOB_MISFIRE_GRACE_TIME": "7", "JOB_COALESCE": "false", "JOB_MAX_INSTANCES": "3"})
    stage.host.start()
    stage.make("by-default", "noop", {}, {"manual": True}, max_instances=2)
    policy = stage.find("by-default")["definition"]["policy"]
    checks.equal("defaults come from the environment, and a definition wins",
                 (policy["misfire_grace"], policy["coalesce"], policy["max_instances"]), ("7s", False, 2))
    for name in ("JOB_MISFIRE_GRACE_TIME", "JOB_COALESCE", "JOB_MAX_INSTANCES"):
        del stage.host.environment[name]
    stage.host.stop()
    stage.host.start()


def check_database(build, folder, database, checks):
    stage = Stage(build, folder, database, checks)
    try:
        stage.host.start()
        for check in (check_failures, check_manual, check_refusals, check_overlap, check_changes, check_reload, check_events,
                      check_dependencies, check_sync, check_command_line, check_second_host, check_crash, check_misfires, check_zone_rules,
                      check_defaults, check_cleanup):
            check(stage, checks)
        if not database.startswith("sqlite:"):
            check_outage(stage, checks)
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
