-- What runs decided: one row for a stretch of runs with the same outcome about one rule and scope, cut after a day. Times are UTC
-- microseconds. A row with since = first_at is a change and is kept long, the others are kept short (host.yaml: decisions).
CREATE TABLE decisions (
    decision_id INTEGER PRIMARY KEY,
    rule_id     TEXT NOT NULL,
    org_id      TEXT NOT NULL,
    home_id     TEXT NOT NULL,
    subject_id  TEXT NOT NULL,
    outcome     TEXT NOT NULL
                CHECK (outcome IN ('met', 'not_met', 'no_data', 'unknown', 'gated', 'skipped', 'error')),
    reason      TEXT NOT NULL,
    since       BIGINT NOT NULL,        -- every run from then on had this outcome
    first_at    BIGINT NOT NULL,        -- the first run of this row
    last_at     BIGINT NOT NULL,        -- its newest run; may lag behind by decisions.flush_seconds while the host runs
    asked_at    BIGINT NOT NULL,        -- the run that the reason is of
    runs        BIGINT NOT NULL,
    run_id      TEXT NOT NULL,          -- of the newest run
    UNIQUE (rule_id, org_id, home_id, subject_id, first_at)
);

-- Lists of one home, newest first.
CREATE INDEX decisions_of_home ON decisions (org_id, home_id, subject_id, decision_id);

-- Who is deleted first, of either kind. No column of them changes while a stretch goes on.
CREATE INDEX decisions_changes ON decisions (first_at) WHERE since = first_at;
CREATE INDEX decisions_others ON decisions (first_at) WHERE since <> first_at;
