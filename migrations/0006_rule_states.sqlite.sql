-- What rules keep between evaluations (varde.state/1), one row a rule and scope. It belongs to the rule, not to the plugin's file.
CREATE TABLE rule_states (
    rule_id    TEXT NOT NULL,
    org_id     TEXT NOT NULL,
    home_id    TEXT NOT NULL,
    subject_id TEXT NOT NULL,
    state      TEXT NOT NULL,               -- base64 of at most 64 KiB; SQL never looks inside
    changed_at BIGINT NOT NULL,             -- UTC microseconds
    PRIMARY KEY (rule_id, org_id, home_id, subject_id)
) WITHOUT ROWID;
