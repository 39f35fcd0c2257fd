-- What schedules listen to, made from their triggers: a row for each kind of event that starts, cancels or moves one. Schedules that are
-- completed listen to nothing.
CREATE TABLE schedule_listens (
    schedule_id   TEXT NOT NULL,
    place         BIGINT NOT NULL,
    org_id        TEXT NOT NULL,
    category      TEXT NOT NULL,
    payload_where TEXT NOT NULL,  -- JSON object, as in definitions
    since         BIGINT NOT NULL,       -- events with a higher seq are meant
    PRIMARY KEY (schedule_id, place)
) WITHOUT ROWID;
CREATE INDEX schedule_listens_by_category ON schedule_listens (category, org_id);
CREATE INDEX schedule_listens_since ON schedule_listens (since);

-- One row: up to which event all of them have heard.
CREATE TABLE schedule_hearing (heard BIGINT NOT NULL);
INSERT INTO schedule_hearing SELECT coalesce(max(seq), 0) FROM events;
INSERT INTO schedule_listens (schedule_id, place, org_id, category, payload_where, since)
    SELECT schedule_id, 0, org_id, event_category, '{}', (SELECT heard FROM schedule_hearing) FROM schedules WHERE trigger_kind = 'event';
DROP INDEX schedules_of_events;
