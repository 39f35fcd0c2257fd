#!/usr/bin/env python3
"""Checks rules of CONTRIBUTING.md that neither the compiler nor clang-tidy checks.

    check_source.py [ROOT]       ROOT: the project's folder, by default the one this file is in

Prints file:line: rule: what, and exits 1 if it found anything. Which file may break which rule, and why, stands in EXCEPTIONS.
"""
import pathlib
import re
import sys

MAX_LINES = 400
MAX_COLUMNS = 130
MAX_FREE_COLUMNS = 140  # comments and scripts, which no formatter reflows: a word may hang over
CPP = {".cpp", ".hpp", ".h", ".c"}
FOLDERS = ("host", "plugin-api", "plugins", "tests", "bench", "examples", "tools", "cmake", "docs", "config", "migrations", ".ci")
TOP_FILES = ("dev", "CMakeLists.txt", "CMakePresets.json", "README.md", "CONTRIBUTING.md")

# (file, rule): why. An entry that is no longer needed is reported, so that this list only shrinks.
EXCEPTIONS = {
    ("tests/hostile/fixtures/installs_handler.c", "name"): "a signal handler is what this plugin installs",
}

VAGUE = re.compile(r"(manager|handler|helper|utils?)s?$", re.IGNORECASE)
TYPE = re.compile(
    r"^\s*(?:template\s*<.*>\s*)?(?:class|struct|enum class|enum|concept|using)\s+(?:\[\[\w+\]\]\s*)?([A-Za-z_]\w*)")
SLEEP = re.compile(r"\b(sleep_for|sleep_until|usleep|nanosleep)\s*\(|(?<![\w.:])sleep\s*\(\s*\d")
AMBIENT_CLOCK = re.compile(r"\b(system_clock::now|gettimeofday\s*\(|std::time\s*\(|(?<![\w.>])time\s*\(\s*(NULL|nullptr|0)\s*\))")
# Written so that this very file does not match.
MACHINE_PATH = re.compile(r"(?<![\w.:/-])/(wor[k]|hom[e]|farm)/\w")
COMMENT_OR_LITERAL = re.compile(
    r"//[^\n]*|/\*.*?\*/|R\"(\w*)\(.*?\)\1\"|\"(?:\\.|[^\"\\\n])*\"|(?<![0-9a-fA-F])'(?:\\.|[^'\\\n])+'", re.DOTALL)
GLOB = re.compile(r"^[^#]*\bfile\s*\(\s*GLOB", re.IGNORECASE)


def without_comments(text):
    """The text with comments and the inside of literals blanked, so that lines and columns stay."""
    return COMMENT_OR_LITERAL.sub(lambda match: re.sub(r"[^\n]", " ", match.group(0)), text)


def co_await_expressions(code):
    """(line, expression) of every co_await up to the end of its full expression."""
    for match in re.finditer(r"\bco_await\b", code):
        depth, end = 0, match.end()
        while end < len(code):
            char = code[end]
            if char in "([{":
                depth += 1
            elif char in ")]}":
                depth -= 1
                if depth < 0:
                    break
            elif char in ";," and depth == 0:
                break
            end += 1
        expression = code[match.end():end]
        # `if (co_await f()) {`: the statement's block is no part of the expression; depth < 0 ended it above.
        yield code.count("\n", 0, match.start()) + 1, expression


def check_co_await(code):
    """GCC 12 destroys braced aggregates and captures inside a co_await expression twice (docs/adr/0003)."""
    for line, expression in co_await_expressions(code):
        if re.search(r"\[[^\[\]]+\]\s*(\([^()]*\)\s*)?(mutable\s*)?(noexcept\s*)?(->[^{]*)?\{", expression):
            yield line, "co_await", "capturing lambda inside a co_await expression; name it on the line above"
        elif "{" in expression:
            yield line, "co_await", "braces inside a co_await expression; name the value on the line above"


def check_cpp(path, text):
    code = without_comments(text)
    lines = code.split("\n")
    in_tests = path.startswith("tests/") or path.endswith("_test.cpp")
    for number, line in enumerate(lines, 1):
        type_name = TYPE.match(line)
        if type_name and VAGUE.search(type_name.group(1)):
            yield number, "name", f"'{type_name.group(1)}' does not say what it is"
        if in_tests and not path.startswith("tests/hostile/") and SLEEP.search(line):
            yield number, "sleep", "a test waits on a condition or moves a fake clock, it does not sleep"
        if path.startswith("host/") and not path.startswith("host/time/") and AMBIENT_CLOCK.search(line):
            yield number, "clock", "no ambient clock outside host/time: take a time::Clock or an Instant"
    if path.endswith(".hpp"):
        first = next((line for line in lines if line.strip()), "")
        if first.strip() != "#pragma once":
            yield 1, "pragma", "a header starts with #pragma once (a comment may stand before it)"
    yield from check_co_await(code)


def check_text(path, text):
    """Every problem of one file as (line, rule, what)."""
    lines = text.split("\n")
    suffix = pathlib.PurePosixPath(path).suffix
    if VAGUE.search(pathlib.PurePosixPath(path).stem):
        yield 1, "name", "the file's name does not say what is inside"
    if suffix in CPP or suffix == ".py":
        count = len(lines) - (1 if lines and not lines[-1] else 0)
        if count > MAX_LINES:
            yield count, "length", f"{count} lines; a file is read in one sitting (at most {MAX_LINES})"
    for number, line in enumerate(lines, 1):
        columns = MAX_COLUMNS if suffix in CPP and not re.search(r"//|^\s*(\*|/\*)", line) else MAX_FREE_COLUMNS
        if len(line) > columns and (suffix in CPP or suffix in (".py", ".cmake") or path.endswith("CMakeLists.txt")):
            yield number, "width", f"{len(line)} columns (at most {columns})"
        if MACHINE_PATH.search(line):
            yield number, "path", "a path of somebody's machine"
        if (suffix == ".cmake" or path.endswith("CMakeLists.txt")) and GLOB.search(line):
            yield number, "glob", "list the files; a glob does not notice new ones"
        if suffix in CPP and line != line.rstrip():
            yield number, "space", "trailing space"
    if suffix in CPP:
        yield from check_cpp(path, text)


def files(root):
    for name in TOP_FILES:
        if (root / name).is_file():
            yield root / name
    for folder in FOLDERS:
        for file in sorted((root / folder).rglob("*")):
            if file.is_file() and "__pycache__" not in file.parts and not file.suffix in {".abi", ".so", ".gz"}:
                yield file


def check_tree(root, exceptions):
    unused = dict(exceptions)
    for file in files(root):
        path = file.relative_to(root).as_posix()
        try:
            text = file.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        for line, rule, what in check_text(path, text):
            if (path, rule) in exceptions:
                unused.pop((path, rule), None)
                continue
            yield path, line, rule, what
    for path, rule in unused:
        if (root / path).exists():
            yield path, 1, rule, "stands in EXCEPTIONS of tools/check_source.py but needs no exception"


def main():
    root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).resolve().parent.parent)
    found = 0
    for path, line, rule, what in check_tree(root, EXCEPTIONS):
        print(f"{path}:{line}: {rule}: {what}")
        found += 1
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
