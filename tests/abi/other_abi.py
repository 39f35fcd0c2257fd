#!/usr/bin/env python3
"""A plugin that needs a later rule ABI than this host has, or an earlier one, is refused with both versions and what to do; on the command
line, by `varde doctor`, and by a host that runs on with the plugins it can use.

    other_abi.py BUILD_FOLDER
"""
import json
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/integration"))
from host_process import Checks, Host, HostFailed  # noqa: E402


def abi_of_this_host():
    header = (ROOT / "plugin-api/include/varde/rule.h").read_text(encoding="utf-8")
    return tuple(int(re.search(rf"#define VARDE_ABI_{part} (\d+)u", header).group(1)) for part in ("MAJOR", "MINOR"))


MAJOR, MINOR = abi_of_this_host()
# Rule id (and file name): what the host must say.
REFUSED = {
    "FUTURE-MINOR": f"needs rule ABI {MAJOR}.{MINOR + 1}, this host has {MAJOR}.{MINOR}; upgrade the host",
    "FUTURE-MAJOR": f"needs rule ABI {MAJOR + 1}.{MINOR}, this host has {MAJOR}.{MINOR}; upgrade the host",
    "PAST-MAJOR": f"needs rule ABI {MAJOR - 1}.{MINOR}, this host has {MAJOR}.{MINOR}; rebuild the rule with this version's SDK",
}


def check_inspect(checks, varde, plugins):
    for rule_id, message in REFUSED.items():
        file = plugins / f"{rule_id}.so"
        done = subprocess.run([varde, "plugin", "inspect", file], capture_output=True, text=True)
        checks.equal(f"inspect refuses {rule_id}", (done.returncode, done.stdout), (4, ""))
        checks.equal(f"inspect says what to do about {rule_id}", done.stderr.strip(), f"{file}: abi_mismatch: {message}")


def check_doctor(checks, varde, plugins, folder):
    done = subprocess.run([varde, "--json", "--plugins", plugins, "--database", f"sqlite:{folder}/doctor.db", "doctor"],
                          capture_output=True, text=True, cwd=ROOT)
    checks.equal("doctor says that something is wrong", done.returncode, 1)
    found = [json.loads(line) for line in done.stdout.splitlines()]
    failed = sorted(line["detail"] for line in found if line["check"] == "plugins" and line["state"] == "FAILED")
    checks.equal("doctor names each of them", failed,
                 sorted(f"{plugins}/{rule_id}.so: abi_mismatch: {message}" for rule_id, message in REFUSED.items()))
    checks.check("doctor still loads the one that fits", any("R-001" in line["detail"] and line["state"] == "ok" for line in found), found)


def check_host(checks, build, plugins, folder):
    rules = folder / "rules.yaml"
    rules.write_text("rules:\n" + "".join(f"  {rule_id}: {{enabled_in_scheduler: true}}\n" for rule_id in ("R-001", *REFUSED)),
                     encoding="utf-8")
    host = Host(build, folder, f"sqlite:{folder}/host.db", plugins=plugins, rules=rules, interval_ms=1000)
    try:
        host.start()
        host.wait_for(lambda event: event.get("event") == "scheduler_run_end")
        with host.changed:
            log = list(host.events)
        rejected = {event["rule_id"]: event["error"] for event in log if event.get("event") == "rule_rejected"}
        checks.equal("the host rejects these and no other", sorted(rejected), sorted(REFUSED))
        for rule_id, message in REFUSED.items():
            error = rejected.get(rule_id, {})
            checks.equal(f"its log says what to do about {rule_id}", (error.get("reason"), error.get("message")), ("abi_mismatch", message))
        loaded = [event["rule_id"] for event in log if event.get("event") == "rule_loaded"]
        checks.equal("the rule that fits is loaded", loaded, ["R-001"])
        checks.equal("the host is well", host.request("GET", "/health")[0], 200)
    except HostFailed as error:
        checks.check("the host runs", False, error)
    finally:
        checks.equal("the host stops cleanly", host.stop(), 0)


def main():
    build = pathlib.Path(sys.argv[1]).resolve()
    checks = Checks()
    with tempfile.TemporaryDirectory(prefix="varde-other-abi-") as name:
        folder = pathlib.Path(name)
        plugins = folder / "plugins"
        plugins.mkdir()
        for file in (build / "plugins/R-001.so", *(build / f"tests/abi/other/{rule_id}.so" for rule_id in REFUSED)):
            shutil.copy(file, plugins)
        check_inspect(checks, build / "bin/varde", plugins)
        check_doctor(checks, build / "bin/varde", plugins, folder)
        check_host(checks, build, plugins, folder)
    return checks.finish()


if __name__ == "__main__":
    sys.exit(main())
