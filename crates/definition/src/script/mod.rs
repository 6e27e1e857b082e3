//! Values in `run`: a value never becomes script text.
//!
//! ```text
//! script --lexer (words, quotes, expansions, here-documents, commands)--> where each `${{ }}` stands
//!        --place--> script with variables `SKEP_V1` .., the expression of each variable, problems
//! ```
//! A real lexer of shell words decides how each expression is replaced: bare becomes `"${SKEP_V1}"`, inside
//! double quotes and unquoted here-documents `${SKEP_V1}`; where the shell would not expand the variable, or would
//! evaluate its value, the script is refused with the way to write it. `$${{` stands for the characters `${{`.
//!
//! The same lexer says which commands a script calls ([`survey`]), for those who look at the machine or for dangers.
//!
//! The lexer never judges shell syntax for its own sake: a script that the shell will refuse passes, unless it is
//! unclear where an expression stands. It must not evaluate anything, and it must not know workflows.
//! Neighbours: `plan` stores what [`place`] gives; `runner` sets the variables.

pub mod codes;
mod commands;
mod conditions;
mod documents;
mod expansions;
mod invocations;
mod lexer;
mod place;
mod reasons;
mod said;
mod shells;

#[cfg(test)]
mod tests;

pub(crate) use invocations::{Invocation, Survey, is_builtin, survey};
pub use place::{Placed, ScriptProblem, place};
