#!/usr/bin/env python3
"""PostgreSQL goes away while the host runs, and comes back: the host says so, refuses events for as long, and needs no restart.

    tests/postgres/with_postgres.sh postgres_restart.py BUILD_FOLDER

It stops its server: it must be its own.
"""
import pathlib
import sys
import tempfile
import time

import postgres_server
from host_process import Checks, Host, HostFailed, is_alive

EVENT = {"timestamp": "2025-12-23T12:00:00Z", "category": "motion", "payload": {"state": "on"}}


def run_end(level):
    return lambda e: e.get("event") == "scheduler_run_end" and e.get("level", "").upper() == level


def outage(host, checks, number):
    name = f"outage {number}"
    before = host.mark()
    postgres_server.switch("stop")
    failed = host.wait_for(run_end("ERROR"), since=before)
    checks.check(f"{name}: a run ends with scheduler_run_end at ERROR and an error", bool(failed.get("error")), failed)
    status, headers, body = host.request("POST", "/event", {**EVENT, "id": f"away-{number}"}, timeout=60)
    checks.check(f"{name}: ingest answers 503 with Retry-After", status == 503 and headers.get("retry-after", "").isdigit(),
                 (status, headers, body))
    checks.check(f"{name}: the answer shows no secret", "postgresql://" not in str(body), body)
    checks.equal(f"{name}: /health still answers", host.request("GET", "/health")[0], 200)
    status, _, body = host.request("GET", "/deviations", timeout=60)
    checks.equal(f"{name}: a query answers 503", status, 503)
    postgres_server.switch("start")
    back = host.mark()
    good = host.wait_for(run_end("INFO"), since=back)
    checks.check(f"{name}: the next interval succeeds", good["counts"]["rules_failed"] == 0, good)
    status, body = 503, None
    end = time.monotonic() + 15
    while status == 503 and time.monotonic() < end:  # a client that honours Retry-After
        status, headers, body = host.request("POST", "/event", {**EVENT, "id": f"back-{number}"}, timeout=60)
        if status == 503:
            time.sleep(float(headers.get("retry-after", "1")))
    checks.equal(f"{name}: ingest works again", (status, body), (200, {"received": True, "deduped": False}))


def main():
    build = pathlib.Path(sys.argv[1]).resolve()
    checks = Checks()
    if not postgres_server.server_url():
        checks.skip("PostgreSQL goes away and comes back", "VARDE_TEST_POSTGRES_URL is not set; see above")
        return checks.finish()
    with tempfile.TemporaryDirectory(prefix="varde-outage-") as folder:
        host = Host(build, folder, postgres_server.server_url(), interval_ms=300)
        try:
            host.start()
            status, _, body = host.request("POST", "/event", {**EVENT, "id": "before"})
            checks.equal("an event before the outage", (status, body), (200, {"received": True, "deduped": False}))
            host.wait_for(run_end("INFO"))
            pid = host.process.pid
            outage(host, checks, 1)
            outage(host, checks, 2)
            checks.check("the same host process all along", host.process.pid == pid and is_alive(pid))
            ids = set(postgres_server.query(postgres_server.server_url(), "SELECT event_id FROM events"))
            checks.check("every acknowledged event is there", {"before", "back-1", "back-2"} <= ids, ids)
            checks.equal("the host stops cleanly", host.stop(), 0)
            written = (pathlib.Path(folder) / "host.log").read_text() + host.error_text()
            checks.check("the password is in no log", "not-a-secret" not in written)
        except HostFailed as error:
            checks.check("the host lives through it", False, error)
        finally:
            host.stop()
    return checks.finish()


if __name__ == "__main__":
    sys.exit(main())
