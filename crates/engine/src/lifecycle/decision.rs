//! Approve and Reject: a person decides on a step that waits for it, or answers a question about one. The order of the
//! journal decides between two people, and between a person and the end of the wait.

use skep_model::ids::StepPath;
use skep_model::message::Decision;

use crate::decide::Deciding;
use crate::rejection::Rejection;
use crate::state::Phase;
use crate::steps::approval;
use crate::unknown;

pub(super) fn handle(turn: &mut Deciding<'_>, decision: &Decision, approved: bool) -> Result<(), Rejection> {
    let (actor, comment) = (&decision.actor, decision.comment.as_deref());
    let path = match &decision.path {
        Some(path) => Some(path.clone()),
        None => only_open(turn)?,
    };
    let question = path.as_ref().and_then(|path| turn.state.questions().get(path).copied());
    if let (Some(path), Some(about)) = (&path, question) {
        return unknown::answer(turn, path, about, approved, actor, comment);
    }
    let waits = |instance: &crate::state::Instance| matches!(instance.phase, Phase::Deciding { .. });
    let id = super::waiting_instance(turn, path.as_ref(), "a decision", waits)?;
    approval::decide(turn, id, approved, actor, comment)
}

/// The only step that waits for a yes or a no, if questions about steps are open at all.
fn only_open(turn: &Deciding<'_>) -> Result<Option<StepPath>, Rejection> {
    let questions = turn.state.questions();
    if questions.is_empty() {
        return Ok(None);
    }
    let deciding = turn.state.instances.iter().filter(|instance| matches!(instance.phase, Phase::Deciding { .. }));
    let mut paths: Vec<StepPath> = deciding.map(|instance| instance.path.clone()).collect();
    paths.extend(questions.into_keys());
    paths.sort();
    if paths.len() > 1 {
        let paths = paths.iter().map(ToString::to_string).collect();
        return Err(Rejection::Ambiguous { what: "a decision", paths });
    }
    Ok(paths.pop())
}
