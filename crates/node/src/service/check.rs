//! From text to a plan that may start, or to all problems at once.

use skep_definition::check::{self, Level};
use skep_definition::{load, plan};
use skep_model::catalogue::Catalogue;
use skep_model::plan::Plan;
use skep_model::problem::{Problem, Severity};

/// What a check found.
#[derive(Clone, Debug)]
pub struct Report {
    /// No error was found.
    pub valid: bool,
    /// Errors and warnings in the order of the text.
    pub problems: Vec<Problem>,
}

/// Checks a definition without starting anything. What this node cannot execute yet is a warning here.
pub fn validate(text: &str, level: Level, catalogue: &Catalogue) -> Report {
    let loaded = load::load(text);
    let usable = loaded.is_usable();
    let mut problems = loaded.problems;
    if let Some(workflow) = loaded.workflow.filter(|_| usable) {
        problems.extend(check::check(&workflow, catalogue, level));
    }
    sort(&mut problems);
    Report { valid: !has_errors(&problems), problems }
}

/// A definition that may start.
pub(super) struct Startable {
    pub plan: Plan,
    pub warnings: Vec<Problem>,
}

/// Checks a definition for a start: what this node cannot execute is an error, listed with all others.
pub(super) fn startable(text: &str, catalogue: &Catalogue) -> Result<Startable, Vec<Problem>> {
    let loaded = load::load(text);
    if !loaded.is_usable() {
        return Err(loaded.problems);
    }
    let workflow = loaded.workflow.ok_or_else(|| loaded.problems.clone())?;
    let mut problems = loaded.problems;
    let missing = check::not_built(&workflow, catalogue);
    let known: Vec<Problem> = missing.iter().map(|missing| missing.problem.clone()).collect();
    problems.extend(check::check(&workflow, catalogue, Level::Standard).into_iter().filter(|p| !known.contains(p)));
    problems.extend(missing.into_iter().map(check::NotBuilt::into_error));
    sort(&mut problems);
    if has_errors(&problems) {
        return Err(problems);
    }
    let plan = plan::plan(&workflow, catalogue)?;
    Ok(Startable { plan, warnings: problems })
}

fn has_errors(problems: &[Problem]) -> bool {
    problems.iter().any(|problem| problem.severity == Severity::Error)
}

fn sort(problems: &mut Vec<Problem>) {
    problems.sort_by_key(|problem| (problem.place.map(|place| place.start), problem.severity));
    problems.dedup();
}
