//! TimerFired: everything that is due at `now` fires. Spurious ones do nothing, but let a turn that was cut go on.

use skep_model::error::{Failure, Kind as FailureKind};
use skep_model::event::{Event, Then};
use skep_model::status::Execution as Status;

use crate::codes;
use crate::decide::Deciding;
use crate::rejection::Rejection;
use crate::state::{InstanceId, Phase, Timer};
use crate::steps::{approval, form, wait};

pub(super) fn handle(turn: &mut Deciding<'_>) -> Result<(), Rejection> {
    if turn.state.flows() {
        turn.mark_all();
        fire_due(turn)?;
    }
    Ok(())
}

/// Fires every due timer, earliest first.
pub(super) fn fire_due(turn: &mut Deciding<'_>) -> Result<(), Rejection> {
    while let Some(timer) = turn.state.timers.first().copied() {
        if timer.0 > turn.now || !turn.state.flows() {
            return Ok(());
        }
        let events = turn.events.len();
        fire(turn, timer.1)?;
        // Two escalations may be due at one moment, so an equal timer may follow; one without an event never ends.
        if turn.events.len() == events && turn.state.timers.first() == Some(&timer) {
            return Err(Rejection::Broken(format!("timer {:?} fired and stayed", timer.1)));
        }
    }
    Ok(())
}

fn fire(turn: &mut Deciding<'_>, timer: Timer) -> Result<(), Rejection> {
    match timer {
        Timer::Phase(id) => fire_phase(turn, id),
        Timer::Deadline(id) => fire_deadline(turn, id),
        Timer::Execution => {
            turn.emit(Event::TimedOut)?;
            stop_root(turn)
        }
        Timer::Force => force(turn),
    }
}

fn fire_phase(turn: &mut Deciding<'_>, id: InstanceId) -> Result<(), Rejection> {
    let instance = turn.state.instance(id);
    let now = turn.now;
    match instance.phase.clone() {
        Phase::Retrying { .. } => approval::begin_ready(turn, id),
        Phase::Sleeping { .. } => wait::woke(turn, id),
        Phase::Listening { signal, .. } => wait::time_over(turn, id, &signal),
        Phase::Filling { .. } => form::time_over(turn, id),
        Phase::Deciding { until: Some(until), .. } if until <= now => approval::time_over(turn, id),
        Phase::Deciding { escalations, .. } => {
            let path = instance.path.clone();
            let to = escalations.front().map(|(_, to)| to.clone()).unwrap_or_default();
            turn.emit(Event::Escalated { path, to })
        }
        Phase::Over | Phase::Ready | Phase::Performing | Phase::AwaitingPermit { .. } => Ok(()),
        Phase::Choosing { .. } | Phase::Forking { .. } | Phase::Looping(_) => Ok(()),
    }
}

/// The bound of a whole step is over.
fn fire_deadline(turn: &mut Deciding<'_>, id: InstanceId) -> Result<(), Rejection> {
    let instance = turn.state.instance(id);
    let message = format!("step `{}` took longer than the time it was given in all", instance.path);
    let failure = Failure::new(FailureKind::Timeout, codes::STEP_TIMEOUT.id, message).at_step(&instance.path);
    // The event takes the timer with it; the work may take a while to stop.
    turn.stop(id, Then::Failed(failure))
}

/// Asks everything of the main list to stop.
pub(super) fn stop_root(turn: &mut Deciding<'_>) -> Result<(), Rejection> {
    match (turn.state.root, turn.state.finally) {
        (Some(root), None) => turn.stop_frame(root),
        (Some(_) | None, _) => Ok(()),
    }
}

/// A second cancel's patience is over: the execution ends, whatever still runs.
fn force(turn: &mut Deciding<'_>) -> Result<(), Rejection> {
    let performing: Vec<InstanceId> = turn.state.performing.iter().copied().collect();
    for id in performing {
        let path = turn.state.instance(id).path.clone();
        let token = turn.token_of(id);
        turn.emit(Event::Cancelled { path: path.clone() })?;
        turn.effects.push(skep_model::effect::Effect::Abort { path, token });
    }
    turn.emit(Event::Ended { status: Status::Cancelled, outputs: skep_model::Map::new(), failure: None })
}
