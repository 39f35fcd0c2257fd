#!/usr/bin/env python3
"""Many schedules of one minute in one host: how late they start, what that costs, and the same with APScheduler beside it.

    hundred_thousand.py BUILD_FOLDER sqlite|postgresql|apscheduler [--schedules N] [--seconds S]

Prints lag from nominal time to start (p50, p99, max), resident memory and the time from the start of the process to the first look at
due slots. `sqlite` and `postgresql` (under tests/postgres/with_postgres.sh, VARDE_POSTGRES_FSYNC=on) store every slot and its end durably;
APScheduler (Debian's python3-apscheduler) keeps its jobs in memory and stores nothing. What is measured is the machine's of that moment:
compare figures of one session only.
"""
import argparse
import contextlib
import datetime
import os
import pathlib
import sqlite3
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/integration"))
from host_process import Host  # noqa: E402
import postgres_server  # noqa: E402

PERIOD_US = 60_000_000
WARM_UP_S = 5  # what is due at once after the start is not the steady state
CONFIG = "jobs: {workers: 10}\n"


def resident_mb(pid):
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS"):
            return int(line.split()[1]) / 1024
    return 0.0


def report(what, lags_ms, resident, started_s):
    lags_ms.sort()
    place = lambda share: lags_ms[min(len(lags_ms) - 1, int(len(lags_ms) * share))]  # noqa: E731
    print(f"{what}: {len(lags_ms)} starts, lag p50 {place(0.5):.1f} ms, p99 {place(0.99):.1f} ms, max {lags_ms[-1]:.1f} ms;"
          f" {resident:.0f} MB resident; {started_s:.2f} s to the first look", flush=True)


def columns_and_row(database):
    """The schedule that the host made, as a template for the others."""
    if database.startswith("sqlite:"):
        with contextlib.closing(sqlite3.connect(database.removeprefix("sqlite:"))) as connection:
            cursor = connection.execute("SELECT * FROM schedules WHERE schedule_id = 'template'")
            return [column[0] for column in cursor.description], list(cursor.fetchone())
    names = postgres_server.query(database, "SELECT column_name FROM information_schema.columns WHERE table_name = 'schedules'"
                                            " ORDER BY ordinal_position")
    row = postgres_server.query(database, "COPY (SELECT * FROM schedules WHERE schedule_id = 'template') TO STDOUT")[0]
    return names, row.split("\t")


def fill(database, count):
    """`count` copies, their slots spread over the minute."""
    names, template = columns_and_row(database)
    place = {name: names.index(name) for name in ("schedule_id", "trigger", "state", "next_at")}
    midnight = int(datetime.datetime(2026, 1, 1, tzinfo=datetime.timezone.utc).timestamp()) * 1_000_000
    begin = int(time.time() * 1e6) + 3_000_000
    rows = []
    for number in range(count):
        phase = number * PERIOD_US // count
        row = list(template)
        row[place["schedule_id"]] = f"b{number}"
        row[place["trigger"]] = f'{{"every":"1m","anchor":"2026-01-01T00:00:{phase / 1e6:09.6f}Z"}}'
        row[place["state"]] = "active"
        row[place["next_at"]] = midnight + phase + ((begin - midnight - phase) // PERIOD_US + 1) * PERIOD_US
        rows.append(row)
    if database.startswith("sqlite:"):
        with contextlib.closing(sqlite3.connect(database.removeprefix("sqlite:"))) as connection, connection:
            connection.executemany(f"INSERT INTO schedules VALUES ({', '.join('?' * len(names))})", rows)
        return
    text = "".join("\t".join(str(value) for value in row) + "\n" for row in rows)
    subprocess.run(["psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", database, "-c", "COPY schedules FROM STDIN"], input=text,
                   text=True, check=True)
    postgres_server.query(database, "ANALYZE schedules")


def lags_of(database, since_us):
    sql = f"SELECT started_at - nominal_at FROM runs WHERE started_at IS NOT NULL AND nominal_at > {since_us}"
    if database.startswith("sqlite:"):
        with contextlib.closing(sqlite3.connect(database.removeprefix("sqlite:"))) as connection:
            return [row[0] / 1000 for row in connection.execute(sql)]
    return [int(value) / 1000 for value in postgres_server.query(database, sql)]


def measure_varde(build, mode, count, seconds):
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        database = f"sqlite:{folder / 'varde.db'}" if mode == "sqlite" else os.environ["VARDE_TEST_POSTGRES_URL"]
        (folder / "host.yaml").write_text(CONFIG, encoding="utf-8")
        (folder / "rules.yaml").write_text("rules: {}\n", encoding="utf-8")
        host = Host(build, folder, database, rules=folder / "rules.yaml", config=folder / "host.yaml", interval_ms=3_600_000)
        host.start()
        status, _, answer = host.request("POST", "/v1/schedules", {"id": "template", "kind": "noop", "trigger": {"every": "1m"},
                                                                   "enabled": False})
        if status != 201:
            raise SystemExit(f"the template was refused: {answer}")
        host.stop()
        fill(database, count)
        begun = time.monotonic()
        mark = host.mark()
        host.start()
        host.wait_for(lambda e: e.get("event") == "jobs_started", since=mark)
        started_s = time.monotonic() - begun
        since_us = int((time.time() + WARM_UP_S) * 1e6)
        time.sleep(WARM_UP_S + seconds)
        resident = resident_mb(host.process.pid)
        host.stop()
        report(f"varde, {mode}, {count} schedules", lags_of(database, since_us), resident, started_s)


def measure_apscheduler(count, seconds):
    from apscheduler.executors.pool import ThreadPoolExecutor
    from apscheduler.schedulers.background import BackgroundScheduler
    lags = []
    begun = time.monotonic()
    scheduler = BackgroundScheduler(executors={"default": ThreadPoolExecutor(10)}, timezone=datetime.timezone.utc,
                                    job_defaults={"misfire_grace_time": 3600, "coalesce": True})
    start = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=count / 4_000)

    def job(nominal):
        now = time.time()
        if now >= since[0]:
            # Every slot of a job lies whole minutes after its first.
            late = (now - nominal) % 60
            lags.append(late * 1000)

    since = [float("inf")]
    for number in range(count):
        at = start + datetime.timedelta(microseconds=number * PERIOD_US // count)
        scheduler.add_job(job, "interval", minutes=1, start_date=at, args=(at.timestamp(),))
    scheduler.start()
    started_s = time.monotonic() - begun
    time.sleep(max(0.0, (start - datetime.datetime.now(datetime.timezone.utc)).total_seconds()) + WARM_UP_S)
    since[0] = time.time()
    time.sleep(seconds)
    resident = resident_mb(os.getpid())
    since[0] = float("inf")
    report(f"apscheduler, in memory, {count} schedules", lags, resident, started_s)
    os._exit(0)  # its shutdown looks at every job


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("mode", choices=["sqlite", "postgresql", "apscheduler"])
    parser.add_argument("--schedules", type=int, default=100_000)
    parser.add_argument("--seconds", type=int, default=60)
    given = parser.parse_args()
    if given.mode == "apscheduler":
        measure_apscheduler(given.schedules, given.seconds)
    else:
        measure_varde(given.build.resolve(), given.mode, given.schedules, given.seconds)


if __name__ == "__main__":
    main()
