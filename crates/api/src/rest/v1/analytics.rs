//! `GET /api/v1/workflows/analytics`.

use serde_json::{Map as Object, Value, json};
use skep_node::clock;
use skep_node::service::Template;

use super::super::answer::{Answer, Refusal};
use super::super::asked::Asked;

/// Workflows among the most popular ones.
const POPULAR: usize = 5;

/// What all executions came to. Of single workflows those that the caller may see.
pub async fn analytics(asked: Asked) -> Result<Answer, Refusal> {
    asked.check(None)?;
    let (templates, statistics) = asked
        .look(|desk| {
            let (now, reading) = (clock::now(), desk.reading());
            Ok((reading.templates(now)?, reading.statistics(now)?))
        })
        .await?;
    let mut popular: Vec<&Template> = templates.iter().filter(|template| template.usage.executions > 0).collect();
    popular.sort_by_key(|template| (std::cmp::Reverse(template.usage.executions), template.entry.path.clone()));
    popular.truncate(POPULAR);
    let of_each: Object<String, Value> =
        templates.iter().map(|template| (template.entry.path.clone(), figures(template))).collect();
    let all = &statistics.all;
    Ok(Answer::ok(json!({ "analytics": {
        "total_templates": templates.len(),
        "total_executions": all.executions,
        "successful_executions": all.completed,
        "success_rate": all.success_rate(),
        "active_executions": statistics.active,
        "recent_executions_24h": statistics.recent,
        "template_statistics": of_each,
        "most_popular_templates": popular.into_iter().map(figures).collect::<Vec<_>>(),
    }})))
}

fn figures(template: &Template) -> Value {
    json!({
        "id": template.entry.path,
        "name": template.entry.name,
        "usage_count": template.usage.executions,
        "success_rate": template.usage.success_rate(),
        "category": template.category,
    })
}
