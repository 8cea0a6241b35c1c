//! What the database says.

use std::fmt;
use std::path::Path;

use autopr_services::psql;

/// The database, read from outside.
pub(super) struct Books {
    url: String,
}

/// How much is open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Open {
    executions: usize,
    messages: usize,
    calls: usize,
}

impl Open {
    pub(super) fn total(&self) -> usize {
        self.executions + self.messages + self.calls
    }
}

impl fmt::Display for Open {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { executions, messages, calls } = self;
        write!(f, "{executions} executions, {messages} messages and {calls} calls of models open")
    }
}

impl Books {
    pub(super) fn new(url: String) -> Self {
        Self { url }
    }

    /// How much is open, if the database can say.
    pub(super) fn open(&self) -> Result<Open, String> {
        let sql = "SELECT (SELECT count(*) FROM workflow_executions WHERE status IN ('queued', 'running', 'parked')),
            (SELECT count(*) FROM messages WHERE dead_reason IS NULL),
            (SELECT count(*) FROM llm_calls WHERE outcome IS NULL)";
        let row = psql(&self.url, sql)?;
        let numbers: Vec<usize> = row.split('|').filter_map(|number| number.parse().ok()).collect();
        match numbers[..] {
            [executions, messages, calls] => Ok(Open { executions, messages, calls }),
            _ => Err(format!("unexpected: {row}")),
        }
    }

    /// Ends the waiting of everything that waits for a time and that nobody holds.
    pub(super) fn let_time_come(&self) {
        let sql = "UPDATE execution_steps s SET not_before = NULL FROM workflow_executions e
                WHERE e.id = s.execution_id AND e.status = 'parked' AND s.not_before IS NOT NULL;
            UPDATE workflow_executions SET not_before = created_at WHERE status = 'parked' AND not_before > created_at;";
        self.rows(sql);
    }

    /// Rows of columns, as texts.
    pub(super) fn rows(&self, sql: &str) -> Vec<Vec<String>> {
        let answer = psql(&self.url, sql).unwrap_or_else(|error| panic!("{sql}: {error}"));
        answer.lines().map(|line| line.split('|').map(str::to_owned).collect()).collect()
    }

    /// Writes everything into a file.
    pub(super) fn dump(&self, file: &Path) {
        if let Err(error) = autopr_services::pg_dump(&self.url, file) {
            eprintln!("the database could not be kept: {error}");
        }
    }
}
