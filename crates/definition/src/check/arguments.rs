//! `with` against the action's schema, as far as its values are written down.
//!
//! A value that an expression gives is not known yet, so what the schema says about it is left to the
//! runner. Names of arguments are known: a missing or an unknown one is found here.

use jsonschema::error::ValidationErrorKind;
use jsonschema::{ValidationError, Validator};
use serde_json::Value;
use skep_model::Map;

use super::codes;
use super::report::{Finding, Report};
use crate::inputs::readable;
use crate::suggest;

/// Checks the arguments `with` that stand at `pointer`.
pub(crate) fn check(
    pointer: &str,
    action: &str,
    schema: &Value,
    validator: &Validator,
    with: &Map<Value>,
    report: &mut Report<'_>,
) {
    let arguments = Value::Object(with.iter().map(|(name, value)| (name.clone(), value.clone())).collect());
    for error in validator.iter_errors(&arguments) {
        if is_decided(&error) {
            argument(pointer, action, schema, &error, report);
        }
    }
}

/// True if no expression could change the verdict.
fn is_decided(error: &ValidationError<'_>) -> bool {
    let instance = error.instance();
    if let Value::String(text) = instance.as_ref() {
        return !text.contains("${{");
    }
    let about_shape = matches!(
        error.kind().keyword(),
        "type" | "required" | "additionalProperties" | "minProperties" | "maxProperties" | "minItems" | "maxItems"
    );
    about_shape || !has_expression(instance)
}

fn has_expression(value: &Value) -> bool {
    match value {
        Value::String(text) => text.contains("${{"),
        Value::Array(items) => items.iter().any(has_expression),
        Value::Object(map) => map.values().any(has_expression),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

fn argument(pointer: &str, action: &str, schema: &Value, error: &ValidationError<'_>, report: &mut Report<'_>) {
    let at = format!("{pointer}{}", error.instance_path());
    if let ValidationErrorKind::AdditionalProperties { unexpected } = error.kind() {
        let known = schema.get("properties").and_then(Value::as_object);
        let top = error.instance_path().to_string().is_empty();
        for name in unexpected {
            let names = known.filter(|_| top).into_iter().flat_map(|map| map.keys()).map(String::as_str);
            let finding = Finding::error(codes::ARGUMENT_INVALID, format!("`{action}` has no argument `{name}`"))
                .maybe_hint(suggest::meant_or_known(name, "its arguments", names));
            report.add(&format!("{at}/{}", crate::outline::pointer_part(name)), finding);
        }
        return;
    }
    let (message, hint) = readable(error);
    let path = error.instance_path().to_string();
    let subject = path.trim_start_matches('/').replace('/', ".");
    let message = if subject.is_empty() {
        format!("the arguments of `{action}`: {message}")
    } else {
        format!("the argument `{subject}` of `{action}`: {message}")
    };
    report.add(&at, Finding::error(codes::ARGUMENT_INVALID, message).maybe_hint(hint));
}
