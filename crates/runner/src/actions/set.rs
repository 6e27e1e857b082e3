//! `set`: its arguments become its outputs, so that later steps find a computed value under a name.

use serde_json::{Value, json};
use skep_model::catalogue::Action;

use super::context::{Now, Result};

pub(super) fn entry() -> Action {
    Action {
        summary: "Give values names: every argument becomes an output".to_owned(),
        schema: json!({"type": "object", "additionalProperties": true}),
        outputs: Vec::new(),
        read_only: true,
    }
}

pub(super) fn perform(mut now: Now<'_>) -> Result {
    match now.with {
        Value::Object(object) => Ok(object.into_iter().collect()),
        _ => now.arguments("set"),
    }
}
