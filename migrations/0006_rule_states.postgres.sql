-- What rules keep between evaluations (varde.state/1), one row a rule and scope. It belongs to the rule, not to the plugin's file.
CREATE TABLE rule_states (
    rule_id    TEXT COLLATE "C" NOT NULL,
    org_id     TEXT COLLATE "C" NOT NULL,
    home_id    TEXT COLLATE "C" NOT NULL,
    subject_id TEXT COLLATE "C" NOT NULL,
    state      TEXT COLLATE "C" NOT NULL,   -- base64 of at most 64 KiB; SQL never looks inside
    changed_at BIGINT NOT NULL,             -- UTC microseconds
    PRIMARY KEY (rule_id, org_id, home_id, subject_id)
);
