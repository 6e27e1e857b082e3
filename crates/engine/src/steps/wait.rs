//! Time, a moment, a signal, a condition (see [`crate::asking`]).

use serde_json::{Value, json};
use skep_model::Map;
use skep_model::actor::Actor;
use skep_model::error::{Failure, Kind as FailureKind};
use skep_model::event::Event;
use skep_model::ids::StepPath;
use skep_model::payload::Payload;
use skep_model::plan::{StepIndex, Wait};
use skep_model::span::parse_duration_ms;
use skep_model::time::Timestamp;

use crate::codes;
use crate::decide::Deciding;
use crate::program::KindProgram;
use crate::rejection::Rejection;
use crate::state::{FrameId, InstanceId};

pub(crate) fn begin(
    turn: &mut Deciding<'_>,
    frame: FrameId,
    step: StepIndex,
    path: &StepPath,
    wait: &Wait,
) -> Result<(), Rejection> {
    if let Wait::Condition { every_ms, timeout_ms, .. } = wait {
        return begin_asking(turn, step, path, *every_ms, *timeout_ms);
    }
    let KindProgram::Wait(template) = &turn.program.step_program(step).kind else {
        return Err(Rejection::Broken(format!("`{path}` waits for what this build does not know")));
    };
    let text = match turn.text(frame, template, &format_args!("`wait` of step `{path}`"))? {
        Ok(text) => text,
        Err(failure) => return turn.fail(path, failure, Map::new()),
    };
    match wait {
        Wait::Duration { .. } => match parse_duration_ms(&text) {
            Some(duration_ms) => sleep(turn, path, turn.now.plus_ms(duration_ms)),
            None => bad(turn, path, &text, "a duration such as `10m`"),
        },
        Wait::Moment { .. } => match skep_definition::moment::parse(&text) {
            Some(until) => sleep(turn, path, until),
            None => bad(turn, path, &text, "a moment such as `2026-12-01T00:00:00Z`"),
        },
        Wait::Signal { timeout_ms, .. } => listen(turn, path, text, timeout_ms.or(turn.program.step(step).timeout_ms)),
        Wait::Condition { .. } => Err(Rejection::Broken(format!("`{path}` waits for a condition"))),
    }
}

fn bad(turn: &mut Deciding<'_>, path: &StepPath, text: &str, wanted: &str) -> Result<(), Rejection> {
    let message = format!("`wait` of step `{path}`: {text:?} is not {wanted}");
    turn.fail(path, Failure::new(FailureKind::Invalid, codes::BAD_WAIT.id, message), Map::new())
}

fn sleep(turn: &mut Deciding<'_>, path: &StepPath, until: Timestamp) -> Result<(), Rejection> {
    turn.emit(Event::WaitBegan { path: path.clone(), until: Some(until), signal: None, every_ms: None })?;
    // A wait that is over already takes no turn of its own.
    if until <= turn.now { turn.complete(path, Map::new()) } else { Ok(()) }
}

fn listen(turn: &mut Deciding<'_>, path: &StepPath, name: String, timeout_ms: Option<u64>) -> Result<(), Rejection> {
    let until = timeout_ms.map(|timeout_ms| turn.now.plus_ms(timeout_ms));
    turn.emit(Event::WaitBegan { path: path.clone(), until, signal: Some(name.clone()), every_ms: None })?;
    let kept = turn.state.signals.iter().find(|signal| signal.name == name).cloned();
    match kept {
        Some(signal) => {
            let actor = Actor::person(signal.by.clone());
            take(turn, path, &name, signal.payload, &actor, true)
        }
        None => Ok(()),
    }
}

/// Asked at once, at the end of this turn, and then again and again.
fn begin_asking(
    turn: &mut Deciding<'_>,
    step: StepIndex,
    path: &StepPath,
    every_ms: u64,
    timeout_ms: Option<u64>,
) -> Result<(), Rejection> {
    let timeout_ms = timeout_ms.or(turn.program.step(step).timeout_ms);
    let until = timeout_ms.map(|timeout_ms| turn.now.plus_ms(timeout_ms));
    turn.emit(Event::WaitBegan { path: path.clone(), until, signal: None, every_ms: Some(every_ms) })?;
    turn.ask_again = true;
    Ok(())
}

/// The condition did not come to hold in time.
pub(crate) fn condition_time_over(turn: &mut Deciding<'_>, id: InstanceId) -> Result<(), Rejection> {
    let path = turn.state.instance(id).path.clone();
    let message = format!("the condition that `{path}` waits for did not come to hold in time");
    turn.fail(&path, Failure::new(FailureKind::Timeout, codes::WAIT_TIMEOUT.id, message), Map::new())
}

/// A waiting step takes a signal.
pub(crate) fn take(
    turn: &mut Deciding<'_>,
    path: &StepPath,
    name: &str,
    payload: Payload,
    actor: &Actor,
    kept: bool,
) -> Result<(), Rejection> {
    turn.emit(Event::SignalTaken { path: path.clone(), name: name.to_owned(), actor: actor.clone(), kept })?;
    let by: Payload = json!(actor.label()).into();
    let outputs = Map::from_iter([("payload".to_owned(), payload), ("by".to_owned(), by)]);
    turn.emit(Event::Completed { path: path.clone(), outputs })?;
    turn.keep_done(path, None)
}

/// A duration or a moment has come.
pub(crate) fn woke(turn: &mut Deciding<'_>, id: InstanceId) -> Result<(), Rejection> {
    let path = turn.state.instance(id).path.clone();
    turn.complete(&path, Map::<Value>::new())
}

/// The signal did not come in time.
pub(crate) fn time_over(turn: &mut Deciding<'_>, id: InstanceId, signal: &str) -> Result<(), Rejection> {
    let path = turn.state.instance(id).path.clone();
    let message = format!("the signal `{signal}` that `{path}` waits for did not come in time");
    turn.fail(&path, Failure::new(FailureKind::Timeout, codes::WAIT_TIMEOUT.id, message), Map::new())
}
