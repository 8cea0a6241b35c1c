//! The trace that a message belongs to, as the W3C writes it.

use std::fmt;

use tokio::task_local;

/// The attribute of a message that holds its trace. It is called as the header is.
pub const TRACE_ATTRIBUTE: &str = "traceparent";

task_local! {
    static TRACE: Option<TraceParent>;
}

/// A `traceparent`, such as `00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01`
/// (<https://www.w3.org/TR/trace-context/#traceparent-header>).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TraceParent(String);

impl TraceParent {
    /// Reads one; none when it does not have the form of version 00, or is all zeros.
    pub fn parse(text: &str) -> Option<Self> {
        let hex = |text: &str, length| {
            text.len() == length && text.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
        };
        let id = |text: &str, length| hex(text, length) && text.bytes().any(|byte| byte != b'0');
        match text.split('-').collect::<Vec<_>>()[..] {
            ["00", trace, parent, flags] if id(trace, 32) && id(parent, 16) && hex(flags, 2) => {
                Some(Self(text.to_owned()))
            }
            _ => None,
        }
    }

    /// Its text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for TraceParent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Runs `future`, in which every message that is published carries this trace. The port has no argument for it, and tasks
/// that the future spawns don't know it.
pub async fn traced<F: Future>(trace: Option<TraceParent>, future: F) -> F::Output {
    TRACE.scope(trace, future).await
}

/// The trace that this task works for, if it is known.
pub(crate) fn current() -> Option<TraceParent> {
    TRACE.try_with(Clone::clone).ok().flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_the_standard_allows_is_passed_on() {
        let good = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
        assert_eq!(TraceParent::parse(good).map(|trace| trace.to_string()), Some(good.to_owned()));
        for bad in [
            "",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-more",
            "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01",
            "00-00000000000000000000000000000000-b7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
            "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        ] {
            assert_eq!(TraceParent::parse(bad), None, "{bad}");
        }
    }
}
