//! Random workflows: drawn as trees, printed as canonical text, so that loading, checking and planning are part of
//! what is tried; shrunk as trees.

mod make;
mod shrink;
mod text;
mod tree;
mod undoable;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use skep_definition::check::{self, Level};
use skep_definition::{load, plan};
use skep_engine::Program;
use skep_model::catalogue::Catalogue;
use skep_model::problem::Severity;

pub use make::{NEVER, SIGNALS, workflow};
pub use shrink::smaller;
pub use text::print;
pub use tree::{Condition, Effect, Kind, List, Shape, Step, Work, Workflow};
pub use undoable::undoable;

/// Text to a compiled plan, on the way that a node takes.
///
/// # Errors
/// What is wrong with it, for people.
pub fn compile(text: &str, catalogue: &Catalogue) -> Result<Arc<Program>, String> {
    let loaded = load::load(text);
    let mut problems = loaded.problems;
    let Some(workflow) = loaded.workflow else { return Err(format!("{problems:#?}")) };
    problems.extend(check::not_built(&workflow, catalogue).into_iter().map(check::NotBuilt::into_error));
    let (found, plan) = plan::check_and_plan(&workflow, catalogue, Level::Standard);
    problems.extend(found);
    problems.retain(|problem| problem.severity == Severity::Error);
    match plan {
        Some(plan) if problems.is_empty() => Program::new(plan).map(Arc::new).map_err(|bad| format!("{bad}")),
        Some(_) | None => Err(format!("{problems:#?}")),
    }
}
