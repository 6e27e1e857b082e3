//! What the rules look at, out of the fold.

use std::collections::BTreeMap;

use skep_model::decision::{Facts, Weight};
use skep_model::plan::{Kind, Step};
use skep_model::rollback::Part;
use skep_model::status::Step as StepStatus;

use crate::program::Program;
use crate::state::{InstanceId, Phase, State};

/// Failed attempts of one action or interpreter after which it counts as of no health at all (seed 004).
const FAILURES_MAX: u32 = 10;

/// The facts about a failure of `step`, which is `failing` and may still make `attempts_left` attempts.
pub(super) fn facts(
    state: &State,
    program: &Program,
    step: &Step,
    failing: Option<InstanceId>,
    attempts_left: u32,
) -> Facts {
    let progress = progress(state);
    let health = health(state, program, failing, progress);
    Facts { priority: Weight::of(step.priority), attempts_left, progress, health }
}

/// Share of the main list's steps that are over.
fn progress(state: &State) -> f64 {
    let Some(root) = state.root.map(|root| state.frame(root)) else { return 0.0 };
    let over = root.slots.iter().flatten().filter(|id| state.instance(**id).status.is_final()).count();
    if root.slots.is_empty() { 1.0 } else { over as f64 / root.slots.len() as f64 }
}

/// Mean of the progress and, per action or interpreter, of 1 - failed attempts / 10.
fn health(state: &State, program: &Program, failing: Option<InstanceId>, progress: f64) -> f64 {
    let mut failures: BTreeMap<&str, u32> = BTreeMap::new();
    for id in state.instances.ids() {
        let instance = state.instance(id);
        let Some(name) = dependency(&program.step(instance.step).kind) else { continue };
        if instance.part == Part::Step && instance.attempt > 0 {
            let goes_well = match instance.phase {
                Phase::Performing | Phase::Child { .. } => failing != Some(id),
                _ => instance.status == StepStatus::Completed,
            };
            *failures.entry(name).or_default() += instance.attempt - u32::from(goes_well);
        }
    }
    let parts = failures.values().map(|failed| 1.0 - f64::from((*failed).min(FAILURES_MAX)) / f64::from(FAILURES_MAX));
    let (sum, count) = parts.fold((progress, 1.0), |(sum, count), part| (sum + part, count + 1.0));
    sum / count
}

/// What a step that does work depends on: its action, its interpreter; nothing for others.
pub(super) fn dependency(kind: &Kind) -> Option<&str> {
    match kind {
        Kind::Run { shell, .. } => Some(shell),
        Kind::Uses { action, .. } => Some(action),
        Kind::Workflow { name, .. } => Some(name),
        Kind::Agent { .. } => Some("agent"),
        Kind::Ai { .. } => Some("ai"),
        Kind::Approval(_)
        | Kind::Input(_)
        | Kind::Wait(_)
        | Kind::Switch { .. }
        | Kind::Parallel { .. }
        | Kind::Foreach { .. }
        | Kind::While { .. }
        | Kind::Repeat { .. } => None,
    }
}
