#!/usr/bin/env python3
"""Every subcommand that takes --json prints one JSON object a line, whatever names it meets: quotes, line ends, bytes that are no text.

    command_line_json.py BUILD_FOLDER
"""
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

from host_process import Checks

NASTY = 'a "quoted" \\ name\nwith a line end'


class CommandLine:
    def __init__(self, build, folder, plugins):
        self.command = [build / "bin/varde", "--json", "--database", f"sqlite:{folder}/varde.db", "--plugins", plugins,
                        "--rules", folder / "rules.yaml"]
        self.folder = folder

    def __call__(self, *arguments):
        """(exit status, the objects that were printed)"""
        done = subprocess.run([*self.command, *arguments], capture_output=True, cwd=self.folder,
                              env={key: value for key, value in os.environ.items() if key != "DATABASE_URL"})
        return done.returncode, [json.loads(line) for line in done.stdout.decode("utf-8").splitlines()]


def check_tokens(checks, varde):
    status, made = varde("token", "create", "--name", NASTY, "--role", "operator", "--home", "h\u00f8yden")
    checks.equal("token create", (status, sorted(made[0])), (0, ["id", "role", "token"]))
    varde("token", "create", "--name", "second")
    subprocess.run([part for part in varde.command if part != "--json"] + ["token", "revoke", "2"], cwd=varde.folder, check=True,
                   capture_output=True)
    status, tokens = varde("token", "list")
    tokens = sorted(tokens, key=lambda token: token["id"])
    checks.equal("token list has each token", (status, [token["name"] for token in tokens]), (0, [NASTY, "second"]))
    first, second = tokens
    checks.equal("its scope and role", [first[key] for key in ("role", "org_id", "home_id", "subject_id", "revoked_at")],
                 ["operator", "", "h\u00f8yden", "", None])
    checks.check("when it was made and revoked", second["created_at"].endswith("Z") and second["revoked_at"].endswith("Z"), second)
    checks.check("and neither a secret nor its hash", not {"token", "secret", "sha256"} & set(first), first)


def check_events(checks, varde, folder):
    (folder / "two.jsonl").write_text("".join(
        json.dumps({"id": f"e{n}", "timestamp": f"2026-01-15T10:0{n}:00Z", "category": NASTY, "payload": {}}) + "\n" for n in (1, 2)))
    checks.equal("events import", varde("events", "import", "two.jsonl"), (0, [{"read": 2, "stored": 2, "deduped": 0, "refused": 0}]))
    status, events = varde("events", "tail")
    checks.equal("events tail", (status, [event["category"] for event in events]), (0, [NASTY, NASTY]))


def check_schedules(checks, varde, folder):
    definition = {"id": "nightly", "name": NASTY, "kind": "noop", "trigger": {"cron": "30 2 * * *", "timezone": "Europe/Oslo"}}
    (folder / "nightly.json").write_text(json.dumps(definition))
    status, made = varde("schedules", "create", "nightly.json")
    checks.equal("schedules create", (status, made[0]["id"], made[0]["name"], made[0]["version"]), (0, "nightly", NASTY, 1))
    checks.equal("a second time", varde("schedules", "create", "nightly.json"), (1, []))
    status, shown = varde("schedules", "show", "nightly")
    checks.equal("schedules show", (status, shown), (0, made))
    (folder / "nightly.json").write_text(json.dumps({**shown[0]["definition"], "labels": {"team": "care"}}))
    status, replaced = varde("schedules", "replace", "nightly.json")
    checks.equal("schedules replace", (status, replaced[0]["version"], replaced[0]["definition"]["labels"]), (0, 2, {"team": "care"}))
    checks.equal("schedules list", varde("schedules", "list", "--label", "team=care"), (0, replaced))
    checks.equal("that finds nothing", varde("schedules", "list", "--kind", "http"), (0, []))
    status, slots = varde("schedules", "preview", "nightly", "--after", "2026-03-28T12:00:00Z", "-n", "2")
    checks.equal("schedules preview", (status, [(slot["local"], slot["reason"]) for slot in slots]),
                 (0, [("2026-03-29T03:00:00+02:00", "end_of_gap"), ("2026-03-30T02:30:00+02:00", "natural")]))
    (folder / "bad.json").write_text('{"kind": "noop", "trigger": {"every": "5x"}}')
    checks.equal("a definition with a fault", varde("schedules", "preview", "--file", "bad.json"), (2, []))
    states = [varde("schedules", action, "nightly")[1][0]["state"] for action in ("pause", "resume", "disable", "enable")]
    checks.equal("schedules are switched", states, ["paused", "active", "disabled", "active"])
    checks.equal("schedules explain", varde("schedules", "explain", "nightly", "--at", "2001-01-01T00:00:00Z")[1][0]["answer"],
                 "not_created")
    checks.check("schedules kinds", {"http", "noop"} <= {kind["name"] for kind in varde("schedules", "kinds")[1]})


def check_runs(checks, varde):
    status, run = varde("schedules", "run", "nightly", "--key", "k", "--input", '{"sleep": "1s"}')
    checks.equal("schedules run", (status, run[0]["state"], run[0]["input"], run[0]["created"]), (0, "pending", {"sleep": "1s"}, True))
    checks.equal("the same key", [row["created"] for row in varde("schedules", "run", "nightly", "--key", "k")[1]], [False])
    checks.equal("another run while that one is not over", varde("schedules", "run", "nightly"), (1, []))
    status, cancelled = varde("runs", "cancel", str(run[0]["run_id"]))
    checks.equal("runs cancel", (status, cancelled[0]["state"], cancelled[0]["reason"]), (0, "cancelled", "cancelled"))
    checks.equal("runs show", varde("runs", "show", str(run[0]["run_id"])), (0, cancelled))
    status, again = varde("runs", "retry", str(run[0]["run_id"]))
    checks.equal("runs retry", (status, again[0]["kind"], again[0]["input"]), (0, "manual", {"sleep": "1s"}))
    checks.equal("runs list", [row["run_id"] for row in varde("runs", "list", "--kind", "manual")[1]],
                 [again[0]["run_id"], run[0]["run_id"]])
    checks.equal("of one state", varde("runs", "list", "--state", "cancelled"), (0, cancelled))
    stats = varde("runs", "stats", "--schedule", "nightly")[1][0]
    checks.equal("runs stats", (stats["total"], stats["by_state"]["cancelled"], stats["success_rate_finished"]), (2, 1, None))
    checks.equal("schedules delete", varde("schedules", "delete", "nightly"), (0, [{"id": "nightly", "deleted": True}]))
    checks.equal("its history stays", {row["state"] for row in varde("runs", "list")[1]}, {"cancelled"})
    checks.equal("runs cleanup", varde("runs", "cleanup", "--days", "0"), (0, [{"deleted": 2}]))
    checks.equal("and is empty then", varde("runs", "list"), (0, []))


def check_rules(checks, varde, plugins):
    status, rules = varde("rules", "list")
    checks.equal("rules list", (status, [rule["rule_id"] for rule in rules]), (0, ["R-001", "R-009"]))
    checks.equal("with what is configured", [(rule["configured"], rule["enabled_in_scheduler"]) for rule in rules],
                 [(True, True), (True, False)])
    checks.equal("and without a plugin", rules[1]["plugin"], "no plugin")
    # A file name may hold any byte but two.
    odd = os.fsencode(plugins) + b'/"odd\xff\n".so'
    shutil.copyfile(plugins / "R-001.so", odd)
    os.chmod(odd, 0o644)
    status, inspected = varde("plugin", "inspect", odd)
    checks.equal("plugin inspect of an odd name", (status, inspected[0]["rule_id"], pathlib.Path(inspected[0]["path"]).name),
                 (0, "R-001", '"odd\ufffd\n".so'))
    checks.equal("with its numbers", (inspected[0]["abi"], inspected[0]["size"], len(inspected[0]["sha256"])),
                 ("1.0", (plugins / "R-001.so").stat().st_size, 64))
    status, found = varde("doctor")
    details = [check["detail"] for check in found if check["check"] == "plugins"]
    checks.check("doctor, of two files with one rule", status == 1 and any("odd\ufffd\n" in detail for detail in details), details)
    os.unlink(odd)


def main():
    build = pathlib.Path(sys.argv[1]).resolve()
    checks = Checks()
    with tempfile.TemporaryDirectory(prefix="varde-json-") as name:
        folder = pathlib.Path(name)
        plugins = folder / "plugins"
        plugins.mkdir()
        shutil.copy(build / "plugins/R-001.so", plugins)
        (folder / "rules.yaml").write_text("rules: {R-001: {enabled_in_scheduler: true}, R-009: {enabled_in_scheduler: false}}\n")
        varde = CommandLine(build, folder, plugins)
        status, ran = varde("run")
        checks.equal("run", (status, ran[0]["ok"], ran[0]["rules_failed"]), (0, True, 0))
        check_tokens(checks, varde)
        check_events(checks, varde, folder)
        check_schedules(checks, varde, folder)
        check_runs(checks, varde)
        check_rules(checks, varde, plugins)
    return checks.finish()


if __name__ == "__main__":
    sys.exit(main())
