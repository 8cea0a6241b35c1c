-- Times are integers: microseconds since 1970-01-01 UTC. Identities are text. JSON is text.

CREATE TABLE workflows (
    id          TEXT PRIMARY KEY,
    name        TEXT NOT NULL UNIQUE,
    description TEXT,
    status      TEXT NOT NULL,
    created_at  INTEGER NOT NULL,
    updated_at  INTEGER NOT NULL,
    config      TEXT
);

-- Every version of a definition that an execution was accepted with, by the SHA-256 of its JSON.
CREATE TABLE workflow_definitions (
    digest TEXT PRIMARY KEY,
    body   TEXT NOT NULL
) WITHOUT ROWID;

CREATE TABLE workflow_executions (
    id                TEXT PRIMARY KEY,
    workflow_id       TEXT NOT NULL REFERENCES workflows (id),
    execution_id      TEXT NOT NULL UNIQUE,
    status            TEXT NOT NULL,
    started_at        INTEGER,
    completed_at      INTEGER,
    result            TEXT,
    error_message     TEXT,
    definition_digest TEXT NOT NULL REFERENCES workflow_definitions (digest),
    delivery_id       TEXT NOT NULL,
    repository        TEXT NOT NULL,
    pull_request      INTEGER NOT NULL,
    head_sha          TEXT,
    installation_id   INTEGER,
    event             TEXT NOT NULL,
    event_at          INTEGER NOT NULL,
    attempt           INTEGER NOT NULL DEFAULT 0,
    active_us         INTEGER NOT NULL DEFAULT 0,
    resumed_at        INTEGER,
    not_before        INTEGER,
    lease_owner       TEXT,
    lease_until       INTEGER,
    fence             INTEGER NOT NULL DEFAULT 0,
    concurrency_group TEXT,
    latest_wins       INTEGER NOT NULL DEFAULT 0,
    superseded_by     TEXT,
    created_at        INTEGER NOT NULL,
    updated_at        INTEGER NOT NULL
);

CREATE INDEX idx_workflow_executions_workflow_id ON workflow_executions (workflow_id);
CREATE INDEX idx_workflow_executions_status ON workflow_executions (status);
CREATE INDEX idx_workflow_executions_started_at ON workflow_executions (started_at DESC);
CREATE INDEX idx_workflow_executions_delivery_id ON workflow_executions (delivery_id);
CREATE INDEX idx_workflow_executions_live_group ON workflow_executions (concurrency_group, id)
    WHERE status IN ('queued', 'running', 'parked');
CREATE INDEX idx_workflow_executions_live ON workflow_executions (updated_at)
    WHERE status IN ('queued', 'running', 'parked');

CREATE TABLE execution_steps (
    execution_id  TEXT NOT NULL REFERENCES workflow_executions (id) ON DELETE CASCADE,
    step_id       TEXT NOT NULL,
    attempt       INTEGER NOT NULL,
    interruptions INTEGER NOT NULL,
    waits         INTEGER NOT NULL,
    status        TEXT NOT NULL,
    not_before    INTEGER,
    output        TEXT,
    error         TEXT,
    told          TEXT,
    started_at    INTEGER,
    finished_at   INTEGER,
    PRIMARY KEY (execution_id, step_id)
) WITHOUT ROWID;

CREATE TABLE execution_memos (
    execution_id TEXT NOT NULL REFERENCES workflow_executions (id) ON DELETE CASCADE,
    key          TEXT NOT NULL,
    value        BLOB NOT NULL,
    PRIMARY KEY (execution_id, key)
);

CREATE TABLE execution_effects (
    execution_id TEXT NOT NULL REFERENCES workflow_executions (id) ON DELETE CASCADE,
    marker       TEXT NOT NULL,
    kind         TEXT NOT NULL,
    state        TEXT NOT NULL CHECK (state IN ('intent', 'done')),
    remote_id    TEXT,
    remote_url   TEXT,
    updated_at   INTEGER NOT NULL,
    PRIMARY KEY (execution_id, marker)
) WITHOUT ROWID;

CREATE TABLE deliveries (
    id          TEXT PRIMARY KEY,
    event       TEXT NOT NULL,
    received_at INTEGER NOT NULL,
    outcome     TEXT NOT NULL
) WITHOUT ROWID;

CREATE TABLE messages (
    id            INTEGER PRIMARY KEY,
    body          TEXT NOT NULL,
    available_at  INTEGER NOT NULL,
    receive_count INTEGER NOT NULL DEFAULT 0,
    dead_reason   TEXT
);

CREATE INDEX idx_messages_available ON messages (available_at, id) WHERE dead_reason IS NULL;
