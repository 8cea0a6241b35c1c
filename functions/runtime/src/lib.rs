//! What every deployable of AutoPR Engine shares: settings, wiring and the worker loop.

pub mod settings;
