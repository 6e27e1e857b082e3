//! Checks of a workflow: all problems at once, each with its place, code and remedy.
//!
//! ```text
//! outline --structure--> shapes and numbers
//!         --dependencies--> graphs --visibility--> what may be named --expressions--> every name
//!         --effects--> undoing, limits, results
//!         --declared--> inputs and forms          --standard, arguments--> what a person should look at
//!         --built--> what this node lacks
//! ```
//! This module must not change a workflow, and must not evaluate anything. Strict and paranoid checks need
//! the machine and its history; they belong to `node`. Neighbours: `lower` reports what cannot be read at
//! all; `plan` refuses whatever [`Level::Basic`] calls an error.

mod arguments;
mod built;
pub mod codes;
pub(crate) mod criteria;
mod declared;
mod dependencies;
pub(crate) mod effects;
mod expressions;
mod levels;
mod report;
mod slots;
mod standard;
mod structure;
#[cfg(test)]
mod tests;
mod visibility;

pub use built::{NotBuilt, Part, not_built};
pub(crate) use levels::{Analysis, all, basic};
pub use levels::{Level, check};
pub(crate) use report::Report;
pub use report::without_repeats;
pub(crate) use slots::{SHELL_DEFAULT, ScriptOf};
