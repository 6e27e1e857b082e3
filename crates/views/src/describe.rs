//! One line per event, for people who read a journal.
//!
//! Says what happened, never why it matters; values of outputs do not appear.

use skep_model::actor::Actor;
use skep_model::decision::{Autonomy, Judged};
use skep_model::error::Failure;
use skep_model::event::{Event, Then};
use skep_model::ids::{ExecutionId, StepPath};
use skep_model::rollback::{Part, PointKind, Question};
use skep_model::span::print_duration_ms;
use skep_model::time::Timestamp;

use crate::execution::Execution;
use crate::reasons::wanted;

/// The event in one line without a final full stop: `build completed`, `gate asks ada: Ship it?`.
///
/// `execution` is the view just before or just after the event (it knows the number of an attempt); `time` gives
/// the text of a moment.
pub fn describe(event: &Event, execution: &Execution, time: &dyn Fn(Timestamp) -> String) -> String {
    let text = describe_event(event, execution, time);
    match event.path() {
        Some(path) => text.replacen(&**path, &subject(path), 1),
        None => text,
    }
}

/// What a task path is called: `deploy`, `undoing deploy`.
fn subject(path: &str) -> String {
    let (step, part) = Part::split(path);
    match part {
        Part::Step => step.to_owned(),
        Part::Verify => format!("the look whether {step} was done"),
        Part::Rollback => format!("undoing {step}"),
        Part::RollbackVerify => format!("the look whether {step} was undone"),
    }
}

fn describe_event(event: &Event, execution: &Execution, time: &dyn Fn(Timestamp) -> String) -> String {
    match event {
        Event::Started(start) => format!("execution {} started by {}", start.execution, start.actor.label()),
        Event::Scheduled { path, attempt: 1, .. } => format!("{path} began"),
        Event::Scheduled { path, attempt, .. } => format!("{path} began attempt {attempt}"),
        Event::Redelivered { path, delivery } => format!("{path} lost its owner and is delivered again ({delivery})"),
        Event::AttemptFailed { failure, retry_at, .. } => again(event, execution, failure, &time(*retry_at)),
        Event::Proposed { path, .. } => format!("{path} proposes its result"),
        Event::Completed { path, .. } => format!("{path} completed"),
        Event::Failed { path, failure, .. } => format!("{path} failed {}", because(failure)),
        Event::Skipped { path, reason, failure } => {
            format!("{path} skipped ({}){}", reason.as_str(), said(failure.as_ref().map(|failure| &*failure.message)))
        }
        Event::StopAsked { path, then } => format!("{path} is asked to stop, {}", becoming(then)),
        Event::Cancelled { path } => format!("{path} cancelled"),
        Event::CaseTaken { path, case } => format!("{path} {}", choice(*case)),
        Event::Forked { path } => format!("{path} began its branches"),
        Event::BranchEnded { path, branch, status } => {
            format!("branch {} of {path} ended {}", branch + 1, status.as_str())
        }
        Event::LoopBegan { path, count, .. } => format!("{path} began{}", round_count(*count)),
        Event::IterationBegan { path, index } => format!("{path}[{index}] began"),
        Event::IterationEnded { path, index, status } => format!("{path}[{index}] ended {}", status.as_str()),
        Event::ApprovalAsked { .. } | Event::FormAsked { .. } => asks(event, time),
        Event::Escalated { path, to } => format!("{path} waited too long; {to} is told"),
        Event::Decided { path, approved, actor, comment } => decided(path, *approved, actor, comment.as_deref()),
        Event::FormFilled { path, actor } => format!("the form of {path} was filled in by {}", actor.label()),
        Event::WaitBegan { path, until, every_ms: Some(every_ms), .. } => asks_condition(path, *every_ms, *until, time),
        Event::WaitBegan { path, until, signal, .. } => waits(path, *until, signal.as_deref(), time),
        Event::SignalKept { name, actor, .. } => came_early(name, actor),
        Event::SignalTaken { path, name, actor, kept } => {
            format!("{path} took the {}signal {name} from {}", if *kept { "kept " } else { "" }, actor.label())
        }
        Event::Paused { actor } => format!("paused by {}", actor.label()),
        Event::Resumed { actor } => format!("resumed by {}", actor.label()),
        Event::CancelAsked { actor, reason } => format!("cancel asked by {}{}", actor.label(), said(reason.as_deref())),
        Event::ForceAsked { actor, at } => format!("forced end asked by {}, to come at {}", actor.label(), time(*at)),
        Event::TimedOut => "the time of the execution is over; what runs is being stopped".to_owned(),
        Event::Held { reason } => format!("held{}", said(Some(&reason.message))),
        Event::FinallyBegan { status } => format!("finally began; the execution would end {}", status.as_str()),
        Event::Ended { status, failure, .. } => format!("execution {}{}", status.as_str(), why(failure.as_ref())),
        Event::PermitAsked { path, resource } => format!("{} asks for {}", whose(path.as_ref()), wanted(resource)),
        Event::PermitGranted { path, probe } => may_go_on(path.as_ref(), *probe),
        Event::Queued { path } => format!("{path} waits for its turn"),
        Event::ChildAsked { path, attempt, child, .. } => asks_for_child(path, *attempt, child),
        Event::Rerun { actor, from, generation, .. } => run_again(actor, from.as_deref(), *generation),
        Event::UndoKept { .. }
        | Event::CompensationAsked { .. }
        | Event::RollbackBegan { .. }
        | Event::RollbackAsked { .. }
        | Event::GraceOver
        | Event::PointMade { .. }
        | Event::Returned { .. }
        | Event::UndoFailed { .. }
        | Event::RolledBack { .. }
        | Event::UndoConfirmed { .. }
        | Event::UndoDropped { .. }
        | Event::RollbackStopAsked { .. }
        | Event::RollbackEnded { .. }
        | Event::Doubted { .. }
        | Event::QuestionAsked { .. }
        | Event::Answered { .. } => describe_undoing(event, time),
        Event::Judged(decision) => judged(decision),
    }
}

/// A person is asked to decide, or to fill in a form.
fn asks(event: &Event, time: &dyn Fn(Timestamp) -> String) -> String {
    let (path, message, assignee, until, form) = match event {
        Event::ApprovalAsked { path, message, assignee, until, .. } => (path, message, assignee, until, ""),
        Event::FormAsked { path, message, assignee, until } => (path, message, assignee, until, " to fill in a form"),
        // The caller hands over no other event.
        _ => return String::new(),
    };
    format!("{path} asks {}{form}{}{}", whom(assignee), said(Some(message)), end_of_wait(*until, time))
}

/// `attempt 2 of deploy`.
fn attempt_of(execution: &Execution, path: &str) -> String {
    let (step, part) = Part::split(path);
    let step = execution.step(step);
    let attempt = match part {
        Part::Step => Some(step.map_or(0, |step| step.attempts)),
        Part::Rollback => step.and_then(|step| step.rollback.as_ref()).map(|undoing| undoing.attempts),
        Part::Verify | Part::RollbackVerify => None,
    };
    attempt.map_or_else(|| format!("an attempt of {path}"), |attempt| format!("attempt {attempt} of {path}"))
}

fn came_early(signal: &str, actor: &Actor) -> String {
    format!("the signal {signal} from {} came early and is kept", actor.label())
}

fn again(event: &Event, execution: &Execution, failure: &Failure, at: &str) -> String {
    let attempt = event.path().map_or_else(String::new, |path| attempt_of(execution, path));
    format!("{attempt} failed {}; again at {at}", because(failure))
}

fn decided(path: &str, approved: bool, actor: &Actor, comment: Option<&str>) -> String {
    let word = if approved { "approved" } else { "rejected" };
    format!("{path} {word} by {}{}", actor.label(), said(comment))
}

fn why(failure: Option<&Failure>) -> String {
    failure.map(|failure| format!(" {}", because(failure))).unwrap_or_default()
}

/// Events of doubts, questions and undoing.
fn describe_undoing(event: &Event, time: &dyn Fn(Timestamp) -> String) -> String {
    match event {
        Event::UndoKept { path, unsure: true, .. } => format!("{path} may have to be undone"),
        Event::UndoKept { path, problem: Some(failure), .. } => {
            format!("{path} cannot be undone: {}", one_line(&failure.message))
        }
        Event::UndoKept { path, .. } => format!("{path} can be undone"),
        Event::CompensationAsked { path, .. } => format!("{path} asks that everything is undone; what runs is stopped"),
        Event::RollbackAsked { actor, reason, strategy, to, .. } => {
            let far = to.map(|to| format!(" to point {to}")).unwrap_or_default();
            format!("{} wants it undone{far} ({}){}", actor.label(), strategy.as_str(), said(reason.as_deref()))
        }
        Event::GraceOver => "what ran has had its time; it is being stopped".to_owned(),
        Event::PointMade { number, kind, path, .. } => point_made(*number, *kind, path.as_deref()),
        Event::Returned { actor, number, .. } => {
            format!("{} lets it go on from rollback point {number}", actor.label())
        }
        Event::UndoFailed { path, failure } => format!("{path} is not undone {}", because(failure)),
        Event::RollbackBegan { cause, actor, reason, .. } => {
            let by = actor.as_ref().map(|actor| format!(", asked by {}", actor.label())).unwrap_or_default();
            format!("undoing began ({}{by}){}", cause.as_str(), said(reason.as_deref()))
        }
        Event::RolledBack { path, actor: Some(actor), comment } => {
            format!("{path} is undone, says {}{}", actor.label(), said(comment.as_deref()))
        }
        Event::RolledBack { path, .. } => format!("{path} is undone"),
        Event::UndoConfirmed { path } => format!("{path} was done and is undone"),
        Event::UndoDropped { path } => format!("{path} needs no undoing"),
        Event::RollbackStopAsked { actor, reason } => {
            format!("{} stops the undoing{}", actor.label(), said(reason.as_deref()))
        }
        Event::RollbackEnded { status, failure } => {
            format!("undoing ended {}{}", status.as_str(), why(failure.as_ref()))
        }
        Event::Doubted { path, failure: Some(failure) } => {
            format!("{path} ended without an answer {}", because(failure))
        }
        Event::Doubted { path, failure: None } => format!("{path} lost its owner; nobody knows whether it was done"),
        Event::QuestionAsked { path, about: Question::Unknown, to, .. } => {
            format!("{path}: {} is asked: was it done?", whom(to))
        }
        Event::QuestionAsked { path, about: Question::Escalated, to, failure, suggestion, until, .. } => {
            let (asks, end) = (Question::Escalated.asks(*suggestion), end_of_wait(*until, time));
            format!("{path} failed{}; {} is asked: {asks}{end}", why(failure.as_ref()), whom(to))
        }
        Event::Answered { path, approved, actor, comment } => {
            let word = if *approved { "yes" } else { "no" };
            format!("{path}: {} says {word}{}", actor.label(), said(comment.as_deref()))
        }
        // The caller hands over no other event.
        _ => String::new(),
    }
}

fn judged(judged: &Judged) -> String {
    let (path, reason) = (&judged.path, &judged.reason);
    let action = judged.action.as_str();
    match judged.autonomy {
        Some(Autonomy::Suggest) => format!("{path}: {action} is proposed by rule {}: {reason}", judged.rule),
        Some(Autonomy::Off | Autonomy::Act) => format!("{path}: {action} by rule {}: {reason}", judged.rule),
        None => format!("{path}: {action}: {reason}"),
    }
}

fn point_made(number: u32, kind: PointKind, step: Option<&str>) -> String {
    let after = step.map(|step| format!(" after {step}")).unwrap_or_default();
    format!("rollback point {number}{after} ({})", kind.as_str())
}

fn asks_condition(path: &str, every_ms: u64, until: Option<Timestamp>, time: &dyn Fn(Timestamp) -> String) -> String {
    let every = print_duration_ms(every_ms);
    format!("{path} waits for its condition, asked every {every}{}", end_of_wait(until, time))
}

fn asks_for_child(path: &str, attempt: u32, child: &ExecutionId) -> String {
    let attempt = if attempt > 1 { format!(" (attempt {attempt})") } else { String::new() };
    format!("{path} asks for the child execution {child}{attempt}")
}

fn run_again(actor: &Actor, from: Option<&str>, generation: u32) -> String {
    let from = from.map(|from| format!(" from {from}")).unwrap_or_default();
    format!("run again{from} by {} (generation {generation})", actor.label())
}

fn waits(path: &str, until: Option<Timestamp>, signal: Option<&str>, time: &dyn Fn(Timestamp) -> String) -> String {
    match signal {
        Some(signal) => format!("{path} waits for the signal {signal}{}", end_of_wait(until, time)),
        None => format!("{path} waits{}", until.map(|until| format!(" until {}", time(until))).unwrap_or_default()),
    }
}

/// The step, or the execution before its first one.
fn whose(path: Option<&StepPath>) -> &str {
    path.map_or("the execution", |path| path)
}

fn may_go_on(path: Option<&StepPath>, probe: bool) -> String {
    let probe = if probe { ", as the one that finds out whether the other side is back" } else { "" };
    format!("{} may go on{probe}", whose(path))
}

fn choice(case: Option<u32>) -> String {
    case.map_or_else(|| "found no case to take".to_owned(), |case| format!("took case {}", case + 1))
}

fn round_count(count: Option<u32>) -> String {
    match count {
        None => String::new(),
        Some(1) => ", 1 round".to_owned(),
        Some(count) => format!(", {count} rounds"),
    }
}

fn because(failure: &Failure) -> String {
    let like = failure.looks_like.map(|kind| format!(", {}", kind.as_str())).unwrap_or_default();
    format!("({}{like}): {}", failure.kind.as_str(), one_line(&failure.message))
}

/// The first line of a text that may have several.
fn one_line(text: &str) -> &str {
    text.trim().lines().next().unwrap_or_default()
}

fn whom(assignee: &str) -> &str {
    if assignee.is_empty() { "anybody" } else { assignee }
}

fn said(text: Option<&str>) -> String {
    let line = text.map(one_line).filter(|line| !line.is_empty());
    line.map(|line| format!(": {line}")).unwrap_or_default()
}

fn end_of_wait(until: Option<Timestamp>, time: &dyn Fn(Timestamp) -> String) -> String {
    until.map(|until| format!(" (until {})", time(until))).unwrap_or_default()
}

fn becoming(then: &Then) -> String {
    match then {
        Then::Cancelled => "its flow was cancelled".to_owned(),
        Then::Completed => "its join is reached without the rest".to_owned(),
        Then::Failed(failure) => format!("to fail {}", because(failure)),
    }
}
