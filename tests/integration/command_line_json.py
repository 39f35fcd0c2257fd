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
        check_rules(checks, varde, plugins)
    return checks.finish()


if __name__ == "__main__":
    sys.exit(main())
