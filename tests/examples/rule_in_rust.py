#!/usr/bin/env python3
"""examples/rule-in-rust: built offline with the installed cargo, and judged in the worker. Without a cargo that is new enough: skipped.

    rule_in_rust.py BUILD_FOLDER
"""
import os
import pathlib
import re
import shutil
import subprocess
import sys

from left_open import OPEN, ROOT, Checks, check_rule, judge

SOURCE = ROOT / "examples/rule-in-rust"
RULE_ID = "EX-R1"
# Rust 1.77: offset_of!, C string literals.
OLDEST = (1, 77)


def find_cargo():
    """(path, None) or (None, why the test cannot run)"""
    cargo = shutil.which("cargo") or shutil.which(os.path.expanduser("~/.cargo/bin/cargo"))
    if cargo is None:
        return None, "cargo is not installed"
    # The one beside it, if it is there: rustc need not be on the path.
    os.environ["PATH"] = f"{pathlib.Path(cargo).parent}:{os.environ['PATH']}"
    said = subprocess.run(["rustc", "--version"], capture_output=True, text=True)
    version = re.match(r"rustc (\d+)\.(\d+)", said.stdout)
    if said.returncode != 0 or version is None:
        return None, f"rustc does not run: {said.stdout}{said.stderr}"
    if tuple(map(int, version.groups())) < OLDEST:
        return None, f"{said.stdout.strip()} is older than {OLDEST[0]}.{OLDEST[1]}"
    return cargo, None


def build_plugin(checks, name, cargo, source, target):
    """The folder with the plugin, or None."""
    done = subprocess.run([cargo, "build", "--offline", "--locked", "--release", "--manifest-path", source / "Cargo.toml",
                           "--target-dir", target / "cargo"], capture_output=True, text=True)
    if not checks.check(name, done.returncode == 0 and "warning" not in done.stderr, done.stderr):
        return None
    plugins = target / "plugins"
    plugins.mkdir(parents=True, exist_ok=True)
    shutil.copy(target / "cargo/release/librule_in_rust.so", plugins / f"{RULE_ID}.so")
    (plugins / f"{RULE_ID}.so").chmod(0o755)
    shutil.copy(source / "rule.yaml", plugins / f"{RULE_ID}.yaml")
    return plugins


def layouts_in_rust():
    """{struct: (size, [(field, offset, size)])} with the names of the C header, from the layout! lines of abi.rs."""
    text = (SOURCE / "src/abi.rs").read_text(encoding="utf-8")
    found = {}
    for name, size, fields in re.findall(r"^layout! \{ (\w+) (\d+): ([^}]*)\}", text, re.MULTILINE):
        c_name = "varde" + re.sub(r"[A-Z]", lambda letter: "_" + letter.group().lower(), name)
        found[c_name] = (int(size), [(field.removeprefix("r#"), int(offset), int(length))
                                     for field, offset, length in re.findall(r"([\w#]+) (\d+) (\d+)", fields)])
    return found


def layouts_in_c():
    found = {}
    for line in (ROOT / "plugin-api/abi/offsets.txt").read_text(encoding="utf-8").splitlines():
        if line.startswith(" "):
            name, offset, length = line.split()
            struct, _, field = name.partition(".")
            found[struct][1].append((field, int(offset), int(length)))
        else:
            struct, size = line.split()
            found[struct] = (int(size), [])
    return found


def check_layouts(checks):
    rust, c = layouts_in_rust(), layouts_in_c()
    checks.check("abi.rs has every struct that a rule and a host exchange", len(rust) >= 15, sorted(rust))
    for name in sorted(rust):
        checks.equal(f"{name} is as plugin-api/abi/offsets.txt has it", rust[name], c.get(name))


def check_panic(checks, build, cargo, target):
    """The same rule with a panic in it: an error of this evaluation, and the worker answers the next one."""
    source = target / "panicking"
    shutil.rmtree(source, ignore_errors=True)
    shutil.copytree(SOURCE, source)
    rule = source / "src/left_open.rs"
    text = rule.read_text(encoding="utf-8")
    place = "let limit_us = self.minutes * MINUTE_US;"
    checks.check("there is a place for a panic", text.count(place) == 1)
    rule.write_text(text.replace(place, place + '\nif self.minutes == 13 { panic!("on {}", "purpose") }'), encoding="utf-8")
    plugins = build_plugin(checks, "a rule that panics is built", cargo, source, target / "panicking-build")
    if plugins is None:
        return
    answers = judge(build, plugins, RULE_ID, [({"minutes": 13}, [OPEN]), ({"minutes": 14}, [OPEN])])
    checks.equal("a panic is an error of the rule with its text", answers[0].get("error"),
                 {"type": "scheduler_rule_error", "reason": "rule_error", "phase": "evaluate", "message": "panic: on purpose"})
    checks.equal("and the next evaluation is answered", answers[1].get("outcome"), "met")


def main():
    build = pathlib.Path(sys.argv[1]).resolve()
    checks = Checks()
    cargo, why_not = find_cargo()
    if cargo is None:
        checks.skip("examples/rule-in-rust", why_not)
        return checks.finish()
    target = build / "examples/rule-in-rust"
    check_layouts(checks)
    plugins = build_plugin(checks, "it is built offline without a warning", cargo, SOURCE, target)
    if plugins is None:
        return checks.finish()
    needed = subprocess.run(["readelf", "-dW", plugins / f"{RULE_ID}.so"], capture_output=True, text=True, check=True).stdout
    libraries = set(re.findall(r"Shared library: \[([^\]]+)\]", needed))
    checks.check("it needs the C library and libgcc_s, which the worker has, and no other",
                 {name.split(".so")[0].split("-")[0] for name in libraries} <= {"libc", "libgcc_s", "ld"}, libraries)
    check_rule(checks, build, SOURCE, plugins, RULE_ID)
    in_process = subprocess.run([build / "bin/example_left_open"], capture_output=True, text=True,
                                env={**os.environ, "VARDE_EXAMPLE": str(plugins / f"{RULE_ID}.so")})
    checks.check("its answers hold as long as those of the rule in C", in_process.returncode == 0, in_process.stdout + in_process.stderr)
    own = subprocess.run([cargo, "test", "--offline", "--locked", "--manifest-path", SOURCE / "Cargo.toml", "--target-dir",
                          target / "cargo"], capture_output=True, text=True)
    checks.check("its own tests pass", own.returncode == 0 and "3 passed" in own.stdout, own.stdout + own.stderr)
    check_panic(checks, build, cargo, target)
    return checks.finish()


if __name__ == "__main__":
    sys.exit(main())
