-- The operator's view of the rules, beside rules.yaml. A rule runs if both allow it.
CREATE TABLE rules (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    rule_id    TEXT NOT NULL UNIQUE,
    is_enabled INTEGER NOT NULL DEFAULT 1,
    severity   INTEGER NOT NULL DEFAULT 2,   -- shown only; a finding has its own
    params     TEXT NOT NULL DEFAULT '{}',   -- JSON object; shown only
    created_at BIGINT NOT NULL               -- UTC microseconds
);
