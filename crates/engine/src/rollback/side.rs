//! Outcomes of work beside a step: verifications, compensations, and the step that runs before them.

use serde_json::Value;
use skep_model::Map;
use skep_model::error::Failure;
use skep_model::event::Event;
use skep_model::ids::StepPath;
use skep_model::outcome::Ended;
use skep_model::plan::OnError;
use skep_model::rollback::Part;

use crate::decide::Deciding;
use crate::outstanding::does;
use crate::rejection::Rejection;
use crate::retry::pause_ms;
use crate::rollback::run;
use crate::state::InstanceId;
use crate::unknown;

/// How a piece of work beside a step ended for good.
enum End<'o> {
    Done(&'o Map<Value>),
    Failed(Failure),
    Stopped,
}

/// An effect of work beside a step ended.
pub(crate) fn outcome(turn: &mut Deciding<'_>, id: InstanceId, result: &Ended) -> Result<(), Rejection> {
    let instance = turn.state.instance(id);
    let path = instance.path.clone();
    match result {
        Ended::Succeeded(raw) => {
            let outputs = if instance.part == Part::Step { turn.store_map(raw.clone()) } else { Map::new() };
            turn.emit(Event::Completed { path: path.clone(), outputs })?;
            ended(turn, &path, End::Done(raw))
        }
        Ended::Failed { failure, .. } => failed(turn, id, failure),
        Ended::Aborted => stopped(turn, id),
    }
}

/// It was stopped, and its owner or its runner says so.
pub(crate) fn stopped(turn: &mut Deciding<'_>, id: InstanceId) -> Result<(), Rejection> {
    let path = turn.state.instance(id).path.clone();
    turn.emit(Event::Cancelled { path: path.clone() })?;
    ended(turn, &path, End::Stopped)
}

fn failed(turn: &mut Deciding<'_>, id: InstanceId, failure: &Failure) -> Result<(), Rejection> {
    let instance = turn.state.instance(id);
    let path = instance.path.clone();
    let seed = turn.state.seed();
    let retry = does(turn.program, instance).retry;
    let pause = pause_ms(retry, failure, instance.attempt, instance.system_failures, seed, &path);
    let (stops, failure) = (instance.stop.is_some(), failure.clone().at_step(&path));
    match pause {
        Some(pause) if !stops => {
            let retry_at = turn.now.plus_ms(pause);
            turn.emit(Event::AttemptFailed { path, failure, retry_at })
        }
        Some(_) | None => {
            turn.emit(Event::Failed {
                path: path.clone(),
                failure: failure.clone(),
                outputs: Map::new(),
                handled: false,
            })?;
            ended(turn, &path, End::Failed(failure))
        }
    }
}

fn ended(turn: &mut Deciding<'_>, path: &StepPath, end: End<'_>) -> Result<(), Rejection> {
    let (step, part) = Part::split(path);
    let step: StepPath = step.into();
    match (part, end) {
        (Part::Verify, end) if turn.state.undo.is_busy() => verified_for_undo(turn, &step, end),
        (Part::Verify, end) => verified(turn, &step, end),
        (Part::Rollback, End::Done(_)) if has_check(turn, &step) => run::schedule(turn, &step, Part::RollbackVerify),
        (Part::Rollback | Part::RollbackVerify, End::Done(_)) => {
            turn.emit(Event::RolledBack { path: step, actor: None, comment: None })
        }
        (Part::Step, End::Done(_)) => turn.emit(Event::UndoDropped { path: step }),
        (Part::Step, End::Failed(_)) if is_skipped(turn, &step) => turn.emit(Event::UndoDropped { path: step }),
        (Part::Step | Part::Rollback | Part::RollbackVerify, End::Failed(failure)) => run::fail(turn, &step, &failure),
        // Nothing stops them but the end of the execution.
        (Part::Step | Part::Rollback | Part::RollbackVerify, End::Stopped) => Ok(()),
    }
}

fn has_check(turn: &Deciding<'_>, step: &str) -> bool {
    let found = turn.program.split_path(step).map(|(_, step)| turn.program.step_program(step));
    found.is_some_and(|step| step.rollback_verify.is_some())
}

fn is_skipped(turn: &Deciding<'_>, step: &str) -> bool {
    turn.program.split_path(step).is_some_and(|(_, step)| turn.program.step(step).on_error == OnError::Skip)
}

/// The verification of the unsure step on top of the stack.
fn verified_for_undo(turn: &mut Deciding<'_>, step: &StepPath, end: End<'_>) -> Result<(), Rejection> {
    match end {
        End::Done(_) => turn.emit(Event::UndoConfirmed { path: step.clone() }),
        End::Failed(failure) if !failure.kind.leaves_unknown() => turn.emit(Event::UndoDropped { path: step.clone() }),
        End::Failed(failure) => unknown::ask_whether_done(turn, step, Some(failure)),
        End::Stopped => unknown::ask_whether_done(turn, step, None),
    }
}

/// The verification of a step in the flow.
fn verified(turn: &mut Deciding<'_>, step: &StepPath, end: End<'_>) -> Result<(), Rejection> {
    let id = turn.state.find(step).ok_or_else(|| Rejection::Broken(format!("`{step}` is verified and did not run")))?;
    let stop = turn.state.instance(id).stop.clone();
    match (end, stop) {
        (End::Done(raw), _) => unknown::was_done(turn, id, raw),
        (End::Failed(failure), _) if !failure.kind.leaves_unknown() => unknown::was_not_done(turn, id),
        (End::Failed(_) | End::Stopped, Some(then)) => crate::lifecycle::outcome::end_stopped(turn, id, then, true),
        (End::Failed(failure), None) => unknown::ask_whether_done(turn, step, Some(failure)),
        (End::Stopped, None) => unknown::ask_whether_done(turn, step, None),
    }
}
