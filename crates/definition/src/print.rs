//! A workflow, or any value, as YAML the way a person would write it.
//!
//! ```text
//! Workflow --document--> Doc (block where a person would want lines) --emit--> text    scalar: quotes
//! ```
//! What is printed reads back as the same workflow, and printing that gives the same text. This module must
//! not fill in defaults: what was not written is not printed.

mod document;
mod emit;
#[cfg(test)]
pub(crate) mod generated;
mod scalar;
#[cfg(test)]
mod tests;

use serde_json::Value;

pub(crate) use document::{asking, retry};
pub(crate) use emit::Doc;
pub(crate) use emit::document as doc;

use crate::workflow::Workflow;

/// The workflow in the canonical spelling. Ends with a line break.
pub fn to_yaml(workflow: &Workflow) -> String {
    emit::document(&document::workflow(workflow))
}

/// The workflow in the canonical spelling as JSON.
pub fn to_value(workflow: &Workflow) -> Value {
    document::workflow(workflow).into_value()
}

/// Any value as YAML. Ends with a line break.
pub fn value_to_yaml(value: &Value) -> String {
    emit::document(&emit::Doc::Value(value.clone()))
}
