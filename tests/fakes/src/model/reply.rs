//! What the server does with a request.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;

/// What the server does with a request.
#[derive(Debug, Clone)]
pub enum Reply {
    /// Answers with this text, in the vendor's form.
    Answer {
        /// What the model says.
        text: String,
        /// The tokens it says it took; `None` for a server that does not count.
        tokens: Option<Tokens>,
        /// Why it stopped.
        stop: Stop,
    },
    /// Answers with an error in the vendor's form, and these headers.
    Error {
        /// The HTTP status.
        status: u16,
        /// The vendor's code or type of error.
        code: String,
        /// The message for people.
        message: String,
        /// More headers.
        headers: Vec<(String, String)>,
    },
    /// Answers with exactly this body, as JSON.
    Status {
        /// The HTTP status.
        status: u16,
        /// The body.
        body: String,
        /// More headers.
        headers: Vec<(String, String)>,
    },
    /// Answers 200 with something that is not JSON.
    Garbage,
    /// Answers nothing until the gate opens, then as the other reply says.
    Stall(Gate, Box<Reply>),
    /// Closes the connection without an answer.
    Drop,
    /// Sends half of the answer and closes the connection.
    Truncate(Box<Reply>),
    /// Waits, then does as the other reply says.
    After(Duration, Box<Reply>),
}

impl Reply {
    /// A whole answer of 100 tokens read and 20 written.
    pub fn answer(text: impl Into<String>) -> Self {
        Self::Answer { text: text.into(), tokens: Some(Tokens::new(100, 20)), stop: Stop::Complete }
    }

    /// An error in the vendor's form.
    pub fn error(status: u16, code: &str) -> Self {
        Self::error_with(status, code, &[])
    }

    /// An error in the vendor's form with headers.
    pub fn error_with(status: u16, code: &str, headers: &[(&str, &str)]) -> Self {
        let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let message = format!("the script says {code}");
        Self::Error { status, code: code.to_owned(), message, headers }
    }

    /// The same answer with another count of tokens.
    #[must_use]
    pub fn tokens(mut self, count: Option<Tokens>) -> Self {
        if let Self::Answer { tokens, .. } = &mut self {
            *tokens = count;
        }
        self
    }

    /// The same answer that stopped for another reason.
    #[must_use]
    pub fn stopped(mut self, why: Stop) -> Self {
        if let Self::Answer { stop, .. } = &mut self {
            *stop = why;
        }
        self
    }
}

/// The tokens a vendor says it took. All of them count: those read from a cache and those of thinking are told apart, in
/// the vendor's way, but part of the total.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tokens {
    /// All tokens read.
    pub input: u64,
    /// All tokens written.
    pub output: u64,
    /// Those of `input` that came from a cache.
    pub cached: u64,
    /// Those of `output` that were thinking.
    pub thinking: u64,
}

impl Tokens {
    /// So many read and written, none cached, none of thinking.
    pub fn new(input: u64, output: u64) -> Self {
        Self { input, output, cached: 0, thinking: 0 }
    }
}

/// Why the model stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stop {
    /// It had said everything.
    Complete,
    /// The answer reached the limit of tokens.
    Length,
    /// The model declined.
    Refused,
    /// The vendor's filter stopped it.
    Filtered,
}

/// Something closed that opens once, for as many as wait at it.
#[derive(Clone)]
pub struct Gate(Arc<Semaphore>);

impl Gate {
    /// A closed gate.
    pub fn new() -> Self {
        Self(Arc::new(Semaphore::new(0)))
    }

    /// Opens it, for good.
    pub fn open(&self) {
        self.0.close();
    }

    /// Waits until it is open.
    pub async fn passed(&self) {
        // It never has a permit: the only way on is that it is closed, which is how it opens.
        let _ = self.0.acquire().await;
    }
}

impl Default for Gate {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Gate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_closed() { "Gate(open)" } else { "Gate(closed)" })
    }
}
