//! Kinds of values: words for them, and conversions that refuse instead of guessing.

use serde_json::Value;

use super::super::codes;
use super::super::error::Trouble;

/// The word for the kind of a value.
pub(crate) fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

/// Longest text that a message quotes, in characters.
const QUOTED_MAX: usize = 40;

/// A value for a message: its kind, and itself where it is short.
pub(crate) fn describe(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(_) | Value::Number(_) => format!("{} ({value})", kind(value)),
        Value::String(text) if text.chars().nth(QUOTED_MAX).is_none() => format!("a text ({text:?})"),
        Value::String(_) => "a text".to_owned(),
        Value::Array(items) => format!("a list of {}", items.len()),
        Value::Object(_) => "an object".to_owned(),
    }
}

/// A complaint that `what` wants another kind than `value` has.
pub(crate) fn wrong(what: &str, wanted: &str, value: &Value) -> Trouble {
    Trouble::new(codes::KIND, format!("{what} wants {wanted}, not {}", describe(value)))
}

/// The text of `value`, else a complaint of `what`.
pub(crate) fn text<'a>(what: &str, value: &'a Value) -> Result<&'a str, Trouble> {
    value.as_str().ok_or_else(|| wrong(what, "a text", value))
}

/// The list of `value`, else a complaint of `what`.
pub(crate) fn list<'a>(what: &str, value: &'a Value) -> Result<&'a Vec<Value>, Trouble> {
    value.as_array().ok_or_else(|| wrong(what, "a list", value))
}

/// The whole number of `value`, else a complaint of `what`.
pub(crate) fn integer(what: &str, value: &Value) -> Result<i64, Trouble> {
    value.as_i64().ok_or_else(|| wrong(what, "a whole number", value))
}

/// Empty, zero, null and false are false, as in Jinja.
pub(crate) fn is_true(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(flag) => *flag,
        Value::Number(number) => number.as_f64() != Some(0.0),
        Value::String(text) => !text.is_empty(),
        Value::Array(items) => !items.is_empty(),
        Value::Object(map) => !map.is_empty(),
    }
}
