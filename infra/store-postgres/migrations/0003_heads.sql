-- The head of a pull request that a delivery was about: what is known of it outlives its executions, which go by number too.
ALTER TABLE deliveries ADD COLUMN repository TEXT COLLATE "C";
ALTER TABLE deliveries ADD COLUMN pull_request BIGINT;
ALTER TABLE deliveries ADD COLUMN head_sha TEXT;

CREATE INDEX idx_deliveries_head ON deliveries (repository, pull_request, head_sha)
    WHERE head_sha IS NOT NULL AND outcome = 'accepted';

-- The newest of a repository.
CREATE INDEX idx_workflow_executions_newest ON workflow_executions (repository, id);
