//! A workflow becomes a [`Plan`](skep_model::plan::Plan): flat, resolved, every default filled in.
//!
//! This module decides nothing about right and wrong: it runs the basic checks first and refuses whatever
//! they call an error, so a plan that exists can be executed as far as the node's features go. Expressions
//! stay text. Neighbours: `outline` gives the numbers of steps and lists, `engine` reads the result.

mod effects;
mod kinds;
mod lower;
mod retry;
#[cfg(test)]
mod tests;

pub(crate) use effects::of_asking;
pub use lower::{check_and_plan, plan};

/// A `retry` that stands outside of every workflow.
pub(crate) fn of_retry(retry: &crate::workflow::Retry) -> skep_model::plan::Retry {
    retry::lower(retry, &crate::workflow::Retry::default())
}
