-- API tokens without their secrets: a secret of 256 random bits needs no slow hash, so SHA-256 is enough and an index can find it.
CREATE TABLE api_tokens (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    name       TEXT NOT NULL,
    sha256     TEXT NOT NULL UNIQUE,       -- of the secret, lower-case hex
    role       TEXT NOT NULL CHECK (role IN ('viewer', 'operator', 'admin')),
    org_id     TEXT NOT NULL,                -- what the token may see; empty: all
    home_id    TEXT NOT NULL,
    subject_id TEXT NOT NULL,
    created_at BIGINT NOT NULL,              -- UTC microseconds
    revoked_at BIGINT                        -- NULL: in use
);
