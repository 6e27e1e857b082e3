//! One line per event, for people who read a journal.
//!
//! Says what happened, never why it matters; values of outputs do not appear.

use skep_model::actor::Actor;
use skep_model::error::Failure;
use skep_model::event::{Event, Then};
use skep_model::status::Step as StepStatus;
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
        Event::Redelivered { path, delivery } => {
            format!("{path} is performed again after its owner was lost (delivery {delivery})")
        }
        Event::AttemptFailed { path, failure, retry_at } => {
            let attempt = execution.step(path).map_or(0, |step| step.attempts);
            format!("attempt {attempt} of {path} failed {}; again at {}", because(failure), time(*retry_at))
        }
        Event::Proposed { path, .. } => format!("{path} proposes its result"),
        Event::Completed { path, .. } => format!("{path} completed"),
        Event::Failed { path, failure, .. } => format!("{path} failed {}", because(failure)),
        Event::Skipped { path, reason, failure } => {
            let why = failure.as_ref().map(|failure| format!(": {}", failure.message)).unwrap_or_default();
            format!("{path} skipped ({}){why}", reason.as_str())
        }
        Event::StopAsked { path, then } => format!("{path} is asked to stop, {}", becoming(then)),
        Event::Cancelled { path } => format!("{path} cancelled"),
        Event::CaseTaken { path, case: Some(case) } => format!("{path} took case {}", case + 1),
        Event::CaseTaken { path, case: None } => format!("{path} took no case; its default follows, if it has one"),
        Event::Forked { path } => format!("{path} began its branches"),
        Event::BranchEnded { path, branch, status } => format!("branch {} of {path} {}", branch + 1, ended(*status)),
        Event::LoopBegan { path, count: Some(1), .. } => format!("{path} began, 1 round"),
        Event::LoopBegan { path, count: Some(count), .. } => format!("{path} began, {count} rounds"),
        Event::LoopBegan { path, count: None, .. } => format!("{path} began"),
        Event::IterationBegan { path, index } => format!("{path}[{index}] began"),
        Event::IterationEnded { path, index, status } => format!("{path}[{index}] {}", ended(*status)),
        Event::ApprovalAsked { .. }
        | Event::Escalated { .. }
        | Event::Decided { .. }
        | Event::FormAsked { .. }
        | Event::FormFilled { .. } => of_people(event, time),
        Event::WaitBegan { .. } | Event::SignalKept { .. } | Event::SignalTaken { .. } => of_waits(event, time),
        Event::Paused { .. }
        | Event::Resumed { .. }
        | Event::CancelAsked { .. }
        | Event::ForceAsked { .. }
        | Event::TimedOut
        | Event::Held { .. }
        | Event::FinallyBegan { .. }
        | Event::Ended { .. } => of_the_whole(event, time),
    }
}

fn of_people(event: &Event, time: &dyn Fn(Timestamp) -> String) -> String {
    match event {
        Event::ApprovalAsked { path, message, assignee, until, .. } => {
            format!("{path} asks {}: {}{}", whom(assignee), one_line(message), end_of_wait(*until, time))
        }
        Event::Escalated { path, to } => format!("{path} waited too long; {to} is told"),
        Event::Decided { path, approved, actor, comment } => {
            let word = if *approved { "approved" } else { "rejected" };
            format!("{path} {word} by {}{}", actor.label(), said(comment.as_deref()))
        }
        Event::FormAsked { path, message, assignee, until } => {
            let message = if message.is_empty() { String::new() } else { format!(": {}", one_line(message)) };
            format!("{path} asks {} to fill in a form{message}{}", whom(assignee), end_of_wait(*until, time))
        }
        Event::FormFilled { path, actor } => format!("the form of {path} was filled in by {}", actor.label()),
        other => unexpected(other),
    }
}

fn of_waits(event: &Event, time: &dyn Fn(Timestamp) -> String) -> String {
    match event {
        Event::WaitBegan { path, until, signal: Some(signal) } => {
            format!("{path} waits for the signal {signal}{}", end_of_wait(*until, time))
        }
        Event::WaitBegan { path, until: Some(until), signal: None } => format!("{path} waits until {}", time(*until)),
        Event::WaitBegan { path, until: None, signal: None } => format!("{path} waits"),
        Event::SignalKept { name, actor, .. } => {
            format!("the signal {name} from {} came before its wait and is kept", actor.label())
        }
        Event::SignalTaken { path, name, actor, kept } => {
            let kept = if *kept { "kept " } else { "" };
            format!("{path} took the {kept}signal {name} from {}", actor.label())
        }
        other => unexpected(other),
    }
}

fn of_the_whole(event: &Event, time: &dyn Fn(Timestamp) -> String) -> String {
    let by = |what: &str, actor: &Actor| format!("{what} by {}", actor.label());
    match event {
        Event::Paused { actor } => by("paused", actor),
        Event::Resumed { actor } => by("resumed", actor),
        Event::CancelAsked { actor, reason } => by("cancel asked", actor) + &said(reason.as_deref()),
        Event::ForceAsked { actor, at } => format!("{}, to end at {}", by("forced end asked", actor), time(*at)),
        Event::TimedOut => "the time of the execution is over; what runs is being stopped".to_owned(),
        Event::Held { reason } => format!("held: {}", one_line(&reason.message)),
        Event::FinallyBegan { status } => format!("finally began; the execution would end {}", status.as_str()),
        Event::Ended { status, failure, .. } => {
            let why = failure.as_ref().map(|failure| format!(" {}", because(failure))).unwrap_or_default();
            format!("execution {}{why}", status.as_str())
        }
        other => unexpected(other),
    }
}

/// Never read by anybody: [`describe`] hands each event to the function that knows it.
fn unexpected(event: &Event) -> String {
    event.path().map(ToString::to_string).unwrap_or_default()
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

fn said(comment: Option<&str>) -> String {
    comment.map(|comment| format!(": {}", one_line(comment))).unwrap_or_default()
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

fn ended(status: StepStatus) -> String {
    match status {
        StepStatus::Completed | StepStatus::Failed | StepStatus::Skipped | StepStatus::Cancelled => {
            status.as_str().to_owned()
        }
        StepStatus::Pending
        | StepStatus::Running
        | StepStatus::Waiting
        | StepStatus::Unknown
        | StepStatus::RolledBack => format!("ended {}", status.as_str()),
    }
}
