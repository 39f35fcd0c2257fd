"""A host with schedules for a test: words for what is done with them over HTTP."""
import contextlib
import datetime
import json
import sqlite3
import time

import postgres_server
from host_process import Host, HostFailed
from job_sink import Sink

LEASE_S = 2
CONFIG = f"jobs: {{lease_ms: {LEASE_S * 1000}, poll_ms: 200, workers: 6, drain_ms: 500, queues: {{single: {{workers: 1}}}}}}\n"
LIVE = {"waiting", "pending", "running"}


class Stage:
    """A host with its database, a sink for its jobs, and words for what is done with schedules."""

    def __init__(self, build, folder, database, checks):
        folder.mkdir()
        self.build, self.folder, self.database, self.checks = build, folder, database, checks
        (folder / "host.yaml").write_text(CONFIG, encoding="utf-8")
        (folder / "rules.yaml").write_text("rules: {}\n", encoding="utf-8")
        self.sink = Sink()
        self.host = self.new_host("host")

    def new_host(self, name):
        place = self.folder / name
        place.mkdir()
        return Host(self.build, place, self.database, rules=self.folder / "rules.yaml", config=self.folder / "host.yaml",
                    interval_ms=3_600_000)

    def call(self, method, path, body=None, wanted=None, headers=None):
        status, _, answer = self.host.request(method, f"/v1{path}", body, headers)
        if wanted is not None and status != wanted:
            raise HostFailed(f"{method} {path} answered {status} instead of {wanted}: {answer}")
        return answer if wanted is not None else (status, answer)

    def make(self, name, kind, params, trigger, **policy):
        body = {"id": name, "kind": kind, "params": params, "trigger": trigger, "policy": policy}
        return self.call("POST", "/schedules", body, 201)

    def make_call(self, name, trigger, path=None, **policy):
        return self.make(name, "http", {"url": self.sink.url(path or f"/{name}"), "method": "POST"}, trigger, **policy)

    def execute(self, sql):
        """What somebody does to the database by hand."""
        if not self.database.startswith("sqlite:"):
            postgres_server.query(self.database, sql)
            return
        with contextlib.closing(sqlite3.connect(self.database.removeprefix("sqlite:"), timeout=30)) as connection, connection:
            connection.execute(sql)

    def find(self, name):
        answer = self.call("GET", f"/schedules/{name}", wanted=200)
        return answer.get("schedule", answer)

    def runs(self, name, **filters):
        query = "".join(f"&{key}={value}" for key, value in filters.items())
        return self.call("GET", f"/runs?schedule_id={name}&limit=500{query}", wanted=200)["rows"]

    def wait_runs(self, name, enough, what, timeout=30, **filters):
        """The rows as soon as enough(rows) is true."""
        end = time.monotonic() + timeout
        while True:
            rows = self.runs(name, **filters)
            if enough(rows):
                return rows
            if time.monotonic() > end:
                raise HostFailed(f"{name}: {what} did not come within {timeout} s: {json.dumps(rows)[:1500]}")
            time.sleep(0.05)

    def wait_over(self, name, count=1, timeout=30):
        """`count` rows that are over, and none that is not."""
        return self.wait_runs(name, lambda rows: len(rows) >= count and not any(row["state"] in LIVE for row in rows),
                              f"the end of {count} runs", timeout)

    def remove(self, name):
        self.call("DELETE", f"/schedules/{name}?force=true", wanted=204)

    def run_now(self, name, body=None, key=None):
        return self.call("POST", f"/schedules/{name}/run", body, headers={"Idempotency-Key": key} if key else None)


def instant(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))
