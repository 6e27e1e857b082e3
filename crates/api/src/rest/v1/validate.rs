//! `POST /api/v1/workflows/validate`.

use serde::Deserialize;
use serde_json::Value;

use super::super::answer::{Answer, Refusal};
use super::super::asked::Asked;
use crate::wire;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Request {
    /// A workflow of the library ..
    workflow_id: Option<String>,
    /// .. or a definition: an object, or its text.
    workflow: Option<Value>,
    level: Option<String>,
    strict_mode: Option<bool>,
}

/// Everything that is wrong with a workflow, at a level.
pub async fn validate(asked: Asked) -> Result<Answer, Refusal> {
    let request: Request = asked.json()?;
    let (level, strict_mode, path) = (request.level, request.strict_mode, std::env::var("PATH").ok());
    let found = match (request.workflow_id, request.workflow) {
        (Some(name), None) => {
            let shown = asked.call(wire::ShowWorkflow { name, version: None }).await?;
            asked.check(Some(&shown.workflow.path))?;
            let name = shown.workflow.path;
            let arguments = Vec::new();
            asked.call(wire::ValidateWorkflow { name, version: None, level, strict_mode, path, arguments }).await?
        }
        (None, Some(definition)) => {
            let text = definition.as_str().map_or_else(|| definition.to_string(), str::to_owned);
            asked.call(wire::ValidateText { text, level, strict_mode, path, arguments: Vec::new() }).await?
        }
        (Some(_), Some(_)) | (None, None) => {
            return Err(Refusal::bad("one of `workflow_id` and `workflow` says what is validated", "give one of them"));
        }
    };
    Ok(Answer::ok(found.to_contract()))
}
