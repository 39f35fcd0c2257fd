#!/usr/bin/env python3
"""examples/rule-in-c: built in this tree and by itself, without our build system and in strict C99, and judged in the worker.

    rule_in_c.py BUILD_FOLDER C_COMPILER CMAKE
"""
import pathlib
import shutil
import subprocess
import sys
import tempfile

from left_open import ROOT, Checks, check_rule


def run(checks, name, command):
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True)
    return checks.check(name, done.returncode == 0, done.stdout + done.stderr)


def main():
    build, compiler, cmake = pathlib.Path(sys.argv[1]).resolve(), sys.argv[2], sys.argv[3]
    source = ROOT / "examples/rule-in-c"
    checks = Checks()
    check_rule(checks, build, source, build / "examples/rule-in-c/plugins", "EX-C1")
    with tempfile.TemporaryDirectory(prefix="varde-rule-in-c-") as name:
        work = pathlib.Path(name)
        copy = shutil.copytree(source, work / "rule")
        run(checks, "strict C99 has nothing to say", [
            compiler, "-std=c99", "-Wall", "-Wextra", "-pedantic", "-Werror", "-fsyntax-only", f"-I{ROOT}/plugin-api/include",
            copy / "rule.c"])
        configure = [cmake, "-G", "Ninja", "-S", copy, "-B", work / "build", f"-DCMAKE_C_COMPILER={compiler}"]
        lost = subprocess.run([str(part) for part in configure], capture_output=True, text=True)
        checks.check("a copy that does not find the interface says what to name", lost.returncode != 0 and "-DVARDE_API=" in lost.stderr,
                     lost.stderr)
        shutil.rmtree(work / "build")
        if run(checks, "a copy is configured", [*configure, f"-DVARDE_API={ROOT}/plugin-api"]) and run(
                checks, "and built", [cmake, "--build", work / "build"]):
            run(checks, "and passes its scenarios", [build / "bin/varde", "--plugins", work / "build/plugins", "test", copy])
    return checks.finish()


if __name__ == "__main__":
    sys.exit(main())
