//! The trace that a message belongs to, as X-Ray writes it.

use std::fmt;

use tokio::task_local;

/// More than any tracing header of X-Ray has.
const LONGEST: usize = 500;

task_local! {
    static TRACE: Option<TraceHeader>;
}

/// A tracing header of X-Ray, such as `Root=1-67891233-abcdef012345678912345678;Parent=53995c3f42cd8ad8;Sampled=1` (the
/// developer guide of X-Ray, "Tracing header").
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TraceHeader(String);

impl TraceHeader {
    /// Reads a header; none when it does not have the form, which SQS would refuse a message for.
    pub fn parse(text: &str) -> Option<Self> {
        let is_plain = text.len() <= LONGEST && text.bytes().all(|byte| byte.is_ascii_graphic());
        let has_root = text.split(';').any(|part| part.strip_prefix("Root=").is_some_and(is_root));
        (is_plain && has_root).then(|| Self(text.to_owned()))
    }

    /// The header's text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for TraceHeader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Runs `future`, in which every message that is published carries this trace. The port has no argument for it, and
/// tasks that the future spawns don't know it.
pub async fn traced<F: Future>(trace: Option<TraceHeader>, future: F) -> F::Output {
    TRACE.scope(trace, future).await
}

/// The trace that this task works for, if it is known.
pub(crate) fn current() -> Option<TraceHeader> {
    TRACE.try_with(Clone::clone).ok().flatten()
}

/// `1-`, 8 digits of the time and 24 of the identity, all of them hexadecimal.
fn is_root(text: &str) -> bool {
    let hex = |text: &str, length| text.len() == length && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    matches!(text.split('-').collect::<Vec<_>>()[..], ["1", time, id] if hex(time, 8) && hex(id, 24))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_xray_would_read_is_passed_on() {
        let root = "Root=1-67891233-abcdef012345678912345678";
        for good in [root.to_owned(), format!("{root};Parent=53995c3f42cd8ad8;Sampled=1"), format!("Self=x;{root}")] {
            assert_eq!(TraceHeader::parse(&good).map(|header| header.to_string()), Some(good));
        }
        let long = format!("{root};{}", "x".repeat(LONGEST));
        for bad in ["", "Root=", "Root=1-6789123-abcdef012345678912345678", "Parent=53995c3f42cd8ad8", &long] {
            assert_eq!(TraceHeader::parse(bad), None, "{bad}");
        }
        assert_eq!(TraceHeader::parse(&format!("{root};Line=\n")), None);
    }
}
