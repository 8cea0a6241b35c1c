-- Reconciliation asks whether a head has an execution, and which repositories have one.
CREATE INDEX idx_workflow_executions_head ON workflow_executions (repository, pull_request, head_sha);
