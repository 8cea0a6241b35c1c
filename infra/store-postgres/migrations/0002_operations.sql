-- What operators look at, and what several processes share.

-- Who does a task that one process does for all, and until when.
CREATE TABLE leaders (
    task   TEXT PRIMARY KEY,
    worker TEXT NOT NULL,
    lease_until TIMESTAMP WITH TIME ZONE NOT NULL
);

CREATE TABLE audit_log (
    id      BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    key     TEXT NOT NULL UNIQUE,
    at      TIMESTAMP WITH TIME ZONE NOT NULL,
    actor   TEXT NOT NULL,
    origin  TEXT NOT NULL,
    action  TEXT NOT NULL,
    subject TEXT NOT NULL,
    detail  TEXT
);
