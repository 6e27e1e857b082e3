//! `set`: its arguments become its outputs, so that later steps find a computed value under a name.

use serde_json::{Value, json};
use skep_model::Map;
use skep_model::catalogue::Action;

use super::context::{Context, Result};

pub(super) fn entry() -> Action {
    Action {
        summary: "Give values names: every argument becomes an output".to_owned(),
        schema: json!({"type": "object", "additionalProperties": true}),
        outputs: Vec::new(),
        read_only: true,
    }
}

pub(super) fn perform(context: &Context) -> Result {
    let arguments: Map<Value> = context.arguments()?;
    Ok(arguments)
}
