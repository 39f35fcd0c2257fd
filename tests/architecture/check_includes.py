#!/usr/bin/env python3
"""Checks the #includes of host/ and of its unit tests against the architecture.

    check_includes.py [ROOT]

The allowed edges between modules are the VARDE_ALLOWED_* lists of cmake/VardeModule.cmake; configure checks what a module links with
them, this program what its files include. The homes of libraries stand below. Prints file:line: what; exits 1 if it found anything.
"""
import pathlib
import re
import sys

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]', re.MULTILINE)
ALLOWED = re.compile(r'^set\(VARDE_ALLOWED_(\w+)\s+"([^"]*)"\)', re.MULTILINE)
LAYERS = (("core", "time"), ("ports", "wire", "deviation", "config", "gating"),
          ("ingest", "store", "rules", "schedule", "jobs", "evaluate", "plugins", "publish", "api", "observe", "worker"), ("app",))

# One library, one home: (what an include starts with, the modules that may have it).
HOMES = (
    ("soci/", {"store"}),
    ("sqlite3.h", {"store"}),
    ("libpq", {"store"}),
    ("boost/beast", {"api", "publish"}),
    ("boost/asio", {"api", "publish", "app", "evaluate"}),
    ("yaml-cpp/", {"config"}),
    ("boost/dll", {"worker"}),
    ("seccomp.h", {"worker", "evaluate"}),  # evaluate asks it for the names of system calls
    ("CLI/", {"app"}),
    ("spdlog/", {"observe", "app"}),
    ("simdjson", {"ingest", "evaluate"}),
    ("absl/", {"time"}),
    ("curl/", {"jobs"}),
)
NO_JSON = {"core", "time", "ports", "wire", "deviation"}
# Only these may see the contract with the rules, and the wire format between host and worker.
PLUGIN_API = {"worker", "wire", "plugins", "evaluate", "app"}
# The host process never loads a rule (law 1 of docs/architecture.md).
LOADERS = ("dlfcn.h", "link.h")


def allowed_edges(cmake_text):
    return {name: set(filter(None, deps.split(";"))) for name, deps in ALLOWED.findall(cmake_text)}


def check_lists(edges):
    """The lists themselves obey the layers: arrows go down, and modules of layer 2 never see each other."""
    layer = {name: number for number, names in enumerate(LAYERS) for name in names}
    for name, deps in sorted(edges.items()):
        if name not in layer:
            yield f"module '{name}' has no layer; say where it belongs in {pathlib.Path(__file__).name}"
            continue
        for dep in sorted(deps):
            if dep not in edges:
                yield f"'{name}' may use '{dep}', which is no module"
            # Within the lower layers modules may use each other as long as there is no cycle: time uses core.
            elif layer[dep] > layer[name] or (layer[dep] == layer[name] == 2):
                yield f"'{name}' (layer {layer[name]}) must not use '{dep}' (layer {layer[dep]})"
    for name in sorted(edges):
        if name in reachable(edges, name):
            yield f"'{name}' uses itself through {sorted(edges[name])}"


def reachable(edges, start):
    seen, todo = set(), list(edges.get(start, ()))
    while todo:
        name = todo.pop()
        if name not in seen:
            seen.add(name)
            todo.extend(edges.get(name, ()))
    return seen


def check_file(module, text, edges):
    """(line, what) for every include that `module` must not have."""
    for match in INCLUDE.finditer(text):
        line = text.count("\n", 0, match.start(2)) + 1
        target = match.group(2)
        head = target.split("/")[0]
        if match.group(1) == '"' and "/" not in target:
            yield line, f'"{target}": write the module, as in "core/event.hpp"'
        if head in edges and "/" in target and head not in edges[module] | {module}:
            yield line, f"host/{module} must not include {target}; it may use: {', '.join(sorted(edges[module])) or 'no module'}"
        for prefix, homes in HOMES:
            if target.startswith(prefix) and module not in homes:
                yield line, f"{target} belongs to host/{' and host/'.join(sorted(homes))}, not to host/{module}"
        if target.startswith("nlohmann/") and module in NO_JSON:
            yield line, f"{target}: JSON is for the edges, not for host/{module}"
        if target.startswith("varde/") and module not in PLUGIN_API:
            yield line, f"{target}: host/{module} does not know the plugin API"
        if target in LOADERS and module != "worker":
            yield line, f"{target}: only the worker loads libraries"


def check_tree(root):
    edges = allowed_edges((root / "cmake/VardeModule.cmake").read_text(encoding="utf-8"))
    for what in check_lists(edges):
        yield f"cmake/VardeModule.cmake: {what}"
    for file in sorted((root / "host").glob("*/**/*")):
        if file.suffix not in (".cpp", ".hpp", ".h"):
            continue
        path = file.relative_to(root)
        module = path.parts[1]
        if module not in edges:
            yield f"{path.as_posix()}:1: no VARDE_ALLOWED_{module} in cmake/VardeModule.cmake"
            continue
        for line, what in check_file(module, file.read_text(encoding="utf-8"), edges):
            yield f"{path.as_posix()}:{line}: {what}"
    for file in sorted((root / "plugin-api").rglob("*.h*")):
        for line, what in check_plugin_api(file.read_text(encoding="utf-8"), edges):
            yield f"{file.relative_to(root).as_posix()}:{line}: {what}"


def check_plugin_api(text, edges):
    """The contract depends on nothing: the C and C++ standard headers and itself."""
    for match in INCLUDE.finditer(text):
        target = match.group(2)
        if target.startswith("varde/") or ("/" not in target and match.group(1) == "<"):
            continue
        yield text.count("\n", 0, match.start(2)) + 1, f"{target}: plugin-api depends on nothing but the standard library"


def main():
    root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).resolve().parents[2])
    problems = list(check_tree(root))
    for problem in problems:
        print(problem)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
