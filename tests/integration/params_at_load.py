#!/usr/bin/env python3
"""Parameters that a rule cannot use are found when rules.yaml is loaded: by `varde check`, `varde run`, `varde doctor` and a running host.

    params_at_load.py BUILD_FOLDER SHARED_FOLDER   (SHARED_FOLDER/conformance/errors.jsonl is read in place; skipped if absent)
"""
import json
import pathlib
import subprocess
import sys
import tempfile

from host_process import ROOT, Checks, Host, HostFailed

# Only the rule knows that memory_minutes must be longer than sensor_stuck_min and silence_after_min together.
TOO_SHORT = """rules:
  R-004:
    enabled_in_scheduler: true
    params:
      sensor_stuck_min: 240
      memory_minutes: 60
"""
LONG_ENOUGH = TOO_SHORT.replace("60\n", "480\n")
UNKNOWN = LONG_ENOUGH.replace("memory_minutes", "memory_minute")


def varde(build, folder, *arguments):
    done = subprocess.run([build / "bin/varde", "--plugins", build / "plugins", "--rules", folder / "rules.yaml", "--database",
                           f"sqlite:{folder}/varde.db", *arguments], cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    return done.returncode, done.stdout, done.stderr


def check_vectors(build, folder, shared, checks):
    file = shared / "conformance/errors.jsonl"
    if not file.exists():
        return checks.skip("errors.jsonl", f"{file} is not there")
    for line in file.read_text(encoding="utf-8").splitlines():
        vector = json.loads(line)
        ((name, value),) = vector["params"].items()
        rules = f"rules:\n  {vector['rule_id']}:\n    params:\n      {name}: {json.dumps(value)}\n"
        (folder / "rules.yaml").write_text(rules, encoding="utf-8")
        status, _, errors = varde(build, folder, "check")
        place = f"varde: {folder}/rules.yaml:4:"
        told = status == 2 and errors.startswith(place) and f"rules.{vector['rule_id']}.params.{name}" in errors
        checks.check(f"{vector['vector_id']} is refused at load: {errors.strip()[len(place):]}", told, (status, errors))


def check_commands(build, folder, checks):
    (folder / "rules.yaml").write_text(UNKNOWN, encoding="utf-8")
    told = f"{folder}/rules.yaml:6:7: rules.R-004.params.memory_minute: unknown parameter; did you mean 'memory_minutes'?"
    checks.equal("check names the parameter that was meant", varde(build, folder, "check"), (2, "", f"varde: {told}\n"))
    status, output, _ = varde(build, folder, "run")
    checks.check("run says the same", status == 1 and "config_rejected" in output and told in output, (status, output[-500:]))
    status, output, _ = varde(build, folder, "doctor")
    checks.check("doctor says the same", status == 1 and told in output, (status, output[-500:]))
    (folder / "rules.yaml").write_text(TOO_SHORT, encoding="utf-8")
    status, output, errors = varde(build, folder, "check")
    told = f"{folder}/rules.yaml:6:23: rules.R-004.params.memory_minutes: "
    checks.check("what only the rule knows is told with its place", status == 2 and f"varde: {told}" in errors, (status, errors))
    status, output, _ = varde(build, folder, "run")
    checks.check("at start such a rule is out of use by itself", "rule_rejected" in output and told in output and
                 "config_rejected" not in output, (status, output[-500:]))
    status, output, _ = varde(build, folder, "doctor")
    checks.check("doctor says that too", status == 1 and told in output, (status, output[-500:]))
    (folder / "rules.yaml").write_text(LONG_ENOUGH, encoding="utf-8")
    checks.equal("the mended file is good", varde(build, folder, "check")[::2], (0, ""))


def check_host(build, folder, checks):
    (folder / "rules.yaml").write_text(LONG_ENOUGH, encoding="utf-8")
    host = Host(build, folder, f"sqlite:{folder}/varde.db", rules=folder / "rules.yaml", interval_ms=300)
    try:
        host.start()
        host.wait_for(lambda event: event.get("event") == "rule_loaded")
        for text, told in ((UNKNOWN, ":6:7: rules.R-004.params.memory_minute: unknown parameter"),
                           (TOO_SHORT, ":6:23: rules.R-004.params.memory_minutes: ")):
            since = host.mark()
            (folder / "rules.yaml").write_text(text, encoding="utf-8")
            event = host.wait_for(lambda event: event.get("event") == "config_rejected", since=since)
            checks.check(f"an edit is turned down with {told.strip()}", f"{folder}/rules.yaml{told}" in event["error"]["message"], event)
            host.wait_for(lambda event: event.get("event") == "scheduler_run_end", since=host.mark())
            status, _, rules = host.request("GET", "/rules")
            params = next(rule for rule in rules if rule["rule_id"] == "R-004")["params"] if status == 200 else rules
            checks.equal("and the old parameters stay in force", params, {"sensor_stuck_min": 240, "memory_minutes": 480})
        (folder / "rules.yaml").write_text(LONG_ENOUGH.replace("480", "481"), encoding="utf-8")
        host.wait_for(lambda event: event.get("event") == "config_reloaded")
        checks.equal("no evaluation failed", [event for event in host.events if event.get("event") == "scheduler_rule_error"], [])
    finally:
        host.stop()


def main():
    build, shared = (pathlib.Path(argument).resolve() for argument in sys.argv[1:3])
    checks = Checks()
    with tempfile.TemporaryDirectory(prefix="varde-params-") as name:
        folder = pathlib.Path(name)
        check_vectors(build, folder, shared, checks)
        check_commands(build, folder, checks)
        check_host(build, folder, checks)
    return checks.finish()


if __name__ == "__main__":
    try:
        sys.exit(main())
    except HostFailed as failed:
        sys.exit(f"FAILED  {failed}")
