//! Which events of the journal become records of the audit.
//!
//! | event | record | severity | who |
//! |---|---|---|---|
//! | started | execution_started | info | who started it |
//! | ended | execution_completed, _cancelled, _rolled_back, _failed, rollback_failed | info to critical | engine |
//! | paused, resumed, cancel_asked, force_asked, rerun, rollback_stop_asked | what it says | info, warning | the person |
//! | timed_out, held | execution_timed_out, execution_held | error, warning | engine |
//! | failed | step_failed; of a compensation: compensation_failed | error, critical | engine |
//! | attempt_failed, redelivered, skipped by `on_error`, doubted | the engine's decision | warning | engine |
//! | judged by the table of decisions | failure_judged, with rule, reason and facts | warning | engine |
//! | approval_asked, escalated, decided, form_filled | each hop and each decision | info, warning | the person, engine |
//! | signal_kept, signal_taken unless kept before | signal_received | info | who sent it |
//! | question_asked, answered | the same | warning, info | engine, the person |
//! | compensation_asked, rollback_asked, rollback_began, rolled_back, undo_failed, rollback_ended | the same | info to critical | the person, engine |
//! | point_made by somebody, returned | rollback_point_made, execution_returned | info | the person |
//!
//! Everything else is ordinary scheduling, and the journal has it. Values never appear: of inputs and plans only names
//! and hashes, of failures only class, kind and code (their text may quote what a process printed).

use serde_json::{Value, json};
use skep_model::Map;
use skep_model::actor::Actor;
use skep_model::audit::{Entry, EventType as Kind, Severity};
use skep_model::decision::Judged;
use skep_model::error::Failure;
use skep_model::event::Event;
use skep_model::ids::StepPath;
use skep_model::limits::{AUDIT_NAMES_MAX, AUDIT_TEXT_CHARACTERS_MAX};
use skep_model::message::Start;
use skep_model::rollback::{Part, RollbackCause, Strategy};
use skep_model::status::{Execution as Status, SkipReason};

/// What stands before the tag of an event in the journal's text. Within a text of the JSON its quotes are escaped, so
/// it is found where an object has a key `t` and nowhere else.
const BEFORE_TAG: &str = "\"t\":\"";

/// True if one of a turn's events may become a record: a look at its text, without reading it as JSON.
pub(crate) fn is_wanted(events: &[u8]) -> bool {
    // What is no text is damaged, and shows itself when it is read.
    let Ok(text) = std::str::from_utf8(events) else { return true };
    text.match_indices(BEFORE_TAG).any(|(at, found)| {
        let rest = &text[at + found.len()..];
        is_wanted_tag(&rest[..rest.find('"').unwrap_or(0)])
    })
}

fn is_wanted_tag(tag: &str) -> bool {
    matches!(
        tag,
        "started"
            | "ended"
            | "paused"
            | "resumed"
            | "cancel_asked"
            | "force_asked"
            | "rerun"
            | "rollback_stop_asked"
            | "timed_out"
            | "held"
            | "failed"
            | "attempt_failed"
            | "judged"
            | "redelivered"
            | "skipped"
            | "doubted"
            | "approval_asked"
            | "escalated"
            | "decided"
            | "form_filled"
            | "signal_kept"
            | "signal_taken"
            | "question_asked"
            | "answered"
            | "compensation_asked"
            | "rollback_began"
            | "rollback_asked"
            | "point_made"
            | "returned"
            | "undo_failed"
            | "rolled_back"
            | "rollback_ended"
    )
}

/// The record of an event, without when and on which execution; `None` if it gets none.
pub(crate) fn entry_of(event: &Event) -> Option<Entry> {
    Some(match event {
        Event::Started(start) => started(start),
        Event::Ended { status, failure, .. } => ended(*status, failure.as_ref()),
        Event::Paused { actor } => by(actor, Kind::ExecutionPaused, "paused").changing("running", "paused"),
        Event::Resumed { actor } => by(actor, Kind::ExecutionResumed, "resumed"),
        Event::CancelAsked { actor, reason } => {
            by(actor, Kind::CancelAsked, "asked to cancel").saying("reason", reason).to("cancelling")
        }
        Event::ForceAsked { actor, .. } => {
            by(actor, Kind::CancelAsked, "asked to cancel by force").graded(Severity::Warning)
        }
        Event::Rerun { actor, from, generation, inputs, kept } => {
            let names: Vec<&str> = inputs.keys().map(String::as_str).collect();
            by(actor, Kind::ExecutionRerun, "run again")
                .with("from", from.as_deref().map_or(Value::Null, Value::from))
                .with("generation", *generation)
                .with("inputs", bounded_names(&names))
                .with("kept_steps", kept.len())
        }
        Event::RollbackStopAsked { actor, reason } => by(actor, Kind::RollbackStopped, "asked to stop the rollback")
            .graded(Severity::Warning)
            .saying("reason", reason),
        Event::TimedOut => engine(Kind::ExecutionTimedOut, Severity::Error, "its time is over").ending("failed"),
        Event::Held { reason } => {
            engine(Kind::ExecutionHeld, Severity::Warning, "held until a person looks").because(Some(reason)).to("held")
        }
        Event::Failed { path, failure, .. } => failed(path, failure),
        Event::AttemptFailed { path, failure, .. } => {
            decided(Kind::StepRetried, path, "failed and is tried again").because(Some(failure)).ending("retry")
        }
        Event::Redelivered { path, delivery } => {
            decided(Kind::StepRedelivered, path, "is delivered again by a new owner").with("delivery", *delivery)
        }
        Event::Skipped { path, reason: SkipReason::OnError, failure } => {
            decided(Kind::StepSkipped, path, "failed and is skipped").because(failure.as_ref()).ending("skip")
        }
        Event::Doubted { path, failure } => {
            decided(Kind::OutcomeUnknown, path, "may have done its work or not").because(failure.as_ref()).to("unknown")
        }
        Event::ApprovalAsked { path, assignee, escalations, .. } => {
            let chain: Vec<&str> = escalations.iter().map(|(_, to)| to.as_str()).collect();
            asked(Kind::ApprovalAsked, Severity::Info, path, "waits for a decision", assignee)
                .with("escalates_to", bounded_names(&chain))
        }
        Event::Escalated { path, to } => asked(Kind::Escalated, Severity::Warning, path, "is escalated", to),
        Event::Decided { path, approved, actor, comment } => {
            answered(Kind::ApprovalDecided, path, actor, *approved).saying("comment", comment)
        }
        Event::FormFilled { path, actor } => by(actor, Kind::InputGiven, "filled in a form").at(path),
        Event::SignalKept { name, actor, .. } => signal(None, name, actor),
        Event::SignalTaken { path, name, actor, kept: false } => signal(Some(path), name, actor),
        Event::QuestionAsked { path, about, to, failure, suggestion, escalations, .. } => {
            let chain: Vec<&str> = escalations.iter().map(|(_, to)| to.as_str()).collect();
            asked(Kind::QuestionAsked, Severity::Warning, path, "needs an answer", to)
                .with("question", about.asks(*suggestion))
                .with("escalates_to", bounded_names(&chain))
                .because(failure.as_ref())
        }
        Event::Judged(judged) => judgement(judged)?,
        Event::Answered { path, approved, actor, comment } => {
            answered(Kind::QuestionAnswered, path, actor, *approved).saying("comment", comment)
        }
        Event::CompensationAsked { path, .. } => {
            decided(Kind::CompensationAsked, path, "failed and asks for the execution to be undone")
                .ending("compensate")
        }
        Event::RollbackAsked { actor, reason, strategy, to, .. } => {
            way(by(actor, Kind::RollbackAsked, "asked for it to be undone"), *strategy, *to)
                .graded(Severity::Warning)
                .saying("reason", reason)
        }
        Event::RollbackBegan { cause, actor, reason, failure, strategy, to } => {
            way(began(*cause, actor.as_ref()), *strategy, *to).saying("reason", reason).because(failure.as_ref())
        }
        Event::PointMade { number, actor: Some(actor), note, .. } => {
            by(actor, Kind::RollbackPointMade, "made a rollback point").with("point", *number).saying("note", note)
        }
        Event::Returned { actor, number, generation, .. } => {
            by(actor, Kind::ExecutionReturned, "let it go on from a rollback point")
                .with("point", *number)
                .with("generation", *generation)
                .changing("held", "running")
        }
        Event::UndoFailed { path, failure } => {
            engine(Kind::UndoFailed, Severity::Critical, "stays, and so does what it was built on")
                .at(path)
                .because(Some(failure))
                .ending("failed")
        }
        Event::RolledBack { path, actor, comment } => {
            let entry = match actor {
                Some(actor) => by(actor, Kind::StepRolledBack, "undone by hand"),
                None => engine(Kind::StepRolledBack, Severity::Info, "undone"),
            };
            entry.at(path).to("rolled_back").saying("comment", comment)
        }
        Event::RollbackEnded { status, failure } => rollback_ended(*status, failure.as_ref()),
        Event::Skipped {
            reason:
                SkipReason::NotReached
                | SkipReason::Condition
                | SkipReason::Dependency
                | SkipReason::Rejected
                | SkipReason::Concurrency,
            ..
        }
        | Event::SignalTaken { kept: true, .. }
        | Event::PointMade { actor: None, .. }
        | Event::GraceOver
        | Event::Scheduled { .. }
        | Event::Proposed { .. }
        | Event::Completed { .. }
        | Event::StopAsked { .. }
        | Event::Cancelled { .. }
        | Event::CaseTaken { .. }
        | Event::Forked { .. }
        | Event::BranchEnded { .. }
        | Event::LoopBegan { .. }
        | Event::IterationBegan { .. }
        | Event::IterationEnded { .. }
        | Event::FormAsked { .. }
        | Event::WaitBegan { .. }
        | Event::FinallyBegan { .. }
        | Event::UndoKept { .. }
        | Event::UndoConfirmed { .. }
        | Event::UndoDropped { .. }
        | Event::Queued { .. }
        | Event::ChildAsked { .. }
        | Event::PermitAsked { .. }
        | Event::PermitGranted { .. } => return None,
    })
}

fn started(start: &Start) -> Entry {
    let names: Vec<&str> = start.inputs.keys().map(String::as_str).collect();
    let entry = by(&start.actor, Kind::ExecutionStarted, "started")
        .with("plan_hash", start.plan_hash.to_string())
        .with("definition_hash", start.definition_hash.to_string())
        .with("inputs", bounded_names(&names))
        .with("base_dir", bounded(&start.base_dir));
    match &start.parent {
        Some(parent) => entry.with("parent", parent.execution.as_str()).with("parent_step", &*parent.path),
        None => entry,
    }
}

fn ended(status: Status, failure: Option<&Failure>) -> Entry {
    let (kind, severity) = match status {
        Status::Completed => (Kind::ExecutionCompleted, Severity::Info),
        Status::Cancelled => (Kind::ExecutionCancelled, Severity::Info),
        Status::RolledBack => (Kind::ExecutionRolledBack, Severity::Warning),
        Status::RollbackFailed => (Kind::RollbackFailed, Severity::Critical),
        // No other one ends an execution.
        Status::Failed
        | Status::Pending
        | Status::Running
        | Status::Paused
        | Status::Held
        | Status::Cancelling
        | Status::RollingBack => (Kind::ExecutionFailed, Severity::Error),
    };
    engine(kind, severity, status.as_str()).because(failure).to(status.as_str()).ending(status.as_str())
}

fn failed(path: &StepPath, failure: &Failure) -> Entry {
    let entry = match Part::split(path).1 {
        Part::Step | Part::Verify => engine(Kind::StepFailed, Severity::Error, "failed"),
        Part::Rollback | Part::RollbackVerify => {
            engine(Kind::CompensationFailed, Severity::Critical, "could not be undone")
        }
    };
    entry.at(path).because(Some(failure)).to("failed").ending("failed")
}

fn began(cause: RollbackCause, actor: Option<&Actor>) -> Entry {
    let entry = match actor {
        Some(actor) => by(actor, Kind::RollbackBegan, "asked for it to be undone"),
        None => engine(Kind::RollbackBegan, Severity::Warning, "is undone"),
    };
    entry.graded(Severity::Warning).with("cause", cause.as_str()).to(Status::RollingBack.as_str())
}

fn way(entry: Entry, strategy: Strategy, to: Option<u32>) -> Entry {
    let entry = entry.with("strategy", strategy.as_str());
    to.map_or(entry.clone(), |to| entry.with("to_point", to))
}

fn rollback_ended(status: Status, failure: Option<&Failure>) -> Entry {
    let severity = if status == Status::RolledBack { Severity::Info } else { Severity::Critical };
    engine(Kind::RollbackEnded, severity, "the rollback is over")
        .because(failure)
        .to(status.as_str())
        .ending(status.as_str())
}

fn signal(path: Option<&StepPath>, name: &str, actor: &Actor) -> Entry {
    let entry = by(actor, Kind::SignalReceived, "sent a signal").with("signal", bounded(name));
    path.map_or(entry.clone(), |path| entry.at(path))
}

fn answered(kind: Kind, path: &StepPath, actor: &Actor, approved: bool) -> Entry {
    let word = if approved { "approved" } else { "rejected" };
    by(actor, kind, word).at(path).changing("waiting", word).ending(word)
}

/// A decision of the table. What the definition decided is recorded as what follows from it.
fn judgement(judged: &Judged) -> Option<Entry> {
    let autonomy = judged.autonomy?;
    let entry = decided(Kind::FailureJudged, &judged.path, "failed and was judged")
        .with("rule", judged.rule.as_str())
        .with("autonomy", autonomy.as_str())
        .with("attempt", judged.attempt)
        .with("kind", judged.kind.as_str())
        .with("reason", bounded(&judged.reason))
        .ending(judged.action.as_str());
    Some(match judged.facts {
        Some(facts) => entry
            .with("priority", facts.priority.as_str())
            .with("progress", facts.progress)
            .with("health", facts.health)
            .with("attempts_left", facts.attempts_left),
        None => entry,
    })
}

fn asked(kind: Kind, severity: Severity, path: &StepPath, message: &str, to: &str) -> Entry {
    engine(kind, severity, message).at(path).with("to", bounded(to)).ending("asked")
}

fn decided(kind: Kind, path: &StepPath, message: &str) -> Entry {
    engine(kind, Severity::Warning, message).at(path)
}

fn by(actor: &Actor, kind: Kind, message: &str) -> Entry {
    Entry { source: "journal".to_owned(), ..Entry::new(String::new(), kind, actor.clone(), message) }
}

fn engine(kind: Kind, severity: Severity, message: &str) -> Entry {
    by(&Actor::Engine, kind, message).graded(severity)
}

/// What is said of an event beside its kind.
trait Says {
    fn at(self, path: &StepPath) -> Entry;
    fn graded(self, severity: Severity) -> Entry;
    fn ending(self, outcome: &str) -> Entry;
    fn to(self, after: &str) -> Entry;
    fn changing(self, before: &str, after: &str) -> Entry;
    fn saying(self, name: &str, text: &Option<String>) -> Entry;
    fn because(self, failure: Option<&Failure>) -> Entry;
}

impl Says for Entry {
    fn at(mut self, path: &StepPath) -> Entry {
        self.step = Some(path.to_string());
        self
    }

    fn graded(mut self, severity: Severity) -> Entry {
        self.severity = severity;
        self
    }

    fn ending(mut self, outcome: &str) -> Entry {
        self.outcome = outcome.to_owned();
        self
    }

    fn to(mut self, after: &str) -> Entry {
        self.after = Some(after.into());
        self
    }

    fn changing(mut self, before: &str, after: &str) -> Entry {
        self.before = Some(before.into());
        self.to(after)
    }

    fn saying(self, name: &str, text: &Option<String>) -> Entry {
        match text {
            Some(text) => self.with(name, bounded(text)),
            None => self,
        }
    }

    fn because(self, failure: Option<&Failure>) -> Entry {
        match failure {
            Some(failure) => self.with("failure", of_failure(failure)),
            None => self,
        }
    }
}

fn of_failure(failure: &Failure) -> Value {
    let mut facts: Map<Value> = Map::new();
    facts.insert("class".to_owned(), failure.class.as_str().into());
    facts.insert("kind".to_owned(), failure.kind.as_str().into());
    facts.insert("code".to_owned(), failure.code.as_str().into());
    let numbers =
        [("exit_code", failure.exit_code.map(i64::from)), ("http_status", failure.http_status.map(i64::from))];
    facts.extend(numbers.into_iter().filter_map(|(name, number)| Some((name.to_owned(), number?.into()))));
    json!(facts)
}

/// A text of a person, not longer than a record may carry.
pub(crate) fn bounded(text: &str) -> String {
    text.chars().take(AUDIT_TEXT_CHARACTERS_MAX).collect()
}

fn bounded_names(names: &[&str]) -> Value {
    let mut listed: Vec<String> = names.iter().take(AUDIT_NAMES_MAX).map(|name| bounded(name)).collect();
    if let Some(more @ 1..) = names.len().checked_sub(AUDIT_NAMES_MAX) {
        listed.push(format!("and {more} more"));
    }
    listed.into()
}

#[cfg(test)]
mod tests;
