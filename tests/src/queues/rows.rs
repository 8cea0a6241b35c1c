//! What an execution leaves behind, as text that does not depend on when it ran and which identities it got.

use std::collections::BTreeMap;
use std::sync::Arc;

use regex::Regex;

use super::process::{Process, briefly};
use super::{Plug, Shop};
use crate::aws::eventually;
use crate::world::{NAME, OWNER, risky};

/// The tables of an execution, each with what its rows are sorted by. What belongs to the queue itself is not among them.
const TABLES: [(&str, &str); 10] = [
    ("workflows", "name"),
    ("workflow_definitions", "digest"),
    ("workflow_executions", "id"),
    ("execution_steps", "execution_id, step_id"),
    ("execution_memos", "execution_id, key"),
    ("execution_effects", "execution_id, marker"),
    ("deliveries", "id"),
    ("llm_calls", "id"),
    ("budget_reservations", "scope"),
    ("audit_log", "id"),
];

/// What is seen after a run: the rows, and the pull request as a person sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Left {
    /// Every row of every table, a line each.
    pub rows: String,
    /// The page of the pull request.
    pub page: String,
}

/// Runs the same execution through a queue.
pub async fn left_behind(shop: Arc<Shop>, plug: Arc<dyn Plug>) -> Left {
    let number = shop.open(&risky());
    let process = Process::of_messages(&shop, &plug);
    let message = shop.opened("d-1", number);
    let (publisher, queue) = (shop.clone(), plug.clone());
    briefly(async move {
        let queue = queue.open(publisher.store().await, publisher.clock()).await.queue;
        queue.publish(&message).await.expect("it is published");
    })
    .await;
    let rest = async || shop.executions() == ["succeeded 1"] && plug.messages().await == 0;
    eventually("everything comes to rest", rest).await;
    process.stop().await;
    shop.github.assert_clean();
    let rows = TABLES.iter().map(|(table, order)| {
        let told = shop.sql(&format!("SELECT to_jsonb(row) FROM {table} row ORDER BY {order}"));
        format!("{table}\n{told}\n")
    });
    let rows = timeless(&rows.collect::<String>());
    Left { rows, page: shop.github.render(OWNER, NAME, number) }
}

/// The same text with times, measured durations and identities replaced: each identity by its number in the order of
/// appearance, so that what refers to the same thing still does.
fn timeless(text: &str) -> String {
    let replaced = |pattern: &str, with: &str, text: &str| {
        Regex::new(pattern).expect("a pattern").replace_all(text, with).into_owned()
    };
    let text = replaced(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d(:\d\d)?)?", "<time>", text);
    let text = replaced(r"\d{4}-\d\d-\d\d", "<day>", &text);
    let text = replaced(r#""(latency_us|active_us)": \d+"#, r#""$1": "<measured>""#, &text);
    let text = replaced(r"127\.0\.0\.1:\d+", "<address>", &text);
    let mut known = BTreeMap::new();
    let identity = Regex::new(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}").expect("a pattern");
    let named = identity.replace_all(&text, |found: &regex::Captures<'_>| {
        let next = known.len() + 1;
        format!("<id {}>", known.entry(found[0].to_owned()).or_insert(next))
    });
    named.into_owned()
}
