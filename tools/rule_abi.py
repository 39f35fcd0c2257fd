#!/usr/bin/env python3
"""Guards the binary interface of plugin-api/include/varde/rule.h and job.h: every struct, every function a struct
points to, every constant.

    rule_abi.py check      compares the headers with plugin-api/abi/rule.abi and job.abi; part of ./dev check
    rule_abi.py write      records what they say now, and plugin-api/abi/offsets.txt and job_offsets.txt with it: ./dev abi

The interfaces are frozen since 1.0: a change is recorded only if VARDE_ABI_MINOR (VARDE_JOB_ABI_MINOR) was raised and nothing that is on
record moved.
Needs abidw and abidiff (abigail-tools). The record is of x86-64; on another machine `check` says that it was skipped.
"""
import dataclasses
import pathlib
import platform
import re
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
MACHINE = "x86_64"
TYPE = re.compile(r"^typedef struct (\w+)|^typedef (?!struct)[\w ]*?(\w+);", re.MULTILINE)
CONSTANT = re.compile(r"^#define (VARDE_\w+) (?!static|__attribute__)(\S.*)$", re.MULTILINE)


@dataclasses.dataclass(frozen=True)
class Interface:
    """One exported symbol, with a version of its own."""
    headers: tuple  # the first includes the others
    minor: str      # the constant that says what the header offers
    record: str     # in plugin-api/abi
    offsets: str    # in plugin-api/abi
    layout: str     # in tests/abi: prints the offsets
    heading: str    # of its sections in CHANGES.md, before the version


RULE = Interface(("rule.h", "extensions.h"), "VARDE_ABI_MINOR", "rule.abi", "offsets.txt", "offsets.c", "")
JOB = Interface(("job.h",), "VARDE_JOB_ABI_MINOR", "job.abi", "job_offsets.txt", "job_offsets.c", "Jobs ")

WHAT_TO_DO = """
varde/HEADER is not what plugin-api/abi/RECORD has on record; the list above goes from the record to the header.
  Not meant?  Undo it: plugins that exist already were built with the record.
  Meant?      1. plugin-api/README.md, "How it grows", says what may change.
              2. Raise MINOR_NAME in HEADER and name the change under "## HEADING1.MINOR" in plugin-api/CHANGES.md.
              3. ./dev abi records it; commit plugin-api/abi/RECORD and OFFSETS with it.
              4. The sample plugins of earlier versions must still load: ctest --test-dir build/dev -R abi.samples
"""


class AbiError(Exception):
    pass


def run(command, **options):
    return subprocess.run([str(part) for part in command], capture_output=True, text=True, **options)


def must(command, **options):
    done = run(command, **options)
    if done.returncode != 0:
        raise AbiError(f"{command[0]} failed:\n{done.stdout}{done.stderr}")
    return done.stdout


def what_to_do(interface):
    text = WHAT_TO_DO
    for name, value in (("HEADER", interface.headers[0]), ("RECORD", interface.record), ("OFFSETS", interface.offsets),
                        ("MINOR_NAME", interface.minor), ("HEADING", interface.heading)):
        text = text.replace(name, value)
    return text


def version_of(header, interface=RULE):
    """"1.MINOR", as the header says."""
    found = re.search(rf"^#define {interface.minor} (\d+)u", header, re.MULTILINE)
    return f"1.{found.group(1)}"


def recorded_version(record, interface=RULE):
    """The same of a dump."""
    found = re.search(rf"'{interface.minor}_value' value='(\d+)'", record.read_text(encoding="utf-8").replace('"', "'"))
    return f"1.{found.group(1)}" if found else "unknown"


def moved(before, after):
    """Lines of offsets.txt that are gone. Structs may grow, and reserved slots may be used up; a field stays where it is."""
    fields = {line for line in after.splitlines() if line.startswith(" ")}
    return [line.strip() for line in before.splitlines() if line.startswith(" ") and "reserved" not in line and line not in fields]


def surface(header, macros, interface=RULE):
    """A C file in which every type and every constant of the header is reachable, so that the dump has them. Constants that are
    texts are kept as names: a dump holds no texts."""
    types = sorted({name for pair in TYPE.findall(header) for name in pair if name})
    lines = [f"#include <varde/{interface.headers[0]}>", *(f"const {name} *abi_{name};" for name in types)]
    constants = dict(CONSTANT.findall(macros))
    if interface is not RULE:  # those of rule.h, which it includes, are on record there
        named = set(re.findall(r"^#define (\w+)", header, re.MULTILINE))
        constants = {name: value for name, value in constants.items() if name in named}
    for name, value in sorted(constants.items()):
        member = f"is_{re.sub(r'[^A-Za-z0-9]', '_', value)} = 0" if value.startswith('"') else f"value = {value}"
        # A variable each: abidiff does not speak of a new enumerator whose value another one has already.
        lines.append(f"enum constant_{name} {{ {name}_{member} }} abi_{name};")
    return "\n".join(lines) + "\n"


def dump(include, target, interface=RULE):
    """Writes the dump of the interface in include/varde to `target`. Nothing in it depends on where or when it was made."""
    header = "".join((include / "varde" / name).read_text(encoding="utf-8") for name in interface.headers)
    macros = must(["cc", "-E", "-dM", f"-I{include}", "-include", f"varde/{interface.headers[0]}", "-x", "c", "/dev/null"])
    with tempfile.TemporaryDirectory(prefix="varde-abi-") as folder:
        (pathlib.Path(folder) / "surface.c").write_text(surface(header, macros, interface), encoding="utf-8")
        must(["cc", "-std=gnu11", "-g", "-O0", "-shared", "-fPIC", f"-I{include}", "surface.c", "-o", "surface.so"], cwd=folder)
        text = must(["abidw", "--no-comp-dir-path", "--no-corpus-path", "--no-show-locs", "--no-elf-needed", "surface.so"], cwd=folder)
    target.write_text(text, encoding="utf-8")


def difference(record, include, interface=RULE):
    """What abidiff says of the change from the record to the header; empty if there is none."""
    with tempfile.TemporaryDirectory(prefix="varde-abi-") as folder:
        now = pathlib.Path(folder) / "now.abi"
        dump(include, now, interface)
        compared = run(["abidiff", "--harmless", "--no-show-locs", record, now])
    if compared.returncode & 3:  # it could not compare
        raise AbiError(f"abidiff failed:\n{compared.stdout}{compared.stderr}")
    return compared.stdout if compared.returncode else ""


def problems(root):
    """Everything that is wrong, as texts."""
    include = root / "plugin-api/include"
    changes = (root / "plugin-api/CHANGES.md").read_text(encoding="utf-8")
    for interface in (RULE, JOB):
        changed = difference(root / "plugin-api/abi" / interface.record, include, interface)
        if changed:
            yield changed + what_to_do(interface)
        header = interface.headers[0]
        version = version_of((include / "varde" / header).read_text(encoding="utf-8"), interface)
        if not re.search(rf"^## {interface.heading}{re.escape(version)}\b", changes, re.MULTILINE):
            yield (f"plugin-api/CHANGES.md has no section '## {interface.heading}{version}', which is what {interface.minor} of "
                   f"{header} says it is\n")


def write(root):
    for interface in (RULE, JOB):
        write_interface(root, interface)


def write_interface(root, interface):
    include = root / "plugin-api/include"
    record = root / "plugin-api/abi" / interface.record
    table = root / "plugin-api/abi" / interface.offsets
    header = interface.headers[0]
    version = version_of((include / "varde" / header).read_text(encoding="utf-8"), interface)
    if record.exists() and version == recorded_version(record, interface) and difference(record, include, interface):
        raise AbiError(f"{version} is frozen, and {header} is not what is on record of it: raise {interface.minor}, or undo the change")
    with tempfile.TemporaryDirectory(prefix="varde-abi-") as folder:
        program = pathlib.Path(folder) / "offsets"
        must(["cc", "-std=c99", f"-I{include}", root / "tests/abi" / interface.layout, "-o", program])
        offsets = must([program])
    gone = moved(table.read_text(encoding="utf-8"), offsets) if table.exists() else []
    if gone:
        raise AbiError("what plugins were built with moved, changed or went, which only another major may do:\n  " + "\n  ".join(gone))
    dump(include, record, interface)
    table.write_text(offsets, encoding="utf-8")
    print(f"written: {record}, {table}; now name the change in plugin-api/CHANGES.md")


def main():
    if sys.argv[1:] not in (["check"], ["write"]):
        print(__doc__, file=sys.stderr)
        return 2
    if platform.machine() != MACHINE:
        print(f"skipped: plugin-api/abi is of {MACHINE}, this machine is {platform.machine()}")
        return 0 if sys.argv[1] == "check" else 1
    try:
        if sys.argv[1] == "write":
            write(ROOT)
            return 0
        found = list(problems(ROOT))
    except (AbiError, OSError) as error:
        print(f"rule_abi.py: {error}", file=sys.stderr)
        return 1
    print("".join(found) or "varde/rule.h and job.h are what plugin-api/abi has on record")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
