//! Validation at a level, as people and programs ask for it: problems, how sure one may be, what was looked at; and
//! what was found earlier.

use std::time::Instant;

use serde_json::{Value, json};
use skep_definition::check::{self, Level};
use skep_model::catalogue::Catalogue;
use skep_model::ids::{Hash, slug};
use skep_model::limits::VALIDATION_PROBLEMS_KEPT_MAX;
use skep_model::problem::{Problem, Severity};
use skep_model::surroundings::Surroundings;
use skep_store::{Row, ValidationRow};

use super::check::{read_and_check, sort};
use super::outlook::outlook;
use super::{Reading, library_warnings};
use crate::clock;
use crate::error::Error;
use crate::forecast;
use crate::owner::Node;
use crate::surroundings::Machine;

/// What an error takes from the confidence.
const ERROR_WEIGHT: f64 = 0.2;
/// What a warning takes from it.
const WARNING_WEIGHT: f64 = 0.05;
/// What a check that was made adds to it.
const CHECK_WEIGHT: f64 = 0.01;

/// How closely to look, and what blocks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Look {
    /// The level.
    pub level: Level,
    /// A warning makes a definition invalid, too.
    pub strict_mode: bool,
    /// The list of folders in which scripts find programs; `None`: the usual one.
    pub path: Option<String>,
    /// Inputs to simulate with at level paranoid, as text; others have their defaults, or values that fit.
    pub arguments: Vec<(String, String)>,
}

/// What was found.
#[derive(Clone, Debug)]
pub struct Validation {
    /// Nothing that was found keeps it from starting.
    pub valid: bool,
    /// How closely it was looked at.
    pub level: Level,
    /// Errors, warnings and suggestions in the order of the text.
    pub problems: Vec<Problem>,
    /// From 0 to 1: 1 - 0.2 per error - 0.05 per warning + 0.01 per check that was made.
    pub confidence: f64,
    /// What it took, in seconds.
    pub validation_time: f64,
    /// The checks that were made, by name.
    pub checks_performed: Vec<&'static str>,
    /// `{workflow, version, definition_hash, steps, strict_mode, validated_at, rollback, machine, simulation}`, as far as
    /// there is any; the last two at level paranoid, see [`super::outlook`].
    pub metadata: Value,
}

impl Validation {
    /// How many problems are this bad.
    pub fn count(&self, severity: Severity) -> usize {
        self.problems.iter().filter(|problem| problem.severity == severity).count()
    }

    /// The same, short, for the history.
    fn kept(&self) -> Value {
        let shown = self.problems.iter().take(VALIDATION_PROBLEMS_KEPT_MAX);
        let problem = |problem: &Problem| {
            json!({
                "severity": problem.severity,
                "code": problem.code,
                "message": problem.message,
                "line": problem.place.map(|place| place.line),
                "column": problem.place.map(|place| place.column),
            })
        };
        json!({
            "valid": self.valid,
            "level": self.level.as_str(),
            "strict_mode": self.metadata["strict_mode"],
            "errors": self.count(Severity::Error),
            "warnings": self.count(Severity::Warning),
            "suggestions": self.count(Severity::Suggestion),
            "confidence": self.confidence,
            "validation_time": self.validation_time,
            "validated_at": self.metadata["validated_at"],
            "simulation": self.metadata.get("simulation").filter(|it| it.is_object()).map(forecast::summary),
            "problems": shown.map(problem).collect::<Vec<_>>(),
        })
    }
}

/// Validates a definition. `reading` is the library that its child workflows are looked for in, `surroundings` the
/// machine that level strict asks about.
pub fn validate_closely(
    text: &str,
    look: &Look,
    catalogue: &Catalogue,
    reading: Option<&Reading>,
    surroundings: &dyn Surroundings,
) -> Validation {
    let began = Instant::now();
    let (mut problems, workflow) = read_and_check(text, look.level, catalogue);
    // A library that cannot be read says nothing about the definition, and one is asked only for child workflows.
    let library = reading.filter(|_| text.contains("workflow"));
    let missing = library.and_then(|reading| library_warnings(text, catalogue, reading).ok());
    problems.extend(missing.unwrap_or_default());
    if let (Level::Strict | Level::Paranoid, Some(workflow)) = (look.level, &workflow) {
        problems.extend(check::environment(&check::needs(workflow), surroundings, look.path.as_deref()));
        sort(&mut problems);
    }
    let mut metadata = json!({
        "definition_hash": Hash::of(text.as_bytes()).to_string(),
        "strict_mode": look.strict_mode,
        "validated_at": skep_definition::moment::print(clock::now()),
    });
    if let Some(workflow) = &workflow {
        metadata["workflow"] = json!(workflow.id.clone().unwrap_or_else(|| slug(&workflow.name)));
        metadata["version"] = json!(workflow.version.as_deref().unwrap_or("1.0.0"));
        let (with_effects, undoable, cannot) = check::undoable(workflow, catalogue);
        metadata["rollback"] =
            json!({"steps_with_side_effects": with_effects, "can_be_undone": undoable, "cannot_be_undone": cannot});
    }
    if let (Level::Paranoid, Some(workflow)) = (look.level, &workflow) {
        let outlook = outlook(workflow, look, catalogue, reading, surroundings, &problems);
        problems.extend(outlook.problems);
        sort(&mut problems);
        metadata["machine"] = outlook.machine;
        metadata["simulation"] = outlook.simulation;
    }
    let checks_performed = look.level.checks();
    let of = |severity: Severity| problems.iter().filter(|problem| problem.severity == severity).count();
    let (errors, warnings) = (of(Severity::Error), of(Severity::Warning));
    Validation {
        valid: errors == 0 && (warnings == 0 || !look.strict_mode),
        level: look.level,
        confidence: confidence(errors, warnings, checks_performed.len()),
        validation_time: began.elapsed().as_secs_f64(),
        checks_performed,
        metadata,
        problems,
    }
}

fn confidence(errors: usize, warnings: usize, checks: usize) -> f64 {
    let count = |number: usize| f64::from(u32::try_from(number).unwrap_or(u32::MAX));
    let sum = 1.0 - ERROR_WEIGHT * count(errors) - WARNING_WEIGHT * count(warnings) + CHECK_WEIGHT * count(checks);
    // Two digits say all there is to say, and 0.7 stays 0.7.
    (sum.clamp(0.0, 1.0) * 100.0).round() / 100.0
}

/// Warnings as errors: what `strict_mode` makes of them before a start.
pub(super) fn promoted(problems: Vec<Problem>) -> Vec<Problem> {
    let promote = |problem: Problem| match problem.severity {
        Severity::Error | Severity::Suggestion => problem,
        Severity::Warning => Problem { severity: Severity::Error, ..problem },
    };
    problems.into_iter().map(promote).collect()
}

/// A workflow of the library that was validated.
#[derive(Clone, Debug)]
pub struct ValidatedWorkflow {
    /// Its path.
    pub path: String,
    /// Its text, for excerpts.
    pub text: String,
    /// What was found.
    pub validation: Validation,
}

impl Node {
    /// Validates a workflow of the library and keeps what was found. What `level` and `strict_mode` do not say, the
    /// configuration does.
    ///
    /// # Errors
    /// Unknown or ambiguous name, trouble with the store.
    pub fn validate_workflow(
        &self,
        name: &str,
        version: Option<u32>,
        (level, strict_mode): (Option<Level>, Option<bool>),
        path: Option<String>,
        arguments: Vec<(String, String)>,
    ) -> Result<ValidatedWorkflow, Error> {
        let look = self.look((level, strict_mode), path, arguments);
        let (entry, text, validation) = {
            let reading = self.reading();
            let (entry, text) = reading.workflow(name, version)?;
            let machine = Machine::new(self.directory().root());
            let validation = validate_closely(&text, &look, self.catalogue(), Some(&reading), &machine);
            (entry, text, validation)
        };
        self.write_rows(vec![Row::Validated(ValidationRow {
            definition_hash: entry.definition_hash,
            at: clock::now(),
            report: validation.kept().to_string(),
        })])?;
        Ok(ValidatedWorkflow { path: entry.path, text, validation })
    }

    /// Validates a definition that is in no library. Nothing of it is kept.
    pub fn validate_text(
        &self,
        text: &str,
        how: (Option<Level>, Option<bool>),
        path: Option<String>,
        arguments: Vec<(String, String)>,
    ) -> Validation {
        let look = self.look(how, path, arguments);
        let machine = Machine::new(self.directory().root());
        validate_closely(text, &look, self.catalogue(), Some(&self.reading()), &machine)
    }

    fn look(
        &self,
        (level, strict_mode): (Option<Level>, Option<bool>),
        path: Option<String>,
        arguments: Vec<(String, String)>,
    ) -> Look {
        let settings = self.validation;
        let (level, strict_mode) = (level.unwrap_or(settings.level), strict_mode.unwrap_or(settings.strict_mode));
        Look { level, strict_mode, path, arguments }
    }
}

impl Reading {
    /// What was found when a version of a workflow was validated, newest first: the workflow's path and number, and
    /// `{valid, level, strict_mode, errors, warnings, suggestions, confidence, validation_time, validated_at,
    /// problems}` each.
    ///
    /// # Errors
    /// Unknown or ambiguous name, trouble with the store.
    pub fn validations(&self, name: &str, version: Option<u32>) -> Result<(String, u32, Vec<Value>), Error> {
        let (entry, _) = self.workflow(name, version)?;
        let rows = self.reader().validations(entry.definition_hash)?;
        let reports = rows.iter().filter_map(|row| serde_json::from_str(&row.report).ok()).collect();
        Ok((entry.path, entry.number, reports))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn confidence_follows_the_rule_and_its_bounds() {
        for (errors, warnings, checks, expect) in
            [(0, 0, 7, 1.0), (1, 0, 7, 0.87), (0, 3, 14, 0.99), (2, 4, 22, 0.62), (9, 0, 7, 0.0)]
        {
            assert_eq!(confidence(errors, warnings, checks), expect, "{errors} {warnings} {checks}");
        }
    }
}
