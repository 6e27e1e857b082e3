//! One line per event, for people who read a journal.
//!
//! Says what happened, never why it matters; values of outputs do not appear.

use skep_model::actor::Actor;
use skep_model::error::Failure;
use skep_model::event::{Event, Then};
use skep_model::ids::ExecutionId;
use skep_model::span::print_duration_ms;
use skep_model::status::Execution as Status;
use skep_model::time::Timestamp;

use crate::execution::Execution;

/// The event in one line without a final full stop: `build completed`, `gate asks ada: Ship it?`.
///
/// `execution` is the view just before or just after the event (it knows the number of an attempt); `time` gives
/// the text of a moment.
pub fn describe(event: &Event, execution: &Execution, time: &dyn Fn(Timestamp) -> String) -> String {
    match event {
        Event::Started(start) => format!("execution {} started by {}", start.execution, start.actor.label()),
        Event::Scheduled { path, attempt: 1, .. } => format!("{path} began"),
        Event::Scheduled { path, attempt, .. } => format!("{path} began attempt {attempt}"),
        Event::Redelivered { path, delivery } => format!("{path} lost its owner and is delivered again ({delivery})"),
        Event::AttemptFailed { path, failure, retry_at } => {
            let attempt = execution.step(path).map_or(0, |step| step.attempts);
            format!("attempt {attempt} of {path} failed {}; again at {}", because(failure), time(*retry_at))
        }
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
        Event::ApprovalAsked { path, message, assignee, until, .. } => {
            format!("{path} asks {}{}{}", whom(assignee), said(Some(message)), end_of_wait(*until, time))
        }
        Event::Escalated { path, to } => format!("{path} waited too long; {to} is told"),
        Event::Decided { path, approved, actor, comment } => {
            let word = if *approved { "approved" } else { "rejected" };
            format!("{path} {word} by {}{}", actor.label(), said(comment.as_deref()))
        }
        Event::FormAsked { path, message, assignee, until } => {
            let (whom, said) = (whom(assignee), said(Some(message)));
            format!("{path} asks {whom} to fill in a form{said}{}", end_of_wait(*until, time))
        }
        Event::FormFilled { path, actor } => format!("the form of {path} was filled in by {}", actor.label()),
        Event::WaitBegan { path, until, every_ms: Some(every_ms), .. } => asks(path, *every_ms, *until, time),
        Event::WaitBegan { path, until, signal, .. } => waits(path, *until, signal.as_deref(), time),
        Event::SignalKept { name, actor, .. } => {
            format!("the signal {name} from {} came early and is kept", actor.label())
        }
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
        Event::Queued { path } => format!("{path} waits for its turn"),
        Event::ChildAsked { path, attempt, child, .. } => asks_for_child(path, *attempt, child),
        Event::Rerun { actor, from, generation, .. } => run_again(actor, from.as_deref(), *generation),
        Event::Ended { status, failure, .. } => ended(*status, failure.as_ref()),
    }
}

fn asks(path: &str, every_ms: u64, until: Option<Timestamp>, time: &dyn Fn(Timestamp) -> String) -> String {
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

fn ended(status: Status, failure: Option<&Failure>) -> String {
    let why = failure.map(|failure| format!(" {}", because(failure))).unwrap_or_default();
    format!("execution {}{why}", status.as_str())
}

fn waits(path: &str, until: Option<Timestamp>, signal: Option<&str>, time: &dyn Fn(Timestamp) -> String) -> String {
    match signal {
        Some(signal) => format!("{path} waits for the signal {signal}{}", end_of_wait(until, time)),
        None => format!("{path} waits{}", until.map(|until| format!(" until {}", time(until))).unwrap_or_default()),
    }
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
    format!("({}): {}", failure.kind.as_str(), one_line(&failure.message))
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
