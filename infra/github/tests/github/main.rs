//! The forge over HTTP against a small server of our own, which answers as GitHub's documentation says.

mod app;
mod contents;
mod diff;
mod fake;
mod faults;
mod missed;
mod pull;
mod rebuild;
mod remembered;
mod server;
mod verdict;
mod wire;
mod writes;
