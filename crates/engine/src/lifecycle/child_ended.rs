//! ChildEnded: a child execution is terminal, or could not be started. Recorded in every state that is not terminal.

use skep_model::message::ChildEnded;

use crate::decide::Deciding;
use crate::rejection::Rejection;
use crate::state::Phase;
use crate::steps::child;

pub(super) fn handle(turn: &mut Deciding<'_>, ended: &ChildEnded) -> Result<(), Rejection> {
    let stale = || Rejection::Stale { path: ended.path.to_string() };
    let id = turn.state.find(&ended.path).ok_or_else(stale)?;
    match &turn.state.instance(id).phase {
        Phase::Child { id: child, .. } if *child == ended.child => {
            child::ended(turn, id, ended)?;
            if ended.can_be_undone { turn.keep_child(&ended.path, &ended.child) } else { Ok(()) }
        }
        _ => Err(stale()),
    }
}
