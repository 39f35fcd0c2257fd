#!/usr/bin/env python3
"""examples/home-assistant, rendered as Home Assistant renders it, against the real host with the shipped rules.yaml.

    home_assistant.py BUILD_FOLDER

Templates run in Jinja's sandbox with what Home Assistant adds (to_json, area_id, now); what an action renders becomes a native value where
it reads as a Python literal, as there. Home Assistant itself is not needed. Skipped without python3-jinja2.
"""
import ast
import datetime
import functools
import json
import pathlib
import subprocess
import sys
import tempfile
import types

import yaml

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "integration"))
from host_process import ROOT, Checks, Host, HostFailed  # noqa: E402

try:
    import jinja2
    import jinja2.sandbox
except ImportError:
    jinja2 = None

FOLDER = ROOT / "examples/home-assistant"
AREAS = {"binary_sensor.inngangsdor_contact": "inngang", "binary_sensor.stue_motion": "stue",
         "binary_sensor.baderom_presence": "baderom"}
CLASSES = {"binary_sensor.inngangsdor_contact": "door", "binary_sensor.stue_motion": "motion",
           "binary_sensor.baderom_presence": "occupancy", "binary_sensor.loft_smoke": "smoke"}
DOOR, MOTION = "binary_sensor.inngangsdor_contact", "binary_sensor.stue_motion"
CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def load(path, secrets=None):
    loader = type("Loader", (yaml.SafeLoader,), {})
    loader.add_constructor("!secret", lambda _, node: secrets[node.value])
    return yaml.load(path.read_text(encoding="utf-8"), loader)


def ulid(at, number):
    """As Home Assistant makes context ids: 48 bits of milliseconds and 80 others, in 26 characters."""
    value = (int(at.timestamp() * 1000) << 80) | (number * 0x9E3779B97F4A7C15F39C & (1 << 80) - 1)
    return "".join(CROCKFORD[value >> shift & 31] for shift in range(125, -1, -5))


class HomeAssistant:
    """The parts of it that the example uses."""

    def __init__(self, package):
        self.environment = jinja2.sandbox.ImmutableSandboxedEnvironment(undefined=jinja2.StrictUndefined)
        self.environment.filters["to_json"] = lambda value: json.dumps(value, separators=(",", ":"), ensure_ascii=False)
        self.environment.globals.update(area_id=AREAS.get, now=lambda: datetime.datetime.now().astimezone())
        self.command = package["rest_command"]["varde_event"]
        self.automations = {automation["id"]: automation for automation in package["automation"]}
        self.contexts = 0

    def render(self, template, variables):
        return self.environment.from_string(template.strip()).render(variables).strip()

    def native(self, value, variables):
        """What an action's data becomes: nested, and literals as values."""
        if isinstance(value, dict):
            return {key: self.native(item, variables) for key, item in value.items()}
        text = self.render(value, variables)
        try:
            return ast.literal_eval(text)
        except (ValueError, SyntaxError):
            return text

    def request(self, automation, variables):
        """(headers, body) of the request that an automation makes, or None if its conditions do not hold."""
        variables = {**automation.get("variables", {}), **variables}
        for condition in automation.get("conditions", []):
            if self.render(condition["value_template"], variables) != "True":
                return None
        (action,) = automation["actions"]
        assert action["action"] == "rest_command.varde_event", action
        data = self.native(action["data"], variables)
        headers = {"Content-Type": self.command["content_type"],
                   **{name: self.render(text, data) for name, text in self.command["headers"].items()}}
        return headers, self.render(self.command["payload"], data)

    def change(self, entity, before, after, at, context=None):
        """The request for a change of state; None as `after`: the sensor was removed."""
        self.contexts += 1
        context = context or ulid(at, self.contexts)

        def state(value):
            if value is None:
                return None
            return types.SimpleNamespace(state=value, last_changed=at, attributes={"device_class": CLASSES[entity]},
                                         context=types.SimpleNamespace(id=context, parent_id=None, user_id=None))

        trigger = types.SimpleNamespace(platform="state", entity_id=entity, from_state=state(before), to_state=state(after))
        return self.request(self.automations["varde_state_changes"], {"trigger": trigger})

    def heartbeat(self):
        return self.request(self.automations["varde_heartbeat"], {"trigger": types.SimpleNamespace(platform="time_pattern")})


def check_files(package, checks):
    (trigger,) = package["automation"][0]["triggers"]
    checks.check("every change of a state triggers, not of an attribute",
                 trigger["trigger"] == "state" and "to" in trigger and trigger["to"] is None and "from" not in trigger, trigger)
    checks.equal("changes are sent in their order", package["automation"][0]["mode"], "queued")
    front = package["automation"][0]["variables"]["front_doors"]
    checks.check("the front door is one of the sensors", set(front) <= set(trigger["entity_id"]), front)
    readme = (FOLDER / "README.md").read_text(encoding="utf-8")
    named = ("varde.yaml", "secrets.yaml", "`front_doors`", "`entity_id`", "`restored`", "`unavailable`")
    checks.check("the README names the files, the keys and the categories", all(word in readme for word in named))


def check_events(home, checks):
    at = datetime.datetime(2026, 1, 15, 12, 0, 0, 123456, tzinfo=datetime.timezone.utc)
    context = ulid(at, 7)
    milliseconds = functools.reduce(lambda value, letter: value * 32 + CROCKFORD.index(letter), context[:10], 0)
    checks.equal("a context is a ULID: 26 characters that begin with the time", (len(context), milliseconds), (26, 1768478400123))
    _, body = home.change(DOOR, "off", "on", at, context)
    checks.equal("a door that is opened", json.loads(body), {
        "id": f"{context}:{DOOR}:on", "timestamp": "2026-01-15T12:00:00.123456+00:00", "category": "door", "room_id": "inngang",
        "payload": {"entity_id": DOOR, "state": "on", "door": "front"}})

    def category(entity, before, after):
        return json.loads(home.change(entity, before, after, at)[1])["category"]

    checks.equal("motion", category(MOTION, "off", "on"), "motion")
    checks.equal("occupancy is presence", category("binary_sensor.baderom_presence", "on", "off"), "presence")
    checks.equal("another class is its own category", category("binary_sensor.loft_smoke", "off", "on"), "smoke")
    checks.equal("a sensor that goes away", category(MOTION, "on", "unavailable"), "unavailable")
    checks.equal("a sensor of which nothing is known", category(DOOR, "unavailable", "unknown"), "unavailable")
    checks.equal("a door that comes back open was not opened", category(DOOR, "unavailable", "on"), "restored")
    checks.equal("nor after a restart of Home Assistant", category(DOOR, None, "on"), "restored")
    checks.equal("a motion sensor that comes back off ends what it began", category(MOTION, "unknown", "off"), "motion")
    loft = json.loads(home.change("binary_sensor.loft_smoke", "off", "on", at)[1])
    checks.equal("without an area there is no room", "room_id" in loft, False)
    checks.equal("a sensor that was removed sends nothing", home.change(MOTION, "on", None, at), None)


def token_for(build, database):
    """The operator's token, made as the README says."""
    command = [pathlib.Path(build) / "bin/varde", "--database", database, "--json", "token", "create", "--name", "home-assistant",
               "--role", "operator"]
    subprocess.run([command[0], "--database", database, "migrate"], cwd=ROOT, check=True, capture_output=True)
    answer = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    return json.loads(answer.stdout)["token"]


def check_host(host, home, checks):
    post = lambda request: host.request("POST", "/event", request[1].encode(), request[0])  # noqa: E731
    authorization = home.command["headers"]["authorization"]
    now = datetime.datetime.now(datetime.timezone.utc).replace(microsecond=250001)
    minutes = lambda count: now - datetime.timedelta(minutes=count)  # noqa: E731

    first = home.change(MOTION, "off", "on", minutes(40))
    checks.equal("an event is stored", post(first)[::2], (200, {"received": True, "deduped": False}))
    checks.equal("the same again is not stored again", post(first)[::2], (200, {"received": True, "deduped": True}))
    shared = ulid(minutes(39), 1000)
    answers = [post(home.change(entity, "on", "off", minutes(39), shared))[2] for entity in (MOTION, "binary_sensor.baderom_presence")]
    checks.equal("two sensors with one context are two events", answers, [{"received": True, "deduped": False}] * 2)
    back_and_forth = [home.change(DOOR, *states, minutes(38), ulid(minutes(38), 1001)) for states in (("off", "on"), ("on", "off"))]
    checks.equal("and so are on and off with one context", [post(request)[2]["deduped"] for request in back_and_forth], [False, False])
    for before, after in (("off", "unavailable"), ("unavailable", "unknown"), ("unknown", "on"), ("on", "off")):
        status, _, answer = post(home.change(MOTION, before, after, minutes(37)))
        checks.equal(f"{before} to {after} is taken", (status, answer), (200, {"received": True, "deduped": False}))
    checks.equal("a heartbeat is taken", post(home.heartbeat())[0], 200)
    checks.equal("without the token it is refused", host.request("POST", "/event", first[1].encode())[0], 401)

    # Out and in three times: six events at the front door, with somebody moving afterwards.
    for step in range(6):
        states = ("off", "on") if step % 2 == 0 else ("on", "off")
        post(home.change(DOOR, *states, minutes(20 - step)))
    post(home.change(MOTION, "off", "on", minutes(1)))
    headers = {"Authorization": authorization}
    status, _, events = host.request("GET", "/events?category=door", headers=headers)
    checks.check("the door's events are listed, in its room", status == 200 and len(events) == 8 and
                 all(event["payload"]["entity_id"] == DOOR for event in events), events)
    since = host.mark()
    host.wait_for(lambda event: event.get("event") == "scheduler_run_end", since=since)
    host.wait_for(lambda event: event.get("event") == "scheduler_run_end", since=host.mark())
    status, _, found = host.request("GET", "/deviations?rule_id=R-008", headers=headers)
    checks.check("R-008 of the shipped rules.yaml finds the front door used six times",
                 status == 200 and len(found) == 1 and len(found[0]["evidence_event_ids"]) >= 6, found)
    if status == 200 and found:
        checks.check("its evidence names events by the ids that Home Assistant gave",
                     all(f":{DOOR}:" in event for event in found[0]["evidence_event_ids"]), found[0]["evidence_event_ids"])
    found = host.request("GET", "/deviations?rule_id=R-009", headers=headers)[2]
    checks.equal("R-009 hears the heartbeat", found, [])


def main():
    if jinja2 is None:
        print("skipped: python3-jinja2 is not installed (tools/debian-packages.txt)")
        return 77
    build = sys.argv[1]
    checks = Checks()
    with tempfile.TemporaryDirectory(prefix="varde-home-assistant-") as folder:
        database = f"sqlite:{folder}/varde.db"
        secrets = load(FOLDER / "secrets.yaml")
        secrets["varde_authorization"] = secrets["varde_authorization"].replace("PASTE-THE-TOKEN-HERE", token_for(build, database))
        package = load(FOLDER / "varde.yaml", secrets)
        checks.check("the address ends where Varde takes events", package["rest_command"]["varde_event"]["url"].endswith(":8080/event"))
        home = HomeAssistant(package)
        check_files(package, checks)
        check_events(home, checks)
        config = pathlib.Path(folder) / "host.yaml"
        config.write_text("auth: {required: true}\n", encoding="utf-8")
        host = Host(build, folder, database, interval_ms=500, config=config)
        try:
            check_host(host.start(), home, checks)
        finally:
            host.stop()
    return checks.finish()


if __name__ == "__main__":
    try:
        sys.exit(main())
    except HostFailed as failed:
        sys.exit(f"FAILED  {failed}")
