//! The table of decisions: what failures look like, what is done about them, who is asked.
//!
//! ```text
//! default.yaml ── read ──> Rules (built in)        decisions.yaml ── read over it ──> Rules of a node ── yaml ──> text
//! ```
//! This module reads and prints; `engine` decides by it.

mod print;
mod read;
#[cfg(test)]
mod tests;

use std::sync::LazyLock;

use skep_model::decision::Rules;
use skep_model::problem::Problem;

pub use print::yaml;

/// The built-in table as text, with its comments: seed 004's rules.
pub const DEFAULT: &str = include_str!("default.yaml");

static BUILTIN: LazyLock<Rules> =
    LazyLock::new(|| read::read(DEFAULT, &Rules::default()).expect("the built-in table is right: its test reads it"));

/// The built-in table.
pub fn builtin() -> &'static Rules {
    &BUILTIN
}

/// A table of one's own, over the built-in one: its `errors` come first, the rest takes the place of what is built in.
///
/// # Errors
/// Everything that is wrong with the text, each with its place.
pub fn read(text: &str) -> Result<Rules, Vec<Problem>> {
    read::read(text, builtin())
}
