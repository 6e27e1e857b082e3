//! TimerFired: everything that is due at `now` fires. Spurious ones do nothing, but let a turn that was cut go on.

use skep_model::error::{Failure, Kind as FailureKind};
use skep_model::event::{Event, Then};
use skep_model::status::Execution as Status;

use crate::codes;
use crate::decide::Deciding;
use crate::rejection::Rejection;
use crate::rollback::Stage;
use crate::state::{InstanceId, Phase, Timer};
use crate::steps::{approval, child, form, wait, work};
use crate::unknown;

pub(super) fn handle(turn: &mut Deciding<'_>) -> Result<(), Rejection> {
    if turn.state.flows() {
        turn.mark_all();
        turn.ask_again = true;
    }
    fire_due(turn)
}

/// Fires every due timer, earliest first.
pub(crate) fn fire_due(turn: &mut Deciding<'_>) -> Result<(), Rejection> {
    while let Some((_, id)) = turn.state.question_timers.first().copied() {
        if turn.state.next_question().is_none_or(|next| next > turn.now) {
            break;
        }
        let events = turn.events.len();
        unknown::due(turn, id)?;
        if turn.events.len() == events {
            return Err(Rejection::Broken(format!("the question of step {id} was due and nothing came of it")));
        }
    }
    while let Some(timer) = turn.state.timers.first().copied() {
        let early = i64::from(skep_model::mutant!("timer-early")) * 1_500_000;
        if timer.0.0 - early > turn.now.0 || !turn.state.flows() {
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
        Timer::Grace => super::rollback::grace_over(turn),
    }
}

fn fire_phase(turn: &mut Deciding<'_>, id: InstanceId) -> Result<(), Rejection> {
    let instance = turn.state.instance(id);
    let now = turn.now;
    match instance.phase.clone() {
        Phase::Retrying { .. } if crate::apply::is_beside(turn.program, instance) => work::repeat(turn, id),
        Phase::Retrying { .. } if instance.attempt == 0 && instance.delivery == 0 => turn.begin_anew(id),
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
        Phase::Asking { .. } => wait::condition_time_over(turn, id),
        Phase::Child { .. } => child::time_over(turn, id),
        Phase::Over | Phase::Ready | Phase::Performing => Ok(()),
        Phase::Queued { .. } | Phase::AwaitingPermit { .. } => Ok(()),
        Phase::Choosing { .. } | Phase::Forking { .. } | Phase::Looping(_) => Ok(()),
        Phase::Doubtful { .. } | Phase::Questioned(_) => Ok(()),
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
    let performing: Vec<InstanceId> = turn.state.performing.iter().collect();
    for id in performing {
        let path = turn.state.instance(id).path.clone();
        let token = turn.token_of(id);
        let beside = crate::apply::is_beside(turn.program, turn.state.instance(id));
        turn.emit(Event::Cancelled { path: path.clone() })?;
        turn.effects.push(skep_model::effect::Effect::Abort { path: path.clone(), token });
        if !beside {
            turn.keep_unsure(&path)?;
        }
    }
    for id in in_doubt(turn) {
        let path = turn.state.instance(id).path.clone();
        turn.emit(Event::Cancelled { path: path.clone() })?;
        turn.keep_unsure(&path)?;
    }
    if turn.state.undo.stage != Stage::Idle {
        return turn.end();
    }
    child::abandon(turn)?;
    turn.emit(Event::Ended { status: Status::Cancelled, outputs: skep_model::Map::new(), failure: None })
}

fn in_doubt(turn: &Deciding<'_>) -> Vec<InstanceId> {
    let doubtful = |id: &InstanceId| matches!(turn.state.instance(*id).phase, Phase::Doubtful { .. });
    turn.state.instances.ids().filter(doubtful).collect()
}
