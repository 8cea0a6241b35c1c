//! From the bytes of a webhook to an [`crate::event::Event`]: the signature first ([`Secrets::verify`]), then
//! the parsing ([`parse()`]). The order is held by [`Verified`], which only a matching signature makes.

mod command;
mod parse;
mod payload;
mod signature;

pub use parse::{Headers, Malformed, Parsed, is_acted_on, parse};
pub use signature::{Secrets, Signature, TooManySecrets, Unverified, Verified};
