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
use skep_definition::expr::Template;
use skep_model::Map;
use skep_model::actor::Actor;
use skep_model::decision::Action;
use skep_model::error::{Failure, Kind as FailureKind};
use skep_model::event::{Event, Then};
use skep_model::ids::StepPath;
use skep_model::plan::{OnSilence, OnUnknown, Step, StepIndex};
use skep_model::rollback::{Part, Question};
use skep_model::status::Execution as Status;
use skep_model::time::Timestamp;

use crate::codes;
use crate::decide::{Deciding, split};
use crate::judge;
use crate::lifecycle::{outcome, resume, timer};
use crate::rejection::Rejection;
use crate::state::{FrameId, InstanceId, Phase, Questioned};
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
    if verifies && verify(turn, id)? { Ok(()) } else { ask_whether_done(turn, &path, failure) }
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
            Phase::Questioned(question) => give_in(turn, &path, question.failure),
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

/// A step failed for good and a person is asked about it. False if nobody is to be asked now.
pub(crate) fn escalate(
    turn: &mut Deciding<'_>,
    path: &StepPath,
    failure: &Failure,
    suggestion: Option<Action>,
) -> Result<bool, Rejection> {
    let Some((_, step)) = turn.program.split_path(path) else { return Ok(false) };
    let found = turn.state.find(path).map(|id| turn.state.instance(id).frame);
    if found.is_some_and(|frame| turn.state.frame(frame).stopping) {
        return Ok(false);
    }
    let mut whom = whom(turn, path, step, found)?;
    whom.suggestion = suggestion;
    ask(turn, path, Question::Escalated, Some(failure.clone()), whom)?;
    Ok(true)
}

/// Who is asked about a failure of a step, and who is told when.
fn whom(turn: &Deciding<'_>, path: &StepPath, step: StepIndex, frame: Option<FrameId>) -> Result<Whom, Rejection> {
    let Some(asking) = turn.program.asking(step) else { return Ok(Whom::default()) };
    let Some(program) = &turn.program.step_program(step).asking else { return Ok(Whom::default()) };
    let what = format_args!("`on_error` of step `{path}`");
    // Who is asked must not make the question disappear.
    let text = |template: &Template| match frame {
        Some(frame) => Ok::<String, Rejection>(turn.text(frame, template, &what)?.unwrap_or_default()),
        None => Ok(String::new()),
    };
    let hop = |(after_ms, to): &(u64, Template)| Ok((turn.now.plus_ms(*after_ms), text(to)?));
    Ok(Whom {
        to: text(&program.to)?,
        until: asking.timeout_ms.map(|timeout_ms| turn.now.plus_ms(timeout_ms)),
        escalations: program.escalate.iter().map(hop).collect::<Result<_, Rejection>>()?,
        suggestion: None,
    })
}

/// Who is asked, until when, and what is proposed to them.
#[derive(Default)]
struct Whom {
    to: String,
    until: Option<Timestamp>,
    escalations: Vec<(Timestamp, String)>,
    suggestion: Option<Action>,
}

/// Somebody who can look is asked whether the work of a step was done.
pub(crate) fn ask_whether_done(
    turn: &mut Deciding<'_>,
    path: &StepPath,
    failure: Option<Failure>,
) -> Result<(), Rejection> {
    ask(turn, path, Question::Unknown, failure, Whom::default())
}

/// A person is asked, and the execution is held until they answer.
fn ask(
    turn: &mut Deciding<'_>,
    path: &StepPath,
    about: Question,
    failure: Option<Failure>,
    whom: Whom,
) -> Result<(), Rejection> {
    let Whom { to, until, escalations, suggestion } = whom;
    turn.emit(Event::QuestionAsked { path: path.clone(), about, to, failure, suggestion, until, escalations })?;
    hold(turn)
}

/// The next end or escalation of a question is due.
pub(crate) fn due(turn: &mut Deciding<'_>, id: InstanceId) -> Result<(), Rejection> {
    let instance = turn.state.instance(id);
    let (path, step) = (instance.path.clone(), instance.step);
    let Phase::Questioned(question) = &instance.phase else { return Ok(()) };
    if question.until.is_none_or(|until| until > turn.now) {
        let to = question.escalations.front().map(|(_, to)| to.clone()).unwrap_or_default();
        turn.emit(Event::Escalated { path, to })?;
        // The hold names who is asked now.
        return hold(turn);
    }
    let wants = turn.program.asking(step).map(|asking| asking.on_timeout).unwrap_or_default();
    let approved = wants == OnSilence::Retry && check_possible(turn, &path).is_ok();
    answer(turn, &path, Question::Escalated, approved, &Actor::Engine, Some("nobody answered in time"))
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
            (Question::Escalated, Some(Phase::Questioned(question))) => {
                let (failure, to) = (&question.failure, &question.to);
                let whom = if to.is_empty() { "a person" } else { to };
                let proposal = question.suggestion.map(|action| format!(" (proposed: {})", action.as_str()));
                let proposal = proposal.unwrap_or_default();
                (format!("`{path}` failed and {whom} is asked{proposal}: {}", failure.message), Some(failure.kind))
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
        Question::Escalated => (meaning(yes_of(turn, &path)), "let it fail"),
    };
    let possible = about == Question::Unknown || check_possible(turn, &path).is_ok();
    let yes = if possible { format!("`skep approve EXECUTION --step {path}` says: {yes}; ") } else { String::new() };
    let hint = format!("{yes}`skep reject EXECUTION --step {path}` says: {no}");
    let failure = Failure::new(kind.unwrap_or(FailureKind::Crash), code, messages.join("; "));
    Some(failure.at_step(&path).with_hint(hint))
}

/// What a yes to the question about a failure means.
fn yes_of(turn: &Deciding<'_>, path: &str) -> Action {
    let phase = turn.state.find(path).map(|id| &turn.state.instance(id).phase);
    if let Some(Phase::Questioned(question)) = phase { question.yes() } else { Action::Retry }
}

fn meaning(yes: Action) -> &'static str {
    match yes {
        Action::Skip => "it counts as done, without a result",
        Action::Continue => "go on without it and what needs it",
        Action::Retry | Action::Abort | Action::Escalate => "try it again",
    }
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
        check_possible(turn, path)?;
    }
    let undoing = turn.state.undo.asked;
    let id = turn.state.find(path).filter(|_| !undoing);
    let phase = id.map(|id| turn.state.instance(id).phase.clone());
    let comment = comment.map(str::to_owned);
    turn.emit(Event::Answered { path: path.clone(), approved, actor: actor.clone(), comment })?;
    match (id, phase) {
        (Some(_), Some(Phase::Questioned(question))) if approved => carry_out(turn, path, *question)?,
        (Some(_), Some(Phase::Questioned(question))) => give_in(turn, path, question.failure)?,
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

/// What was proposed about a failure is done. A step that is tried again was made ready by the answer.
fn carry_out(turn: &mut Deciding<'_>, path: &StepPath, question: Questioned) -> Result<(), Rejection> {
    match question.yes() {
        Action::Retry => Ok(()),
        action => end_unsure(turn, path, |turn| judge::without(turn, path, action, question.failure, Map::new())),
    }
}

/// A step that failed for good and is not tried again.
fn give_in(turn: &mut Deciding<'_>, path: &StepPath, failure: Failure) -> Result<(), Rejection> {
    let outputs = Map::new();
    end_unsure(turn, path, |turn| turn.emit(Event::Failed { path: path.clone(), failure, outputs, handled: false }))
}

/// Ends a step; if an attempt may have done its work, that can be undone.
fn end_unsure(
    turn: &mut Deciding<'_>,
    path: &StepPath,
    end: impl FnOnce(&mut Deciding<'_>) -> Result<(), Rejection>,
) -> Result<(), Rejection> {
    let unsure = turn.state.find(path).is_some_and(|id| turn.state.instance(id).unsure);
    end(turn)?;
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

/// Resume with open questions: those about failures are answered with a yes, one about what was done cannot be.
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
    questions.keys().try_for_each(|path| check_possible(turn, path))
}

/// A yes to all questions about steps that failed: they are tried again, or what was proposed is done.
pub(crate) fn repeat_all(turn: &mut Deciding<'_>, actor: &Actor) -> Result<(), Rejection> {
    for (path, about) in turn.state.questions() {
        if about == Question::Escalated {
            let phase = turn.state.find(&path).map(|id| turn.state.instance(id).phase.clone());
            turn.emit(Event::Answered { path: path.clone(), approved: true, actor: actor.clone(), comment: None })?;
            if let Some(Phase::Questioned(question)) = phase {
                carry_out(turn, &path, *question)?;
            }
        }
    }
    Ok(())
}

/// Whether a yes can be done. What was done is done: neither a step with others inside nor one whose result is waiting
/// for a decision is performed twice.
fn check_possible(turn: &Deciding<'_>, path: &StepPath) -> Result<(), Rejection> {
    let proposed = turn.state.find(path).is_some_and(|id| turn.state.instance(id).proposed);
    let why = match step_at(turn, path) {
        _ if yes_of(turn, path) != Action::Retry => return Ok(()),
        Some(step) if !step.kind.blocks().is_empty() => "holds other steps and cannot be tried again as a whole",
        _ if proposed => "was done already and is not done twice",
        Some(_) | None => return Ok(()),
    };
    Err(Rejection::WrongState { status: turn.state.status, message: format!("`{path}` {why}; reject it") })
}

fn step_at<'a>(turn: &Deciding<'a>, path: &str) -> Option<&'a Step> {
    turn.program.split_path(path).map(|(_, step)| turn.program.step(step))
}
