-- What is to run and when (schedules), what became of each slot (runs), and the hosts that run them (docs/schedules.md). Times are UTC
-- microseconds.
CREATE TABLE schedules (
    schedule_id      TEXT PRIMARY KEY NOT NULL,
    org_id           TEXT NOT NULL,
    version          BIGINT NOT NULL,
    generation       BIGINT NOT NULL,
    name             TEXT NOT NULL,
    owner            TEXT NOT NULL,
    labels           TEXT NOT NULL,      -- JSON object of texts
    kind             TEXT NOT NULL,      -- of the job
    params           TEXT NOT NULL,      -- JSON object
    trigger_kind     TEXT NOT NULL
                     CHECK (trigger_kind IN ('manual', 'cron', 'interval', 'once', 'event', 'after')),
    event_category   TEXT NOT NULL,
    debounce         BIGINT NOT NULL,
    completion_delay BIGINT,             -- of an interval that counts from the end of the last run
    trigger          TEXT NOT NULL,      -- JSON, as in definitions
    policy           TEXT NOT NULL,      -- JSON, as in definitions
    state            TEXT NOT NULL CHECK (state IN ('active', 'paused', 'disabled', 'completed')),
    source           TEXT NOT NULL,
    created_at       BIGINT NOT NULL,
    updated_at       BIGINT NOT NULL,
    next_at          BIGINT,             -- the cursor: it moves in the transaction that makes the runs
    last_nominal     BIGINT
);
CREATE INDEX schedules_due ON schedules (next_at, schedule_id) WHERE state = 'active' AND next_at IS NOT NULL;
CREATE INDEX schedules_newest ON schedules (created_at, schedule_id);
CREATE INDEX schedules_of_events ON schedules (event_category) WHERE trigger_kind = 'event';

-- Which schedule waits for which. Never a circle.
CREATE TABLE schedule_edges (
    schedule_id TEXT NOT NULL,
    depends_on  TEXT NOT NULL,
    PRIMARY KEY (schedule_id, depends_on)
) WITHOUT ROWID;
CREATE INDEX schedule_edges_back ON schedule_edges (depends_on);

-- No foreign key: the history of a schedule outlives it. A row in a terminal state, one with finished_at, never changes.
CREATE TABLE runs (
    run_id           INTEGER PRIMARY KEY AUTOINCREMENT,
    schedule_id      TEXT NOT NULL,
    generation       BIGINT NOT NULL,
    org_id           TEXT NOT NULL,
    job_kind         TEXT NOT NULL,
    nominal_at       BIGINT NOT NULL,
    kind             TEXT NOT NULL CHECK (kind IN ('scheduled', 'manual', 'event', 'after')),
    state            TEXT NOT NULL
                     CHECK (state IN ('waiting', 'pending', 'running', 'success', 'failed', 'cancelled', 'skipped', 'timed_out', 'abandoned')),
    reason           TEXT NOT NULL
                     CHECK (reason IN ('', 'misfire', 'coalesced', 'overlap', 'superseded', 'paused', 'disabled', 'outside_window',
                                       'dependency_not_met', 'queue_full', 'no_job_kind', 'owner_lost', 'timed_out', 'cancelled',
                                       'deleted', 'stopping', 'retry')),
    detail           TEXT NOT NULL,
    nominal_from     BIGINT,             -- of a row that stands for several slots: the oldest
    slots            BIGINT NOT NULL,
    more_slots       BIGINT NOT NULL CHECK (more_slots IN (0, 1)),
    attempt          BIGINT NOT NULL,
    priority         BIGINT NOT NULL,
    queue            TEXT NOT NULL,
    run_at           BIGINT NOT NULL,
    start_by         BIGINT,
    owner            TEXT NOT NULL,      -- the host, and with epoch and attempt the fencing token
    epoch            BIGINT NOT NULL,
    lease_until      BIGINT,
    cancel_requested BIGINT NOT NULL CHECK (cancel_requested IN (0, 1)),
    input            TEXT NOT NULL,
    idempotency_key  TEXT NOT NULL,
    requested_by     TEXT NOT NULL,
    created_at       BIGINT NOT NULL,
    started_at       BIGINT,
    finished_at      BIGINT,
    error            TEXT NOT NULL,
    result           TEXT NOT NULL,
    -- What makes a slot run once, whoever fires it. In this order it also finds the slots around an instant.
    UNIQUE (schedule_id, nominal_at, generation, kind),
    CHECK ((finished_at IS NOT NULL) = (state IN ('success', 'failed', 'cancelled', 'skipped', 'timed_out', 'abandoned')))
);
CREATE UNIQUE INDEX runs_by_key ON runs (schedule_id, idempotency_key) WHERE idempotency_key <> '';
CREATE INDEX runs_pending ON runs (priority DESC, run_at, run_id) WHERE state = 'pending';
CREATE INDEX runs_waiting ON runs (run_id) WHERE state = 'waiting';
CREATE INDEX runs_expiring ON runs (start_by) WHERE state IN ('waiting', 'pending') AND start_by IS NOT NULL;
CREATE INDEX runs_live ON runs (schedule_id) WHERE state IN ('waiting', 'pending', 'running');
CREATE INDEX runs_running ON runs (owner) WHERE state = 'running';
CREATE INDEX runs_of_schedule ON runs (schedule_id, run_id);
CREATE INDEX runs_of_many_slots ON runs (schedule_id, nominal_at) WHERE nominal_from IS NOT NULL;
CREATE INDEX runs_success ON runs (schedule_id, finished_at) WHERE state = 'success';
CREATE INDEX runs_finished ON runs (finished_at, run_id) WHERE finished_at IS NOT NULL;

CREATE TABLE job_hosts (
    host_id    TEXT PRIMARY KEY NOT NULL,
    epoch      BIGINT NOT NULL UNIQUE,
    name       TEXT NOT NULL,
    started_at BIGINT NOT NULL,
    beat_at    BIGINT NOT NULL
);
CREATE TABLE job_host_epochs (epoch BIGINT NOT NULL);  -- one row: the newest that was given
INSERT INTO job_host_epochs VALUES (0);
