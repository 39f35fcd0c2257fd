#!/usr/bin/env python3
"""Counts what a ctest run did: test cases, not programs.

    test_summary.py REPORT.xml        (ctest --output-junit)

A doctest program counts as its test cases, a script as the cases of its own closing line ('N passed, N failed[, N skipped]'),
and anything else as one. Prints a table and, as the last line, the sum in that same form. Exit code 1 if anything failed or nothing ran.
"""
import re
import sys
import xml.etree.ElementTree as ElementTree

DOCTEST = re.compile(
    r"\[doctest\] test cases:\s*(\d+)\s*\|\s*(\d+) passed\s*\|\s*(\d+) failed(?:\s*\|\s*(\d+) skipped)?")
PLAIN = re.compile(r"^(\d+) passed, (\d+) failed(?:, (\d+) skipped)?$", re.MULTILINE)
COLOUR = re.compile(r"\x1b?\[[0-9;]*m")  # ctest leaves the escape character out of the report: XML cannot hold it


def count(case):
    """(passed, failed, skipped) of one ctest entry."""
    status = case.get("status", "")
    if status in ("notrun", "disabled"):
        skipped = case.find("skipped")
        # What could not be started at all was not skipped by its own decision.
        meant = status == "disabled" or (skipped is not None and skipped.get("message", "").startswith("SKIP_"))
        return (0, 0, 1) if meant else (0, 1, 0)
    output = COLOUR.sub("", case.findtext("system-out") or "")
    passed, failed, skipped = 0, 0, 0
    programs = DOCTEST.findall(output)
    plain = PLAIN.findall(output)
    if programs:
        # doctest's own "skipped" are cases left out by a filter, never ones that found their surroundings wanting.
        passed = sum(int(program[1]) for program in programs)
        failed = sum(int(program[2]) for program in programs)
        if passed + failed == 0:
            failed = 1  # a suite without a case is one that was lost on the way
    elif plain:
        passed, failed, skipped = (int(number or 0) for number in plain[-1])
    elif status == "run":
        passed = 1
    # A program may fail beside its cases: a sanitizer's report, a crash at exit, a time-out.
    if status == "fail" and failed == 0:
        failed = 1
    return (passed, failed, skipped)


def main():
    root = ElementTree.parse(sys.argv[1]).getroot()
    rows = [(case.get("name"), *count(case), float(case.get("time") or 0)) for case in root.iter("testcase")]
    width = max((len(row[0]) for row in rows), default=10)
    print(f"{'suite':<{width}} {'passed':>7} {'failed':>7} {'skipped':>8} {'seconds':>8}")
    for name, passed, failed, skipped, seconds in sorted(rows):
        print(f"{name:<{width}} {passed:>7} {failed:>7} {skipped:>8} {seconds:>8.1f}{'   <-- failed' if failed else ''}")
    passed, failed, skipped = (sum(row[column] for row in rows) for column in (1, 2, 3))
    for row in sorted(rows):
        if row[3] and not row[1]:
            print(f"skipped: {row[0]}: see its output with ctest -V -R '{row[0]}'")
    print(f"{passed} passed, {failed} failed" + (f", {skipped} skipped" if skipped else ""))
    return 0 if passed and not failed else 1


if __name__ == "__main__":
    sys.exit(main())
