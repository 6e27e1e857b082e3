//! `/api/v1/workflows/templates`: the library.

use serde_json::{Value, json};
use skep_definition::check::Level;
use skep_model::access::Right;
use skep_model::problem::Severity;
use skep_node::clock;
use skep_node::service::{self, Template};

use super::super::answer::{Answer, Refusal};
use super::super::asked::Asked;
use crate::wire;

/// All that the caller may see: `?category=`.
pub async fn list(asked: Asked) -> Result<Answer, Refusal> {
    let templates = asked.look(|desk| desk.reading().templates(clock::now())).await?;
    let category = asked.query.get("category");
    let wanted = templates.iter().filter(|template| category.is_none_or(|category| template.category == *category));
    let visible = wanted.filter(|template| asked.check(Some(&template.entry.path)).is_ok());
    Ok(Answer::ok(json!({ "templates": visible.map(of_template).collect::<Vec<_>>() })))
}

/// One, with its definition and what would make it better.
pub async fn get(asked: Asked) -> Result<Answer, Refusal> {
    let name = asked.param("template_id").to_owned();
    let template = asked.look(move |desk| desk.reading().template(&name, clock::now())).await?;
    asked.check(Some(&template.entry.path))?;
    let report = service::validate(&template.text, Level::Strict, &skep_node::catalogue::build());
    let better = report.problems.iter().filter(|problem| problem.severity != Severity::Error);
    let recommendations: Vec<String> = better.map(|problem| problem.message.clone()).collect();
    let mut object = of_template(&template);
    object["definition"] = template.text.clone().into();
    Ok(Answer::ok(json!({ "template": object, "recommendations": recommendations })))
}

/// Adds the body, a definition in any of the spellings.
pub async fn create(asked: Asked) -> Result<Answer, Refusal> {
    let text = std::str::from_utf8(&asked.body).map_err(|_| Refusal::bad("the body is not UTF-8", ""))?.to_owned();
    // Where it will stand is known once it is read; whoever may not write everywhere is asked about that place.
    let path = service::library_path_of(&text);
    asked.check_right(Right::Edit, path.as_deref())?;
    let added = asked.call(wire::AddWorkflow { text, file: None, path: None }).await?;
    let message = format!("{} is in the library, version {}", added.path, added.number);
    let body = json!({ "template_id": added.path, "status": "created", "message": message });
    Ok(Answer::created(body))
}

fn of_template(template: &Template) -> Value {
    json!({
        "id": template.entry.path,
        "name": template.entry.name,
        "description": template.entry.description,
        "category": template.category,
        "tags": template.tags,
        "estimated_duration": template.estimated_duration,
        "success_rate": template.usage.success_rate(),
        "usage_count": template.usage.executions,
        "step_count": template.steps,
        "approval_required": template.approval_required,
        "rollback_enabled": template.rollback_enabled,
        "version": template.entry.version,
    })
}
