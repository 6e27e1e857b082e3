//! From text to a plan that may start, or to all problems at once.

use skep_definition::check::{self, Level, Needs};
use skep_definition::{Workflow, load, plan};
use skep_model::catalogue::Catalogue;
use skep_model::plan::Plan;
use skep_model::problem::{Problem, Severity};

use super::outlook::Asked;
use super::validation::promoted;
use crate::config::Validation;

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
    let (problems, _) = read_and_check(text, level, catalogue);
    Report { valid: !has_errors(&problems), problems }
}

/// All problems of a text, and the workflow as far as it could be read.
pub(crate) fn read_and_check(text: &str, level: Level, catalogue: &Catalogue) -> (Vec<Problem>, Option<Workflow>) {
    let load::Loaded { mut problems, workflow, .. } = load::load(text);
    if let Some(workflow) = &workflow {
        let checked = check::check(workflow, catalogue, level);
        let checked = check::without_repeats(&problems, checked);
        problems.extend(checked);
    }
    sort(&mut problems);
    (problems, workflow)
}

/// A definition that may start.
pub(super) struct Startable {
    pub plan: Plan,
    pub warnings: Vec<Problem>,
    /// What it needs of the machine, where the level asks for that.
    pub needs: Option<Needs>,
    /// What is asked about it at level paranoid.
    pub asked: Option<Asked>,
}

/// Checks a definition for a start: what this node cannot execute is an error, listed with all others. A warning of
/// the level is one only in `strict_mode`.
pub(super) fn startable(
    text: &str,
    catalogue: &Catalogue,
    Validation { level, strict_mode, .. }: Validation,
) -> Result<Startable, Vec<Problem>> {
    let loaded = load::load(text);
    let usable = loaded.is_usable();
    let mut problems = loaded.problems;
    let Some(workflow) = loaded.workflow else { return Err(problems) };
    let missing = check::not_built(&workflow, catalogue);
    let (checked, plan) = plan::check_and_plan(&workflow, catalogue, level);
    let warned = |problem: &Problem| missing.iter().any(|missing| missing.problem == *problem);
    let checked = checked.into_iter().filter(|problem| !warned(problem)).collect();
    problems.extend(check::without_repeats(&problems, checked));
    problems.extend(missing.into_iter().map(check::NotBuilt::into_error));
    problems.retain(|problem| problem.severity != Severity::Suggestion);
    if strict_mode {
        problems = promoted(problems);
    }
    sort(&mut problems);
    match plan.filter(|_| usable && !has_errors(&problems)) {
        Some(plan) => {
            let needs = (level >= Level::Strict).then(|| check::needs(&workflow));
            let asked = (level >= Level::Paranoid).then(|| Asked::of(&workflow));
            Ok(Startable { plan, warnings: problems, needs, asked })
        }
        None => Err(problems),
    }
}

fn has_errors(problems: &[Problem]) -> bool {
    problems.iter().any(|problem| problem.severity == Severity::Error)
}

pub(super) fn sort(problems: &mut Vec<Problem>) {
    problems.sort_by_key(|problem| (problem.place.map(|place| place.start), problem.severity));
    problems.dedup();
}
