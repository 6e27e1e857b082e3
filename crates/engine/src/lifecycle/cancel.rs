//! Cancel: what runs is stopped, then `finally`, then cancelled. A second one forces after a grace period.

use skep_model::actor::Actor;
use skep_model::event::Event;
use skep_model::limits;
use skep_model::status::Execution as Status;

use crate::decide::Deciding;
use crate::rejection::Rejection;
use crate::rollback::Stage;
use crate::state::{Ending, Timer};

pub(super) fn handle(turn: &mut Deciding<'_>, actor: &Actor, reason: Option<&str>) -> Result<(), Rejection> {
    match turn.state.undo.stage {
        Stage::Busy => return super::rollback::stop(turn, actor, reason),
        Stage::Over(_) => return super::rollback::force(turn, actor),
        // What is left stays done.
        Stage::AtPoint => return crate::rollback::run::finish(turn, Status::Cancelled, None),
        // Asked for already: what runs is being stopped for it.
        Stage::Idle if matches!(turn.state.ending, Some(Ending::Compensating | Ending::Asked)) => {
            if turn.state.undo.gentle {
                super::rollback::grace_over(turn)?;
            }
            return super::rollback::stop(turn, actor, reason);
        }
        Stage::Idle => {}
    }
    match (turn.state.status, turn.state.ending) {
        (Status::Cancelling, Some(Ending::Cancelled(since))) => force(turn, actor, since),
        _ => {
            // Held because deliveries were lost: what counts as performed runs nowhere and has to be delivered again,
            // or nothing would ever end it (a step of `finally` is not stopped by a cancel).
            let undelivered = turn.state.status == Status::Held && turn.state.undelivered;
            let stood_still = !turn.state.flows();
            turn.emit(Event::CancelAsked { actor: actor.clone(), reason: reason.map(str::to_owned) })?;
            turn.mark_all();
            super::timer::stop_root(turn)?;
            if undelivered {
                super::recovered::deliver_again(turn)?;
            }
            // What was allowed in `finally` meanwhile begins.
            if stood_still { super::resume::go_on(turn) } else { Ok(()) }
        }
    }
}

fn force(turn: &mut Deciding<'_>, actor: &Actor, since: skep_model::time::Timestamp) -> Result<(), Rejection> {
    if turn.state.timers.iter().any(|(_, timer)| *timer == Timer::Force) {
        return Ok(());
    }
    let at = since.plus_ms(limits::CANCEL_GRACE_MS).max(turn.now);
    turn.emit(Event::ForceAsked { actor: actor.clone(), at })?;
    super::timer::fire_due(turn)
}
