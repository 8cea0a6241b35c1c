//! Workflows as data: what starts one ([`trigger`]), under which conditions ([`condition`], [`scope`]) and which steps
//! it takes in which order ([`definition`], [`graph`]). [`catalog`] holds those that are known, [`builtin`] those that
//! ship; [`validate()`] is where a person's mistakes are found, all at once.

pub mod action;
pub mod builtin;
mod cache;
pub mod catalog;
pub mod condition;
pub mod definition;
pub mod expression;
pub mod graph;
mod names;
mod pattern;
mod sample;
pub mod scope;
pub mod template;
pub mod trigger;
mod validate;

pub use action::ActionName;
pub use cache::DefinitionCache;
pub use catalog::Catalog;
pub use condition::Condition;
pub use definition::{Concurrency, Definition, Retry, Step, schema};
pub use expression::ExpressionError;
pub use graph::{Graph, GraphError};
pub use scope::{StepOutcome, StepResult, StepResults};
pub use template::Template;
pub use trigger::Triggers;
pub use validate::validate;
