//! What the database of a server says, read from its file.

use std::path::Path;

use autopr_e2e::server::block_on;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{AssertSqlSafe, ConnectOptions};

/// What a usable or unusable answer of the scripted model costs: 100 tokens at 2 dollars and 20 at 8 dollars a million.
pub(crate) const ANSWER_MICROUSD: i64 = 360;

/// How the calls of models stood when a process died.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Calls {
    /// Those that were answered, paid and kept.
    pub(crate) kept: usize,
    /// Those whose end nobody will ever know.
    pub(crate) open: usize,
}

/// A connection to the file.
pub(crate) struct Ledger(SqliteConnection);

impl Ledger {
    /// Opens it to read only.
    pub(crate) fn read(file: &Path) -> Self {
        Self::open(SqliteConnectOptions::new().filename(file).read_only(true))
    }

    /// Opens it to change it, while no process has it open.
    pub(crate) fn write(file: &Path) -> Self {
        Self::open(SqliteConnectOptions::new().filename(file))
    }

    fn open(options: SqliteConnectOptions) -> Self {
        Self(block_on(options.connect()).expect("the database is opened"))
    }

    fn number(&mut self, sql: &str) -> i64 {
        let query = sqlx::query_scalar(AssertSqlSafe(sql));
        block_on(query.fetch_one(&mut self.0)).unwrap_or_else(|error| panic!("{sql}: {error}"))
    }

    fn texts(&mut self, sql: &str) -> Vec<String> {
        let query = sqlx::query_scalar(AssertSqlSafe(sql));
        block_on(query.fetch_all(&mut self.0)).unwrap_or_else(|error| panic!("{sql}: {error}"))
    }

    /// Lets two minutes pass while no process runs: every time in the file is moved back by as much. That is longer than
    /// any lease lasts and any message is hidden.
    pub(crate) fn two_minutes_pass(&mut self) {
        let columns = "SELECT 'UPDATE ' || t.name || ' SET ' ||
                group_concat(c.name || ' = ' || c.name || ' - 120000000', ', ')
            FROM sqlite_master t, pragma_table_info(t.name) c
            WHERE t.type = 'table' AND c.type = 'INTEGER'
                AND (c.name LIKE '%\\_at' ESCAPE '\\' OR c.name IN ('lease_until', 'not_before'))
            GROUP BY t.name";
        let updates = self.texts(columns);
        assert!(updates.len() >= 6, "{updates:?}");
        for update in updates {
            block_on(sqlx::query(AssertSqlSafe(update.as_str())).execute(&mut self.0)).expect("the times are moved");
        }
    }

    /// How the calls stand. Every answered one must have been kept in the same breath.
    pub(crate) fn calls(&mut self) -> Calls {
        let kept = self.number("SELECT count(*) FROM llm_calls WHERE outcome = 'answered'");
        let open = self.number("SELECT count(*) FROM llm_calls WHERE outcome IS NULL");
        let memos = self.number("SELECT count(*) FROM execution_memos WHERE key LIKE 'completion:%'");
        assert_eq!(kept, memos, "answers that were paid and answers that were kept");
        Calls { kept: kept.try_into().expect("few"), open: open.try_into().expect("few") }
    }

    /// Whether a delivery was accepted and nothing of it is left to do.
    pub(crate) fn at_rest(&mut self) -> bool {
        let open = "SELECT (SELECT count(*) FROM workflow_executions WHERE status IN ('queued', 'running', 'parked'))
            + (SELECT count(*) FROM messages) + (SELECT count(*) FROM llm_calls WHERE outcome IS NULL)";
        self.number("SELECT count(*) FROM deliveries") > 0 && self.number(open) == 0
    }

    /// How many executions nobody holds and anybody may take.
    pub(crate) fn given_back(&mut self) -> i64 {
        self.number("SELECT count(*) FROM workflow_executions WHERE status = 'queued' AND lease_until IS NULL")
    }

    /// Asserts that one delivery made one execution that succeeded, that nothing is held, hidden or half done, and that
    /// the books agree to the millionth, with so many calls whose end is unknown.
    pub(crate) fn assert_in_order(&mut self, delivery: &str, lost: usize, story: &str) {
        assert_eq!(self.texts("SELECT id FROM deliveries"), [delivery], "{story}: deliveries accepted");
        let executions = "SELECT status || coalesce(' ' || lease_until, '') || coalesce(' ' || not_before, '')
            FROM workflow_executions";
        assert_eq!(self.texts(executions), ["succeeded"], "{story}: executions");
        let steps = "SELECT step_id FROM execution_steps WHERE status = 'succeeded' ORDER BY step_id";
        assert_eq!(self.texts(steps), ["analyse", "authorize", "fetch", "publish", "review"], "{story}: steps done");
        let effects = "SELECT kind || ' ' || state FROM execution_effects ORDER BY kind";
        assert_eq!(self.texts(effects), ["check done", "review done"], "{story}: effects");
        assert_eq!(self.number("SELECT count(*) FROM messages"), 0, "{story}: messages left");
        let calls = self.texts(
            "SELECT CASE outcome WHEN 'answered' THEN 'answered ' || cost_microusd ELSE coalesce(outcome, 'open') END
            FROM llm_calls ORDER BY 1",
        );
        let answered = format!("answered {ANSWER_MICROUSD}");
        let expected: Vec<_> = std::iter::repeat_n(answered.as_str(), 3).chain(vec!["lost"; lost]).collect();
        assert_eq!(calls, expected, "{story}: calls");
        let books = self.texts(
            "SELECT CASE WHEN scope LIKE 'execution/%' THEN 'execution' WHEN scope LIKE 'repository/acme/shop/%'
                    THEN 'repository' ELSE substr(scope, 1, 3) END
                || CASE WHEN reserved = 0 AND spent = (SELECT sum(c.cost_microusd) FROM llm_calls c, json_each(c.budgets) s
                    WHERE s.value = scope) THEN '' ELSE ': reserved ' || reserved || ', spent ' || spent END
            FROM budget_reservations GROUP BY 1 ORDER BY 1",
        );
        assert_eq!(books, ["day", "execution", "repository"], "{story}: budgets that do not add up");
    }

    /// How much was spent on everything, by the budgets of the days.
    pub(crate) fn spent(&mut self) -> i64 {
        self.number("SELECT sum(spent) FROM budget_reservations WHERE scope LIKE 'day/%'")
    }
}
