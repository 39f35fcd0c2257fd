-- Sets of days that schedules run on, or do not run on (docs/schedules.md). Times are UTC microseconds.
CREATE TABLE calendars (
    org_id      TEXT NOT NULL,
    calendar_id TEXT NOT NULL,
    version     BIGINT NOT NULL,
    definition  TEXT NOT NULL,           -- JSON, as people give it
    created_at  BIGINT NOT NULL,
    updated_at  BIGINT NOT NULL,
    PRIMARY KEY (org_id, calendar_id)
) WITHOUT ROWID;

-- What the cursors of the schedules were made with, to see when that changes: 'tzdata'.
CREATE TABLE schedule_facts (
    name  TEXT PRIMARY KEY NOT NULL,
    value TEXT NOT NULL
) WITHOUT ROWID;

-- Reasons become more with what schedules can do; core/slot_reason.hpp is their list.
ALTER TABLE runs ADD COLUMN any_reason TEXT NOT NULL DEFAULT '';
UPDATE runs SET any_reason = reason WHERE reason <> '';
ALTER TABLE runs DROP COLUMN reason;
ALTER TABLE runs RENAME COLUMN any_reason TO reason;
