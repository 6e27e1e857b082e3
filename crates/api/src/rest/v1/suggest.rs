//! `POST /api/v1/workflows/suggest`.

use serde::Deserialize;
use serde_json::json;
use skep_node::{clock, service};

use super::super::answer::{Answer, Refusal};
use super::super::asked::Asked;

/// Suggestions in one answer.
const LIMIT: usize = 5;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Request {
    #[serde(default)]
    context: String,
    #[serde(default)]
    intent: String,
    #[serde(default)]
    recent_commands: Vec<String>,
}

/// The workflows that fit what somebody is about to do.
pub async fn suggest(asked: Asked) -> Result<Answer, Refusal> {
    let request: Request = asked.json()?;
    let mut templates = asked.look(|desk| desk.reading().templates(clock::now())).await?;
    templates.retain(|template| asked.check(Some(&template.entry.path)).is_ok());
    let words = format!("{} {} {}", request.context, request.intent, request.recent_commands.join(" "));
    let found = service::suggest(&templates, &words, LIMIT);
    let suggestions: Vec<_> = found
        .iter()
        .map(|found| {
            json!({
                "workflow_id": found.workflow,
                "name": found.name,
                "confidence": found.confidence,
                "matched": found.because,
            })
        })
        .collect();
    Ok(Answer::ok(json!({ "suggestions": suggestions })))
}
