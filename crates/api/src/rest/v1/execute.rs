//! `POST /api/v1/workflows/execute`.

use axum::http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};
use skep_model::Map;
use skep_model::access::Right;
use skep_model::rollback::Strategy;
use skep_node::clock;

use super::super::answer::{Answer, Refusal};
use super::super::asked::Asked;
use crate::wire;

/// Variables of the server that executions get.
const PASSED: [&str; 5] = ["PATH", "HOME", "USER", "LANG", "TZ"];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Request {
    workflow_id: String,
    #[serde(default)]
    parameters: Map<Value>,
    #[serde(default)]
    trigger_context: Value,
    #[serde(default)]
    auto_approve: bool,
    validation_level: Option<String>,
    rollback_strategy: Option<String>,
}

/// Starts an execution. What it answers is durable.
pub async fn execute(asked: Asked) -> Result<Answer, Refusal> {
    let request: Request = asked.json()?;
    let name = request.workflow_id.clone();
    let template = asked.look(move |desk| desk.reading().template(&name, clock::now())).await?;
    let path = template.entry.path.clone();
    asked.check(Some(&path))?;
    if request.auto_approve {
        asked.check_right(Right::Approve, Some(&path))?;
    }
    let rollback_strategy = request.rollback_strategy.as_deref().map(strategy).transpose()?;
    if let Some(level) = request.validation_level {
        validate(&asked, &path, level).await?;
    }
    let start = wire::Start {
        source: wire::Source::Library { name: path, version: None },
        inputs: request.parameters,
        arguments: Vec::new(),
        base_dir: None,
        environment: environment(),
        idempotency_key: idempotency_key(&asked)?,
        rollback_strategy,
        auto_approve: request.auto_approve,
        event: request.trigger_context,
    };
    let started = asked.call(start).await?;
    let message = match started.existing {
        true => format!("{} was started with this key before", started.execution_id),
        false => format!("{} is under way", template.entry.name),
    };
    Ok(Answer::ok(json!({
        "execution_id": started.execution_id,
        "status": "started",
        "message": message,
        "estimated_duration": template.estimated_duration,
        "validation_passed": true,
        "rollback_prepared": template.rollback_enabled,
    })))
}

/// A word of `rollback_strategy`.
pub fn strategy(word: &str) -> Result<Strategy, Refusal> {
    Strategy::from_word(word).ok_or_else(|| {
        let known = "graceful, immediate, checkpoint, manual";
        Refusal::bad(format!("there is no rollback strategy `{word}`"), format!("it is one of {known}"))
    })
}

/// Refuses a workflow that is not valid at this level.
async fn validate(asked: &Asked, path: &str, level: String) -> Result<(), Refusal> {
    let search_path = std::env::var("PATH").ok();
    let call = wire::ValidateWorkflow {
        name: path.to_owned(),
        version: None,
        level: Some(level),
        strict_mode: None,
        path: search_path,
        arguments: Vec::new(),
    };
    let found = asked.call(call).await?;
    if found.report.valid {
        return Ok(());
    }
    Err(Refusal::of_report(StatusCode::BAD_REQUEST, format!("{path} is not valid"), &found.report))
}

fn idempotency_key(asked: &Asked) -> Result<Option<String>, Refusal> {
    let Some(value) = asked.headers.get("idempotency-key") else { return Ok(None) };
    let key =
        value.to_str().map_err(|_| Refusal::bad("Idempotency-Key is not plain text", "use letters and digits"))?;
    Ok(Some(key.to_owned()))
}

fn environment() -> Map<String> {
    let passed = |(name, value): (String, String)| {
        (PASSED.contains(&name.as_str()) || name.starts_with("LC_")).then_some((name, value))
    };
    let text = |(name, value): (std::ffi::OsString, std::ffi::OsString)| {
        Some((name.into_string().ok()?, value.into_string().ok()?))
    };
    std::env::vars_os().filter_map(text).filter_map(passed).collect()
}
