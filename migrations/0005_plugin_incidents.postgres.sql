-- Failures of rules that are kept, the newest incidents.keep of them. Times are UTC microseconds; empty text: none. Who it is about is empty
-- if it happened while the plugin was loaded.
CREATE TABLE plugin_incidents (
    incident_id TEXT COLLATE "C" NOT NULL PRIMARY KEY,  -- lower-case UUID
    at          BIGINT NOT NULL,
    last_at     BIGINT NOT NULL,            -- of the newest repeat
    repeats     BIGINT NOT NULL,            -- failures of the same kind that were counted instead of stored
    rule_id     TEXT COLLATE "C" NOT NULL,
    org_id      TEXT COLLATE "C" NOT NULL,
    home_id     TEXT COLLATE "C" NOT NULL,
    subject_id  TEXT COLLATE "C" NOT NULL,
    reason      TEXT COLLATE "C" NOT NULL,
    phase       TEXT COLLATE "C" NOT NULL,
    failure     TEXT NOT NULL               -- JSON object: everything else that is known; SQL never looks inside
);

-- Lists, newest first; few rows, so the filters need no index of their own.
CREATE INDEX plugin_incidents_by_time ON plugin_incidents (at, incident_id);

-- Who is deleted first: what has not happened for the longest time.
CREATE INDEX plugin_incidents_by_last ON plugin_incidents (last_at, incident_id);

-- The circuit breakers of rules, one row a rule: why a rule is out of service must survive a restart. `varde rules release` deletes a row;
-- a running host notices.
CREATE TABLE plugin_breakers (
    rule_id     TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    sha256      TEXT COLLATE "C" NOT NULL,  -- of the plugin file it is about; another file starts healthy
    state       TEXT COLLATE "C" NOT NULL CHECK (state IN ('healthy', 'suspect', 'backing_off', 'quarantined', 'probing')),
    out_until   BIGINT NOT NULL,            -- 0: asked
    level       BIGINT NOT NULL,
    consecutive BIGINT NOT NULL,
    clean       BIGINT NOT NULL,
    recent      TEXT NOT NULL,              -- JSON array of times of lost workers
    reason      TEXT NOT NULL,
    incident_id TEXT COLLATE "C" NOT NULL,
    changed_at  BIGINT NOT NULL
);
