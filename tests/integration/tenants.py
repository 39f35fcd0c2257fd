#!/usr/bin/env python3
"""A token's scope limits every route: nothing of one scope is ever visible to another, and nothing of it can be changed from outside.

    tenants.py BUILD_FOLDER   on SQLite, and on the PostgreSQL of VARDE_TEST_POSTGRES_URL if there is one

Random scopes, each with a mark of its own in everything that is kept of it: event ids, categories, rooms, payloads, what rules say in
findings, reasons and errors, names of tokens. Every route of host/api is asked with random tokens and random questions; no answer may hold
the mark of a scope that the token does not admit. VARDE_TENANTS_SEED=N makes a run again.
"""
import collections
import datetime
import json
import os
import pathlib
import random
import re
import secrets
import subprocess
import sys
import tempfile
import urllib.parse

from host_process import ROOT, Checks, Host, HostFailed
from tenant_schedules import admits_org, check_schedules

NOW = datetime.datetime.now(datetime.timezone.utc).replace(microsecond=0)
RULES = """rules:
  quotes: {enabled_in_scheduler: true, lookback_minutes: 600}
  chokes: {enabled_in_scheduler: true, lookback_minutes: 600}
  dies: {enabled_in_scheduler: true, lookback_minutes: 600}
  R-002:
    enabled_in_scheduler: true
    lookback_minutes: 600
    params: {night_window: {start_local_time: "00:00:01", end_local_time: "00:00:00"}}
  R-010: {enabled_in_scheduler: true}
  R-001: {enabled_in_scheduler: true, evaluation_mode: baseline_dependent}
"""
PARTS = ("org_id", "home_id", "subject_id")
Scope = collections.namedtuple("Scope", "org_id home_id subject_id mark")
Token = collections.namedtuple("Token", "name role limits secret")


def text(at):
    return at.isoformat().replace("+00:00", "Z")


def ago(minutes):
    return NOW - datetime.timedelta(minutes=minutes)


def routes_of_source():
    """{"GET /events", ..}: what host/api adds to its router."""
    found = set()
    for file in sorted((ROOT / "host/api").glob("*_routes.cpp")) + [ROOT / "host/api/evaluate_route.cpp"]:
        source = file.read_text(encoding="utf-8")
        found |= {f"{method.upper().rstrip('_')} {path}" for method, path in re.findall(r"Method::(\w+),\s*\"([^\"]+)\"", source)}
        found |= {f"GET {path}" for path in re.findall(r"about_home\(context, \"([^\"]+)\"", source)}
    return found


def admits(token, scope):
    return all(token.limits[part] in ("", getattr(scope, part)) for part in PARTS)


def admits_home(token, home, route):
    """Rooms belong to whole homes: who is limited to a subject sees those of its own home only, and may meet them in its own events."""
    limits = token.limits
    own = not limits["subject_id"] or (limits["org_id"] and limits["home_id"]) or route not in ("GET /rooms", "GET /room_mappings")
    return bool(own) and limits["org_id"] in ("", home[0]) and limits["home_id"] in ("", home[1])


class Tenants:
    """Some scopes that share organisations, homes and subjects with each other, and tokens for parts of them."""

    def __init__(self, rng):
        self.rng = rng
        places = [(org, home, subject) for org in ("north", "south") for home in ("h1", "h2", "default") for subject in ("s1", "default")]
        self.scopes = [Scope(*place, f"zq{rng.getrandbits(48):012x}") for place in rng.sample(places, 7)]
        self.tokens = []
        self.homes = {scope[:2]: f"zh{rng.getrandbits(48):012x}" for scope in self.scopes}  # a mark of each, in what is kept of its rooms
        self.orgs = {org: f"zo{rng.getrandbits(48):012x}" for org in ("north", "south")}  # in their schedules and runs

    def events(self, scope):
        room = f"room-{scope.mark}"
        rows = [("door", 30, {"state": "open", "room_id": room}), ("presence", 280, {"state": "on", "room_id": room}),
                (f"category-{scope.mark}", 20, {"note": f"payload-{scope.mark}"}), ("quotes", 10, {"word": scope.mark, "room": room}),
                ("motion", 5, {"state": "on", "room_id": room}), ("tv", 5, {"entity_id": "pir"}), ("tv", 4, {"area": "STUE"}),
                ("dies", 10, {"word": scope.mark, "fatal": self.scopes.index(scope) % 2 == 1})]
        if self.scopes.index(scope) % 2 == 0:
            rows.append(("chokes", 10, {"word": scope.mark, "room": room}))
        return [{"id": f"{scope.mark}-{number}", "timestamp": text(ago(minutes)), "category": category, "payload": payload,
                 **{part: getattr(scope, part) for part in PARTS}} for number, (category, minutes, payload) in enumerate(rows)]

    def random_limits(self):
        """Some parts of a scope that there is, or, rarely, of one that there is not."""
        scope = self.rng.choice(self.scopes)
        parts = self.rng.sample(PARTS, self.rng.choice((1, 2, 2, 3, 3)))
        limits = {part: getattr(scope, part) if part in parts else "" for part in PARTS}
        if self.rng.random() < 0.1:
            limits["home_id"] = "nobody"
        return limits

    def random_question(self):
        """Parts of a query that name a scope, which may be a foreign one."""
        scope = self.rng.choice(self.scopes)
        return {part: getattr(scope, part) for part in self.rng.sample(PARTS, self.rng.randint(0, 3))}


class Session:
    """One host with the tenants' data in it."""

    def __init__(self, host, varde, tenants, checks):
        self.host, self.varde, self.tenants, self.checks = host, varde, tenants, checks
        self.routes_asked = set()
        self.leaks, self.leak_routes, self.answers = [], collections.Counter(), 0

    def add_token(self, name, role, limits):
        options = [word for part in PARTS if limits[part] for word in ("--" + part.removesuffix("_id"), limits[part])]
        done = subprocess.run([*self.varde, "--json", "token", "create", "--name", name, "--role", role, *options], cwd=ROOT, check=True,
                              capture_output=True, text=True, timeout=60)
        token = Token(name, role, limits, json.loads(done.stdout)["token"])
        self.tenants.tokens.append(token)
        return token

    def ask(self, token, route, path, query=None, body=None):
        """(status, answer). Looks for marks that this token must not see, in headers too."""
        self.routes_asked.add(route)
        prefix = "/v1" if self.tenants.rng.random() < 0.5 else ""
        target = prefix + path + ("?" + urllib.parse.urlencode(query) if query else "")
        status, headers, answer = self.host.request(route.split()[0], target, body, {"X-API-Key": token.secret})
        self.answers += 1
        shown = json.dumps([headers, answer], ensure_ascii=False)
        for scope in self.tenants.scopes:
            if scope.mark in shown and not admits(token, scope) and scope.mark not in target + json.dumps(body):
                self.leak_routes[route] += 1
                self.leaks.append(f"{token.name} ({token.limits}) saw {scope[:3]} by {route.split()[0]} {target}: {shown[:1500]}")
        of_others = [(f"rooms of {home}", mark, admits_home(token, home, route)) for home, mark in self.tenants.homes.items()]
        of_others += [(f"schedules of {org}", mark, admits_org(token, org)) for org, mark in self.tenants.orgs.items()]
        for what, mark, admitted in of_others:
            if mark in shown and not admitted and mark not in target + json.dumps(body):
                self.leak_routes[route] += 1
                self.leaks.append(f"{token.name} ({token.limits}) saw {what} by {route.split()[0]} {target}: {shown[:1500]}")
        return status, answer


def furnish(session):
    """Rooms and mapped sensors in every home, by operators of single homes. All homes use the same ids and names."""
    checks = session.checks
    for home, mark in session.tenants.homes.items():
        own = session.add_token(f"home-{mark}", "operator", {"org_id": home[0], "home_id": home[1], "subject_id": ""})
        rows = [("rooms", {"room_id": f"room-{mark}", "display_name": "Stue"}), ("rooms", {"room_id": "spare", "display_name": mark}),
                ("room_mappings", {"entity_id": "pir", "room_id": f"mapped-{mark}"}),
                ("room_mappings", {"entity_id": "spare", "room_id": mark})]
        done = [session.ask(own, f"PUT /{path}", f"/{path}", body=body)[0] for path, body in rows]
        done.append(session.ask(own, "DELETE /rooms", "/rooms", {"room_id": "spare"})[0])
        done.append(session.ask(own, "DELETE /room_mappings", "/room_mappings", {"entity_id": "spare"})[0])
        checks.equal(f"an operator of {home} furnishes it", done, [200] * 6)


def check_rooms(session, admin):
    """Each home has its own rooms and no others, also in the rooms that were derived of its events."""
    for home, mark in session.tenants.homes.items():
        question = dict(zip(PARTS, home))
        rooms = session.ask(admin, "GET /rooms", "/rooms", question)[1]["rows"]
        mapped = session.ask(admin, "GET /room_mappings", "/room_mappings", question)[1]["rows"]
        session.checks.equal(f"the rooms of {home}", [row["room_id"] for row in rooms + mapped], [f"room-{mark}", f"mapped-{mark}"])
        events = session.ask(admin, "GET /events", "/events", {**question, "category": "tv"})[1]
        session.checks.equal("its events are of them", {row["room_id"] for row in events}, {f"room-{mark}", f"mapped-{mark}"})
    for token in session.tenants.tokens:
        for path in ("/rooms", "/room_mappings"):
            status, answer = session.ask(token, f"GET {path}", path)
            seen = sum(admits_home(token, home, f"GET {path}") for home in session.tenants.homes)
            expected = (200, seen) if seen or not token.limits["subject_id"] else (status, 0)
            session.checks.equal(f"{token.name} sees all of its own by GET {path}", (status, len(answer.get("rows", []))), expected)


def fill(session):
    """Rooms, events, modes and, by the runs, deviations, decisions and incidents of every scope."""
    everybody = {part: "" for part in PARTS}
    admin = session.add_token("all-admin", "admin", everybody)
    furnish(session)
    for number, scope in enumerate(session.tenants.scopes):
        own = session.add_token(f"own-{scope.mark}", "operator", {part: getattr(scope, part) for part in PARTS})
        # What the token does not say it decides: half of the events come without a scope.
        events = session.tenants.events(scope)
        for event in events[number % 2::2]:
            for part in PARTS:
                del event[part]
        status, answer = session.ask(own, "POST /events", "/events", body=events)
        session.checks.check(f"the events of {scope[:3]} are taken", (status, answer.get("accepted")) == (200, len(events)), answer)
        status, _ = session.ask(own, "POST /monitor_modes", "/monitor_modes", body={"monitor_key": f"key-{scope.mark}", "mode": "TEST"})
        session.checks.equal("a mode is set", status, 200)
    mark = session.host.mark()
    begun = session.host.wait_for(lambda e: e.get("event") == "scheduler_run_start", since=mark)
    session.host.wait_for(lambda e: e.get("event") == "scheduler_run_end" and e.get("run_id") == begun["run_id"], since=mark)
    return admin


def check_something_is_there(session, admin):
    """Each scope's mark stands in every list that has rows of it, so that not seeing it elsewhere means something."""
    lists = {"GET /events": {"limit": 1000}, "GET /deviations": {"limit": 500}, "GET /decisions": {"limit": 1000},
             "GET /monitor_modes": {}, "GET /incidents": {}}
    for route, query in lists.items():
        path = route.split()[1]
        _, whole = session.ask(admin, route, path, query)
        choking = session.tenants.scopes[::2] if path == "/incidents" else session.tenants.scopes
        if path == "/incidents":
            session.checks.check("incidents quote what a rule choked on",
                                 any(f"choked on {scope.mark}" in json.dumps(whole) for scope in choking), whole)
            dead = [row for row in whole if row["rule_id"] == "dies"]
            _, detail = session.ask(admin, "GET /incidents/{name}", f"/incidents/{dead[0]['incident_id']}" if dead else "/incidents/none")
            session.checks.check("and what a dying worker wrote", "heard zq" in json.dumps(detail), detail)
            continue
        missing = [scope[:3] for scope in choking if scope.mark not in json.dumps(whole)]
        session.checks.equal(f"an admin of all finds every scope by {route}", missing, [])
        for token in session.tenants.tokens:
            _, rows = session.ask(token, route, path, query)
            shown = json.dumps(rows)
            unseen = [scope[:3] for scope in session.tenants.scopes if admits(token, scope) and scope.mark not in shown]
            session.checks.equal(f"{token.name} sees all of its own by {route}", unseen, [])


def check_lag(session):
    """Each token finds the categories of its own homes in /health/detail, so that not seeing others there means something."""
    for token in session.tenants.tokens:
        _, detail = session.ask(token, "GET /health/detail", "/health/detail")
        wanted = {f"category-{scope.mark}" for scope in session.tenants.scopes if admits(token, scope)}
        found = {row["category"] for row in detail["components"]["ingest"]["by_category"]}
        session.checks.check(f"{token.name} finds its own categories by GET /health/detail", wanted <= found, (wanted - found, found))


def ids_of(session, admin):
    deviations = session.ask(admin, "GET /deviations", "/deviations", {"limit": 500})[1]
    incidents = session.ask(admin, "GET /incidents", "/incidents")[1]
    decisions = session.ask(admin, "GET /decisions", "/decisions", {"limit": 1000})[1]
    rules = session.ask(admin, "GET /rules", "/rules")[1]
    return {"deviations": [row["deviation_id"] for row in deviations], "incidents": [row["incident_id"] for row in incidents],
            "decisions": [row["decision_id"] for row in decisions], "rules": [row["id"] for row in rules if row["id"]]}


def ask_everything(session, token, ids):
    """Every route that reads, with questions of which some are about foreign scopes and foreign rows."""
    rng, question = session.tenants.rng, session.tenants.random_question
    foreign = rng.choice(session.tenants.scopes)
    session.ask(token, "GET /health", "/health")
    session.ask(token, "GET /health/detail", "/health/detail", question())
    session.ask(token, "GET /debug/scope", "/debug/scope", question())
    session.ask(token, "GET /rules", "/rules", question())
    session.ask(token, "GET /rules/evaluation-truth", "/rules/evaluation-truth", question())
    session.ask(token, "GET /events", "/events", {**question(), "category": rng.choice(["door", f"category-{foreign.mark}"])})
    session.ask(token, "GET /events", "/events", {**question(), "before": text(ago(7)), "limit": rng.randint(1, 50)})
    session.ask(token, "GET /deviations", "/deviations", {**question(), "status": rng.choice(["OPEN", "ACK", "CLOSED"])})
    session.ask(token, "GET /deviations", "/deviations", {**question(), "rule_id": rng.choice(["quotes", "R-002", "R-010"])})
    session.ask(token, "GET /decisions", "/decisions", {**question(), "before": rng.choice(ids["decisions"])})
    session.ask(token, "GET /decisions", "/decisions", {**question(), "rule_id": rng.choice(["quotes", "chokes", "R-010"])})
    session.ask(token, "GET /decisions/explain", "/decisions/explain", {**question(), "rule_id": rng.choice(["quotes", "chokes", "R-010"])})
    session.ask(token, "GET /monitor_modes", "/monitor_modes", {**question(), "monitor_key": f"key-{foreign.mark}"})
    session.ask(token, "GET /monitor_modes", "/monitor_modes", question())
    session.ask(token, "GET /rooms", "/rooms", {**question(), "limit": rng.randint(1, 5)})
    session.ask(token, "GET /room_mappings", "/room_mappings", question())
    session.ask(token, "GET /deviations/evaluate", "/deviations/evaluate", {**question(), "since": text(ago(600)), "until": text(NOW)})
    for incident in ids["incidents"]:
        session.ask(token, "GET /incidents", "/incidents", {**question(), "before": incident})
        session.ask(token, "GET /incidents/{name}", f"/incidents/{incident[:rng.choice((8, 12, 40))]}")


def check_questions(session, token):
    """A question that names a foreign part of a scope is refused, not answered as if it had not been asked."""
    limited = [part for part in PARTS if token.limits[part]]
    status = session.ask(token, "GET /decisions/explain", "/decisions/explain", {"rule_id": "quotes", limited[0]: "elsewhere"})[0]
    session.checks.equal(f"{token.name} may not have a foreign home explained", status, 403)
    lists = ["/events", "/deviations", "/decisions", "/monitor_modes", "/incidents", "/rules", "/rules/evaluation-truth", "/rooms",
             "/room_mappings"]
    allowed = [f"{path}?{part}" for part in limited for path in lists
               if session.ask(token, f"GET {path}", path, {part: "elsewhere"})[0] != 403]
    session.checks.equal(f"{token.name} may not ask for another {' or '.join(limited)}", allowed, [])


def rooms_refused(session, token, parts):
    """What becomes of changes of rooms there."""
    mark = session.tenants.homes.get((parts.get("org_id"), parts.get("home_id")), "none")
    answers = [session.ask(token, "PUT /rooms", "/rooms", parts, {"room_id": f"room-{mark}", "display_name": "evil"}),
               session.ask(token, "PUT /room_mappings", "/room_mappings", parts, {"entity_id": "pir", "room_id": "evil"}),
               session.ask(token, "DELETE /rooms", "/rooms", {**parts, "room_id": f"room-{mark}"}),
               session.ask(token, "DELETE /room_mappings", "/room_mappings", {**parts, "entity_id": "pir"})]
    return [("rooms", status) for status, _ in answers]


def check_writes(session, token, admin, ids):
    """What is outside cannot be changed: 403 or 404 for routes, 422 for an event that names a foreign scope; and nothing changes."""
    before = snapshot(session, admin)
    refused, expected = [], []
    for scope in session.tenants.scopes:
        if admits(token, scope):
            continue
        parts = {part: getattr(scope, part) for part in PARTS}
        event = {"id": f"{scope.mark}-evil", "timestamp": text(NOW), "category": "evil", **parts}
        refused.append(("event", session.ask(token, "POST /event", "/event", body=event)[0]))
        _, answer = session.ask(token, "POST /events", "/events", body=[event, dict(event, id=f"{scope.mark}-evil2")])
        refused.append(("events", answer["accepted"]))
        refused.append(("mode", session.ask(token, "POST /monitor_modes", "/monitor_modes", parts,
                                            {"monitor_key": "quotes", "mode": "OFF"})[0]))
        expected += [("event", 422), ("events", 0), ("mode", 403)]
        refused += rooms_refused(session, token, parts)
        expected += [("rooms", 403)] * 4
    if token.limits["subject_id"]:
        refused += rooms_refused(session, token, {})
        expected += [("rooms", 403)] * 4
    for deviation in ids["foreign"](token):
        status, _ = session.ask(token, "PATCH /deviations/{id}", f"/deviations/{deviation}", body={"status": "CLOSED"})
        refused.append(("deviation", status))
        expected.append(("deviation", 404))
    for rule in ids["rules"]:
        refused.append(("rule", session.ask(token, "PATCH /rules/{id}", f"/rules/{rule}", body={"is_enabled": False})[0]))
        expected.append(("rule", 403))
    refused.append(("release", session.ask(token, "POST /rules/{name}/release", "/rules/chokes/release")[0]))
    session.checks.equal(f"{token.name} cannot write outside of its scope", refused, [*expected, ("release", 403)])
    session.checks.equal("and nothing was changed", snapshot(session, admin), before)


def snapshot(session, admin):
    """What a foreign writer could have changed, as an admin of all sees it."""
    rows = session.ask(admin, "GET /deviations", "/deviations", {"limit": 500})[1]
    events = session.ask(admin, "GET /events", "/events", {"limit": 1000})[1]
    modes = session.ask(admin, "GET /monitor_modes", "/monitor_modes")[1]["rows"]
    rooms = [session.ask(admin, f"GET {path}", path)[1]["rows"] for path in ("/rooms", "/room_mappings")]
    rules = session.ask(admin, "GET /rules", "/rules")[1]
    return {"deviations": sorted((row["deviation_id"], row["status"]) for row in rows), "events": sorted(row["id"] for row in events),
            "rooms": rooms, "modes": modes, "rules": [(row["rule_id"], row["is_enabled"]) for row in rules]}


def check_tenants(session):
    rng, checks = session.tenants.rng, session.checks
    admin = fill(session)
    check_something_is_there(session, admin)
    check_lag(session)
    check_rooms(session, admin)
    check_schedules(session, admin)
    ids = ids_of(session, admin)
    owners = {row: scope for scope in session.tenants.scopes for row in
              (one["deviation_id"] for one in
               session.ask(admin, "GET /deviations", "/deviations", {**dict(zip(PARTS, scope[:3])), "limit": 500})[1])}
    checks.equal("every deviation has one scope", sorted(owners), sorted(ids["deviations"]))
    ids["foreign"] = lambda token: [row for row, scope in owners.items() if not admits(token, scope)]
    for number in range(8):
        session.add_token(f"random{number}", rng.choice(["viewer", "operator"]), session.tenants.random_limits())
    for token in session.tenants.tokens:
        for _ in range(4):
            ask_everything(session, token, ids)
        if token is not admin:
            check_questions(session, token)
    for number in range(5):
        check_writes(session, session.add_token(f"writer{number}", "admin", session.tenants.random_limits()), admin, ids)
    checks.equal("every route of host/api was asked", sorted(routes_of_source() - session.routes_asked), [])
    checks.equal("no route was asked that there is not", sorted(session.routes_asked - routes_of_source()), [])
    checks.check(f"no mark outside of its scope in {session.answers} answers", not session.leaks,
                 f"{dict(session.leak_routes)}\n" + "\n".join(session.leaks[:5]))


def check_database(build, folder, database, seed, checks):
    folder.mkdir()
    plugins = folder / "plugins"
    plugins.mkdir()
    for file in (*(build / f"plugins/R-{number}.so" for number in ("001", "002", "010")),
                 *(build / f"tests/integration/{name}.so" for name in ("quotes", "chokes", "dies"))):
        (plugins / file.name).write_bytes(file.read_bytes())
    (folder / "rules.yaml").write_text(RULES, encoding="utf-8")
    (folder / "host.yaml").write_text("auth: {required: true}\n", encoding="utf-8")
    varde = [build / "bin/varde", "--database", database]
    subprocess.run([*varde, "token", "create", "--name", "first", "--role", "viewer", "--org", "nowhere"], cwd=ROOT, check=True,
                   capture_output=True, timeout=60)
    host = Host(build, folder, database, plugins=plugins, rules=folder / "rules.yaml", config=folder / "host.yaml", interval_ms=300)
    try:
        host.start()
        check_tenants(Session(host, varde, Tenants(random.Random(seed)), checks))
    except (HostFailed, OSError, subprocess.SubprocessError, LookupError, TypeError, ValueError) as error:
        checks.check("the host answers", False, repr(error))
    finally:
        checks.equal("the host stops cleanly", host.stop(), 0)


def main():
    build = pathlib.Path(sys.argv[1]).resolve()
    seed = int(os.environ.get("VARDE_TENANTS_SEED") or secrets.randbelow(1 << 32))
    print(f"VARDE_TENANTS_SEED={seed}", flush=True)
    checks = Checks()
    with tempfile.TemporaryDirectory(prefix="varde-tenants-") as name:
        folder = pathlib.Path(name)
        check_database(build, folder / "sqlite", f"sqlite:{folder}/varde.db", seed, checks)
        postgres = os.environ.get("VARDE_TEST_POSTGRES_URL")
        if postgres:
            check_database(build, folder / "postgresql", postgres, seed, checks)
        else:
            checks.skip("on PostgreSQL", "VARDE_TEST_POSTGRES_URL is not set; use tests/postgres/with_postgres.sh")
    return checks.finish()


if __name__ == "__main__":
    sys.exit(main())
