#!/usr/bin/env python3
"""examples/systemd/varde.service passes `systemd-analyze verify` without a remark."""
import pathlib
import shutil
import subprocess
import sys
import tempfile

from host_process import ROOT, Checks


def main():
    checks = Checks()
    if shutil.which("systemd-analyze") is None:
        checks.skip("examples/systemd/varde.service", "systemd-analyze is not installed")
        return checks.finish()
    text = (ROOT / "examples/systemd/varde.service").read_text(encoding="utf-8")
    with tempfile.TemporaryDirectory(prefix="varde-unit-") as name:
        for what, body, good in (("the unit", text, True), ("a unit with a wrong key", text.replace("KillMode=", "KillMood="), False)):
            unit = pathlib.Path(name) / "varde.service"
            # Varde is not installed here: a program that is stands in for it.
            unit.write_text(body.replace("/usr/bin/varde", "/usr/bin/env"), encoding="utf-8")
            done = subprocess.run(["systemd-analyze", "verify", unit], capture_output=True, text=True, check=False)
            remarks = [line for line in (done.stdout + done.stderr).splitlines() if "varde.service" in line]
            checks.check(f"systemd-analyze verify: {what} is {'fine' if good else 'found'}", (done.returncode == 0 and not remarks) == good,
                         (done.returncode, remarks))
    return checks.finish()


if __name__ == "__main__":
    sys.exit(main())
