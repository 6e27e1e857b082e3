//! Pause: no new step begins; what runs ends and is recorded.

use skep_model::actor::Actor;
use skep_model::event::Event;
use skep_model::status::Execution as Status;

use crate::decide::Deciding;
use crate::rejection::Rejection;

pub(super) fn handle(turn: &mut Deciding<'_>, actor: &Actor) -> Result<(), Rejection> {
    match turn.state.status {
        Status::Running => turn.emit(Event::Paused { actor: actor.clone() }),
        Status::Paused => Ok(()),
        status @ Status::RollingBack => Err(Rejection::WrongState {
            status,
            message: "a rollback is not paused; a cancel stops it after the compensation that runs".to_owned(),
        }),
        status => Err(Rejection::WrongState { status, message: "only a running execution can be paused".to_owned() }),
    }
}
