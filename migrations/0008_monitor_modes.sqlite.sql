-- What operators set of a rule in one home: ON (as without a row), TEST (findings are kept and marked) or OFF (dropped). updated_at is UTC
-- microseconds.
CREATE TABLE monitor_modes (
    org_id      TEXT NOT NULL,
    home_id     TEXT NOT NULL,
    subject_id  TEXT NOT NULL,
    monitor_key TEXT NOT NULL,                     -- a rule id
    room_id     TEXT NOT NULL DEFAULT '__GLOBAL__', -- runs look at whole homes only
    mode        TEXT NOT NULL CHECK (mode IN ('ON', 'TEST', 'OFF')),
    updated_at  BIGINT NOT NULL,
    updated_by  TEXT NOT NULL DEFAULT '',
    PRIMARY KEY (org_id, home_id, subject_id, monitor_key, room_id)
) WITHOUT ROWID;
