//! A child execution of another workflow.
//!
//! The step records the child's id before anybody starts it, and its inputs with the first attempt. The node starts
//! it under that id and tells of its end; asked twice, it finds the child by its id.
//!
//! | happens | step | child |
//! |---|---|---|
//! | begins, next attempt | `ChildAsked`, running | started |
//! | the child completed | completed with the child's outputs | |
//! | the child ended otherwise, or could not be started | failed, or the next attempt | |
//! | the step is stopped, its time is over | `StopAsked`, running | cancelled; its end ends the step |
//! | a crash, a recovery | running | asked for again, or to be cancelled again |
//! | the execution is paused | running | goes on |

use serde_json::Value;
use skep_model::Map;
use skep_model::error::{Failure, Kind as FailureKind};
use skep_model::event::{Event, Then};
use skep_model::ids::{ExecutionId, StepPath};
use skep_model::message::ChildEnded;
use skep_model::payload::Payload;
use skep_model::plan::{Kind, StepIndex};
use skep_model::span::print_duration_ms;
use skep_model::status::Execution as Status;

use crate::codes;
use crate::decide::Deciding;
use crate::lifecycle;
use crate::program::KindProgram;
use crate::rejection::Rejection;
use crate::state::{FrameId, InstanceId};

pub(crate) fn begin(
    turn: &mut Deciding<'_>,
    frame: FrameId,
    step: StepIndex,
    path: &StepPath,
) -> Result<(), Rejection> {
    if turn.state.find(path).is_some_and(|id| turn.state.instance(id).child.is_some()) {
        return ask(turn, path, None);
    }
    let KindProgram::Workflow { inputs } = &turn.program.step_program(step).kind else {
        return Err(Rejection::Broken(format!("`{path}` has no child execution")));
    };
    let inputs = match turn.value(frame, inputs, &format_args!("`workflow` of step `{path}`"))? {
        Ok(inputs) => inputs,
        Err(failure) => return turn.fail(path, failure, Map::new()),
    };
    let given = inputs.as_object().is_some_and(|inputs| !inputs.is_empty());
    let inputs = given.then(|| turn.store(inputs));
    ask(turn, path, inputs)
}

/// The first child, or another one with the same inputs. Each has an id of its own, also when a person lets the step
/// begin with its first attempt again.
fn ask(turn: &mut Deciding<'_>, path: &StepPath, inputs: Option<Payload>) -> Result<(), Rejection> {
    let known = turn.state.find(path).map(|id| turn.state.instance(id));
    let (attempt, count) = known.map_or((1, 1), |known| (known.attempt + 1, known.delivery + 1));
    let child = ExecutionId::of_child(&turn.state.execution(), path, turn.state.generation(), count, turn.now);
    turn.emit(Event::ChildAsked { path: path.clone(), attempt, child, inputs })?;
    let id = turn.state.find(path).ok_or_else(|| Rejection::Broken(format!("`{path}` did not begin")))?;
    turn.ask_child(id)
}

/// The child is terminal, or could not be started.
pub(crate) fn ended(turn: &mut Deciding<'_>, id: InstanceId, ended: &ChildEnded) -> Result<(), Rejection> {
    let instance = turn.state.instance(id);
    let path = instance.path.clone();
    match (ended.status, instance.stop.clone()) {
        // A success that was faster than the stop is recorded, as that of a script is.
        (Status::Completed, _) => lifecycle::outcome::succeeded(turn, id, &ended.outputs),
        (_, Some(Then::Failed(failure))) if failure.code == codes::CHILD_TIMEOUT.id => {
            lifecycle::outcome::failed(turn, id, failure, Map::new())
        }
        (_, Some(then)) => lifecycle::outcome::stopped(turn, id, then, false),
        (_, None) => {
            let failure = failure_of(turn, id, &path, ended);
            lifecycle::outcome::failed(turn, id, failure, Map::<Value>::new())
        }
    }
}

fn failure_of(turn: &Deciding<'_>, id: InstanceId, path: &StepPath, ended: &ChildEnded) -> Failure {
    let name = match &turn.step_of(id).0.kind {
        Kind::Workflow { name, .. } => name.as_str(),
        _ => "",
    };
    let child = &ended.child;
    let Some(inner) = &ended.failure else {
        let message =
            format!("the child execution {child} (`{name}`) of step `{path}` ended {}", ended.status.as_str());
        return Failure::new(FailureKind::Rejected, codes::CHILD_FAILED.id, message)
            .with_hint(format!("`skep status {child}` shows what became of it"));
    };
    let message = format!(
        "the child execution {child} (`{name}`) of step `{path}` ended {}: {}",
        ended.status.as_str(),
        inner.message
    );
    let failure = Failure::new(inner.kind, codes::CHILD_FAILED.id, message);
    match &inner.hint {
        Some(hint) => failure.with_hint(hint.clone()),
        None => failure.with_hint(format!("`skep status {child}` shows what became of it")),
    }
}

/// The time of an attempt is over: the child is cancelled, and its end is the end of the attempt.
pub(crate) fn time_over(turn: &mut Deciding<'_>, id: InstanceId) -> Result<(), Rejection> {
    let (step, _) = turn.step_of(id);
    let bound = print_duration_ms(step.timeout_ms.unwrap_or_default());
    let path = turn.state.instance(id).path.clone();
    let message = format!("the child execution of step `{path}` took longer than {bound}");
    let failure = Failure::new(FailureKind::Timeout, codes::CHILD_TIMEOUT.id, message);
    turn.stop(id, Then::Failed(failure))
}

/// Children that are waited for: asked for again after a crash, and cancelled again if their step was stopped.
pub(crate) fn ask_again(turn: &mut Deciding<'_>) -> Result<(), Rejection> {
    for id in waiting(turn) {
        turn.ask_child(id)?;
    }
    Ok(())
}

/// A forced end waits for no child; each is told once more to end.
pub(crate) fn abandon(turn: &mut Deciding<'_>) -> Result<(), Rejection> {
    for id in waiting(turn) {
        turn.ask_child(id)?;
        let path = turn.state.instance(id).path.clone();
        turn.emit(Event::Cancelled { path })?;
    }
    Ok(())
}

fn waiting(turn: &Deciding<'_>) -> Vec<InstanceId> {
    turn.state.children.iter().collect()
}
