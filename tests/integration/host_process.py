"""`varde serve` as a child of a test: starts it on a free port, reads its log, talks HTTP to it, ends it."""
import contextlib
import http.client
import json
import os
import pathlib
import signal
import sqlite3
import subprocess
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]


class HostFailed(Exception):
    pass


class Host:
    """One host process. `folder` gets its log; the database and the configuration outlive it, so that it can be started again."""

    def __init__(self, build, folder, database, *, plugins=None, rules=None, interval_ms=None, scheduler=True, config=None):
        self.folder = pathlib.Path(folder)
        self.command = [str(pathlib.Path(build) / "bin/varde"), "--config", str(config or ROOT / "config/host.yaml"),
                        "--plugins", str(plugins or pathlib.Path(build) / "plugins"),
                        "--rules", str(rules or ROOT / "config/rules.yaml"), "serve", "--port", "0"]
        if interval_ms is not None:
            self.command += ["--interval-ms", str(interval_ms)]
        self.environment = {**os.environ, "DATABASE_URL": database, "SCHEDULER_ENABLED": "1" if scheduler else "0"}
        self.events = []          # parsed log lines, all starts together
        self.changed = threading.Condition()
        self.process = None
        self.port = None

    def start(self, timeout=60):
        """Returns once it listens."""
        errors = open(self.folder / "host.err", "ab")
        with self.changed:
            first = len(self.events)
        self.process = subprocess.Popen(self.command, stdout=subprocess.PIPE, stderr=errors, env=self.environment, cwd=ROOT)
        errors.close()
        threading.Thread(target=self._read_log, args=(self.process,), daemon=True).start()
        started = self.wait_for(lambda e: e.get("event") == "host_started", timeout, since=first)
        self.port = started["port"]
        return self

    def _read_log(self, process):
        with open(self.folder / "host.log", "ab") as copy:
            for line in process.stdout:
                copy.write(line)
                copy.flush()
                try:
                    event = json.loads(line)
                except ValueError:
                    event = {"event": "not_json", "line": line.decode("utf-8", "replace")}
                with self.changed:
                    self.events.append(event)
                    self.changed.notify_all()
        with self.changed:
            self.changed.notify_all()

    def mark(self):
        """A place in the log, for wait_for(since=...)."""
        with self.changed:
            return len(self.events)

    def wait_for(self, wanted, timeout=30, since=0):
        """The first log event from `since` on for which wanted(event) is true."""
        end = time.monotonic() + timeout
        seen = since
        with self.changed:
            while True:
                while seen < len(self.events):
                    if wanted(self.events[seen]):
                        return self.events[seen]
                    seen += 1
                if self.process.poll() is not None and not self.changed.wait(0.5) and seen == len(self.events):
                    raise HostFailed(f"the host ended with status {self.process.returncode}: {self.error_text()}")
                if time.monotonic() > end:
                    raise HostFailed(f"the host did not log what was waited for within {timeout} s; see {self.folder}/host.log")
                self.changed.wait(0.2)

    def error_text(self):
        return (self.folder / "host.err").read_text(errors="replace")[-2000:]

    def request(self, method, target, body=None, headers=None, timeout=30):
        """(status, headers, body as JSON or text)"""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        try:
            data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
            connection.request(method, target, data, {"Content-Type": "application/json", **(headers or {})})
            answer = connection.getresponse()
            text = answer.read()
            try:
                value = json.loads(text)
            except ValueError:
                value = text.decode("utf-8", "replace")
            return answer.status, {key.lower(): value for key, value in answer.getheaders()}, value
        finally:
            connection.close()

    def kill(self):
        """kill -9, as a power cut would."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self, timeout=30):
        """SIGTERM; returns the exit status."""
        if self.process is None or self.process.poll() is not None:
            return self.process.returncode if self.process else 0
        self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.kill()
            raise HostFailed(f"the host did not stop within {timeout} s of SIGTERM") from None


def know_home(build, folder, database, *, ready=True, days=7):
    """Says that enough is known of the default home, as another program than the host would: the path of a host.yaml without the host's
    own baseline job. Before the host is started, on SQLite."""
    config = pathlib.Path(folder) / "host.yaml"
    config.write_text("baseline: {every_minutes: 0}\n", encoding="utf-8")
    subprocess.run([pathlib.Path(build) / "bin/varde", "--database", database, "migrate"], cwd=ROOT, check=True, capture_output=True)
    with contextlib.closing(sqlite3.connect(database.removeprefix("sqlite:"))) as connection, connection:
        connection.execute(
            "INSERT INTO baseline_model_status (org_id, home_id, subject_id, baseline_ready, days_with_data, computed_at)"
            " VALUES ('default', 'default', 'default', ?, ?, 0)", (ready, days))
    return config


def children_of(pid):
    """{pid: (state, command)} of the direct children, from /proc."""
    found = {}
    for folder in pathlib.Path("/proc").iterdir():
        if not folder.name.isdigit():
            continue
        try:
            head, _, tail = (folder / "stat").read_text().rpartition(")")
        except OSError:
            continue
        state, parent = tail.split()[:2]
        if int(parent) == pid:
            found[int(folder.name)] = (state, head.partition("(")[2])
    return found


def is_alive(pid):
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


class Checks:
    """Prints each check and counts them; the closing line is what tools/test_summary.py reads."""

    def __init__(self):
        self.passed = 0
        self.failed = 0
        self.skipped = 0

    def check(self, name, right, detail=""):
        if right:
            self.passed += 1
            print(f"ok      {name}", flush=True)
        else:
            self.failed += 1
            print(f"FAILED  {name}" + (f": {detail}" if detail != "" else ""), flush=True)
        return bool(right)

    def equal(self, name, got, expected):
        return self.check(name, got == expected, f"got {got!r}, expected {expected!r}")

    def in_time(self, name, right, detail=""):
        """A check of how long something took. It is only held against the program where a quiet machine is promised (VARDE_SOAK=1,
        ./dev soak); elsewhere a miss is skipped with its figures."""
        if right or os.environ.get("VARDE_SOAK") == "1":
            return self.check(name, right, detail)
        self.skip(name, f"not judged outside of ./dev soak: {detail}")
        return True

    def skip(self, name, why):
        self.skipped += 1
        print(f"skipped {name}: {why}", flush=True)

    def finish(self):
        """The exit status; 77 tells ctest that there was nothing to check."""
        print(f"{self.passed} passed, {self.failed} failed" + (f", {self.skipped} skipped" if self.skipped else ""), flush=True)
        if self.failed:
            return 1
        return 0 if self.passed else 77
