//! What the scripted model says: it knows the defects of the example, and reports those it is shown.

use autopr_fakes::model::{Reply, Request, Tokens};
use serde_json::{Value, json};

/// The answer to a request, or none for one of a kind that the engine does not send.
pub(crate) fn answer(request: &Request) -> Option<Reply> {
    let wanted = request.schema.as_ref().map(Value::to_string).unwrap_or_default();
    let shown = request.user();
    let answer = match () {
        () if wanted.contains("\"findings\"") => json!({ "findings": findings(shown) }),
        () if wanted.contains("\"summary\"") => description(shown),
        () if wanted.contains("\"kinds\"") => json!({ "kinds": ["feature"] }),
        () => return None,
    };
    let text = answer.to_string();
    // Four letters a token, as models count roughly.
    let tokens = Tokens::new(request.body.len() as u64 / 4, text.len() as u64 / 4);
    Some(Reply::answer(text).tokens(Some(tokens)))
}

fn findings(shown: &str) -> Vec<Value> {
    let known = [division(), off_by_one(), no_timeout(), made_up()];
    known.into_iter().filter(|known| shown.contains(known.when)).map(|known| known.claim).collect()
}

struct Known {
    /// Text of the change without which there is no such defect.
    when: &'static str,
    claim: Value,
}

/// On its line, which is quoted as it stands there.
fn division() -> Known {
    let line = "        return self.total() / pieces";
    let claim = json!({
        "path": "src/shop/cart.py", "side": "new", "start_line": 23, "end_line": 23, "severity": "high",
        "title": "An empty cart divides by zero",
        "reason": "`pieces` is 0 for a cart without items, so `average()` raises `ZeroDivisionError` where `total()` returns 0.",
        "fix": "Decide what the average of nothing is, and return that.",
        "quote": line,
        "replacement": "        return self.total() / pieces if pieces else 0.0",
    });
    Known { when: "self.total() / pieces\n", claim }
}

/// On a wrong line: the engine finds the quote and moves the finding there.
fn off_by_one() -> Known {
    let line = "        start = number * size";
    let claim = json!({
        "path": "src/shop/cart.py", "side": "new", "start_line": 2, "end_line": 2, "severity": "medium",
        "title": "The first page is skipped",
        "reason": "Pages are numbered from 1, so page 1 starts at item `size` instead of item 0.",
        "fix": "Count from the page before.",
        "quote": line,
        "replacement": "        start = (number - 1) * size",
    });
    Known { when: "start = number * size", claim }
}

fn no_timeout() -> Known {
    let line =
        r#"    answer = requests.post(f"{API}/charges", json=order, headers={"Authorization": f"Bearer {TOKEN}"})"#;
    let claim = json!({
        "path": "src/shop/payments.py", "side": "new", "start_line": 16, "end_line": 16, "severity": "medium",
        "title": "A slow payment provider blocks the shop",
        "reason": "`requests` waits for ever unless it is told otherwise, so one request that is never answered holds its worker.",
        "fix": "Pass `timeout=` with the seconds a customer can be asked to wait.",
        "quote": line, "replacement": null,
    });
    Known { when: "requests.post(", claim }
}

/// Invented: nothing of the kind stands in the change, so that the engine puts it on no line and lets it block nothing.
fn made_up() -> Known {
    let claim = json!({
        "path": "src/shop/payments.py", "side": "new", "start_line": 14, "end_line": 14, "severity": "critical",
        "title": "Amounts are evaluated as code",
        "reason": "The amount comes from the request and is passed to `eval`.",
        "fix": "Parse it with `int`.",
        "quote": "    cents = eval(request.args[\"cents\"])", "replacement": null,
    });
    Known { when: "HEAD\n", claim }
}

fn description(shown: &str) -> Value {
    let paths = shown.lines().filter_map(|line| line.strip_prefix("File: "));
    let changes: Vec<_> = paths.map(|path| json!({ "path": path, "what": "Changed." })).collect();
    json!({ "summary": "The scripted model can't read; it lists the files of the change.", "changes": changes })
}
