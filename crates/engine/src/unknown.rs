//! Questions about steps: was the work done, when nobody can tell, and what now, when a step failed for good.
//!
//! | the attempt ended by | `on_unknown: retry` | `verify` | `ask` |
//! |---|---|---|---|
//! | success | completed | completed | completed |
//! | timeout, crash, network | retry rules | PATH.verify tells | a person tells |
//! | the death of its owner | delivered again | PATH.verify tells | a person tells |
//! | any other failure | retry rules | retry rules | retry rules |
//!
//! "Was done" completes the step, "was not done" goes on as if the failure were clean. A step that is being stopped
//! is not looked at: it ends, and if it has a compensation it is on the stack as unsure.

use serde_json::Value;
use skep_model::Map;
use skep_model::actor::Actor;
use skep_model::error::{Failure, Kind as FailureKind};
use skep_model::event::{Event, Then};
use skep_model::ids::StepPath;
use skep_model::plan::{OnUnknown, Step};
use skep_model::rollback::{Part, Question};
use skep_model::status::Execution as Status;

use crate::codes;
use crate::decide::{Deciding, split};
use crate::lifecycle::{outcome, resume, timer};
use crate::rejection::Rejection;
use crate::state::{InstanceId, Phase};
use crate::steps::results;
use crate::steps::work::arguments;

// ---- doubts ----------------------------------------------------------------------------------------------

/// What is done about an unknown outcome of this step now.
pub(crate) fn policy(turn: &Deciding<'_>, id: InstanceId) -> OnUnknown {
    let instance = turn.state.instance(id);
    let step = turn.program.step(instance.step);
    let stopping = turn.state.frame(instance.frame).stopping;
    if step.read_only || stopping || instance.part != Part::Step { OnUnknown::Retry } else { step.on_unknown() }
}

/// Nobody knows whether the work was done; `None`: its owner died.
pub(crate) fn doubt(turn: &mut Deciding<'_>, id: InstanceId, failure: Option<Failure>) -> Result<(), Rejection> {
    let path = turn.state.instance(id).path.clone();
    let verifies = policy(turn, id) == OnUnknown::Verify;
    let failure = failure.map(|failure| failure.at_step(&path));
    turn.emit(Event::Doubted { path: path.clone(), failure: failure.clone() })?;
    if verifies && verify(turn, id)? { Ok(()) } else { ask(turn, &path, Question::Unknown, String::new(), failure) }
}

/// Performs the step's verification; false if it cannot be performed.
fn verify(turn: &mut Deciding<'_>, id: InstanceId) -> Result<bool, Rejection> {
    let instance = turn.state.instance(id);
    let (step, frame) = (instance.path.clone(), instance.frame);
    let Some(side) = &turn.program.step_program(instance.step).verify else { return Ok(false) };
    let of = format!("`verify` of step `{step}`");
    let Ok(value) = split(arguments(&mut turn.place(frame), &side.templates(), &of))? else { return Ok(false) };
    let recorded = value.map(|value| turn.store(value));
    let path = Part::Verify.of(&step);
    let before = turn.state.find(&path).map_or(0, |id| turn.state.instance(id).delivery);
    turn.emit(Event::Scheduled { path: path.clone(), attempt: 1, delivery: before + 1, arguments: recorded })?;
    let id = turn.state.find(&path).ok_or_else(|| Rejection::Broken(format!("`{path}` was not scheduled")))?;
    turn.perform(id)?;
    Ok(true)
}

/// It was done all the same, and the verification gave `raw`; a person who says so gives nothing.
pub(crate) fn was_done(turn: &mut Deciding<'_>, id: InstanceId, raw: &Map<Value>) -> Result<(), Rejection> {
    // What the step's own outputs are made of may be missing in what the verification gives.
    let outputs = results::named(turn, id, raw)?.unwrap_or_else(|_| raw.clone());
    outcome::was_done(turn, id, raw, outputs)
}

/// It was not done: the flow goes on as after a clean failure, or it is delivered again if nothing failed.
pub(crate) fn was_not_done(turn: &mut Deciding<'_>, id: InstanceId) -> Result<(), Rejection> {
    let instance = turn.state.instance(id);
    let Phase::Doubtful { failure, .. } = instance.phase.clone() else { return Ok(()) };
    let (path, attempt, delivery) = (instance.path.clone(), instance.attempt, instance.delivery + 1);
    match (instance.stop.clone(), failure) {
        (Some(then), _) => outcome::end_stopped(turn, id, then, false),
        (None, Some(failure)) => outcome::repeat_or_fail(turn, id, failure, Map::new()),
        (None, None) => {
            turn.emit(Event::Scheduled { path, attempt, delivery, arguments: None })?;
            turn.perform(id)
        }
    }
}

/// A step about which a question is open, or whose verification runs, is to stop.
pub(crate) fn stop(turn: &mut Deciding<'_>, id: InstanceId, then: Then) -> Result<(), Rejection> {
    let instance = turn.state.instance(id);
    let path = instance.path.clone();
    let Phase::Doubtful { asked: false, .. } = &instance.phase else {
        return match instance.phase.clone() {
            Phase::Questioned { failure, .. } => give_in(turn, &path, failure),
            _ => outcome::end_stopped(turn, id, then, true),
        };
    };
    let Some(side) = turn.state.find(&Part::Verify.of(&path)) else {
        return outcome::end_stopped(turn, id, then, true);
    };
    let (verifies, token) = (turn.state.instance(side).phase == Phase::Performing, turn.token_of(side));
    let side_path = turn.state.instance(side).path.clone();
    if !verifies {
        turn.emit(Event::Cancelled { path: side_path })?;
        return outcome::end_stopped(turn, id, then, true);
    }
    let stops = turn.state.instance(side).stop.is_some();
    turn.emit(Event::StopAsked { path, then })?;
    if !stops {
        turn.emit(Event::StopAsked { path: side_path.clone(), then: Then::Cancelled })?;
        turn.effects.push(skep_model::effect::Effect::Abort { path: side_path, token });
    }
    Ok(())
}

// ---- questions -------------------------------------------------------------------------------------------

/// A step with `on_error: escalate` failed for good: a person is asked. False if nobody is to be asked now.
pub(crate) fn escalate(turn: &mut Deciding<'_>, path: &StepPath, failure: &Failure) -> Result<bool, Rejection> {
    let Some((_, step)) = turn.program.split_path(path) else { return Ok(false) };
    let found = turn.state.find(path).map(|id| turn.state.instance(id).frame);
    if found.is_some_and(|frame| turn.state.frame(frame).stopping) {
        return Ok(false);
    }
    let to = match (&turn.program.step_program(step).escalate_to, found) {
        // Who is asked must not make the question disappear.
        (Some(to), Some(frame)) => {
            turn.text(frame, to, &format_args!("`on_error` of step `{path}`"))?.unwrap_or_default()
        }
        (Some(_) | None, _) => String::new(),
    };
    ask(turn, path, Question::Escalated, to, Some(failure.clone()))?;
    Ok(true)
}

/// A person is asked, and the execution is held until they answer.
pub(crate) fn ask(
    turn: &mut Deciding<'_>,
    path: &StepPath,
    about: Question,
    to: String,
    failure: Option<Failure>,
) -> Result<(), Rejection> {
    turn.emit(Event::QuestionAsked { path: path.clone(), about, to, failure })?;
    hold(turn)
}

/// Holds for the questions that are open. A pause stays one, and so does a hold for another reason.
fn hold(turn: &mut Deciding<'_>) -> Result<(), Rejection> {
    let held = turn.state.status == Status::Held && !turn.state.undelivered;
    if !turn.state.flows() && !held {
        return Ok(());
    }
    let Some(reason) = reason(turn) else { return Ok(()) };
    if turn.state.held.as_ref() == Some(&reason) {
        return Ok(());
    }
    turn.emit(Event::Held { reason })
}

/// What the open questions say to people.
fn reason(turn: &Deciding<'_>) -> Option<Failure> {
    let (mut messages, mut kind, mut code, mut first) = (Vec::new(), None, codes::ESCALATED.id, None);
    for (path, about) in turn.state.questions() {
        let phase = turn.state.find(&path).map(|id| turn.state.instance(id).phase.clone());
        let (message, failure) = match (about, phase) {
            (Question::Escalated, Some(Phase::Questioned { failure, to, .. })) => {
                let whom = if to.is_empty() { "a person" } else { &to };
                (format!("`{path}` failed and {whom} is asked: {}", failure.message), Some(failure.kind))
            }
            (Question::Unknown, Some(Phase::Doubtful { failure: Some(failure), .. })) => {
                (format!("nobody knows whether `{path}` was done: {}", failure.message), Some(failure.kind))
            }
            (Question::Unknown, Some(Phase::Doubtful { failure: None, .. })) => {
                (format!("nobody knows whether `{path}` was done: its owner died"), None)
            }
            (Question::Unknown | Question::Escalated, _) => {
                (format!("nobody knows whether `{path}` was done, so not whether it is to be undone"), None)
            }
        };
        if about == Question::Unknown {
            code = codes::UNKNOWN_OUTCOME.id;
        }
        kind = kind.or(failure);
        first.get_or_insert((path, about));
        messages.push(message);
    }
    let (path, about) = first?;
    let (yes, no) = match about {
        Question::Unknown => ("it was done", "it was not"),
        Question::Escalated => ("try it again", "let it fail"),
    };
    let repeatable = about == Question::Unknown || check_repeatable(turn, &path).is_ok();
    let yes = if repeatable { format!("`skep approve EXECUTION --step {path}` says: {yes}; ") } else { String::new() };
    let hint = format!("{yes}`skep reject EXECUTION --step {path}` says: {no}");
    let failure = Failure::new(kind.unwrap_or(FailureKind::Crash), code, messages.join("; "));
    Some(failure.at_step(&path).with_hint(hint))
}

// ---- answers ---------------------------------------------------------------------------------------------

/// A person answers the open question about the step at `path`.
pub(crate) fn answer(
    turn: &mut Deciding<'_>,
    path: &StepPath,
    about: Question,
    approved: bool,
    actor: &Actor,
    comment: Option<&str>,
) -> Result<(), Rejection> {
    if about == Question::Escalated && approved {
        check_repeatable(turn, path)?;
    }
    let undoing = turn.state.undo.asked;
    let id = turn.state.find(path).filter(|_| !undoing);
    let phase = id.map(|id| turn.state.instance(id).phase.clone());
    let comment = comment.map(str::to_owned);
    turn.emit(Event::Answered { path: path.clone(), approved, actor: actor.clone(), comment })?;
    match (id, phase) {
        (Some(_), Some(Phase::Questioned { failure, .. })) if !approved => give_in(turn, path, failure)?,
        (Some(id), Some(Phase::Doubtful { .. })) if approved => was_done(turn, id, &Map::new())?,
        (Some(id), Some(Phase::Doubtful { failure: Some(_), .. })) => was_not_done(turn, id)?,
        // The event has made it ready for another attempt or delivery.
        (Some(_), _) => {}
        (None, _) if approved => turn.emit(Event::UndoConfirmed { path: path.clone() })?,
        (None, _) => turn.emit(Event::UndoDropped { path: path.clone() })?,
    }
    release(turn, actor)?;
    timer::fire_due(turn)
}

/// A step that failed for good and is not tried again.
fn give_in(turn: &mut Deciding<'_>, path: &StepPath, failure: Failure) -> Result<(), Rejection> {
    let unsure = turn.state.find(path).is_some_and(|id| turn.state.instance(id).unsure);
    turn.emit(Event::Failed { path: path.clone(), failure, outputs: Map::new() })?;
    if unsure { turn.keep_unsure(path) } else { Ok(()) }
}

/// The hold ends with its last question; until then it names those that are left.
pub(crate) fn release(turn: &mut Deciding<'_>, actor: &Actor) -> Result<(), Rejection> {
    if turn.state.status != Status::Held || turn.state.undelivered {
        return Ok(());
    }
    if !turn.state.questions().is_empty() {
        return hold(turn);
    }
    turn.emit(Event::Resumed { actor: actor.clone() })?;
    resume::go_on(turn)
}

/// Resume with open questions: those about failures are answered with "again", one about what was done cannot be.
///
/// # Errors
/// The rejection that says how to answer.
pub(crate) fn check_resume(turn: &Deciding<'_>) -> Result<(), Rejection> {
    let questions = turn.state.questions();
    let unknown = |(_, about): &(&StepPath, &Question)| **about == Question::Unknown;
    let paths: Vec<String> = questions.iter().filter(unknown).map(|(path, _)| path.to_string()).collect();
    if !paths.is_empty() {
        return Err(Rejection::Unanswered { paths });
    }
    questions.keys().try_for_each(|path| check_repeatable(turn, path))
}

/// Tries all steps again about which a person was asked because they failed.
pub(crate) fn repeat_all(turn: &mut Deciding<'_>, actor: &Actor) -> Result<(), Rejection> {
    for (path, about) in turn.state.questions() {
        if about == Question::Escalated {
            turn.emit(Event::Answered { path, approved: true, actor: actor.clone(), comment: None })?;
        }
    }
    Ok(())
}

/// What was done is done: neither a step with others inside nor one whose result is waiting for a decision is performed
/// twice.
fn check_repeatable(turn: &Deciding<'_>, path: &StepPath) -> Result<(), Rejection> {
    let proposed = turn.state.find(path).is_some_and(|id| turn.state.instance(id).proposed);
    let why = match step_at(turn, path) {
        Some(step) if !step.kind.blocks().is_empty() => "holds other steps and cannot be tried again as a whole",
        _ if proposed => "was done already and is not done twice",
        Some(_) | None => return Ok(()),
    };
    Err(Rejection::WrongState { status: turn.state.status, message: format!("`{path}` {why}; reject it") })
}

fn step_at<'a>(turn: &Deciding<'a>, path: &str) -> Option<&'a Step> {
    turn.program.split_path(path).map(|(_, step)| turn.program.step(step))
}
