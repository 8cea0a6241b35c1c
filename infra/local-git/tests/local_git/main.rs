//! [`LocalGit`](autopr_local_git::LocalGit) over real repositories.

mod content;
mod hostile;
mod outbox;
mod ranges;
mod repo;
