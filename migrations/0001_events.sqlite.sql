-- The append-only log of events. Times are UTC microseconds. The host gives seq: the last one + 1, under its write lock, so that the
-- order of commits is the order of seq. Retention must never delete the newest row, or a seq would be used twice.
CREATE TABLE events (
    seq         INTEGER PRIMARY KEY,  -- the rowid itself: rows lie in the order of arrival
    key_hash    BIGINT NOT NULL,      -- XXH3 of (org, home, subject, stream, event_id); see docs/adr/0002-dedupe.md
    time        BIGINT NOT NULL,
    received_at BIGINT NOT NULL,
    event_id    TEXT NOT NULL,
    org_id      TEXT NOT NULL,
    home_id     TEXT NOT NULL,
    subject_id  TEXT NOT NULL,
    stream_id   TEXT NOT NULL,
    category    TEXT NOT NULL,
    room_id     TEXT NOT NULL,
    payload     TEXT NOT NULL         -- the client's JSON; text, because SQL never looks inside
);

-- Finds a repeated event among the rows of complete pages of 16,384 rows. The appender that completes a page writes its keys here, sorted,
-- in the same transaction. bucket = seq >> 17: what the filter in memory tells apart. Not an index on events: clients' ids are random, and
-- an index in their order would touch a cold page for each row of a big table (measured: 23 times slower), one over the last rows only still a
-- page for each row of a small commit.
CREATE TABLE event_keys (
    bucket   BIGINT NOT NULL,
    key_hash BIGINT NOT NULL,
    seq      BIGINT NOT NULL,
    PRIMARY KEY (bucket, key_hash, seq)
) WITHOUT ROWID;

-- Windows of one scope in the order of (time, seq); SQLite adds seq, the rowid, to every index by itself.
CREATE INDEX events_by_scope_time ON events (org_id, home_id, subject_id, time);

-- Every scope that has an event, kept by the host with each append: asking the events themselves would read all of them.
CREATE TABLE scopes (
    org_id     TEXT NOT NULL,
    home_id    TEXT NOT NULL,
    subject_id TEXT NOT NULL,
    PRIMARY KEY (org_id, home_id, subject_id)
) WITHOUT ROWID;

-- One row. Keys the hash, so that nobody outside can make ids that collide.
CREATE TABLE event_key_seed (
    seed BIGINT NOT NULL
);
INSERT INTO event_key_seed VALUES (random());
