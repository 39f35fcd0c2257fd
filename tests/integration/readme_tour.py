#!/usr/bin/env python3
"""The README's commands work word for word, and its rule is the one in examples/minimal-rule.

    readme_tour.py BUILD_FOLDER

Runs every `sh` block in a scratch folder that looks like a checkout after `./dev run`: build/release is BUILD_FOLDER, var/demo is what
./dev run makes. Changed are only the port and the length of the recording, and `varde doctor` may end with 3 (something to look at), as
it does on a machine without NTP.
"""
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

from host_process import ROOT, Checks, Host, HostFailed

# A word that the output of the block with this command must have.
EXPECTED = (("/v1/rules", "R-001"), ("-d '{", "Nobody answered the door"), ("rules disable", "R-001"), ("std::abort", "aborted: SIGABRT"),
            ("std::abort", "Nobody answered the door"),
            ("simulate", "R-001"))
HOST_YAML = """database: {{url: "sqlite:{folder}/var/demo/varde.db"}}
plugins_dir: {folder}/var/demo/plugins
rules_file: {folder}/var/demo/rules.yaml
"""


def blocks(text, language):
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.DOTALL | re.MULTILINE)


def checkout(folder, build):
    (folder / "build").mkdir()
    (folder / "build/release").symlink_to(build)
    for name in ("config", "examples", "migrations", "plugin-api", "plugins"):
        (folder / name).symlink_to(ROOT / name)
    demo = folder / "var/demo"
    (demo / "plugins").mkdir(parents=True)
    for file in (*build.glob("plugins/R-*.so"), *build.glob("plugins/R-*.yaml")):
        shutil.copy(file, demo / "plugins")
    shutil.copy(ROOT / "config/rules.yaml", demo / "rules.yaml")
    (demo / "host.yaml").write_text(HOST_YAML.format(folder=folder), encoding="utf-8")
    return demo


def run_block(folder, port, script):
    script = script.replace(":8080/", f":{port}/").replace("--days 30", "--days 2").replace("doctor", "doctor || test $? = 3")
    done = subprocess.run(["bash", "-e", "-o", "pipefail", "-c", script], cwd=folder, capture_output=True, text=True, timeout=300,
                          check=False)
    return done.returncode, done.stdout + done.stderr


def main():
    build = pathlib.Path(sys.argv[1]).resolve()
    checks = Checks()
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    rule = (ROOT / "examples/minimal-rule/rule.cpp").read_text(encoding="utf-8")
    checks.equal("the rule in the README is examples/minimal-rule/rule.cpp", blocks(readme, "cpp"), [rule])
    checks.check("it has at most 40 lines", rule.count("\n") <= 40, rule.count("\n"))
    for target in re.findall(r"\]\(([\w./-]+)\)", re.sub(r"^```.*?^```", "", readme, flags=re.DOTALL | re.MULTILINE)):
        checks.check(f"{target} is there", (ROOT / target).exists())
    with tempfile.TemporaryDirectory(prefix="varde-tour-") as name:
        folder = pathlib.Path(name)
        demo = checkout(folder, build)
        host = Host(build, demo, f"sqlite:{demo}/varde.db", plugins=demo / "plugins", rules=demo / "rules.yaml", interval_ms=2000)
        try:
            host.start()
            host.request("POST", "/event", {"id": "first", "timestamp": "2026-01-15T12:00:00Z", "category": "door"})
            host.wait_for(lambda e: e.get("event") == "scheduler_run_end")
            for block in blocks(readme, "sh"):
                status, output = run_block(folder, host.port, block)
                title = block.strip().splitlines()[0][:70]
                checks.check(f"$ {title} ...", status == 0, f"exit {status}\n{output}")
                for mark, word in EXPECTED:
                    if mark in block:
                        checks.check(f"  ... shows {word}", word in output, output)
            checks.equal("the host stops cleanly", host.stop(), 0)
        except HostFailed as error:
            checks.check("the host lives through it", False, error)
        finally:
            host.stop()
    return checks.finish()


if __name__ == "__main__":
    sys.exit(main())
