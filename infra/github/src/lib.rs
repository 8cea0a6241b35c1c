//! GitHub as the place where pull requests live: the port [`autopr_core::ports::Forge`] over GitHub's REST API
//! (version 2022-11-28), for github.com and for GitHub Enterprise.
//!
//! It speaks HTTP through `reqwest` and signs App tokens with `jsonwebtoken`. A client library for GitHub would leave
//! little of itself here: reviews with line comments, limits on what is read, conditional requests, compressed answers,
//! the headers of refusals, tokens renewed by a clock that tests can move, and writes that are never repeated behind our
//! back all have to be ours.
//!
//! A review costs five requests: the pull request, `.autopr.yml`, the diff, the review and the check; an App spends one
//! more each hour for its token. Who may repeat what: here only a read, or a request that could not even be sent, and
//! only when the connection failed. Everything else goes back to the engine as a [`autopr_core::fault::Fault`].

mod answer;
mod api;
mod app;
mod auth;
mod checks;
mod contents;
mod conversation;
mod diff;
mod github;
mod http;
mod inspect;
mod marker;
mod missed;
mod operation;
mod page;
mod pull;
mod quiet;
mod rebuild;
mod remembered;
mod review;
mod settings;
mod text;

pub use github::{GitHub, Identity};
pub use inspect::{Allowance, Hook, Installed, Introduction, Try};
pub use settings::{Credentials, Settings};
