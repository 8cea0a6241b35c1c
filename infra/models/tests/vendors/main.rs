//! The production models of every vendor against the scripted server.

mod answers;
mod failures;
mod negotiation;
mod support;
