//! Recovered: a new owner has stopped what still ran of this execution; outstanding work is delivered
//! again under the same key. Too many lost deliveries in a row hold the execution.

use skep_model::error::{Failure, Kind as FailureKind};
use skep_model::event::Event;
use skep_model::limits;
use skep_model::plan::OnUnknown;
use skep_model::status::Execution as Status;

use crate::codes;
use crate::decide::Deciding;
use crate::rejection::Rejection;
use crate::state::{InstanceId, Timer};
use crate::steps::child;
use crate::unknown;

pub(super) fn handle(turn: &mut Deciding<'_>) -> Result<(), Rejection> {
    match turn.state.status {
        Status::Running | Status::Cancelling | Status::Paused | Status::RollingBack => {}
        // Held for a person: what runs beside the question goes on.
        Status::Held if !turn.state.undelivered => {}
        _ => return Ok(()),
    }
    // The delivery that was lost just now comes on top of those that were delivered again before.
    let lost = turn.state.lost_deliveries + 1;
    if !turn.state.performing.is_empty() && lost >= limits::LOST_DELIVERIES_MAX {
        return hold(turn, lost);
    }
    // What ends by force in this turn is not begun before.
    if !turn.state.timers.iter().any(|(at, timer)| *timer == Timer::Force && *at <= turn.now) {
        deliver_again(turn)?;
    }
    if turn.state.flows() {
        return super::resume::go_on(turn);
    }
    crate::permits::ask_again(turn);
    Ok(())
}

/// Performs outstanding work again; what was asked to stop has stopped with the owner before.
pub(super) fn deliver_again(turn: &mut Deciding<'_>) -> Result<(), Rejection> {
    let performing: Vec<InstanceId> = turn.state.performing.iter().collect();
    let mut doubtful = Vec::new();
    for id in performing {
        let instance = turn.state.instance(id);
        let (path, delivery) = (instance.path.clone(), instance.delivery + 1);
        let beside = crate::apply::is_beside(turn.program, instance);
        match instance.stop.clone() {
            Some(_) if beside => crate::rollback::side::stopped(turn, id)?,
            Some(_) if skep_model::mutant!("stopped-work-hangs") => {}
            Some(then) => super::outcome::stopped(turn, id, then, true)?,
            None if unknown::policy(turn, id) != OnUnknown::Retry => doubtful.push(id),
            None => {
                turn.emit(Event::Redelivered { path, delivery })?;
                turn.perform(id)?;
            }
        }
    }
    // A lost delivery is counted with the first of what was outstanding, so that one comes last.
    for id in doubtful.into_iter().rev() {
        unknown::doubt(turn, id, None)?;
    }
    child::ask_again(turn)
}

fn hold(turn: &mut Deciding<'_>, lost: u32) -> Result<(), Rejection> {
    let paths: Vec<&str> = turn.state.performing.iter().map(|id| &*turn.state.instance(id).path).collect();
    let message = format!("the owner died {lost} times in a row while it performed: {}", paths.join(", "));
    let reason = Failure::new(FailureKind::Bug, codes::LOST_DELIVERIES.id, message)
        .with_hint("look why the process dies (memory, disk), then `skep resume` or `skep cancel`");
    turn.emit(Event::Held { reason })
}
