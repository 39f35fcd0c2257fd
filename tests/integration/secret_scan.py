#!/usr/bin/env python3
"""DATABASE_URL with a marker in it, and a search for the marker everywhere a rule or a reader of logs could find it.

    secret_scan.py BUILD_FOLDER

With SQLite the marker is in the database's path, with PostgreSQL in the password. Looked at, while the host works and rules crash: every
worker's memory, maps, environment, command line and descriptors; the host's environment, log, incidents and replay bundles. And what a
worker is born with: nothing but /dev/null, its log pipe, its set-up socket and an empty environment. Needs root.
"""
import json
import os
import pathlib
import re
import secrets
import socket
import sys
import tempfile

import postgres_server
from host_process import ROOT, Checks, Host, HostFailed, children_of

CRASHING = ("segfaults", "aborts", "spins", "connects")
CHUNK = 1 << 24
# Of the terabytes that a sanitizer reserves, which only a host built with one has.
LARGEST = 1 << 32


class ScannedHost(Host):
    """Crashing rules beside the healthy ones, a host.yaml of its own, workers perhaps from another program."""

    def __init__(self, build, folder, database, worker=None):
        folder.mkdir()
        plugins = folder / "plugins"
        plugins.mkdir()
        rules = (ROOT / "config/rules.yaml").read_text(encoding="utf-8").rstrip() + "\n"
        for source in [*sorted((build / "plugins").glob("R-*.so")), *(build / f"tests/hostile/plugins/{name}.so" for name in CRASHING)]:
            (plugins / source.name).write_bytes(source.read_bytes())
        for name in CRASHING:
            rules += f"  {name}: {{enabled_in_scheduler: true, timeout_ms: 100}}\n"
        (folder / "rules.yaml").write_text(rules, encoding="utf-8")
        super().__init__(build, folder, database, plugins=plugins, rules=folder / "rules.yaml", interval_ms=300)
        settings = {"log_level": "debug", "migrations_dir": str(ROOT / "migrations"),
                    "incidents": {"bundles_dir": str(folder / "incidents")}}
        if worker is not None:
            settings["isolation"] = {"worker_path": str(worker)}
        (folder / "host.yaml").write_text(json.dumps(settings), encoding="utf-8")  # JSON is YAML
        self.command[self.command.index("--config") + 1] = str(folder / "host.yaml")

    def run_some(self, runs):
        """So many runs over an event."""
        event = {"id": "event", "timestamp": "2026-01-01T00:00:00Z", "category": "door", "payload": {"state": "open"}}
        self.request("POST", "/event", event)
        for _ in range(runs):
            mark = self.mark()
            self.wait_for(lambda e: e.get("event") == "scheduler_run_end", since=mark)


def forms_of(secret):
    """As it stands, and as somebody would get it wrong: base64 and hex are what dumps are made of."""
    return [secret.encode(), secret.encode("utf-16-le"), secret.encode().hex().encode()]


def holds(data, forms):
    return any(form in data for form in forms)


def memory_holds(pid, forms):
    """(whether a process's readable memory holds it, bytes read)."""
    found, seen = False, 0
    with open(f"/proc/{pid}/maps", encoding="utf-8") as maps, open(f"/proc/{pid}/mem", "rb", buffering=0) as memory:
        for line in maps:
            borders, rights = line.split()[:2]
            begin, end = (int(border, 16) for border in borders.split("-"))
            if rights[0] != "r" or "[vvar" in line or "[vsyscall]" in line or end - begin > LARGEST:
                continue
            tail = b""
            for at in range(begin, end, CHUNK):
                try:
                    memory.seek(at)
                    data = memory.read(min(CHUNK, end - at))
                except (OSError, ValueError):
                    break
                seen += len(data)
                found = found or holds(tail + data, forms)
                tail = data[-256:]
    return found, seen


def surroundings_of(pid):
    """{name: bytes} of what else /proc shows of a process."""
    folder = pathlib.Path(f"/proc/{pid}")
    shown = {name: (folder / name).read_bytes() for name in ("maps", "environ", "cmdline", "status", "comm", "mountinfo", "cgroup")}
    shown["fd"] = "\n".join(os.readlink(link) for link in (folder / "fd").iterdir()).encode()
    shown["cwd, root, exe"] = "\n".join(os.readlink(folder / name) for name in ("cwd", "root", "exe")).encode()
    return shown


def descriptors_of(pid):
    """{number: what it is, without inode numbers}"""
    return {int(link.name): re.sub(r":\[\d+\]| \(deleted\)", "", os.readlink(link)) for link in pathlib.Path(f"/proc/{pid}/fd").iterdir()}


def scan_workers(host, forms, name, checks):
    workers = [pid for pid, (state, _) in children_of(host.process.pid).items() if state != "Z"]
    in_memory, in_proc, odd, total = [], [], {}, 0
    for pid in workers:
        try:
            found, seen = memory_holds(pid, forms)
            shown = surroundings_of(pid)
            holding = descriptors_of(pid)
        except FileNotFoundError:
            continue  # a crashing rule's worker, replaced meanwhile
        total += seen
        in_memory += [pid] if found else []
        in_proc += [(pid, what) for what, data in shown.items() if holds(data, forms)]
        allowed = {0: "/dev/null", 1: "pipe", 2: "pipe", 3: "socket", 4: "pipe", 5: "pipe"}
        strange = {number: target for number, target in holding.items() if allowed.get(number) != target}
        if strange or holding.get(0) != "/dev/null":
            odd[pid] = strange or holding
    print(f"        {name}: {len(workers)} workers, {total >> 20} MiB of memory searched", flush=True)
    checks.check(f"{name}: there are workers to search, with memory in them", len(workers) >= 3 and total > len(workers) << 20, total)
    checks.equal(f"{name}: it is in no worker's memory", in_memory, [])
    checks.equal(f"{name}: it is in no worker's maps, environment, command line or descriptors", in_proc, [])
    checks.equal(f"{name}: a worker holds /dev/null, its log pipe, its socket and its two pipes, nothing else", odd, {})


def scan_host(host, forms, name, checks):
    """What the host shows of itself, and what it writes."""
    pid = host.process.pid
    checks.check(f"{name}: the search finds it in the host's own memory", memory_holds(pid, forms)[0])
    checks.check(f"{name}: it is no longer in the host's environment", not holds(pathlib.Path(f"/proc/{pid}/environ").read_bytes(), forms))
    answers = {target: host.request("GET", target)[2] for target in ("/health/detail", "/v1/incidents?limit=500", "/v1/rules")}
    answers |= {f"/v1/incidents/{one['incident_id']}": host.request("GET", f"/v1/incidents/{one['incident_id']}")[2]
                for one in incidents_in(answers["/v1/incidents?limit=500"])}
    checks.check(f"{name}: the crashes became incidents", len(incidents_in(answers["/v1/incidents?limit=500"])) >= len(CRASHING))
    shown = [target for target, answer in answers.items() if holds(json.dumps(answer).encode(), forms)]
    checks.equal(f"{name}: it is in no answer of the API", shown, [])
    written = [str(file) for file in host.folder.rglob("*") if file.is_file() and holds(file.read_bytes(), forms)]
    checks.equal(f"{name}: it is in no file that the host wrote: log, errors, replay bundles", written, [])


def incidents_in(answer):
    listed = answer.get("incidents", []) if isinstance(answer, dict) else answer
    return [one for one in listed if isinstance(one, dict) and "incident_id" in one] if isinstance(listed, list) else []


def scan(build, folder, database, secret, name, checks):
    host = ScannedHost(build, folder, database)
    forms = forms_of(secret)
    host.start()
    try:
        host.run_some(2)
        scan_workers(host, forms, name, checks)
        scan_host(host, forms, name, checks)
    finally:
        host.stop()
    written = [str(file) for file in host.folder.rglob("*") if file.is_file() and holds(file.read_bytes(), forms)]
    checks.equal(f"{name}: nor after it stopped", written, [])


def newborn(build, folder, checks):
    """A program in place of the worker says what it was started with, before it closes or changes anything."""
    host = ScannedHost(build, folder, f"sqlite:{folder}-newborn.db", build / "tests/hostile/plugins/newborn")
    host.start()
    try:
        with socket.create_connection(("127.0.0.1", host.port)) as open_connection:  # one more that must not be inherited
            open_connection.sendall(b"GET /health HTTP/1.1\r\nHost: here\r\n\r\n")
            open_connection.recv(1024)
            mark = host.mark()
            host.run_some(1)
            said = host.wait_for(lambda e: e.get("event") == "scheduler_rule_error" and "descriptor" in e["error"]["message"], since=mark)
    finally:
        host.stop()
    message = said["error"]["message"]
    born = {int(number): re.sub(r":\[\d+\]", "", target) for number, target in re.findall(r"descriptor (\d+) ([^|]*)", message)}
    checks.equal("a worker is born with /dev/null, its log pipe and its socket", born, {0: "/dev/null", 1: "pipe", 2: "pipe", 3: "socket"})
    checks.check("and with an empty environment", "|environment 0|end" in message, message)


def main():
    build = pathlib.Path(sys.argv[1]).resolve()
    checks = Checks()
    if os.geteuid() != 0:
        checks.skip("a secret is found nowhere", "only root can read another process's memory")
        return checks.finish()
    secret = "marker" + secrets.token_hex(16)
    with tempfile.TemporaryDirectory(prefix="varde-secret-") as name, tempfile.TemporaryDirectory(prefix="varde-database-") as elsewhere:
        folder = pathlib.Path(name)
        try:
            scan(build, folder / "sqlite", f"sqlite:{elsewhere}/{secret}.db", secret, "SQLite", checks)
            if postgres_server.server_url():
                fresh = postgres_server.Database()
                scheme, _, rest = fresh.url.partition("://")
                user, _, place = rest.rpartition("@")
                try:  # the server takes any password
                    scan(build, folder / "postgresql", f"{scheme}://{user}:{secret}@{place}", secret, "PostgreSQL", checks)
                finally:
                    fresh.drop()
            else:
                checks.skip("the same with a PostgreSQL password", "VARDE_TEST_POSTGRES_URL is not set; ./dev test sets it")
            newborn(build, folder / "newborn", checks)
        except HostFailed as error:
            checks.check("the host works", False, error)
    return checks.finish()


if __name__ == "__main__":
    sys.exit(main())
