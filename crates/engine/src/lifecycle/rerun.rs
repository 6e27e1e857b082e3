//! Rerun: a terminal execution runs again, in a new generation, so that its steps have new idempotency keys.
//!
//! Without a step everything runs again. With one, results of what does not come after it stay, as far as it
//! ended well: in a sequence the steps before it that completed or were skipped, up to the first that did not; in a
//! graph the completed steps that do not depend on what runs again. So a step that was rolled back always runs again.

use std::collections::BTreeSet;

use serde_json::Value;
use skep_model::Map;
use skep_model::actor::Actor;
use skep_model::event::Event;
use skep_model::ids::StepPath;
use skep_model::plan::{Order, StepIndex};
use skep_model::status::{SkipReason, Step as StepStatus};

use crate::decide::Deciding;
use crate::rejection::Rejection;
use crate::state::Instance;

pub(super) fn handle(
    turn: &mut Deciding<'_>,
    actor: &Actor,
    from: Option<&StepPath>,
    inputs: Option<&Map<Value>>,
) -> Result<(), Rejection> {
    let status = turn.state.status;
    if !status.is_terminal() {
        let message = "only an execution that is over can be run again".to_owned();
        return Err(Rejection::WrongState { status, message });
    }
    let kept = match from {
        None => Vec::new(),
        Some(path) => kept(turn, position(turn, path)?),
    };
    turn.emit(Event::Rerun {
        actor: actor.clone(),
        from: from.cloned(),
        generation: turn.state.generation() + 1,
        inputs: inputs.cloned().unwrap_or_default(),
        kept,
    })?;
    crate::permits::ask_entry(turn)
}

/// The place of a step in the main list.
fn position(turn: &Deciding<'_>, path: &StepPath) -> Result<usize, Rejection> {
    let plan = turn.program.plan();
    let unknown = || Rejection::BadRerun(format!("the workflow has no step `{path}`"));
    let (_, index) = turn.program.split_path(path).ok_or_else(unknown)?;
    let mut outer = index;
    while let Some(owner) = plan.blocks[plan.steps[outer as usize].block as usize].owner {
        outer = owner;
    }
    let step = turn.program.step(outer);
    if outer != index || *step.id != **path {
        let message = format!("`{path}` is inside of `{}`: run it again from `{}`", step.id, step.id);
        return Err(Rejection::BadRerun(message));
    }
    if step.compensation_only {
        return Err(Rejection::BadRerun(format!("`{path}` runs only as a compensation")));
    }
    let steps = turn.program.block_steps(plan.root);
    let found = steps.iter().position(|step| *step == index);
    found.ok_or_else(|| Rejection::BadRerun(format!("`{path}` is a step of `finally`, which runs again in any case")))
}

fn kept(turn: &Deciding<'_>, from: usize) -> Vec<StepPath> {
    let steps = turn.program.block_steps(turn.program.plan().root);
    let again = match turn.program.order(turn.program.plan().root) {
        Order::Sequence => {
            let first = steps.iter().position(|step| {
                let passed_by = turn.program.step(*step).compensation_only;
                !passed_by && !instance(turn, *step).is_some_and(ended_well)
            });
            steps[first.map_or(from, |first| first.min(from))..].iter().copied().collect()
        }
        Order::Graph => again_in_graph(turn, steps, steps[from]),
    };
    let kept = steps.iter().filter(|step| !again.contains(*step));
    kept.filter_map(|step| instance(turn, *step)).map(|instance| instance.path.clone()).collect()
}

/// The step, what has not completed, and whatever depends on these.
fn again_in_graph(turn: &Deciding<'_>, steps: &[StepIndex], from: StepIndex) -> BTreeSet<StepIndex> {
    let completed = |step: StepIndex| instance(turn, step).is_some_and(|it| it.status == StepStatus::Completed);
    let mut again: BTreeSet<StepIndex> =
        steps.iter().copied().filter(|step| *step == from || !completed(*step)).collect();
    loop {
        let depends = |step: &&StepIndex| {
            !again.contains(*step) && turn.program.step(**step).depends_on.iter().any(|on| again.contains(on))
        };
        let more: Vec<StepIndex> = steps.iter().filter(depends).copied().collect();
        if more.is_empty() {
            return again;
        }
        again.extend(more);
    }
}

fn instance<'t>(turn: &'t Deciding<'_>, step: StepIndex) -> Option<&'t Instance> {
    turn.state.find(&turn.program.step(step).id).map(|id| turn.state.instance(id))
}

fn ended_well(instance: &Instance) -> bool {
    match instance.status {
        StepStatus::Completed => true,
        StepStatus::Skipped => match instance.reason {
            Some(SkipReason::Condition | SkipReason::Dependency | SkipReason::OnError) => true,
            Some(SkipReason::NotReached | SkipReason::Rejected | SkipReason::Concurrency) | None => false,
        },
        StepStatus::Pending
        | StepStatus::Running
        | StepStatus::Waiting
        | StepStatus::Failed
        | StepStatus::Cancelled
        | StepStatus::Unknown
        | StepStatus::RolledBack => false,
    }
}
