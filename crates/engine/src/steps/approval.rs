//! A person decides: as a step of its own, before a step acts, or after it has proposed.

use serde_json::json;
use skep_model::Map;
use skep_model::actor::Actor;
use skep_model::error::{Failure, Kind as FailureKind};
use skep_model::event::Event;
use skep_model::ids::StepPath;
use skep_model::plan::{Approval, GateWhen, Kind, OnReject, OnTimeout, StepIndex};
use skep_model::status::SkipReason;

use crate::codes;
use crate::decide::Deciding;
use crate::program::{KindProgram, Question};
use crate::rejection::Rejection;
use crate::state::{FrameId, InstanceId};
use crate::steps;

/// An `approval` step.
pub(crate) fn begin(
    turn: &mut Deciding<'_>,
    frame: FrameId,
    step: StepIndex,
    path: &StepPath,
    approval: &Approval,
) -> Result<(), Rejection> {
    let KindProgram::Approval(question) = &turn.program.step_program(step).kind else {
        return Err(Rejection::Broken(format!("`{path}` is no approval")));
    };
    let timeout_ms = approval.timeout_ms.or(turn.program.step(step).timeout_ms);
    ask(turn, frame, path, question, timeout_ms)
}

/// The question before or after a step with `approve:`.
pub(crate) fn ask_gate(
    turn: &mut Deciding<'_>,
    frame: FrameId,
    step: StepIndex,
    path: &StepPath,
) -> Result<(), Rejection> {
    let gate = turn.program.step(step).approve.as_ref();
    let question = turn.program.step_program(step).gate.as_ref();
    match (gate, question) {
        (Some(gate), Some(question)) => ask(turn, frame, path, question, gate.approval.timeout_ms),
        (None, _) | (_, None) => Err(Rejection::Broken(format!("`{path}` has no gate"))),
    }
}

fn ask(
    turn: &mut Deciding<'_>,
    frame: FrameId,
    path: &StepPath,
    question: &Question,
    timeout_ms: Option<u64>,
) -> Result<(), Rejection> {
    let what = format!("the question of step `{path}`");
    let texts = [&question.message, &question.assignee].into_iter().chain(question.escalate.iter().map(|(_, to)| to));
    let mut values = Vec::new();
    for template in texts {
        match turn.text(frame, template, &what)? {
            Ok(text) => values.push(text),
            Err(failure) => return turn.fail(path, failure, Map::new()),
        }
    }
    let mut values = values.into_iter();
    let (message, assignee) = (values.next().unwrap_or_default(), values.next().unwrap_or_default());
    let mut escalations: Vec<_> =
        question.escalate.iter().map(|(after_ms, _)| turn.now.plus_ms(*after_ms)).zip(values).collect();
    escalations.sort_by_key(|(at, _)| *at);
    let until = timeout_ms.map(|timeout_ms| turn.now.plus_ms(timeout_ms));
    turn.emit(Event::ApprovalAsked { path: path.clone(), message, assignee, until, escalations })?;
    approve_at_once(turn, path)
}

/// Whoever started it has said yes to all of its questions.
fn approve_at_once(turn: &mut Deciding<'_>, path: &StepPath) -> Result<(), Rejection> {
    let approver = turn.state.start.as_ref().and_then(|start| start.choices.approver.clone());
    match (approver, turn.state.find(path)) {
        (Some(approver), Some(id)) => decide(turn, id, true, &approver, Some("approved at the start")),
        (Some(_), None) | (None, _) => Ok(()),
    }
}

/// A decision on a waiting step: by a person, or by the end of the wait.
pub(crate) fn decide(
    turn: &mut Deciding<'_>,
    id: InstanceId,
    approved: bool,
    actor: &Actor,
    comment: Option<&str>,
) -> Result<(), Rejection> {
    let path = turn.state.instance(id).path.clone();
    let comment_text = comment.map(str::to_owned);
    turn.emit(Event::Decided { path: path.clone(), approved, actor: actor.clone(), comment: comment_text })?;
    let outputs = decision_outputs(approved, actor, comment);
    if !approved {
        return reject(turn, id, &path, outputs, actor, comment);
    }
    let (step, _) = turn.step_of(id);
    match (&step.kind, &step.approve) {
        (Kind::Approval(_), _) | (_, None) => turn.complete(&path, outputs),
        (_, Some(gate)) if gate.when == GateWhen::Before => begin_ready(turn, id),
        (_, Some(_)) => complete_proposed(turn, id),
    }
}

pub(crate) fn decision_outputs(approved: bool, actor: &Actor, comment: Option<&str>) -> Map<serde_json::Value> {
    let comment = json!(comment);
    Map::from_iter([
        ("approved".to_owned(), json!(approved)),
        ("by".to_owned(), json!(actor.label())),
        ("comment".to_owned(), comment),
    ])
}

/// Begins a step, or its next attempt, that a decision, a permit or its pause allows, unless the execution stands still: then `resume` does it.
pub(crate) fn begin_ready(turn: &mut Deciding<'_>, id: InstanceId) -> Result<(), Rejection> {
    if !turn.state.flows() {
        return Ok(());
    }
    let instance = turn.state.instance(id);
    let (frame, step, path) = (instance.frame, instance.step, instance.path.clone());
    steps::begin(turn, frame, step, &path)
}

fn complete_proposed(turn: &mut Deciding<'_>, id: InstanceId) -> Result<(), Rejection> {
    let instance = turn.state.instance(id);
    let (path, outputs) = (instance.path.clone(), instance.outputs.clone());
    turn.emit(Event::Completed { path, outputs })
}

fn reject(
    turn: &mut Deciding<'_>,
    id: InstanceId,
    path: &StepPath,
    outputs: Map<serde_json::Value>,
    actor: &Actor,
    comment: Option<&str>,
) -> Result<(), Rejection> {
    if approval_of(turn, id)?.on_reject == OnReject::Continue {
        return turn.complete(path, outputs);
    }
    let said = comment.map(|comment| format!(": {comment}")).unwrap_or_default();
    let message = match actor {
        Actor::Engine => format!("nobody decided on `{path}` in time"),
        Actor::Person { .. } | Actor::Key { .. } | Actor::Agent { .. } | Actor::Trigger { .. } => {
            format!("`{path}` was rejected by {}{said}", actor.label())
        }
    };
    let failure = Failure::new(FailureKind::Rejected, codes::REJECTED.id, message).at_step(path);
    turn.emit(Event::Skipped { path: path.clone(), reason: SkipReason::Rejected, failure: Some(failure) })
}

/// The wait is over.
pub(crate) fn time_over(turn: &mut Deciding<'_>, id: InstanceId) -> Result<(), Rejection> {
    let path = turn.state.instance(id).path.clone();
    match approval_of(turn, id)?.on_timeout {
        OnTimeout::Approve => decide(turn, id, true, &Actor::Engine, Some("nobody decided in time")),
        OnTimeout::Reject => decide(turn, id, false, &Actor::Engine, Some("nobody decided in time")),
        OnTimeout::Fail => {
            let message = format!("nobody decided on `{path}` in time");
            turn.fail(&path, Failure::new(FailureKind::Timeout, codes::WAIT_TIMEOUT.id, message), Map::new())
        }
    }
}

fn approval_of<'a>(turn: &Deciding<'a>, id: InstanceId) -> Result<&'a Approval, Rejection> {
    let (step, _) = turn.step_of(id);
    match (&step.kind, &step.approve) {
        (Kind::Approval(approval), _) => Ok(approval),
        (_, Some(gate)) => Ok(&gate.approval),
        (_, None) => Err(Rejection::Broken(format!("step `{}` asks nobody", step.id))),
    }
}

/// What a proposing step found, for people: the outputs it waits with.
pub(crate) fn propose(
    turn: &mut Deciding<'_>,
    id: InstanceId,
    outputs: Map<serde_json::Value>,
) -> Result<(), Rejection> {
    let instance = turn.state.instance(id);
    let (frame, step, path) = (instance.frame, instance.step, instance.path.clone());
    let outputs = turn.store_map(outputs);
    turn.emit(Event::Proposed { path: path.clone(), outputs })?;
    ask_gate(turn, frame, step, &path)
}
