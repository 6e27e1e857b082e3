//! Checkpoint: somebody wants a rollback point now.

use skep_model::actor::Actor;
use skep_model::event::Event;
use skep_model::rollback::PointKind;

use crate::decide::Deciding;
use crate::rejection::Rejection;
use crate::rollback::{Stage, points};

pub(super) fn handle(turn: &mut Deciding<'_>, actor: &Actor, note: Option<&str>) -> Result<(), Rejection> {
    let state = &turn.state;
    if turn.program.plan().rollback.is_none() {
        return Err(wrong(turn, "nothing of its workflow can be undone, so there is nothing to go back to"));
    }
    let ends = state.ending.is_some() || state.finally.is_some() || state.undo.stage != Stage::Idle;
    if state.status.is_terminal() || ends {
        return Err(wrong(turn, "its end has begun, or it is being undone"));
    }
    if let Some(path) = points::awaits_verdict(state) {
        let message =
            format!("the work of `{path}` was done and waits for a yes: a point can be made once that is said");
        return Err(wrong(turn, &message));
    }
    let (number, kind) = (state.undo.points.next, PointKind::Asked);
    let (actor, note) = (Some(actor.clone()), note.map(str::to_owned));
    turn.emit(Event::PointMade { number, kind, path: None, actor, note })
}

fn wrong(turn: &Deciding<'_>, message: &str) -> Rejection {
    Rejection::WrongState { status: turn.state.status, message: message.to_owned() }
}
