//! Rollbacks and rollback points. An execution has one rollback at a time, so its id names it.

use axum::http::StatusCode;
use serde_json::json;

use super::super::answer::{Answer, Refusal};
use super::super::asked::Asked;
use super::execute::strategy;
use crate::wire;

/// Begins one: `?strategy=&target_point=`.
pub async fn begin(asked: Asked) -> Result<Answer, Refusal> {
    let row = asked.check_execution(asked.param("execution_id")).await?;
    let wanted = asked.query.get("strategy").map(|word| strategy(word)).transpose()?;
    let to = asked.query.get("target_point").map(|text| point(text)).transpose()?;
    let call = wire::Rollback {
        execution: row.execution_id,
        strategy: wanted,
        to,
        reason: asked.query.get("reason").cloned(),
    };
    let done = asked.call(call).await.map_err(Refusal::into_bad_request)?;
    let id = done.execution_id;
    Ok(Answer::ok(json!({
        "rollback_id": id,
        "status": "initiated",
        "strategy": wanted.map(|strategy| strategy.as_str()),
        "execution_id": id,
    })))
}

fn point(text: &str) -> Result<u32, Refusal> {
    text.parse().map_err(|_| {
        Refusal::bad(format!("`target_point={text}` is no number of a rollback point"), "see rollback-points")
    })
}

/// How the rollback of an execution stands.
pub async fn status(asked: Asked) -> Result<Answer, Refusal> {
    let row = asked.check_execution(asked.param("rollback_id")).await?;
    let mut found = asked.call(wire::RollbackStatus { execution: row.execution_id.clone() }).await?;
    let mut rollback = found["rollback"].take();
    if rollback.is_null() {
        return Err(Refusal::new(StatusCode::NOT_FOUND, format!("{} was not undone", row.execution_id)));
    }
    rollback["id"] = row.execution_id.clone().into();
    rollback["execution_id"] = row.execution_id.into();
    Ok(Answer::ok(json!({ "rollback": rollback })))
}

/// The points that an execution can go back to.
pub async fn points(asked: Asked) -> Result<Answer, Refusal> {
    let row = asked.check_execution(asked.param("execution_id")).await?;
    let points = asked.call(wire::RollbackPoints { execution: row.execution_id }).await?;
    Ok(Answer::ok(points))
}
