-- What is known of a home's rooms, and in which of them its sensors are: from these, and from its payload, an event gets its room when it
-- comes in (ingest/room_derivation.hpp).
CREATE TABLE rooms (
    org_id       TEXT COLLATE "C" NOT NULL,
    home_id      TEXT COLLATE "C" NOT NULL,
    room_id      TEXT COLLATE "C" NOT NULL CHECK (length(room_id) BETWEEN 1 AND 100),
    display_name TEXT NOT NULL,                     -- what payloads may call it, in any case
    PRIMARY KEY (org_id, home_id, room_id)
);

CREATE TABLE sensor_room_map (
    org_id    TEXT COLLATE "C" NOT NULL,
    home_id   TEXT COLLATE "C" NOT NULL,
    entity_id TEXT COLLATE "C" NOT NULL,
    room_id   TEXT COLLATE "C" NOT NULL CHECK (length(room_id) BETWEEN 1 AND 100),  -- need not be in rooms
    active    INTEGER NOT NULL DEFAULT 1 CHECK (active IN (0, 1)),
    PRIMARY KEY (org_id, home_id, entity_id)
);

-- One row, raised by every change of the two, whoever makes it: hosts keep both tables in memory and look at this number only.
CREATE TABLE rooms_version (version BIGINT NOT NULL);
INSERT INTO rooms_version VALUES (1);
-- The schema is the one of this migration, not the one of whoever writes.
CREATE FUNCTION raise_rooms_version() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    UPDATE rooms_version SET version = version + 1;
    RETURN NULL;
END
$$;
CREATE TRIGGER rooms_changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON rooms
    FOR EACH STATEMENT EXECUTE FUNCTION raise_rooms_version();
CREATE TRIGGER sensor_room_map_changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON sensor_room_map
    FOR EACH STATEMENT EXECUTE FUNCTION raise_rooms_version();
