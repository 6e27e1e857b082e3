//! Workflows that can do much harm and ask nobody.

use serde_json::Value;
use skep_model::span::parse_duration_ms;

use super::dangers::texts;
use crate::check::codes;
use crate::check::report::{Finding, Report};
use crate::outline::{Outline, StepEntry};
use crate::workflow::{Kind, Workflow};

/// Categories whose workflows touch what everything else stands on (seed 000's rule).
const CATEGORIES: [&str; 2] = ["security", "infrastructure"];
/// Hive commands that change every agent (seed 000's rule).
const FAR_REACHING: [&str; 2] = ["hv-sync", "hv-install"];
/// A workflow that takes longer than this is one that people should know of, in seconds (seed 000's rule).
const DURATION_SECONDS_HIGH: f64 = 1_800.0;
/// More steps that do work than this are more than a person has in mind (seed 000's rule).
const STEPS_HIGH: usize = 10;

/// Checks the whole workflow.
pub(super) fn check(workflow: &Workflow, outline: &Outline<'_>, report: &mut Report<'_>) {
    if outline.steps.iter().any(asks) {
        return;
    }
    for entry in &outline.steps {
        if let Kind::Uses { action, .. } = &entry.step.kind
            && FAR_REACHING.contains(&action.as_str())
        {
            let message = format!("`{action}` changes every agent, and nobody is asked");
            let finding = Finding::warning(codes::FAR_REACHING, message);
            report.add(&format!("{}/uses", entry.pointer), finding.hint("add `approve: before` to this step"));
        }
    }
    if let Some((pointer, why)) = reason(workflow, outline) {
        let message = format!("this workflow has a high impact and asks nobody: {why}");
        let hint = "add a step with `approval`, or `approve: before` to the step that matters most";
        report.add(&pointer, Finding::warning(codes::HIGH_IMPACT, message).hint(hint));
    }
}

/// A person decides, before, after or as the step.
fn asks(entry: &StepEntry<'_>) -> bool {
    entry.step.approve.is_some() || matches!(entry.step.kind, Kind::Approval(_))
}

/// Where and why the impact is high.
fn reason(workflow: &Workflow, outline: &Outline<'_>) -> Option<(String, String)> {
    if let Some(category) = workflow.category.as_deref().filter(|category| CATEGORIES.contains(category)) {
        return Some(("/category".to_owned(), format!("its category is `{category}`")));
    }
    if let Some(pointer) = outline.steps.iter().find_map(critical) {
        return Some((pointer, "it has a parameter `critical`".to_owned()));
    }
    if let Some(seconds) = workflow.annotations.get("estimated_duration").and_then(seconds)
        && seconds > DURATION_SECONDS_HIGH
    {
        return Some(("/estimated_duration".to_owned(), format!("it takes about {:.0} minutes", seconds / 60.0)));
    }
    let working = outline.steps.iter().filter(|entry| works(entry)).count();
    (working > STEPS_HIGH).then(|| ("/steps".to_owned(), format!("{working} of its steps do work")))
}

pub(super) fn works(entry: &StepEntry<'_>) -> bool {
    matches!(entry.step.kind, Kind::Run { .. } | Kind::Uses { .. } | Kind::Agent(_) | Kind::Ai(_) | Kind::Workflow(_))
}

/// An argument that is the word `critical`.
fn critical(entry: &StepEntry<'_>) -> Option<String> {
    let Kind::Uses { with, .. } = &entry.step.kind else { return None };
    let mut found = None;
    for (name, value) in with {
        texts(&format!("{}/with/{name}", entry.pointer), value, &mut |pointer, text| {
            if text.eq_ignore_ascii_case("critical") {
                found.get_or_insert_with(|| pointer.to_owned());
            }
        });
    }
    found
}

fn seconds(value: &Value) -> Option<f64> {
    let written = value.as_str().and_then(parse_duration_ms).map(|ms| ms as f64 / 1_000.0);
    value.as_f64().or(written)
}
