-- What is known of a home's rooms, and in which of them its sensors are: from these, and from its payload, an event gets its room when it
-- comes in (ingest/room_derivation.hpp).
CREATE TABLE rooms (
    org_id       TEXT NOT NULL,
    home_id      TEXT NOT NULL,
    room_id      TEXT NOT NULL CHECK (length(room_id) BETWEEN 1 AND 100),
    display_name TEXT NOT NULL,                     -- what payloads may call it, in any case
    PRIMARY KEY (org_id, home_id, room_id)
) WITHOUT ROWID;

CREATE TABLE sensor_room_map (
    org_id    TEXT NOT NULL,
    home_id   TEXT NOT NULL,
    entity_id TEXT NOT NULL,
    room_id   TEXT NOT NULL CHECK (length(room_id) BETWEEN 1 AND 100),  -- need not be in rooms
    active    INTEGER NOT NULL DEFAULT 1 CHECK (active IN (0, 1)),
    PRIMARY KEY (org_id, home_id, entity_id)
) WITHOUT ROWID;

-- One row, raised by every change of the two, whoever makes it: hosts keep both tables in memory and look at this number only.
CREATE TABLE rooms_version (version BIGINT NOT NULL);
INSERT INTO rooms_version VALUES (1);
CREATE TRIGGER rooms_inserted AFTER INSERT ON rooms BEGIN UPDATE rooms_version SET version = version + 1; END;
CREATE TRIGGER rooms_updated AFTER UPDATE ON rooms BEGIN UPDATE rooms_version SET version = version + 1; END;
CREATE TRIGGER rooms_deleted AFTER DELETE ON rooms BEGIN UPDATE rooms_version SET version = version + 1; END;
CREATE TRIGGER sensor_room_map_inserted AFTER INSERT ON sensor_room_map BEGIN UPDATE rooms_version SET version = version + 1; END;
CREATE TRIGGER sensor_room_map_updated AFTER UPDATE ON sensor_room_map BEGIN UPDATE rooms_version SET version = version + 1; END;
CREATE TRIGGER sensor_room_map_deleted AFTER DELETE ON sensor_room_map BEGIN UPDATE rooms_version SET version = version + 1; END;
