-- Money is in millionths of a US dollar.

-- Calls of language models. An open call has no outcome; its cost is what was set aside for it. Its budgets are a JSON
-- array of the names in budget_reservations.
CREATE TABLE llm_calls (
    id            INTEGER PRIMARY KEY,
    execution_id  TEXT NOT NULL REFERENCES workflow_executions (id) ON DELETE CASCADE,
    fence         INTEGER NOT NULL,
    provider      TEXT NOT NULL,
    model         TEXT NOT NULL,
    budgets       TEXT NOT NULL,
    outcome       TEXT CHECK (outcome IN ('answered', 'failed', 'lost')),
    input_tokens  INTEGER NOT NULL DEFAULT 0,
    output_tokens INTEGER NOT NULL DEFAULT 0,
    cost_microusd INTEGER NOT NULL,
    latency_us    INTEGER,
    created_at    INTEGER NOT NULL,
    updated_at    INTEGER NOT NULL
);

CREATE INDEX idx_llm_calls_execution_id ON llm_calls (execution_id);
CREATE INDEX idx_llm_calls_open ON llm_calls (id) WHERE outcome IS NULL;

CREATE TABLE budget_reservations (
    scope      TEXT PRIMARY KEY,
    reserved   INTEGER NOT NULL DEFAULT 0,
    spent      INTEGER NOT NULL DEFAULT 0,
    updated_at INTEGER NOT NULL
) WITHOUT ROWID;
