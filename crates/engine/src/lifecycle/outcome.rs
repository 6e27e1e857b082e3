//! Outcome: an effect ended. Recorded in every state that is not terminal, a success after a cancel too.

use serde_json::Value;
use skep_model::Map;
use skep_model::error::Failure;
use skep_model::event::{Event, Then};
use skep_model::ids::{StepPath, Token};
use skep_model::outcome::{Ended, Outcome};
use skep_model::plan::GateWhen;

use crate::decide::Deciding;
use crate::rejection::Rejection;
use crate::retry::pause_ms;
use crate::scope::Trouble;
use crate::state::{InstanceId, Phase};
use crate::steps::approval;

pub(super) fn handle(turn: &mut Deciding<'_>, outcome: &Outcome) -> Result<(), Rejection> {
    let id = outstanding_delivery(turn, &outcome.path, &outcome.token)?;
    match &outcome.result {
        Ended::Succeeded(raw) => succeeded(turn, id, raw),
        Ended::Failed { failure, outputs } => match turn.state.instance(id).stop.clone() {
            Some(then) => stopped(turn, id, then),
            None => failed(turn, id, failure.clone(), outputs.clone()),
        },
        Ended::Aborted => {
            let then = turn.state.instance(id).stop.clone().unwrap_or_default();
            stopped(turn, id, then)
        }
    }
}

/// The instance that waits for exactly this delivery.
pub(super) fn outstanding_delivery(
    turn: &Deciding<'_>,
    path: &StepPath,
    token: &Token,
) -> Result<InstanceId, Rejection> {
    let stale = || Rejection::Stale { path: path.to_string() };
    let id = turn.state.find(path).ok_or_else(stale)?;
    let performing = turn.state.instance(id).phase == Phase::Performing;
    if performing && turn.token_of(id) == *token { Ok(id) } else { Err(stale()) }
}

fn succeeded(turn: &mut Deciding<'_>, id: InstanceId, raw: &Map<Value>) -> Result<(), Rejection> {
    let path = turn.state.instance(id).path.clone();
    match named_outputs(turn, id, raw)? {
        Err(failure) => failed(turn, id, failure, raw.clone()),
        Ok(outputs) if turn.state.instance(id).stop.is_none() && proposes(turn, id) => {
            approval::propose(turn, id, outputs)
        }
        Ok(outputs) => {
            let mut outputs = turn.store_map(outputs);
            // What the person said who allowed the step; a step without a gate has no outputs before its end.
            outputs.extend(turn.state.instance(id).outputs.clone());
            turn.emit(Event::Completed { path, outputs })
        }
    }
}

fn proposes(turn: &Deciding<'_>, id: InstanceId) -> bool {
    turn.step_of(id).0.approve.as_ref().is_some_and(|gate| gate.when == GateWhen::After)
}

/// The outputs that the definition names, or the raw ones.
fn named_outputs(
    turn: &Deciding<'_>,
    id: InstanceId,
    raw: &Map<Value>,
) -> Result<Result<Map<Value>, Failure>, Rejection> {
    let instance = turn.state.instance(id);
    let Some(templates) = &turn.program.step_program(instance.step).outputs else { return Ok(Ok(raw.clone())) };
    let mut place = turn.place(instance.frame);
    place.own = Some(raw);
    let mut outputs = Map::new();
    for (name, template) in templates {
        match place.evaluate(template, &format!("output `{name}` of step `{}`", instance.path)) {
            Ok(value) => outputs.insert(name.clone(), value),
            Err(Trouble::Wrong(failure)) => return Ok(Err(*failure)),
            Err(Trouble::Needs(reference)) => return Err(Rejection::NeedsBlob(reference)),
        };
    }
    Ok(Ok(outputs))
}

/// An attempt failed: it is repeated, or the step failed for good.
pub(super) fn failed(
    turn: &mut Deciding<'_>,
    id: InstanceId,
    failure: Failure,
    raw: Map<Value>,
) -> Result<(), Rejection> {
    let instance = turn.state.instance(id);
    let path = instance.path.clone();
    let seed = turn.state.start.as_ref().map_or(0, |start| start.seed);
    let retry = turn.step_of(id).0.retry.as_ref();
    // One that was refused before it began is an attempt too.
    let attempt = instance.attempt + u32::from(matches!(instance.phase, Phase::AwaitingPermit { .. }));
    let pause = pause_ms(retry, &failure, attempt, instance.system_failures, seed, &path);
    match pause {
        Some(pause) => {
            let retry_at = turn.now.plus_ms(pause);
            turn.emit(Event::AttemptFailed { path: path.clone(), failure: failure.at_step(&path), retry_at })
        }
        None => {
            let named = turn.step_of(id).0.outputs.is_some();
            turn.fail(&path, failure, if named { Map::new() } else { raw })
        }
    }
}

/// The work of a step that was asked to stop has ended.
pub(super) fn stopped(turn: &mut Deciding<'_>, id: InstanceId, then: Then) -> Result<(), Rejection> {
    let path = turn.state.instance(id).path.clone();
    match then {
        Then::Failed(failure) => turn.fail(&path, failure, Map::new()),
        Then::Cancelled | Then::Completed => turn.emit(Event::Cancelled { path }),
    }
}
