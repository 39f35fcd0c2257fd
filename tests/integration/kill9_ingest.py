#!/usr/bin/env python3
"""kill -9 of the host at random moments of an ingest: every acknowledged event must be there, once.

    kill9_ingest.py BUILD_FOLDER sqlite|postgresql [--kills N] [--events N] [--clients N] [--seed N]

Clients post their own events, singly to /event and in batches to /v1/events, and send again what was not acknowledged. The host is
killed each time a random number of acknowledgements is reached, plus a random moment, and started again. After each start, and at the
end, the database is read directly. VARDE_SOAK=1 (./dev soak) makes 50 kills the default. PostgreSQL: VARDE_TEST_POSTGRES_URL.
"""
import argparse
import collections
import http.client
import json
import os
import pathlib
import random
import sqlite3
import sys
import tempfile
import threading
import time
import uuid

import postgres_server
from host_process import Checks, Host, HostFailed, is_alive, children_of

BATCH = 25


class Ledger:
    """What was acknowledged, and whether the host is up: shared by the clients and the killer."""

    def __init__(self):
        self.changed = threading.Condition()
        self.acknowledged = set()
        self.repeated = 0     # acknowledgements of something stored by an attempt whose answer was lost
        self.refused = collections.Counter()
        self.up = False
        self.port = None
        self.broken = None    # why the run cannot go on

    def host_is(self, up, port=None):
        with self.changed:
            self.up, self.port = up, port
            self.changed.notify_all()

    def acknowledge(self, ids, repeated):
        with self.changed:
            self.acknowledged.update(ids)
            self.repeated += repeated
            self.changed.notify_all()

    def wait_until_up(self, not_port):
        with self.changed:
            self.changed.wait_for(lambda: (self.up and self.port != not_port) or self.broken, 120)
            return self.port if self.up and not self.broken else None


class Client(threading.Thread):
    """Posts its events in order; does not go on before the one before is acknowledged."""

    def __init__(self, number, events, ledger):
        super().__init__(daemon=True)
        self.number, self.events, self.ledger = number, events, ledger
        self.connection = None

    def run(self):
        try:
            place = 0
            port = self.ledger.wait_until_up(None)
            while place < len(self.events) and port is not None:
                batch = self.events[place:place + BATCH] if (place // BATCH + self.number) % 2 else self.events[place:place + 1]
                try:
                    done = self.post(port, batch)
                except (OSError, http.client.HTTPException):
                    self.close()
                    port = self.ledger.wait_until_up(port)  # a new start has a new port
                    continue
                if done:
                    place += len(batch)
        except Exception as error:  # a defect of this test must not look like a slow host
            self.ledger.broken = f"client {self.number}: {error!r}"
        finally:
            self.close()

    def post(self, port, batch):
        """True if all of `batch` is acknowledged."""
        if self.connection is None:
            self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        single = len(batch) == 1
        body = json.dumps(batch[0]) if single else "".join(json.dumps(event) + "\n" for event in batch)
        kind = "application/json" if single else "application/x-ndjson"
        self.connection.request("POST", "/event" if single else "/v1/events", body, {"Content-Type": kind})
        answer = self.connection.getresponse()
        text = answer.read()
        if answer.status >= 500:  # not now: nothing is acknowledged, send it again
            with self.ledger.changed:
                self.ledger.refused[answer.status] += 1
            return False
        value = json.loads(text)
        stored = value["accepted"] + value["deduped"] if answer.status == 200 and not single else int(value.get("received") is True)
        if answer.status != 200 or stored != len(batch):
            raise RuntimeError(f"{answer.status} {text[:300]!r}")
        self.ledger.acknowledge([event["id"] for event in batch], int(value["deduped"]))
        return True

    def close(self):
        if self.connection is not None:
            self.connection.close()
            self.connection = None


def stored_ids(database):
    """How often each event id is in the database, read around the host."""
    if database.startswith("sqlite:"):
        connection = sqlite3.connect(f"file:{database[7:]}?mode=ro", uri=True, timeout=60)
        try:
            return collections.Counter(row[0] for row in connection.execute("SELECT event_id FROM events"))
        finally:
            connection.close()
    return collections.Counter(postgres_server.query(database, "SELECT event_id FROM events"))


def run(host, database, options, checks):
    rng = random.Random(options.seed)
    per_client = options.events // options.clients
    # Random ids, as real clients send: version 4 UUIDs from the seed.
    lists = [[{"id": str(uuid.UUID(int=rng.getrandbits(128), version=4)), "category": "motion", "payload": {"state": "on"},
               "timestamp": f"2025-12-{1 + i % 28:02}T{i % 24:02}:{i % 60:02}:00Z", "home_id": f"home-{client}"}
              for i in range(per_client)] for client in range(options.clients)]
    total = per_client * options.clients
    moments = sorted(rng.sample(range(1, total - total // 50), options.kills))
    ledger = Ledger()
    clients = [Client(number, events, ledger) for number, events in enumerate(lists)]
    host.start()
    ledger.host_is(True, host.port)
    for client in clients:
        client.start()
    lost, twice, left_over, unread = set(), set(), 0, 0
    for kill, moment in enumerate(moments, 1):
        with ledger.changed:
            in_time = ledger.changed.wait_for(lambda: len(ledger.acknowledged) >= moment or ledger.broken, 300)
        if not in_time or ledger.broken:
            checks.check(f"the ingest reaches kill {kill}", False, ledger.broken or f"{len(ledger.acknowledged)} of {moment} after 300 s")
            return
        time.sleep(rng.random() * 0.02)
        workers = children_of(host.process.pid)
        host.kill()
        with ledger.changed:
            ledger.up = False
            promised = set(ledger.acknowledged)
        host.start()
        counts = stored_ids(database)
        lost |= {event for event in promised if counts[event] == 0}
        twice |= {event for event, count in counts.items() if count > 1}
        left_over += sum(is_alive(pid) for pid in workers)
        ledger.host_is(True, host.port)
        if kill % 10 == 0 or kill == len(moments):
            print(f"        {kill} kills, {len(promised)} acknowledged, {ledger.repeated} sent again and recognised", flush=True)
    for client in clients:
        client.join(300)
    checks.check("every client finished", not ledger.broken and not any(client.is_alive() for client in clients), ledger.broken)
    counts = stored_ids(database)
    sent = {event["id"] for events in lists for event in events}
    lost |= {event for event in ledger.acknowledged if counts[event] == 0}
    twice |= {event for event, count in counts.items() if count > 1}
    checks.equal(f"{options.kills} kills happened while clients were sending", len(moments), options.kills)
    checks.equal("every event was acknowledged in the end", len(ledger.acknowledged), total)
    checks.equal("no acknowledged event was ever missing after a start", len(lost), 0)
    checks.equal("no event is there twice", len(twice), 0)
    checks.equal("nothing else is there", set(counts) - sent, set())
    checks.equal("no worker outlived its host", left_over, 0)
    if ledger.refused:
        print(f"        answered with 5xx and sent again: {dict(ledger.refused)}")


def main():
    soak = os.environ.get("VARDE_SOAK") == "1"
    arguments = argparse.ArgumentParser()
    arguments.add_argument("build", type=pathlib.Path)
    arguments.add_argument("engine", choices=("sqlite", "postgresql"))
    arguments.add_argument("--kills", type=int, default=50 if soak else 8)
    arguments.add_argument("--events", type=int, default=20_000)
    arguments.add_argument("--clients", type=int, default=8)
    arguments.add_argument("--seed", type=int, default=20251223)
    options = arguments.parse_args()
    checks = Checks()
    if options.engine == "postgresql" and not postgres_server.server_url():
        checks.skip("kill -9 during ingest on PostgreSQL", "VARDE_TEST_POSTGRES_URL is not set; ./dev test sets it")
        return checks.finish()
    with tempfile.TemporaryDirectory(prefix="varde-kill9-") as folder:
        fresh = postgres_server.Database() if options.engine == "postgresql" else None
        database = fresh.url if fresh else f"sqlite:{folder}/varde.db"
        host = Host(options.build.resolve(), folder, database, interval_ms=500)
        try:
            run(host, database, options, checks)
            checks.equal("the host stops cleanly", host.stop(), 0)
            if not fresh:
                answer = sqlite3.connect(database[7:]).execute("PRAGMA integrity_check").fetchone()[0]
                checks.equal("PRAGMA integrity_check", answer, "ok")
        except HostFailed as error:
            checks.check("the host starts after each kill", False, error)
        finally:
            host.stop()
            if fresh:
                fresh.drop()
    return checks.finish()


if __name__ == "__main__":
    sys.exit(main())
