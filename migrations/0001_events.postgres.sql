-- The append-only log of events. Times are UTC microseconds. The host gives seq: the last one + 1, under an advisory lock, so that the
-- order of commits is the order of seq (a sequence's order is not). Retention must never delete the newest row, or a seq would be used
-- twice. Numbers come first: no padding. COLLATE "C": compared as bytes, the same order everywhere, and cheaper.
CREATE TABLE events (
    seq         BIGINT PRIMARY KEY,
    key_hash    BIGINT NOT NULL,   -- XXH3 of (org, home, subject, stream, event_id); see docs/adr/0002-dedupe.md
    time        BIGINT NOT NULL,
    received_at BIGINT NOT NULL,
    event_id    TEXT COLLATE "C" NOT NULL,
    org_id      TEXT COLLATE "C" NOT NULL,
    home_id     TEXT COLLATE "C" NOT NULL,
    subject_id  TEXT COLLATE "C" NOT NULL,
    stream_id   TEXT COLLATE "C" NOT NULL,
    category    TEXT COLLATE "C" NOT NULL,
    room_id     TEXT COLLATE "C" NOT NULL,
    payload     TEXT NOT NULL      -- the client's JSON; not jsonb, which costs 1 us a row to write and 0.4 us to read, and SQL never
                                   -- looks inside
);

-- Finds a repeated event among the rows of complete pages of 16,384 rows. The appender that completes a page writes its keys here, sorted,
-- in the same transaction. bucket = seq >> 17: what the filter in memory tells apart. Not an index on events: clients' ids are random, and
-- an index in their order would touch a cold page for each row of a big table.
CREATE TABLE event_keys (
    bucket   BIGINT NOT NULL,
    key_hash BIGINT NOT NULL,
    seq      BIGINT NOT NULL
);
CREATE INDEX event_keys_by_hash ON event_keys (bucket, key_hash);  -- not unique: different keys may share a hash

-- Windows of one scope in the order of (time, seq).
CREATE INDEX events_by_scope_time ON events (org_id, home_id, subject_id, time, seq);

-- Every scope that has an event, kept by the host with each append: asking the events themselves would read all of them.
CREATE TABLE scopes (
    org_id     TEXT COLLATE "C" NOT NULL,
    home_id    TEXT COLLATE "C" NOT NULL,
    subject_id TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (org_id, home_id, subject_id)
);

-- One row. Keys the hash, so that nobody outside can make ids that collide.
CREATE TABLE event_key_seed (
    seed BIGINT NOT NULL
);
INSERT INTO event_key_seed VALUES (hashtextextended(gen_random_uuid()::text, 0));
