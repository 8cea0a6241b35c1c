-- Times are timestamptz. JSON that the engine writes for itself is kept as it was written (json); what people may want to
-- search is jsonb. Money is in millionths of a US dollar.

CREATE TABLE workflows (
    id          UUID PRIMARY KEY DEFAULT gen_random_uuid(),
    name        VARCHAR(255) NOT NULL UNIQUE,
    description TEXT,
    status      VARCHAR(50) NOT NULL,
    created_at  TIMESTAMP WITH TIME ZONE DEFAULT NOW(),
    updated_at  TIMESTAMP WITH TIME ZONE DEFAULT NOW(),
    config      JSONB
);

-- Every version of a definition that an execution was accepted with, by the SHA-256 of its JSON.
CREATE TABLE workflow_definitions (
    digest TEXT PRIMARY KEY,
    body   TEXT NOT NULL
);

-- Leaving room in each page lets most updates stay in it, without a new entry in every index
-- (https://www.postgresql.org/docs/15/storage-hot.html).
CREATE TABLE workflow_executions (
    id                UUID PRIMARY KEY DEFAULT gen_random_uuid(),
    workflow_id       UUID REFERENCES workflows (id),
    execution_id      VARCHAR(255) NOT NULL UNIQUE,
    status            VARCHAR(50) NOT NULL,
    started_at        TIMESTAMP WITH TIME ZONE DEFAULT NOW(),
    completed_at      TIMESTAMP WITH TIME ZONE,
    result            JSONB,
    error_message     TEXT,
    definition_digest TEXT NOT NULL,
    delivery_id       TEXT NOT NULL,
    repository        TEXT NOT NULL COLLATE "C",
    pull_request      BIGINT NOT NULL,
    head_sha          TEXT,
    installation_id   BIGINT,
    event             JSON NOT NULL,
    event_at          TIMESTAMP WITH TIME ZONE NOT NULL,
    attempt           INTEGER NOT NULL DEFAULT 0,
    active_us         BIGINT NOT NULL DEFAULT 0,
    resumed_at        TIMESTAMP WITH TIME ZONE,
    not_before        TIMESTAMP WITH TIME ZONE,
    lease_owner       TEXT,
    lease_until       TIMESTAMP WITH TIME ZONE,
    fence             BIGINT NOT NULL DEFAULT 0,
    concurrency_group TEXT,
    latest_wins       BOOLEAN NOT NULL DEFAULT FALSE,
    superseded_by     UUID,
    created_at        TIMESTAMP WITH TIME ZONE NOT NULL,
    updated_at        TIMESTAMP WITH TIME ZONE NOT NULL
) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.02, autovacuum_analyze_scale_factor = 0.02);

-- Lists go from the newest to the oldest; identities are ordered by time.
CREATE INDEX idx_workflow_executions_workflow_id ON workflow_executions (workflow_id, id);
CREATE INDEX idx_workflow_executions_status ON workflow_executions (status, id);
CREATE INDEX idx_workflow_executions_started_at ON workflow_executions (started_at DESC);
CREATE INDEX idx_workflow_executions_repository ON workflow_executions (repository, pull_request, id);
CREATE INDEX idx_workflow_executions_delivery_id ON workflow_executions (delivery_id);
CREATE INDEX idx_workflow_executions_created_at ON workflow_executions (created_at);
CREATE INDEX idx_workflow_executions_live_group ON workflow_executions (concurrency_group, id)
    WHERE status IN ('queued', 'running', 'parked');
CREATE INDEX idx_workflow_executions_live ON workflow_executions (id)
    WHERE status IN ('queued', 'running', 'parked');

CREATE TABLE execution_steps (
    execution_id  UUID NOT NULL REFERENCES workflow_executions (id) ON DELETE CASCADE,
    step_id       TEXT NOT NULL,
    attempt       INTEGER NOT NULL,
    interruptions INTEGER NOT NULL,
    waits         INTEGER NOT NULL,
    status        TEXT NOT NULL,
    not_before    TIMESTAMP WITH TIME ZONE,
    output        JSON,
    error         TEXT,
    told          TEXT,
    started_at    TIMESTAMP WITH TIME ZONE,
    finished_at   TIMESTAMP WITH TIME ZONE,
    PRIMARY KEY (execution_id, step_id)
) WITH (fillfactor = 70);

CREATE TABLE execution_memos (
    execution_id UUID NOT NULL REFERENCES workflow_executions (id) ON DELETE CASCADE,
    key          TEXT NOT NULL,
    value        BYTEA NOT NULL,
    PRIMARY KEY (execution_id, key)
);

CREATE TABLE execution_effects (
    execution_id UUID NOT NULL REFERENCES workflow_executions (id) ON DELETE CASCADE,
    marker       TEXT NOT NULL,
    kind         TEXT NOT NULL,
    state        TEXT NOT NULL CHECK (state IN ('intent', 'done')),
    remote_id    TEXT,
    remote_url   TEXT,
    updated_at   TIMESTAMP WITH TIME ZONE NOT NULL,
    PRIMARY KEY (execution_id, marker)
) WITH (fillfactor = 80);

CREATE INDEX idx_execution_effects_open ON execution_effects (execution_id) WHERE state = 'intent';

CREATE TABLE deliveries (
    id          TEXT PRIMARY KEY,
    event       TEXT NOT NULL,
    received_at TIMESTAMP WITH TIME ZONE NOT NULL,
    outcome     TEXT NOT NULL
);

CREATE INDEX idx_deliveries_received_at ON deliveries (received_at);

-- The store-backed queue. Its lanes take turns: a message's turn is one more than that of the last one in its lane.
CREATE TABLE messages (
    id            BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    body          TEXT NOT NULL,
    lane          TEXT,
    turn          BIGINT NOT NULL,
    available_at  TIMESTAMP WITH TIME ZONE NOT NULL,
    receive_count INTEGER NOT NULL DEFAULT 0,
    dead_reason   TEXT
) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_threshold = 1000);

CREATE INDEX idx_messages_turn ON messages (turn, id) WHERE dead_reason IS NULL;
CREATE INDEX idx_messages_lane ON messages (lane, turn) WHERE dead_reason IS NULL;
CREATE INDEX idx_messages_dead ON messages (id) WHERE dead_reason IS NOT NULL;

-- Calls of language models. An open call has no outcome; its cost is what was set aside for it. Its budgets are names in
-- budget_reservations.
CREATE TABLE llm_calls (
    id            BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    execution_id  UUID NOT NULL REFERENCES workflow_executions (id) ON DELETE CASCADE,
    fence         BIGINT NOT NULL,
    provider      TEXT NOT NULL,
    model         TEXT NOT NULL,
    budgets       TEXT[] NOT NULL,
    outcome       TEXT CHECK (outcome IN ('answered', 'failed', 'lost')),
    input_tokens  BIGINT NOT NULL DEFAULT 0,
    output_tokens BIGINT NOT NULL DEFAULT 0,
    cost_microusd BIGINT NOT NULL,
    latency_us    BIGINT,
    created_at    TIMESTAMP WITH TIME ZONE NOT NULL,
    updated_at    TIMESTAMP WITH TIME ZONE NOT NULL
) WITH (fillfactor = 80);

CREATE INDEX idx_llm_calls_execution_id ON llm_calls (execution_id);
CREATE INDEX idx_llm_calls_open ON llm_calls (id) WHERE outcome IS NULL;

CREATE TABLE budget_reservations (
    scope      TEXT PRIMARY KEY,
    reserved   BIGINT NOT NULL DEFAULT 0,
    spent      BIGINT NOT NULL DEFAULT 0,
    updated_at TIMESTAMP WITH TIME ZONE NOT NULL
) WITH (fillfactor = 50);

CREATE INDEX idx_budget_reservations_updated_at ON budget_reservations (updated_at);
