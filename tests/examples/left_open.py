"""What a "door left open" rule answers, in whatever language it is written: the same cases for each of the examples."""
import json
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/integration"))
from host_process import Checks  # noqa: E402, F401

DAY = "2026-01-15T"
SINCE, UNTIL = DAY + "16:00:00Z", DAY + "18:00:00Z"
# (event id, time of day, category, payload)
CLOSED = ("closed", "17:20:00Z", "door", {"door": "fridge", "state": "closed"})
OPEN = ("open", "17:30:00Z", "door", {"door": "fridge", "state": "open"})
STILL_OPEN = ("still", "17:40:00Z", "door", {"door": "fridge", "state": "open"})
FRONT = ("front", "17:50:00Z", "door", {"door": "front", "state": "closed"})
MOTION = ("motion", "17:50:00Z", "motion", {"door": "fridge", "state": "closed"})
WORDS = "It was opened more than {} minutes ago and has not been closed. Please close it."


def found(event_id, at, minutes=10):
    return {"outcome": "met", "deviations": [{
        "severity": "LOW", "title": "A door has been open for too long", "explanation": WORDS.format(minutes),
        "evidence": {"event_ids": [event_id], "opened_at": DAY + at.replace("Z", "+00:00"), "minutes": minutes},
        "window": {"since": SINCE, "until": UNTIL}, "timestamp": UNTIL}]}


def refused(text):
    return {"error": {"type": "scheduler_rule_error", "reason": "create_failed", "phase": "create", "message": text}}


NOT_MET = {"outcome": "not_met", "deviations": []}
NO_DATA = {"outcome": "no_data", "reason": "no event of this door", "deviations": []}
MINUTES = "minutes: must be a whole number from 1 to 1440"
DOOR = "door: must be a text of 1 to 64 bytes"
# (what is shown, params, events, the answer)
CASES = [
    ("the event that opened the door is named", {}, [CLOSED, OPEN, STILL_OPEN], found("open", "17:30:00Z")),
    ("another door and another category close nothing", {}, [OPEN, FRONT, MOTION], found("open", "17:30:00Z")),
    ("a door that was open before the window began is open", {}, [STILL_OPEN], found("still", "17:40:00Z")),
    ("one microsecond over the limit is too long", {"minutes": 20}, [("e", "17:39:59.999999Z", *OPEN[2:])],
     found("e", "17:39:59.999999Z", 20)),
    ("the limit itself is not", {"minutes": 20}, [STILL_OPEN], NOT_MET),
    ("a closed door is fine", {}, [OPEN, ("late", "17:45:00Z", *CLOSED[2:])], NOT_MET),
    ("what is not the text \"open\" is not open", {}, [("one", "17:30:00Z", "door", {"door": "fridge", "state": 1})], NOT_MET),
    ("another door can be watched, in any language's letters", {"door": "kjøkkendør"},
     [("k", "17:00:00Z", "door", {"door": "kjøkkendør", "state": "open"})], found("k", "17:00:00Z")),
    ("without an event of the door there is no data", {}, [FRONT, MOTION], NO_DATA),
    ("without any event there is none either", {}, [], NO_DATA),
    ("a payload without a door is no event of it", {}, [("bare", "17:00:00Z", "door", {})], NO_DATA),
    ("a window that is not longer than the limit cannot answer", {"minutes": 120}, [OPEN],
     {"outcome": "unknown", "reason": "the window is not longer than `minutes`; set lookback_minutes", "deviations": []}),
    ("the bounds themselves are good", {"minutes": 1}, [FRONT], NO_DATA),
    ("too small a number is refused by name", {"minutes": 0}, [], refused(MINUTES)),
    ("too big a number is refused by name", {"minutes": 1441}, [], refused(MINUTES)),
    ("so is one that no integer holds", {"minutes": 10 ** 20}, [], refused(MINUTES)),
    ("a fraction is refused by name", {"minutes": 10.0}, [], refused(MINUTES)),
    ("an empty door is refused by name", {"door": ""}, [], refused(DOOR)),
    ("a door of 65 bytes is refused by name", {"door": "d" * 65}, [], refused(DOOR)),
    ("a door that is no text is refused by name", {"door": ["fridge"]}, [], refused(DOOR)),
    ("a misspelt parameter is refused by name, whatever it holds", {"minuts": {"minutes": 5}}, [],
     refused("minuts: is no parameter of this rule; it has minutes and door")),
]


def judge(build, plugins, rule_id, cases):
    """What `varde eval` answers to (params, events) pairs, one at a time in the same worker process."""
    lines = []
    for params, events in cases:
        rows = [{"id": name, "timestamp": DAY + at, "category": category, "payload": payload}
                for name, at, category, payload in events]
        lines.append(json.dumps({"rule_id": rule_id, "params": params, "since": SINCE, "until": UNTIL, "events": rows}))
    done = subprocess.run([build / "bin/varde", "--plugins", plugins, "eval"], input="\n".join(lines), capture_output=True, text=True)
    sys.stderr.write(done.stderr)
    return [json.loads(line) for line in done.stdout.splitlines()]


def check_rule(checks, build, folder, plugins, rule_id):
    """The plugin in `plugins` exports what it should, passes its own scenarios, and answers every case."""
    exports = subprocess.run(["sh", ROOT / "tests/abi/exports.sh", plugins / f"{rule_id}.so"], capture_output=True, text=True)
    checks.check("one symbol, a note, no lazy binding", exports.returncode == 0, exports.stdout + exports.stderr)
    scenarios = subprocess.run([build / "bin/varde", "--plugins", plugins, "test", folder], capture_output=True, text=True)
    count = len(list((folder / "tests").glob("*.yaml")))
    checks.check(f"varde test {folder.name}", scenarios.returncode == 0 and f"{count} passed, 0 failed" in scenarios.stdout,
                 scenarios.stdout + scenarios.stderr)
    answers = judge(build, plugins, rule_id, [(params, events) for _, params, events, _ in CASES])
    if not checks.equal("every case has an answer", len(answers), len(CASES)):
        return
    for (name, _, _, expected), answer in zip(CASES, answers):
        del answer["rule_id"]
        for deviation in answer.get("deviations", []):
            del deviation["rule_id"]
        checks.equal(name, answer, expected)
