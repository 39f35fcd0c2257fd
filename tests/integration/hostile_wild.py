"""Every bad rule of the catalogue in one host at once, beside the healthy ones."""
import datetime
import json
import os
import pathlib
import statistics

import yaml

from host_process import ROOT, HostFailed
from hostile_expectations import HOST_PATH, WILD, is_evidence
from hostile_host import CatalogueHost, Quiet, confinement, is_spare, jitter_ms, nested, orphans, records_of

HEALTHY = {"R-001", "R-002", "R-003", "healthy"}  # whose deviations are compared
SHIPPED = {*yaml.safe_load((ROOT / "config/rules.yaml").read_text(encoding="utf-8"))["rules"], "healthy"}
INTERVAL_MS = 5000  # in the first run every rule that hangs does so for its whole timeout, one after the other
TIMEOUT_MS = 200
# Of wall time, on an idle machine.
MAX_OVERRUN_MS = 50
MAX_JITTER_MS = 5


def comparable(rows, moving=True):
    """What the healthy rules found, without what depends on the moment of a run."""
    keys = ("rule_id", "severity", "title", "explanation", "subject_key", "evidence", "evidence_event_ids")
    kept = [{key: row.get(key) for key in keys} for row in rows if row["rule_id"] in HEALTHY]
    for row in kept if moving else []:
        row["evidence"] = {key: value for key, value in row["evidence"].items() if key != "until"}  # of `healthy`: the moment of the run
    return sorted(json.dumps(row, sort_keys=True) for row in kept)


def fixed_window():
    """Around all events, as the query of GET /deviations/evaluate."""
    now = datetime.datetime.now(datetime.timezone.utc)
    since, until = ((now + datetime.timedelta(hours=hours)).strftime("%Y-%m-%dT%H:%M:%SZ") for hours in (-5, 1))
    return f"since={since}&until={until}"


def found_by_hand(host, window):
    """What the healthy rules say of one and the same window."""
    status, _, rows = host.request("GET", f"/v1/deviations/evaluate?{window}", timeout=60)
    if status != 200:
        raise HostFailed(f"GET /deviations/evaluate: {status} {rows}")
    return comparable(rows if isinstance(rows, list) else rows["deviations"], moving=False)


def wild_plugins():
    return {plugin: expected for _, plugins in WILD.values() for plugin, expected in plugins.items()}


def plant(host):
    """Puts all of them into the plugin folder; returns the settings of those that rules.yaml must name."""
    rules = {}
    healthy = (host.ground.fixtures / "healthy.so").read_bytes()
    made = {"not_elf": b"#!/bin/sh\necho hello\n", "wrong_arch": healthy[:18] + b"\x16\x00" + healthy[20:],
            "truncated_file": healthy[:len(healthy) // 2], "empty_file": b""}
    for plugin, expected in wild_plugins().items():
        path = host.plugins / f"{plugin}.so"
        if plugin in made:
            host.put_file(path.name, made[plugin])
        elif plugin == "symlink":
            path.symlink_to("/dev/zero")
        elif plugin == "fifo":
            os.mkfifo(path)
        elif plugin == "huge_file":
            with open(path, "wb") as file:
                file.truncate(10 << 30)
        else:
            host.add_plugin(plugin)
        if not expected.rejected:
            settings = json.loads(json.dumps(dict(expected.settings)).replace(HOST_PATH, str(host.plugins)))
            rules[plugin] = {"timeout_ms": TIMEOUT_MS, **settings}
    host.ground.own(host.plugins)
    host.write_rules(rules)
    return rules


class Wild:
    """What one host with all of them did."""

    def __init__(self, host):
        self.host = host
        self.rows = []       # GET /deviations
        self.incidents = []
        self.first_run = []  # its log events
        self.rules = {}

    def errors_of(self, rule_id, events):
        return [e["error"] for e in events if e.get("event") == "scheduler_rule_error" and e.get("rule_id") == rule_id]

    def rejections_of(self, plugin):
        name = f"/{plugin}.so"
        with self.host.changed:
            return [e["error"] for e in self.host.events if e.get("event") == "rule_rejected" and e.get("path", "").endswith(name)]

    def evidence_of(self, rule_id, key):
        """What its log event and its incident say under this key, or under one of several, a|b."""
        said = [*self.errors_of(rule_id, self.first_run), *records_of(self.incidents, rule_id)]
        return [value for record in said for name in key.split("|") for value in nested(record, name)]

    def problem_of(self, plugin, expected):
        """What is wrong with the reaction to one plugin, or ''."""
        if expected.rejected:
            return problem_of_failure(self.rejections_of(plugin), expected)
        errors = self.errors_of(plugin, self.first_run)
        if len(errors) > 1:
            return f"{len(errors)} scheduler_rule_error for one evaluation"
        titles = [row["title"] for row in self.rows if row["rule_id"] == plugin]
        if expected.title == "AB":  # one answer or the other, or none
            if errors:
                return problem_of_failure(errors, expected)
            return "" if titles and set(titles[0]) <= {"A", "B"} and len(titles[0]) == 64 else f"its answer is {titles}"
        if not expected.reasons:
            if errors:
                return f"failed: {errors[0]}"
            return "" if titles == [expected.title] else f"its answer is {titles}, not '{expected.title}'"
        if not errors and expected.phase == "load":
            errors = self.rejections_of(plugin)
        if titles:
            return f"its answer was stored: {titles}"
        wrong = problem_of_failure(errors, expected)
        if wrong:
            return wrong
        missing = [key for key, wanted in expected.evidence if not is_evidence(wanted, self.evidence_of(plugin, key))]
        if missing:
            return f"evidence is missing or wrong: {({key: self.evidence_of(plugin, key)[:2] for key in missing})}"
        return ""


def problem_of_failure(errors, expected):
    if not errors:
        return "no failure was reported"
    error = errors[0]
    if error.get("reason") not in expected.reasons:
        return f"reason {error.get('reason')}, not {' or '.join(expected.reasons)}: {error.get('message')}"
    if error.get("phase") != expected.phase:
        return f"phase {error.get('phase')}, not {expected.phase}"
    if expected.says and not any(text in error.get("message", "") for text in expected.says):
        return f"the message does not say {' or '.join(expected.says)}: {error.get('message')}"
    return ""


def calm_host(ground, window, checks):
    """Without the bad ones: (rows, by hand, descriptors, number of workers)."""
    host = CatalogueHost(ground, "calm", INTERVAL_MS)
    host.start()
    try:
        host.run_after(0)
        rows = host.request("GET", "/v1/deviations?limit=500")[2]
        if os.geteuid() == 0:
            confined = [confinement(pid, host.pid()) for pid in host.workers() if not is_spare(pid)]
            expected = ground.expected_confinement()
            checks.equal("every worker is confined as this mode says", [one for one in confined if one != expected], [])
        else:
            checks.skip("every worker is confined as this mode says", "only root can look at another process's namespaces")
        return comparable(rows), found_by_hand(host, window), host.descriptors(), len(host.workers())
    finally:
        host.stop()


def read_incidents(host):
    """With evidence; [] if there are none."""
    status, _, listed = host.request("GET", "/v1/incidents?limit=500")
    if status != 200:
        return []
    found = list(nested(listed, "incident_id"))
    # Functions are named when somebody looks, and stay named: here for the first one that has a plugin's stack.
    for incident_id in found:
        if "segmentation_fault" in nested(host.request("GET", f"/v1/incidents/{incident_id}")[2], "reason"):
            host.varde("incidents", "show", incident_id)
    return [host.request("GET", f"/v1/incidents/{incident_id}")[2] for incident_id in found]


def deadlines_were_kept(runs, quiet, checks):
    """None of the rules that overstayed did so by more than MAX_OVERRUN_MS, and the log says how long each took."""
    # A worker that was kept waiting for its CPU is given that time back: it says nothing about the deadline.
    overruns = [(e["duration_ms"] - TIMEOUT_MS, e["rule_id"],
                 at.is_quiet and e["error"].get("resources", {}).get("run_delay_ms", 0) <= 5)
                for events, at in zip(runs, quiet) for e in events
                if e.get("event") == "scheduler_rule_error" and e["error"].get("reason") == "deadline"
                and e["error"].get("phase") == "evaluate"]
    if not overruns:
        return checks.check("rules that overstay end at their deadline", False, "there was none")
    worst = max(overruns)
    print(f"        {len(overruns)} deadlines of {TIMEOUT_MS} ms, overrun median {statistics.median(o[0] for o in overruns):.0f} ms, "
          f"worst {worst[0]} ms ({worst[1]}); {'; '.join(map(str, quiet))}", flush=True)
    checks.check("a deadline is logged with the time it took", min(overruns)[0] >= -1, f"{min(overruns)}: duration_ms is below timeout_ms")
    name = f"no rule survives its deadline by more than {MAX_OVERRUN_MS} ms"
    counted = [o for o in overruns if o[2]]
    if not counted and worst[0] > MAX_OVERRUN_MS:
        return checks.skip(name, f"the machine is not idle; {worst}")
    late = [o for o in counted if o[0] > MAX_OVERRUN_MS]
    return checks.in_time(name, not late, late)


def ticks_are_on_time(host, runs, quiet, checks):
    missed = host.since(0, event="scheduler_run_late")
    if missed and not all(at.is_quiet for at in quiet):
        checks.skip("no tick is missed", f"the machine is not idle: {len(missed)} were")
    else:
        checks.in_time("no tick is missed", not missed, missed)
    # The first run is the one that a host asks for at its start, whenever that is; the others come at the slots of its schedule.
    late = jitter_ms([e for events in runs[1:] for e in events], INTERVAL_MS)
    print(f"        {len(runs)} ticks, jitter {', '.join(f'{one:.2f}' for one in late)} ms", flush=True)
    name = f"every tick is less than {MAX_JITTER_MS} ms early or late"
    if max(late) > MAX_JITTER_MS and not all(at.is_quiet for at in quiet):
        return checks.skip(name, f"the machine is not idle: {max(late):.2f} ms")
    return checks.in_time(name, max(late) < MAX_JITTER_MS, late)


def log_is_clean(host, checks):
    raw = (host.folder / "host.log").read_bytes()
    bad = sorted({byte for byte in raw if byte < 0x20 and byte != 0x0a} | ({0x7f} if b"\x7f" in raw else set()))
    checks.equal("the log holds no control characters", bad, [])
    lines = raw.decode("utf-8", "replace").splitlines()
    events = [json.loads(line) if line.startswith("{") else {"event": "not_json"} for line in lines]
    forged = [e for e in events if e.get("event") in ("forged_event", "not_json") or not e.get("ts", "").startswith("20")
              or e.get("ts", "").startswith("2020-01-01")]
    checks.equal("every line of the log is the host's own", forged, [])


def nothing_is_left(host, calm_descriptors, calm_workers, checks):
    """After the bad ones were taken away."""
    mark = host.mark()
    for plugin in wild_plugins():
        (host.plugins / f"{plugin}.so").unlink()
    host.write_rules({})
    host.wait_for(lambda e: e.get("event") == "scheduler_run_end" and e["counts"]["rules_total"] == len(SHIPPED), 30, since=mark)
    if calm_descriptors is None:
        checks.skip("no descriptor and no memfd is left in the host", "only root can look at another process's descriptors")
    else:
        settled = host.settle(lambda: host.descriptors() == calm_descriptors)
        left = host.descriptors()
        checks.check("no descriptor and no memfd is left in the host", settled,
                     f"{left - calm_descriptors} more, {calm_descriptors - left} less")
    settled = host.settle(lambda: len(host.workers()) == calm_workers)
    checks.check("no worker is left", settled, f"{len(host.workers())}, not {calm_workers}")
    checks.equal("no zombie is left", [pid for pid, state in host.workers().items() if state == "Z"], [])


def reports_are_right(wild, runs, book, checks):
    """Every entry its reaction, and the counters add up."""
    for number, (_, plugins) in WILD.items():
        for plugin, expected in plugins.items():
            wrong = wild.problem_of(plugin, expected)
            book.expect(number, not wrong, f"{plugin}: {wrong}")
    failing = {rule for rule in wild.rules if wild.errors_of(rule, wild.first_run)}
    end = next(e for e in wild.first_run if e.get("event") == "scheduler_run_end")
    checks.equal("rules_failed counts each of them once", end["counts"]["rules_failed"], len(failing))
    innocent = SHIPPED | {plugin for plugin, expected in wild_plugins().items() if not expected.reasons}
    failed = {e["rule_id"] for events in runs for e in events if e.get("event") == "scheduler_rule_error"}
    checks.equal("no other rule failed", failed & innocent, set())
    lost = sorted(rule for rule in failing if not any(records_of(wild.incidents, rule)))
    checks.check("every failure became an incident", not lost, f"{len(lost)} of {len(failing)} did not: {lost[:5]}")


def nothing_was_touched(host, before, checks):
    checks.equal("no file of the host was changed", {path: path.read_bytes() for path in before}, before)
    elsewhere = [pathlib.Path(path) for path in ("/tmp/varde-was-here", "/planted")]
    checks.equal("nothing was planted", [*host.plugins.glob("planted*"), *(path for path in elsewhere if path.exists())], [])


def wild_host(ground, book, checks):
    window = fixed_window()
    calm_rows, calm_by_hand, calm_descriptors, calm_workers = calm_host(ground, window, checks)
    # `healthy` and R-003 at any hour; by night R-002 too.
    checks.check("the healthy rules found something", len(calm_rows) >= 2 and len(calm_by_hand) >= 2, [calm_rows, calm_by_hand])
    host = CatalogueHost(ground, "wild", INTERVAL_MS)
    wild = Wild(host)
    wild.rules = plant(host)
    before = {path: path.read_bytes() for path in (host.rules, host.plugins / "healthy.so")}
    host.start()
    try:
        runs, quiet, mark = [], [], 0
        for _ in range(3):
            start = host.samples()
            events, mark = host.run_after(mark)
            runs.append(events)
            quiet.append(Quiet(start, host.samples()))
        wild.first_run = runs[0]
        wild.rows = host.request("GET", "/v1/deviations?limit=500")[2]
        wild.incidents = read_incidents(host)
        reports_are_right(wild, runs, book, checks)
        deadlines_were_kept(runs, quiet, checks)
        ticks_are_on_time(host, runs, quiet, checks)
        checks.equal("the healthy rules' deviations are the same bytes", comparable(wild.rows), calm_rows)
        checks.equal("so is what they find when asked by hand", found_by_hand(host, window), calm_by_hand)
        nothing_was_touched(host, before, checks)
        nothing_is_left(host, calm_descriptors, calm_workers, checks)
        checks.equal("the host is alive and answers", host.request("GET", "/health")[0], 200)
        checks.equal("it stops cleanly", host.stop(), 0)
        checks.equal("it leaves no process behind", orphans(but=()), [])
        log_is_clean(host, checks)
    finally:
        host.stop()
