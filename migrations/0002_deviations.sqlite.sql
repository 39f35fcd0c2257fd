-- Findings with a life: OPEN -> ACK -> CLOSED. Times are UTC microseconds; NULL: has not happened. Empty text: none.
CREATE TABLE deviations (
    deviation_id INTEGER PRIMARY KEY AUTOINCREMENT,
    started_at   BIGINT NOT NULL,
    last_seen_at BIGINT NOT NULL,
    closed_at    BIGINT,
    ack_until    BIGINT,
    window_since BIGINT NOT NULL,      -- the window that the rule judged when it was last seen
    window_until BIGINT NOT NULL,
    found_at     BIGINT NOT NULL,      -- the finding's own timestamp
    severity     INTEGER NOT NULL CHECK (severity BETWEEN 1 AND 4),  -- LOW, MEDIUM, HIGH, CRITICAL
    episode      INTEGER NOT NULL,     -- 1, then one more for each reopening of the key
    test_mode    INTEGER NOT NULL DEFAULT 0,
    rule_id      TEXT NOT NULL,
    org_id       TEXT NOT NULL,
    home_id      TEXT NOT NULL,
    subject_id   TEXT NOT NULL,
    subject_key  TEXT NOT NULL,
    status       TEXT NOT NULL CHECK (status IN ('OPEN', 'ACK', 'CLOSED')),
    close_reason TEXT NOT NULL DEFAULT '',
    ack_by       TEXT NOT NULL DEFAULT '',
    ack_comment  TEXT NOT NULL DEFAULT '',
    title        TEXT NOT NULL,
    explanation  TEXT NOT NULL,
    evidence     TEXT NOT NULL         -- JSON object
);

-- At most one row of a key is active, whatever the hosts do. Also the list of active rows that every run starts with.
CREATE UNIQUE INDEX deviations_one_active ON deviations (rule_id, org_id, home_id, subject_id, subject_key)
    WHERE status IN ('OPEN', 'ACK');

-- The next episode of a key.
CREATE INDEX deviations_by_key ON deviations (rule_id, org_id, home_id, subject_id, subject_key, episode);

-- Lists of one tenant: few rows a scope, which are then sorted. last_seen_at is not in it, since every run changes that.
CREATE INDEX deviations_by_scope ON deviations (org_id, home_id, subject_id);

-- Lists of all tenants, worst first.
CREATE INDEX deviations_by_severity ON deviations (severity DESC, last_seen_at DESC, deviation_id DESC);
