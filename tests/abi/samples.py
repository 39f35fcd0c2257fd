#!/usr/bin/env python3
"""Every sample plugin under plugin-api/abi/samples is still the same file, is accepted by this host, and answers in a worker as it did
when it was built.

    samples.py BUILD_FOLDER          exits 77, with the reason, if there is no sample for this machine
"""
import hashlib
import json
import pathlib
import platform
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/integration"))
from host_process import Checks  # noqa: E402


def lines_of(text):
    return [json.loads(line) for line in text.splitlines() if line.strip()]


def lost(expected, got, path=""):
    """Where `got` does not have what is expected. More keys in an object are no loss: a later host may say more."""
    if isinstance(expected, dict) and isinstance(got, dict):
        return [place for key, value in expected.items() for place in lost(value, got.get(key), f"{path}.{key}")]
    if isinstance(expected, list) and isinstance(got, list) and len(expected) == len(got):
        return [place for number, pair in enumerate(zip(expected, got)) for place in lost(*pair, f"{path}[{number}]")]
    return [] if expected == got and type(expected) is type(got) else [f"{path}: got {got!r}, expected {expected!r}"]


def check_bytes(checks, release):
    for line in (release / "SHA256SUMS").read_text(encoding="utf-8").splitlines():
        digest, name = line.split()
        content = (release / name).read_bytes()
        checks.equal(f"{release.name}: {name} is the file that was built then", hashlib.sha256(content).hexdigest(), digest)
        checks.check(f"{release.name}: {name} has less than 64 KiB", len(content) < 65536, len(content))


def check_release(checks, varde, release, plugins):
    """`plugins`: a folder with copies of the release's files, as a host trusts them."""
    ids = sorted(file.stem for file in plugins.glob("*.so"))
    for rule_id in ids:
        inspected = subprocess.run([varde, "--json", "plugin", "inspect", plugins / f"{rule_id}.so"], capture_output=True, text=True)
        if checks.check(f"{release.name}: {rule_id} is accepted", inspected.returncode == 0, inspected.stderr):
            checks.equal(f"{release.name}: {rule_id} says who it is", json.loads(inspected.stdout)["rule_id"], rule_id)
    cases = lines_of((release / "cases.jsonl").read_text(encoding="utf-8"))
    checks.equal(f"{release.name}: there are cases of every sample", sorted({case["rule_id"] for case in cases}), ids)
    judged = subprocess.run([varde, "--plugins", plugins, "eval", release / "cases.jsonl"], capture_output=True, text=True)
    answers = lines_of(judged.stdout)
    expected = lines_of((release / "answers.jsonl").read_text(encoding="utf-8"))
    if not checks.equal(f"{release.name}: every case has its answer", (len(answers), len(expected)), (len(cases), len(cases))):
        print(judged.stderr)
        return
    for want, got in zip(expected, answers):
        checks.equal(f"{release.name}: {want['vector_id']} is answered as it was then", lost(want, got), [])


def main():
    varde = pathlib.Path(sys.argv[1]).resolve() / "bin/varde"
    checks = Checks()
    machine = platform.machine()
    releases = sorted(path.parent for path in (ROOT / "plugin-api/abi/samples").glob("*/cases.jsonl"))
    checks.check("there are sample plugins", len(releases) > 0)
    for release in releases:
        if not (release / machine).is_dir():
            checks.skip(f"{release.name}: the sample plugins", f"none was built for {machine}")
            continue
        check_bytes(checks, release)
        with tempfile.TemporaryDirectory(prefix="varde-samples-") as folder:
            for file in (release / machine).glob("*.so"):
                copy = shutil.copyfile(file, pathlib.Path(folder) / file.name)
                pathlib.Path(copy).chmod(0o644)  # whatever the umask of the checkout was
            check_release(checks, varde, release, pathlib.Path(folder))
    if checks.skipped == len(releases) and not checks.failed:
        return 77
    return checks.finish()


if __name__ == "__main__":
    sys.exit(main())
