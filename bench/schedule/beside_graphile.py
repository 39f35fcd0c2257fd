#!/usr/bin/env python3
"""Jobs that do nothing, from a queue in one PostgreSQL: how many a second Varde carries out, and graphile-worker beside it in the same run.

    VARDE_POSTGRES_FSYNC=on tests/postgres/with_postgres.sh bench/schedule/beside_graphile.py BUILD_FOLDER [--jobs N] [--workers N]

Every start and end is durable. `batched`: as each takes them by default where it is fast (Varde: jobs.batch 500; graphile-worker: a
local queue of 500, completions gathered for up to a millisecond). `single`: one job a transaction (jobs.batch 1; no local queue). The time
counts from the first start to the last end. graphile-worker deletes what is done, Varde keeps it as history with its times. npm gets
graphile-worker into a temporary folder. Ratios of one run are what counts; the figures are those of the machine at that moment.
"""
import argparse
import json
import pathlib
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/integration"))
from host_process import Host  # noqa: E402
import postgres_server  # noqa: E402

GRAPHILE = """
const { run, makeWorkerUtils } = require("graphile-worker");
const [connectionString, jobs, concurrency, batched] = [process.argv[2], +process.argv[3], +process.argv[4], process.argv[5] === "batched"];
(async () => {
  const utils = await makeWorkerUtils({ connectionString });
  await utils.migrate();
  await utils.withPgClient((client) => client.query(
    "SELECT count(*) FROM (SELECT graphile_worker.add_job('noop', '{}'::json) FROM generate_series(1, $1)) AS added", [jobs]));
  await utils.withPgClient((client) => client.query("ANALYZE"));
  await utils.release();
  let done = 0, first = 0n, all;
  const finished = new Promise((resolve) => { all = resolve; });
  const preset = batched ? { worker: { localQueue: { size: 500 }, completeJobBatchDelay: 1, failJobBatchDelay: 1 } } : {};
  const runner = await run({ connectionString, concurrency, noHandleSignals: true, preset,
    logger: new (require("graphile-worker").Logger)(() => () => {}), taskList: { noop: async () => {
      if (first === 0n) first = process.hrtime.bigint();
      if (++done === jobs) all();
    } } });
  await finished;
  await runner.stop();  // the last completions are stored when it has stopped
  console.log(JSON.stringify({ seconds: Number(process.hrtime.bigint() - first) / 1e9 }));
})().catch((error) => { console.error(error); process.exit(1); });
"""


def graphile(folder, url, jobs, workers, how):
    (folder / "graphile.js").write_text(GRAPHILE, encoding="utf-8")
    if not (folder / "node_modules").exists():
        subprocess.run(["npm", "install", "--silent", "--no-fund", "--no-audit", "graphile-worker"], cwd=folder, check=True)
    command = ["node", "graphile.js", url, str(jobs), str(workers), how]
    done = subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True)
    postgres_server.query(url, "DROP SCHEMA graphile_worker CASCADE")
    return jobs / json.loads(done.stdout.splitlines()[-1])["seconds"]


COPY_RUNS = """
INSERT INTO runs (schedule_id, generation, org_id, job_kind, nominal_at, kind, state, reason, detail, slots, more_slots, attempt, priority,
                  queue, run_at, owner, epoch, cancel_requested, input, idempotency_key, requested_by, created_at, error, result)
SELECT schedule_id, generation, org_id, job_kind, nominal_at + n, kind, 'pending', '', '', 1, more_slots, 0, priority,
       queue, run_at, '', 0, cancel_requested, input, '', requested_by, created_at, '', ''
FROM runs, generate_series(1, {jobs}) AS n
"""


def varde(folder, build, url, jobs, workers, how):
    place = folder / how
    place.mkdir()
    batch = 500 if how == "batched" else 1
    (place / "host.yaml").write_text(f"jobs: {{workers: {workers}, batch: {batch}}}\n", encoding="utf-8")
    (place / "rules.yaml").write_text("rules: {}\n", encoding="utf-8")
    host = Host(build, place, url, rules=place / "rules.yaml", config=place / "host.yaml", interval_ms=3_600_000)
    host.start()
    body = {"id": "nothing", "kind": "noop", "trigger": {"manual": True}}
    if host.request("POST", "/v1/schedules", body)[0] != 201 or host.request("POST", "/v1/schedules/nothing/run")[0] != 201:
        raise SystemExit("the host does not take the schedule")
    wait_for(url, "SELECT count(*) FROM runs WHERE schedule_id = 'nothing' AND state = 'success'", 1)
    host.stop()
    postgres_server.query(url, "DELETE FROM runs WHERE schedule_id <> 'nothing'")
    postgres_server.query(url, COPY_RUNS.format(jobs=jobs))
    postgres_server.query(url, "ANALYZE")
    host.start()
    wait_for(url, "SELECT count(*) FROM runs WHERE schedule_id = 'nothing' AND state = 'success'", jobs + 1)
    host.stop()
    took = postgres_server.query(url, "SELECT (max(finished_at) - min(started_at)) / 1e6 FROM runs WHERE schedule_id = 'nothing'"
                                      " AND nominal_at > (SELECT min(nominal_at) FROM runs WHERE schedule_id = 'nothing')")[0]
    postgres_server.query(url, "TRUNCATE runs, schedules")
    return jobs / float(took)


def wait_for(url, sql, count):
    end = time.monotonic() + 600
    while int(postgres_server.query(url, sql)[0]) < count:
        if time.monotonic() > end:
            raise SystemExit(f"{count} did not come within 10 minutes: {sql}")
        time.sleep(0.5)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("--jobs", type=int, default=50_000)
    parser.add_argument("--workers", type=int, default=10)
    options = parser.parse_args()
    url = postgres_server.server_url()
    if not url:
        raise SystemExit("run it under tests/postgres/with_postgres.sh")
    with tempfile.TemporaryDirectory(prefix="varde-graphile-") as name:
        folder = pathlib.Path(name)
        for how in ("batched", "single"):
            jobs = options.jobs if how == "batched" else options.jobs // 5
            ours = varde(folder, options.build.resolve(), url, jobs, options.workers, how)
            theirs = graphile(folder, url, jobs, options.workers, how)
            print(f"{how}: {jobs} jobs, {options.workers} workers: varde {ours:.0f}/s, graphile-worker {theirs:.0f}/s,"
                  f" ratio {ours / theirs:.2f}", flush=True)


if __name__ == "__main__":
    main()
