//! Rollback: a person wants an execution undone that is over. And what a cancel means while effects are undone.

use skep_model::actor::Actor;
use skep_model::event::Event;
use skep_model::limits;
use skep_model::rollback::RollbackCause;
use skep_model::status::Execution as Status;

use crate::decide::Deciding;
use crate::rejection::Rejection;
use crate::rollback::run;
use crate::state::Timer;

pub(super) fn handle(turn: &mut Deciding<'_>, actor: &Actor, reason: Option<&str>) -> Result<(), Rejection> {
    let status = turn.state.status;
    match status {
        Status::Completed | Status::Failed | Status::Cancelled | Status::RollbackFailed => {}
        Status::RolledBack => return Err(Rejection::NothingToUndo(status)),
        Status::Pending
        | Status::Running
        | Status::Paused
        | Status::Held
        | Status::Cancelling
        | Status::RollingBack => {
            let message = "only an execution that is over can be undone; cancel it first".to_owned();
            return Err(Rejection::WrongState { status, message });
        }
    }
    if turn.state.undo.kept.is_empty() {
        return Err(Rejection::NothingToUndo(status));
    }
    // What failed was the rollback before this one, not the execution.
    let failure = turn.state.failure.clone().filter(|_| status != Status::RollbackFailed);
    let (actor, reason) = (Some(actor.clone()), reason.map(str::to_owned));
    turn.emit(Event::RollbackBegan { cause: RollbackCause::Asked, actor, reason, failure })
}

/// Cancel while the stack is worked through: the compensation that runs ends, then the execution is held. A second
/// one while it is held leaves the rest as it is.
pub(super) fn stop(turn: &mut Deciding<'_>, actor: &Actor, reason: Option<&str>) -> Result<(), Rejection> {
    let (held, begun) = (turn.state.status == Status::Held, turn.state.undo.is_busy());
    if turn.state.undo.stopped.is_some() {
        return if held && begun { run::give_up(turn) } else { Ok(()) };
    }
    turn.emit(Event::RollbackStopAsked { actor: actor.clone(), reason: reason.map(str::to_owned) })?;
    match (held, begun) {
        (true, true) if !turn.state.undelivered => run::hold_stopped(turn),
        // What runs has to end before the rollback can begin, and be stopped.
        (true, false) => super::resume::handle(turn, actor),
        (true, true) | (false, _) => Ok(()),
    }
}

/// Cancel while `finally` runs after a rollback: what is left of it gets the grace period.
pub(super) fn force(turn: &mut Deciding<'_>, actor: &Actor) -> Result<(), Rejection> {
    if turn.state.timers.iter().any(|(_, timer)| *timer == Timer::Force) {
        return Ok(());
    }
    let at = turn.now.plus_ms(limits::CANCEL_GRACE_MS);
    turn.emit(Event::ForceAsked { actor: actor.clone(), at })
}
