//! `/api/v1/workflows/executions`.

use serde_json::{Value, json};
use skep_definition::moment;
use skep_model::status::{Execution as Status, Step as StepStatus};
use skep_views::execution::Execution;

use super::super::answer::{Answer, Refusal};
use super::super::asked::Asked;
use crate::wire;

/// Executions in one answer, unless `limit` says otherwise.
const LIMIT_DEFAULT: usize = 50;
/// Executions in one answer, at most.
const LIMIT_MAX: usize = 1_000;

/// The newest executions: `?status=&workflow_id=&limit=`.
pub async fn list(asked: Asked) -> Result<Answer, Refusal> {
    let limit = match asked.query.get("limit") {
        None => LIMIT_DEFAULT,
        Some(text) => text.parse().ok().filter(|limit| (1..=LIMIT_MAX).contains(limit)).ok_or_else(|| {
            Refusal::bad(format!("`limit={text}` is no number of executions"), format!("write 1 to {LIMIT_MAX}"))
        })?,
    };
    let statuses = match asked.query.get("status") {
        None => Vec::new(),
        Some(word) => vec![Status::parse(word).ok_or_else(|| {
            let known: Vec<&str> = Status::ALL.into_iter().map(Status::as_str).collect();
            Refusal::bad(format!("there is no status `{word}`"), format!("it is one of {}", known.join(", ")))
        })?],
    };
    let call = wire::List {
        statuses,
        workflow: asked.query.get("workflow_id").cloned(),
        limit,
        cursor: asked.query.get("cursor").cloned(),
        ..wire::List::default()
    };
    let page = asked.call(call).await?;
    let visible = page.executions.iter().filter(|row| asked.check(Some(&row.workflow)).is_ok());
    let rows: Vec<Value> = visible
        .map(|row| {
            json!({
                "execution_id": row.execution_id,
                "template_id": row.workflow,
                "status": row.status.as_str(),
                "start_time": row.started_at,
                "end_time": row.ended_at,
                "error_message": row.error,
                "started_by": row.actor,
                "waiting_for": row.waiting,
            })
        })
        .collect();
    Ok(Answer::ok(json!({ "executions": rows, "next_cursor": page.next })))
}

/// How one execution stands.
pub async fn get(asked: Asked) -> Result<Answer, Refusal> {
    let row = asked.check_execution(asked.param("execution_id")).await?;
    let id = row.execution_id.clone();
    let (view, _) = asked.look(move |desk| desk.reading().view(&id)).await?;
    Ok(Answer::ok(of_view(&row, &view)))
}

/// The object of seed 000.
fn of_view(row: &wire::Row, view: &Execution) -> Value {
    let in_state = |wanted: &[StepStatus]| -> Vec<String> {
        let steps = view.steps().into_iter().filter(|step| wanted.contains(&step.status));
        steps.map(|step| step.path.to_string()).collect()
    };
    let progress = view.progress();
    json!({
        "execution_id": row.execution_id,
        "template_id": row.workflow,
        "name": view.workflow.name,
        "status": view.status.as_str(),
        "progress": progress.figure,
        "current_step": view.active().next().map(|step| step.path.to_string()),
        "completed_steps": in_state(&[StepStatus::Completed]),
        "failed_steps": in_state(&[StepStatus::Failed]),
        "start_time": view.started_at.map(moment::print),
        "end_time": view.ended_at.map(moment::print),
        "error_message": view.failure.as_ref().map(|failure| failure.message.clone()),
        "total_steps": progress.total,
        "waiting_for": row.waiting,
    })
}

/// Cancels it.
pub async fn cancel(asked: Asked) -> Result<Answer, Refusal> {
    let row = asked.check_execution(asked.param("execution_id")).await?;
    let reason = asked.query.get("reason").cloned();
    let done =
        asked.call(wire::Cancel { execution: row.execution_id, reason }).await.map_err(Refusal::into_bad_request)?;
    Ok(Answer::ok(json!({ "status": "cancelled", "execution_id": done.execution_id })))
}
