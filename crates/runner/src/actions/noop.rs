//! `noop`: succeeds. For placeholders, tests and measurements.

use serde_json::json;
use skep_model::Map;
use skep_model::catalogue::Action;

use super::context::{Now, Result};

pub(super) fn entry() -> Action {
    Action {
        summary: "Do nothing, successfully".to_owned(),
        schema: json!({"type": "object"}),
        outputs: Vec::new(),
        read_only: true,
    }
}

pub(super) fn perform(_: Now<'_>) -> Result {
    Ok(Map::new())
}
