//! Approve and Reject: a person decides on a step that waits for it. The order of the journal decides
//! between two people, and between a person and the end of the wait.

use skep_model::message::Decision;

use crate::decide::Deciding;
use crate::rejection::Rejection;
use crate::state::Phase;
use crate::steps::approval;

pub(super) fn handle(turn: &mut Deciding<'_>, decision: &Decision, approved: bool) -> Result<(), Rejection> {
    let waits = |instance: &crate::state::Instance| matches!(instance.phase, Phase::Deciding { .. });
    let id = super::waiting_instance(turn, decision.path.as_ref(), "a decision", waits)?;
    approval::decide(turn, id, approved, &decision.actor, decision.comment.as_deref())
}
