//! The outer contract: the one JSON value that `run`, `status` and their REST and MCP twins answer with.
//!
//! Keys and their types never change; all are always there, but for `rollback`, which is there once a rollback began. Whoever calls decides how a payload becomes a value
//! (a blob up to `limits::ANSWER_VALUE_BYTES_MAX` whole, above it as `{"blob", "size_bytes"}`) and how a moment
//! becomes text.

use serde_json::{Value, json};
use skep_model::Map;
use skep_model::decision::Action;
use skep_model::error::Failure;
use skep_model::payload::Payload;
use skep_model::time::Timestamp;

use crate::execution::{Execution, RoundResult};
use crate::reasons;
use crate::step::{Step, Waiting};

/// The answer:
///
/// ```json
/// {"execution_id": "..", "workflow": "..", "status": "..", "started_at": "..", "ended_at": null,
///  "outputs": {}, "error": null, "held": null,
///  "waiting": [{"step": "gate", "for": "decision", "message": "..", "assignee": "..", "until": null,
///               "escalated_to": null, "proposed": null}],
///  "steps": {"PATH": {"status": "..", "attempts": 1, "outputs": {}, "error": null, "reason": null}}}
/// ```
/// `execution_id` and `started_at` are null before the first turn. `error` and `held` are null or
/// `{class, kind, code, message, hint, step, exit_code}`. `for` is `decision`, `form` (message, assignee, until),
/// `signal` (name, until), `time` (until), `answer` (message, assignee, error), `next_attempt` (at, error), `condition`
/// (every_ms, until) or `turn` (of `max_parallel`); `proposed` holds the outputs that a decision is about. `time` gives
/// the text of a moment. Once a rollback began there is
/// `"rollback": {"cause": "failure", "status": "rolled_back", "undone": 2, "left": 0}`, and in the entry of a step whose
/// compensation began `"rollback": {"status": "completed", "attempts": 1, "error": null}`.
///
/// Three keys stand there only where they say something: `generation` of the execution and of a step after a rerun
/// (2 or more), `parent` of a child execution (`{"execution_id", "step"}`), `child` of a step that has one (its id).
///
/// `group` and `breaker` (name, limit) are what executions share, `held` is the whole execution's. Every entry of
/// `waiting` has `kind` (`permit`, `breaker`, `retry`, `timer`, `signal`, `decision`, `form`, `condition`, `slot`,
/// `answer`, `held`), `since`, `until` and `detail` (a text for people); `step` is null if the whole execution waits.
pub fn answer(
    execution: &Execution,
    value_of: &mut dyn FnMut(&Payload) -> Value,
    time: &dyn Fn(Timestamp) -> String,
) -> Value {
    let mut steps = serde_json::Map::new();
    for step in execution.steps() {
        steps.insert(step.path.to_string(), step_entry(execution, step, value_of));
    }
    let mut waiting: Vec<Value> = reasons::entry_of_execution(execution, time).into_iter().collect();
    for step in execution.waiting() {
        let (Some(mut entry), Some(cause)) = (waiting_entry(step, value_of, time), &step.waiting) else { continue };
        reasons::explain(&mut entry, execution, step, cause, time);
        waiting.push(entry);
    }
    // Held for questions: those are listed.
    let asked = execution.waiting().any(|step| matches!(step.waiting, Some(Waiting::Answer { .. })));
    waiting.extend(reasons::held(execution, time).filter(|_| !asked));
    let mut answer = json!({
        "execution_id": execution.id.as_ref().map(|id| id.as_str()),
        "workflow": execution.workflow.id,
        "status": execution.status.as_str(),
        "started_at": execution.started_at.map(time),
        "ended_at": execution.ended_at.map(time),
        "outputs": values(&execution.outputs, value_of),
        "error": error(execution.failure.as_ref()),
        "held": error(execution.held.as_ref()),
        "waiting": waiting,
        "steps": steps,
    });
    if let Some(rollback) = &execution.rollback {
        answer["rollback"] = json!({
            "cause": rollback.cause.as_str(),
            "status": rollback.status.as_str(),
            "undone": rollback.undone,
            "left": execution.left_to_undo(),
        });
    }
    say_generation(&mut answer, execution.generation);
    if let Some(parent) = &execution.parent {
        answer["parent"] = json!({ "execution_id": parent.execution.as_str(), "step": &*parent.path });
    }
    answer
}

/// One step as [`answer`] has it under its path. Of a loop that began, `outputs` is
/// `{"results": [{"status": "..", "outputs": {"STEP_ID": {}}}]}`, null for a round that still runs.
pub fn step_entry(execution: &Execution, step: &Step, value_of: &mut dyn FnMut(&Payload) -> Value) -> Value {
    let outputs = match execution.results(&step.path) {
        Some(results) => {
            let results: Vec<Value> = results.iter().map(|result| round(result.as_ref(), value_of)).collect();
            json!({ "results": results })
        }
        None => values(&step.outputs, value_of),
    };
    let mut entry = json!({
        "status": step.status.as_str(),
        "attempts": step.attempts,
        "outputs": outputs,
        "error": error(step.failure.as_ref()),
        "reason": step.reason.map(|reason| reason.as_str()),
    });
    if let Some(undoing) = &step.rollback {
        entry["rollback"] = json!({
            "status": undoing.status.as_str(),
            "attempts": undoing.attempts,
            "error": error(undoing.failure.as_ref()),
        });
    }
    say_generation(&mut entry, step.generation);
    if let Some(child) = &step.child {
        entry["child"] = json!(child.as_str());
    }
    entry
}

/// The first run is a matter of course.
fn say_generation(entry: &mut Value, generation: u32) {
    if generation > 1 {
        entry["generation"] = json!(generation);
    }
}

fn round(result: Option<&RoundResult<'_>>, value_of: &mut dyn FnMut(&Payload) -> Value) -> Value {
    let Some(result) = result else { return Value::Null };
    let mut outputs = serde_json::Map::new();
    for (id, payloads) in &result.outputs {
        outputs.insert((*id).to_owned(), values(payloads, value_of));
    }
    json!({ "status": result.status.as_str(), "outputs": outputs })
}

fn values(payloads: &Map<Payload>, value_of: &mut dyn FnMut(&Payload) -> Value) -> Value {
    Value::Object(payloads.iter().map(|(name, payload)| (name.clone(), value_of(payload))).collect())
}

/// A failure as answers show it: the seven keys of the contract, or null.
pub fn error(failure: Option<&Failure>) -> Value {
    let Some(failure) = failure else { return Value::Null };
    json!({
        "class": failure.class.as_str(),
        "kind": failure.kind.as_str(),
        "code": failure.code,
        "message": failure.message,
        "hint": failure.hint,
        "step": failure.step,
        "exit_code": failure.exit_code,
    })
}

fn waiting_entry(
    step: &Step,
    value_of: &mut dyn FnMut(&Payload) -> Value,
    time: &dyn Fn(Timestamp) -> String,
) -> Option<Value> {
    let path = &*step.path;
    Some(match step.waiting.as_ref()? {
        Waiting::Decision { message, assignee, until, escalated_to, proposed } => json!({
            "step": path, "for": "decision", "message": message, "assignee": assignee, "until": until.map(time),
            "escalated_to": escalated_to, "proposed": proposed.then(|| values(&step.outputs, value_of)),
        }),
        Waiting::Form { message, assignee, until } => json!({
            "step": path, "for": "form", "message": message, "assignee": assignee, "until": until.map(time),
        }),
        Waiting::Signal { name, until } => {
            json!({ "step": path, "for": "signal", "name": name, "until": until.map(time) })
        }
        Waiting::Time { until } => json!({ "step": path, "for": "time", "until": time(*until) }),
        Waiting::Answer { about, to, failure, suggestion, until } => json!({
            "step": path, "for": "answer", "message": about.asks(*suggestion), "assignee": to,
            "error": error(failure.as_ref()), "suggestion": suggestion.map(Action::as_str), "until": until.map(time),
        }),
        Waiting::Condition { until, every_ms } => {
            json!({ "step": path, "for": "condition", "every_ms": every_ms, "until": until.map(time) })
        }
        Waiting::Turn => json!({ "step": path, "for": "turn" }),
        Waiting::NextAttempt { at, failure } => {
            json!({ "step": path, "for": "next_attempt", "at": time(*at), "error": error(Some(failure)) })
        }
        Waiting::Permit(resource) => reasons::permit(Some(path), resource),
    })
}
