//! How much of what a workflow does can be undone.

use skep_model::catalogue::Catalogue;

use super::impact::works;
use crate::check::built::is_used;
use crate::check::codes;
use crate::check::report::{Finding, Report};
use crate::lower::read::Lowering;
use crate::lower::settings::Written;
use crate::outline::{Outline, StepEntry, StepNumber};
use crate::suggest;
use crate::workflow::{Kind, Workflow};

/// Steps with side effects, and those of them that say how they are undone.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Coverage {
    pub with_effects: usize,
    pub undoable: usize,
    /// Ids of the others, in the order of the text.
    pub cannot: Vec<String>,
}

impl Coverage {
    /// Of the steps of the workflow; what runs only to undo or to clean up needs no undoing.
    pub fn of(outline: &Outline<'_>, catalogue: &Catalogue) -> Self {
        let mut coverage = Self::default();
        for (number, entry) in outline.steps.iter().enumerate() {
            if !has_effects(outline, number, entry, catalogue) {
                continue;
            }
            coverage.with_effects += 1;
            if is_used(entry.step.rollback.as_ref()) {
                coverage.undoable += 1;
            } else {
                coverage.cannot.push(entry.step.id.clone());
            }
        }
        coverage
    }

    /// "4 of 6 steps with side effects can be undone".
    pub fn sentence(&self) -> String {
        format!("{} of {} steps with side effects can be undone", self.undoable, self.with_effects)
    }
}

fn has_effects(outline: &Outline<'_>, number: StepNumber, entry: &StepEntry<'_>, catalogue: &Catalogue) -> bool {
    let reads_only = match &entry.step.kind {
        Kind::Uses { action, .. } => catalogue.actions.get(action).is_some_and(|action| action.read_only),
        _ => false,
    };
    let is_clean_up = entry.pointer.starts_with("/finally") || outline.compensators.contains_key(&number);
    works(entry) && !entry.step.read_only && !reads_only && !is_clean_up
}

/// Checks the whole workflow.
pub(super) fn check(workflow: &Workflow, outline: &Outline<'_>, catalogue: &Catalogue, report: &mut Report<'_>) {
    let coverage = Coverage::of(outline, catalogue);
    if coverage.with_effects == 0 || coverage.cannot.is_empty() {
        return;
    }
    let hint = format!("these cannot: {}", suggest::list_names(coverage.cannot.iter().map(String::as_str)));
    if coverage.undoable == 0 {
        if is_enabled(workflow) {
            let message = "`rollback` is enabled, and no step says how it is undone";
            let finding = Finding::warning(codes::ROLLBACK_NONE, message);
            report.add("/rollback", finding.hint("add `rollback: {run: ..}` to the steps that change something"));
        }
        return;
    }
    let under_half = coverage.undoable * 2 < coverage.with_effects;
    let code = if under_half { codes::ROLLBACK_LITTLE } else { codes::ROLLBACK_COVERAGE };
    report.add("/rollback", Finding::suggestion(code, coverage.sentence()).hint(hint));
}

/// Written, and not switched off.
fn is_enabled(workflow: &Workflow) -> bool {
    let Some(value) = &workflow.rollback else { return false };
    let written = Written { value, pointer: "/rollback".to_owned(), places: &workflow.places };
    is_used(Some(value)) && written.read(Lowering::rollback_settings).0.is_some_and(|settings| !settings.keeps_effects)
}
