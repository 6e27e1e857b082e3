//! Undone: a person has undone by hand what a manual rollback has next.

use skep_model::actor::Actor;
use skep_model::event::Event;
use skep_model::ids::StepPath;
use skep_model::rollback::Strategy;
use skep_model::status::Execution as Status;

use crate::decide::Deciding;
use crate::rejection::Rejection;
use crate::rollback::run;

pub(super) fn handle(
    turn: &mut Deciding<'_>,
    actor: &Actor,
    path: Option<&StepPath>,
    comment: Option<&str>,
) -> Result<(), Rejection> {
    let undo = &turn.state.undo;
    let status = turn.state.status;
    let manual = status == Status::Held && undo.is_busy() && undo.strategy == Strategy::Manual;
    let Some(next) = undo.next_kept().filter(|_| manual).map(|kept| kept.path.clone()) else {
        let message = "it is not being undone by hand".to_owned();
        return Err(Rejection::WrongState { status, message });
    };
    if path.is_some_and(|path| *path != next) {
        let message = format!("`{next}` is undone next; the order matters");
        return Err(Rejection::WrongState { status, message });
    }
    let (by, comment) = (Some(actor.clone()), comment.map(str::to_owned));
    turn.emit(Event::RolledBack { path: next, actor: by, comment })?;
    match turn.state.undo.next_kept().cloned() {
        Some(kept) => run::hold_manual(turn, &kept),
        None => turn.emit(Event::Resumed { actor: actor.clone() }),
    }
}
