//! Checks of a workflow: all problems at once, each with its place, code and remedy.
//!
//! ```text
//! outline --structure--> shapes and numbers
//!         --dependencies--> graphs --visibility--> what may be named --expressions--> every name
//!         --effects--> undoing, limits, results
//!         --declared--> inputs and forms          --standard, arguments--> what a person should look at
//!         --possible--> what can never hold, wrong types       --strict--> dangers, secrets, what cannot be undone
//!         --built--> what this node lacks                         --paranoid--> machines that it talks to
//! ```
//! This module must not change a workflow, evaluate anything or look at the machine: what strict checks want to
//! know of it is asked through [`Surroundings`](skep_model::surroundings::Surroundings). Neighbours: `lower` reports what cannot be read at
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
mod paranoid;
mod possible;
mod report;
mod slots;
mod standard;
mod strict;
mod structure;
#[cfg(test)]
mod tests;
mod visibility;

pub use built::{NotBuilt, Part, not_built};
pub(crate) use levels::{Analysis, all, basic};
pub use levels::{Level, busy, check, environment, needs, undoable};
pub use paranoid::{Hosts, places_of_steps};
pub(crate) use report::Report;
pub use report::without_repeats;
pub(crate) use slots::{SHELL_DEFAULT, ScriptOf};
pub use strict::Needs;
