//! Typed inputs: of a workflow, and the fields of a form.
//!
//! ```text
//! entry as written --declare--> plan::Input {schema} --argument--> one value from `-i key=value`
//!                                                   \--resolve--> all values, checked, defaults filled in
//! ```
//! Schemas are JSON Schema draft 2020-12 with the form types of seed 001 beside it. Patterns are linear-time
//! (no look-around, no back-references): a pattern that is refused is refused when the plan is made, never
//! while an execution waits. This module must not know steps or expressions.
//! Neighbours: `plan` declares, `check` validates defaults, `node` resolves what a caller gave.

mod argument;
mod declare;
mod readable;
mod resolve;
mod sample;
mod schema;
#[cfg(test)]
mod tests;

pub use argument::parse_argument;
pub use declare::{Fault, declare};
pub use readable::readable;
pub(crate) use resolve::check_value;
pub use resolve::{InputProblem, resolve};
pub use sample::samples;
pub use schema::compile;
