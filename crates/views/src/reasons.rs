//! Why an execution waits, as far as its events say: `{kind, step, since, until, detail}` per reason, in one form for
//! all kinds. What only the store knows (a place in a line, who holds a place) is added by whoever reads it.

use serde_json::{Value, json};
use skep_model::error::FailureParts;
use skep_model::permit::Resource;
use skep_model::time::Timestamp;

use crate::execution::Execution;
use crate::step::{Step, Waiting};

/// What the moments of a wait look like as text.
type Print<'a> = &'a dyn Fn(Timestamp) -> String;

/// The code of attempts that an open circuit breaker refused.
const BREAKER_OPEN: &str = "SKEP-N031";

/// The word for the kind of a reason: `permit`, `breaker`, `retry`, `timer`, `signal`, `decision`, `form`,
/// `condition`, `slot`, `answer`.
pub fn kind(waiting: &Waiting) -> &'static str {
    match waiting {
        Waiting::Decision { .. } => "decision",
        Waiting::Form { .. } => "form",
        Waiting::Signal { .. } => "signal",
        Waiting::Time { .. } => "timer",
        Waiting::NextAttempt { failure, .. } if failure.code == BREAKER_OPEN => "breaker",
        Waiting::NextAttempt { .. } => "retry",
        Waiting::Permit(Resource::Group(_)) => "permit",
        Waiting::Permit(Resource::Breaker(_)) => "breaker",
        Waiting::Condition { .. } => "condition",
        Waiting::Turn => "slot",
        Waiting::Answer { .. } => "answer",
    }
}

/// Adds `kind`, `since`, `until` and `detail` to the entry of a waiting step.
pub(crate) fn explain(entry: &mut Value, execution: &Execution, step: &Step, waiting: &Waiting, time: Print<'_>) {
    entry["kind"] = json!(kind(waiting));
    entry["since"] = json!(step.waiting_since.map(time));
    entry["until"] = json!(until(waiting).map(time));
    entry["detail"] = json!(detail(execution, step, waiting));
}

fn until(waiting: &Waiting) -> Option<Timestamp> {
    match waiting {
        Waiting::Decision { until, .. }
        | Waiting::Form { until, .. }
        | Waiting::Signal { until, .. }
        | Waiting::Answer { until, .. }
        | Waiting::Condition { until, .. } => *until,
        Waiting::Time { until } => Some(*until),
        Waiting::NextAttempt { at, .. } => Some(*at),
        Waiting::Permit(_) | Waiting::Turn => None,
    }
}

fn detail(execution: &Execution, step: &Step, waiting: &Waiting) -> String {
    let by = |who: &str| if who.is_empty() { "anybody".to_owned() } else { who.to_owned() };
    match waiting {
        Waiting::Decision { assignee, escalated_to, .. } => {
            format!("a decision of {}", by(escalated_to.as_deref().unwrap_or(assignee)))
        }
        Waiting::Form { assignee, .. } => format!("answers of {}", by(assignee)),
        Waiting::Signal { name, .. } => format!("the signal `{name}`"),
        Waiting::Time { .. } => "time to pass".to_owned(),
        Waiting::NextAttempt { failure, .. } => {
            let most = execution.shape.step(step.index).attempts_max;
            format!("attempt {} of {most}, after: {}", step.attempts + 1, failure.message)
        }
        Waiting::Permit(resource) => wanted(resource),
        Waiting::Condition { every_ms, .. } => {
            format!("its condition, asked every {}", skep_model::span::print_duration_ms(*every_ms))
        }
        Waiting::Turn => "its turn: as many steps work as `max_parallel` allows".to_owned(),
        Waiting::Answer { about, to, suggestion, .. } => {
            format!("an answer of {}: {}", by(to), about.asks(*suggestion))
        }
    }
}

/// What somebody waits for, in words.
pub fn wanted(resource: &Resource) -> String {
    match resource {
        Resource::Group(group) => {
            format!("a place in the group `{}`, which takes {} at a time", group.group, group.limit)
        }
        Resource::Breaker(breaker) => format!("the circuit breaker `{}`", breaker.name),
    }
}

/// The entry of an execution that waits for its own group before its first step.
pub(crate) fn entry_of_execution(execution: &Execution, time: Print<'_>) -> Option<Value> {
    let (resource, since) = execution.entry.as_ref()?;
    let mut entry = permit(None, resource);
    entry["kind"] = json!("permit");
    entry["since"] = json!(time(*since));
    entry["until"] = Value::Null;
    entry["detail"] = json!(format!("{}; nothing has begun", wanted(resource)));
    Some(entry)
}

/// The entry of something that executions share.
pub(crate) fn permit(step: Option<&str>, resource: &Resource) -> Value {
    let limit = match resource {
        Resource::Group(group) => Some(group.limit),
        Resource::Breaker(_) => None,
    };
    json!({ "step": step, "for": resource.word(), "name": resource.name(), "limit": limit })
}

/// The entry of an execution that is held.
pub(crate) fn held(execution: &Execution, time: Print<'_>) -> Option<Value> {
    let FailureParts { message, step, .. } = &**execution.held.as_ref()?;
    let since = execution.held_since.map(time);
    Some(json!({
        "step": step, "for": "held", "kind": "held", "since": since, "until": null, "detail": message,
    }))
}
