//! The queue that lies in the database.

use std::time::Duration;

use autopr_core::fault::Fault;
use autopr_core::ports::operations::QueueState;
use autopr_core::ports::schema::Schema;

use super::report::{Check, milliseconds};
use super::{about, count, told, within};

/// For how long a message may be due before it is told of that nobody takes it.
const LEFT: Duration = Duration::from_secs(300);

/// What `queue` finds, if the tables are there.
pub(super) async fn checks(schema: &Schema, queue: impl Future<Output = Result<QueueState, Fault>>) -> Vec<Check> {
    const NAME: &str = "queue.round_trip";
    // The first of the migrations makes the table.
    if schema.pending.iter().any(|migration| migration.version == 1) {
        return vec![Check::skipped(NAME, "the tables are not there yet")];
    }
    let fix = match schema.pending.is_empty() {
        true => "let the database's user read and change the table `messages`",
        false => "run `autopr migrate`",
    };
    let failed = |fault| Check::failed(NAME, told(&fault), fix);
    match within(NAME, fix, queue).await.and_then(|state| state.map_err(failed)) {
        Ok(state) => vec![round_trip(&state), waiting(&state), dead(&state)],
        Err(check) => vec![check],
    }
}

fn round_trip(state: &QueueState) -> Check {
    let taken = milliseconds(state.round_trip);
    let found = format!("a message was put there and taken off within {taken} ms, and undone");
    Check::ok("queue.round_trip", found).value("round_trip_ms", taken)
}

fn waiting(state: &QueueState) -> Check {
    const NAME: &str = "queue.waiting";
    let messages = count(state.waiting, "message");
    let check = match state.oldest {
        Some(oldest) if oldest >= LEFT => {
            let found = format!("{messages}, and nobody has taken the oldest for {}", about(oldest));
            Check::warning(
                NAME,
                found,
                "run more of `autopr serve` or `autopr worker`, or see in their logs why they are busy",
            )
        }
        Some(oldest) => Check::ok(NAME, format!("{messages}, the oldest due for {}", about(oldest))),
        None if state.waiting == 0 => Check::ok(NAME, "no message waits"),
        None => Check::ok(NAME, format!("{messages}, all of them taken or not due yet")),
    };
    check.value("messages", state.waiting).value("oldest_s", state.oldest.unwrap_or_default().as_secs())
}

fn dead(state: &QueueState) -> Check {
    const NAME: &str = "queue.dead";
    let check = match state.dead {
        0 => Check::ok(NAME, "no message is set aside"),
        dead => {
            let verb = if dead == 1 { "is" } else { "are" };
            let fix = "see why with `autopr messages list`, then `autopr messages redrive` or `discard` them";
            Check::warning(NAME, format!("{} {verb} set aside", count(dead, "message")), fix)
        }
    };
    check.value("messages", state.dead)
}
