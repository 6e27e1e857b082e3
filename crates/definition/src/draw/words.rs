//! What a step is, in a few words.

use serde_json::Value;
use skep_model::plan::{Join, Order};
use skep_model::span::print_duration_ms;

use crate::outline::{List, Role};
use crate::workflow::{Kind, OnError, Step, Wait};

/// Characters of a script, a message or an expression that are shown.
const SHOWN_CHARACTERS_MAX: usize = 60;

/// The kind and the most telling part of it: `run ./build.sh`, `foreach inputs.hosts, 2 at a time`.
pub(super) fn kind(kind: &Kind) -> String {
    match kind {
        Kind::Run { script, shell } => match shell {
            Some(shell) => format!("run ({shell}) {}", first_line(script)),
            None => format!("run {}", first_line(script)),
        },
        Kind::Uses { action, .. } => format!("uses {action}"),
        Kind::Agent(config) => format!("agent {}", named(config)),
        Kind::Ai(config) => {
            let prompt = config.get("prompt").and_then(Value::as_str).unwrap_or_default();
            format!("ai {}", first_line(prompt))
        }
        Kind::Workflow(config) => format!("workflow {}", named(config)),
        Kind::Approval(approval) => match &approval.assignee {
            Some(assignee) => format!("approval by {}", first_line(assignee)),
            None => "approval".to_owned(),
        },
        Kind::Input { fields, .. } => {
            let names: Vec<&str> = fields.keys().map(String::as_str).collect();
            format!("input of {}", names.join(", "))
        }
        Kind::Wait(wait) => self::wait(wait),
        Kind::Switch { .. } => "switch".to_owned(),
        Kind::Parallel { join, .. } => match join {
            None | Some(Join::All) => "parallel".to_owned(),
            Some(Join::Any) => "parallel, the first one counts".to_owned(),
            Some(Join::Count(count)) => format!("parallel, {count} must succeed"),
        },
        Kind::Foreach { items, max_parallel, .. } => match max_parallel {
            Some(rounds) if *rounds > 1 => format!("foreach {}, {rounds} at a time", value(items)),
            Some(_) | None => format!("foreach {}", value(items)),
        },
        Kind::While { condition, .. } => format!("while {}", bare(condition)),
        Kind::Repeat { times, until, .. } => match (times, until) {
            (Some(times), _) => format!("repeat {} times", value(times)),
            (None, Some(until)) => format!("repeat until {}", bare(until)),
            (None, None) => "repeat".to_owned(),
        },
    }
}

fn wait(wait: &Wait) -> String {
    match wait {
        Wait::Duration(duration) => format!("wait for {}", bare(duration)),
        Wait::Moment(until) => format!("wait until {}", bare(until)),
        Wait::Signal { name, .. } => format!("wait for the signal {}", bare(name)),
        Wait::Condition { condition, .. } => format!("wait until {}", bare(condition)),
    }
}

/// What else decides about a step: condition, retries, what a failure means.
pub(super) fn marks(step: &Step) -> Vec<String> {
    let mut marks = Vec::new();
    if let Some(condition) = &step.condition {
        marks.push(format!("if {}", bare(condition)));
    }
    if let Some(gate) = &step.approve {
        marks.push(format!("approve {}", if gate.before { "before" } else { "after" }));
    }
    if let Some(retry) = &step.retry {
        marks.push(match retry.max_attempts {
            Some(attempts) => format!("{attempts} attempts"),
            None => "retry".to_owned(),
        });
    }
    if let Some(timeout_ms) = step.timeout_ms {
        marks.push(format!("timeout {}", print_duration_ms(timeout_ms)));
    }
    match &step.on_error {
        None | Some(OnError::Fail) => {}
        Some(OnError::Skip) => marks.push("on error skip".to_owned()),
        Some(OnError::Compensate { step: None }) => marks.push("on error undo".to_owned()),
        Some(OnError::Compensate { step: Some(name) }) => marks.push(format!("on error {name}, then undo")),
        Some(OnError::Escalate(asking)) => {
            let chain = asking.target.iter().chain(asking.escalate.iter().map(|(_, to)| to));
            let names: Vec<String> = chain.map(|name| first_line(name)).collect();
            marks.push(format!("on error ask {}", names.join(", then ")).trim_end().to_owned());
        }
    }
    marks.extend(limits(step));
    if let Some(rollback) = &step.rollback {
        marks.push(format!("undo: {}", side(rollback)));
    }
    if step.irreversible {
        marks.push("cannot be undone".to_owned());
    }
    marks
}

/// What else must be free before a step begins.
fn limits(step: &Step) -> Vec<String> {
    let mut marks = Vec::new();
    if let Some(group) = step.later.get("concurrency").and_then(|limit| limit.get("group")) {
        let limit = step.later["concurrency"].get("limit").and_then(Value::as_u64).unwrap_or(1);
        marks.push(format!("{limit} at a time of {}", value(group)));
    }
    if !matches!(step.later.get("circuit_breaker"), None | Some(Value::Bool(false))) {
        marks.push("circuit breaker".to_owned());
    }
    marks
}

/// A step in short form.
fn side(side: &Value) -> String {
    let text = |key: &str| side.get(key).and_then(Value::as_str);
    match (text("run"), text("uses")) {
        (Some(script), _) => format!("run {}", first_line(script)),
        (None, Some(action)) => format!("uses {action}"),
        (None, None) => "by somebody else".to_owned(),
    }
}

/// What a list is called in its owner; `None` for a loop's body and the workflow's own lists.
pub(super) fn list(list: &List, owner: Option<&Step>) -> Option<String> {
    let name = match (list.role, owner.map(|step| &step.kind)) {
        (Role::Branch(index), Some(Kind::Parallel { branches, .. })) => branches[index].name.clone(),
        (Role::Case(index), Some(Kind::Switch { cases, .. })) => format!("when {}", bare(&cases[index].when)),
        (Role::Default, _) => "default".to_owned(),
        (Role::Finally, _) => "finally".to_owned(),
        (Role::Root | Role::Body | Role::Branch(_) | Role::Case(_), _) => return None,
    };
    Some(match list.order {
        Order::Sequence => name,
        Order::Graph => format!("{name} (graph)"),
    })
}

fn named(config: &Value) -> String {
    if let Some(name) = config.get("name").and_then(Value::as_str) {
        return first_line(name);
    }
    let capabilities = config.get("capabilities").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let words: Vec<&str> = capabilities.iter().filter_map(Value::as_str).collect();
    format!("with {}", words.join(", "))
}

fn value(value: &Value) -> String {
    match value {
        Value::String(text) => bare(text),
        other => cut(&other.to_string()),
    }
}

/// An expression without its `${{ }}`, if it is the whole text.
pub(super) fn bare(text: &str) -> String {
    let trimmed = text.trim();
    let inner = trimmed
        .strip_prefix("${{")
        .and_then(|rest| rest.strip_suffix("}}"))
        .filter(|inner| !inner.contains("${{"))
        .unwrap_or(trimmed);
    cut(&inner.split_whitespace().collect::<Vec<_>>().join(" "))
}

/// The first line that says something, with `…` if there is more.
fn first_line(text: &str) -> String {
    let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let says_something = |line: &&str| !line.starts_with('#') && !line.starts_with("set -");
    let line = lines.clone().find(says_something).or_else(|| lines.clone().next()).unwrap_or_default();
    let more = lines.by_ref().filter(says_something).count() > 1;
    let shown = cut(line);
    if more && !shown.ends_with('…') { format!("{shown} …") } else { shown }
}

fn cut(text: &str) -> String {
    let printable = text.chars().map(|letter| if letter.is_control() { ' ' } else { letter });
    if text.chars().count() <= SHOWN_CHARACTERS_MAX {
        return printable.collect();
    }
    printable.take(SHOWN_CHARACTERS_MAX).chain(['…']).collect()
}
