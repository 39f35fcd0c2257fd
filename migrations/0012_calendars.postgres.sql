-- Sets of days that schedules run on, or do not run on (docs/schedules.md). Times are UTC microseconds.
CREATE TABLE calendars (
    org_id      TEXT COLLATE "C" NOT NULL,
    calendar_id TEXT COLLATE "C" NOT NULL,
    version     BIGINT NOT NULL,
    definition  TEXT COLLATE "C" NOT NULL,  -- JSON, as people give it
    created_at  BIGINT NOT NULL,
    updated_at  BIGINT NOT NULL,
    PRIMARY KEY (org_id, calendar_id)
);

-- What the cursors of the schedules were made with, to see when that changes: 'tzdata'.
CREATE TABLE schedule_facts (
    name  TEXT COLLATE "C" PRIMARY KEY,
    value TEXT COLLATE "C" NOT NULL
);

-- Reasons become more with what schedules can do; core/slot_reason.hpp is their list.
ALTER TABLE runs DROP CONSTRAINT runs_reason_check;
