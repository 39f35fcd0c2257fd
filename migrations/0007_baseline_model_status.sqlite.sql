-- How well the habits of each home are known. Rules with requires_baseline are asked only where it is ready. Written by the host's own
-- job (`baseline:` in host.yaml) or, with every_minutes: 0, by another program. Times are UTC microseconds.
CREATE TABLE baseline_model_status (
    org_id                TEXT NOT NULL,
    home_id               TEXT NOT NULL,
    subject_id            TEXT NOT NULL,
    computed_at           BIGINT NOT NULL,
    model_start           BIGINT NOT NULL DEFAULT 0,   -- the whole local days that were looked at
    model_end             BIGINT NOT NULL DEFAULT 0,
    baseline_ready        INTEGER NOT NULL DEFAULT 0 CHECK (baseline_ready IN (0, 1)),
    days_with_data        BIGINT NOT NULL DEFAULT 0,
    room_bucket_rows      BIGINT,                      -- cells (room x hour of the day) seen; NULL: not counted
    room_bucket_supported BIGINT,                      -- of these, on enough days to count on
    transition_rows       BIGINT,                      -- ways from room to room, the same
    transition_supported  BIGINT,
    definition            TEXT NOT NULL DEFAULT '',    -- the settings it was computed by; '': by another program
    PRIMARY KEY (org_id, home_id, subject_id)
) WITHOUT ROWID;
