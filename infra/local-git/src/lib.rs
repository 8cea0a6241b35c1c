//! A range of a local git repository as a pull request: [`LocalGit`] implements the [`Forge`](autopr_core::ports::Forge)
//! port over the `git` program.
//!
//! The repository under review is untrusted, its `.git/config` and attributes included. So git only ever resolves names
//! in it (with hooks, file-system monitors, transports and credentials switched off); everything that reads content runs
//! in a *clean room*, a git directory of our own that borrows the repository's objects and none of its configuration.
//! What the engine publishes goes to a folder, the *outbox*, one file for each marker.

mod clean_room;
mod git;
mod local_git;
mod objects;
mod outbox;
mod range;
mod repository;

pub use local_git::LocalGit;
pub use range::{RangeSpec, ResolvedRange};
