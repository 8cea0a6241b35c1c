-- What operators look at, and what several processes share.

-- The lanes of the queue take turns: a message's turn is one more than that of the last one in its lane.
ALTER TABLE messages ADD COLUMN lane TEXT;
ALTER TABLE messages ADD COLUMN turn INTEGER NOT NULL DEFAULT 0;
DROP INDEX idx_messages_available;
CREATE INDEX idx_messages_turn ON messages (turn, id) WHERE dead_reason IS NULL;
CREATE INDEX idx_messages_lane ON messages (lane, turn) WHERE dead_reason IS NULL;
CREATE INDEX idx_messages_dead ON messages (id) WHERE dead_reason IS NOT NULL;

-- Who does a task that one process does for all, and until when.
CREATE TABLE leaders (
    task   TEXT PRIMARY KEY,
    worker TEXT NOT NULL,
    lease_until INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE audit_log (
    id      INTEGER PRIMARY KEY,
    key     TEXT NOT NULL UNIQUE,
    at      INTEGER NOT NULL,
    actor   TEXT NOT NULL,
    origin  TEXT NOT NULL,
    action  TEXT NOT NULL,
    subject TEXT NOT NULL,
    detail  TEXT
);

-- Lists go from the newest to the oldest; identities are ordered by time.
DROP INDEX idx_workflow_executions_status;
CREATE INDEX idx_workflow_executions_status ON workflow_executions (status, id);
DROP INDEX idx_workflow_executions_workflow_id;
CREATE INDEX idx_workflow_executions_workflow_id ON workflow_executions (workflow_id, id);
CREATE INDEX idx_workflow_executions_repository ON workflow_executions (repository, id);

-- What is purged, and what is counted while it is open.
CREATE INDEX idx_workflow_executions_created_at ON workflow_executions (created_at);
CREATE INDEX idx_deliveries_received_at ON deliveries (received_at);
CREATE INDEX idx_budget_reservations_updated_at ON budget_reservations (updated_at);
CREATE INDEX idx_execution_effects_open ON execution_effects (execution_id) WHERE state = 'intent';
