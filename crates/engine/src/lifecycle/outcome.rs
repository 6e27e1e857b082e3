//! Outcome: an effect ended. Recorded in every state that is not terminal, a success after a cancel too.

use serde_json::Value;
use skep_model::Map;
use skep_model::error::Failure;
use skep_model::event::{Event, Then};
use skep_model::ids::{StepPath, Token};
use skep_model::outcome::{Ended, Outcome};
use skep_model::plan::{GateWhen, OnUnknown};

use crate::decide::Deciding;
use crate::judge;
use crate::rejection::Rejection;
use crate::retry::pause_ms;
use crate::rollback::keep::is_left_unsure;
use crate::state::{InstanceId, Phase};
use crate::steps::{approval, results};
use crate::unknown;

pub(super) fn handle(turn: &mut Deciding<'_>, outcome: &Outcome) -> Result<(), Rejection> {
    let id = outstanding_delivery(turn, &outcome.path, &outcome.token)?;
    if crate::apply::is_beside(turn.program, turn.state.instance(id)) {
        return crate::rollback::side::outcome(turn, id, &outcome.result);
    }
    match &outcome.result {
        Ended::Succeeded(raw) => succeeded(turn, id, raw),
        Ended::Failed { failure, outputs } => match turn.state.instance(id).stop.clone() {
            Some(then) => stopped(turn, id, then, failure.kind.leaves_unknown()),
            None => {
                let failure = failure.clone().looking_like(turn.program.recogniser().kind(failure, outputs));
                // What the definition names cannot be had from streams that are not all there.
                let named = turn.step_of(id).0.outputs.is_some();
                failed(turn, id, failure, if named { Map::new() } else { outputs.clone() })
            }
        },
        Ended::Aborted => {
            let then = turn.state.instance(id).stop.clone().unwrap_or_default();
            stopped(turn, id, then, true)
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
    if skep_model::mutant!("stale-outcome-taken") && performing {
        return Ok(id);
    }
    if performing && turn.token_of(id) == *token { Ok(id) } else { Err(stale()) }
}

/// The work of a step was done; whether it succeeded, its checks say.
pub(crate) fn succeeded(turn: &mut Deciding<'_>, id: InstanceId, raw: &Map<Value>) -> Result<(), Rejection> {
    let instance = turn.state.instance(id);
    let (path, stop) = (instance.path.clone(), instance.stop.clone());
    match (results::checked(turn, id, raw)?, stop) {
        (Err(_), Some(then)) => stopped(turn, id, then, true),
        (Err((failure, outputs)), None) => {
            repeat_or_end(turn, id, failure, outputs)?;
            // The result is not what was asked for, but the work was done.
            let over = turn.state.find(&path).is_some_and(|id| turn.is_final(id));
            if over { turn.keep_done(&path, Some(raw)) } else { Ok(()) }
        }
        (Ok(outputs), _) => was_done(turn, id, raw, outputs),
    }
}

/// The work of a step was done and gave `raw`, out of which its outputs are made.
pub(crate) fn was_done(
    turn: &mut Deciding<'_>,
    id: InstanceId,
    raw: &Map<Value>,
    outputs: Map<Value>,
) -> Result<(), Rejection> {
    let path = turn.state.instance(id).path.clone();
    if turn.state.instance(id).stop.is_none() && proposes(turn, id) {
        // The work is done whatever the person will say about it.
        approval::propose(turn, id, outputs)?;
        return turn.keep_done(&path, Some(raw));
    }
    let mut outputs = turn.store_map(outputs);
    // What the person said who allowed the step; a step without a gate has no outputs before its end.
    let said = &turn.state.instance(id).outputs;
    if !said.is_empty() {
        outputs.extend(said.clone());
    }
    turn.emit(Event::Completed { path: path.clone(), outputs })?;
    turn.keep_done(&path, Some(raw))
}

fn proposes(turn: &Deciding<'_>, id: InstanceId) -> bool {
    turn.step_of(id).0.approve.as_ref().is_some_and(|gate| gate.when == GateWhen::After)
}

/// An attempt failed: it is looked at, or there is another one, or the step has failed with these outputs.
pub(crate) fn failed(
    turn: &mut Deciding<'_>,
    id: InstanceId,
    failure: Failure,
    outputs: Map<Value>,
) -> Result<(), Rejection> {
    if failure.kind.leaves_unknown() && unknown::policy(turn, id) != OnUnknown::Retry {
        return unknown::doubt(turn, id, Some(failure));
    }
    repeat_or_fail(turn, id, failure, outputs)
}

/// An attempt failed, and its work was not done or is simply done again.
pub(crate) fn repeat_or_fail(
    turn: &mut Deciding<'_>,
    id: InstanceId,
    failure: Failure,
    outputs: Map<Value>,
) -> Result<(), Rejection> {
    let instance = turn.state.instance(id);
    let unsure = instance.unsure || is_left_unsure(turn.step_of(id).0, &failure);
    let path = instance.path.clone();
    repeat_or_end(turn, id, failure, outputs)?;
    if unsure { turn.keep_unsure(&path) } else { Ok(()) }
}

fn repeat_or_end(
    turn: &mut Deciding<'_>,
    id: InstanceId,
    failure: Failure,
    outputs: Map<Value>,
) -> Result<(), Rejection> {
    let instance = turn.state.instance(id);
    let path = instance.path.clone();
    let (retry, seed) = (turn.step_of(id).0.retry.as_ref(), turn.state.seed());
    let pause = pause_ms(retry, &failure, judge::attempt(turn, id), instance.system_failures, seed, &path);
    match pause {
        Some(pause) => {
            let retry_at = turn.now.plus_ms(pause);
            judge::by_retry(turn, id, &failure)?;
            turn.emit(Event::AttemptFailed { path: path.clone(), failure: failure.at_step(&path), retry_at })
        }
        None => turn.fail(&path, failure, outputs),
    }
}

/// The work of a step that was asked to stop has ended; `open`: nobody knows whether it was done.
pub(crate) fn stopped(turn: &mut Deciding<'_>, id: InstanceId, then: Then, open: bool) -> Result<(), Rejection> {
    match &then {
        // Its own time is over, not that of what is around it: it is still asked about.
        Then::Failed(failure) if open && unknown::policy(turn, id) != OnUnknown::Retry => {
            unknown::doubt(turn, id, Some(failure.clone()))
        }
        Then::Failed(_) | Then::Cancelled | Then::Completed => end_stopped(turn, id, then, open),
    }
}

/// A step that was asked to stop ends.
pub(crate) fn end_stopped(turn: &mut Deciding<'_>, id: InstanceId, then: Then, open: bool) -> Result<(), Rejection> {
    let instance = turn.state.instance(id);
    let (path, open) = (instance.path.clone(), open || instance.unsure);
    match then {
        Then::Failed(failure) => turn.fail(&path, failure, Map::new())?,
        Then::Cancelled | Then::Completed => turn.emit(Event::Cancelled { path: path.clone() })?,
    }
    if open { turn.keep_unsure(&path) } else { Ok(()) }
}
