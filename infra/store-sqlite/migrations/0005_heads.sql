-- The head of a pull request that a delivery was about: what is known of it outlives its executions, which go by number too.
ALTER TABLE deliveries ADD COLUMN repository TEXT;
ALTER TABLE deliveries ADD COLUMN pull_request INTEGER;
ALTER TABLE deliveries ADD COLUMN head_sha TEXT;

CREATE INDEX idx_deliveries_head ON deliveries (repository, pull_request, head_sha)
    WHERE head_sha IS NOT NULL AND outcome = 'accepted';
