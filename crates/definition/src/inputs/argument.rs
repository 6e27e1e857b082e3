//! `-i key=value` and form fields: text becomes a value of the declared type.

use serde_json::{Number, Value};
use skep_model::plan;

use super::readable::shown;
use super::resolve::{InputProblem, check_value};
use crate::check::codes;

/// Reads `text` as a value of the type that `declared` names, and checks it against the schema.
///
/// Integers, numbers and booleans are parsed; arrays and objects are JSON, a list may also be its items
/// separated by commas (each read by the items' type); text types keep every character; without a type the
/// text is JSON if it parses, else itself. The problem's `name` is empty: the caller knows it.
pub fn parse_argument(declared: &plan::Input, text: &str) -> Result<Value, InputProblem> {
    let value = match declared.kind.as_str() {
        "integer" | "number" | "boolean" => parse_scalar(&declared.kind, text)?,
        "array" => parse_list(declared, text)?,
        "object" => parse_object(text)?,
        "" | "choice" => parse_open(&declared.schema, text),
        // Every other type is a text type.
        _ => Value::String(text.to_owned()),
    };
    match check_value("", declared, &value) {
        Ok(()) => Ok(value),
        Err(problems) => Err(first_without_name(problems)),
    }
}

fn first_without_name(problems: Vec<InputProblem>) -> InputProblem {
    let mut problem = problems.into_iter().next().expect("a failed check lists at least one problem");
    for prefix in ["the input ``: ", "the input `` "] {
        if let Some(rest) = problem.message.strip_prefix(prefix) {
            problem.message = rest.to_owned();
        }
    }
    problem
}

fn wrong(message: String, hint: Option<&str>) -> InputProblem {
    InputProblem { name: String::new(), code: codes::INPUT_VALUE.id, message, hint: hint.map(str::to_owned) }
}

fn parse_scalar(kind: &str, text: &str) -> Result<Value, InputProblem> {
    let trimmed = text.trim();
    let value = match kind {
        "integer" => trimmed.parse::<i64>().ok().map(Value::from).or_else(|| whole_number(trimmed)),
        "number" => parse_number(trimmed).map(Value::Number),
        _ => match trimmed {
            "true" => Some(Value::Bool(true)),
            "false" => Some(Value::Bool(false)),
            _ => None,
        },
    };
    let hint = (kind == "boolean").then_some("write `true` or `false`");
    let article = if kind == "integer" { "an" } else { "a" };
    value.ok_or_else(|| wrong(format!("{} is not {article} {kind}", shown(&text.into())), hint))
}

/// `3.0` and `1e3` are integers in JSON Schema.
fn whole_number(text: &str) -> Option<Value> {
    let number: f64 = text.parse().ok()?;
    // Above 2^53 a float no longer names one integer.
    (number.fract() == 0.0 && number.abs() <= 9_007_199_254_740_992.0).then(|| Value::from(number as i64))
}

fn parse_number(text: &str) -> Option<Number> {
    match text.parse::<i64>() {
        Ok(integer) => Some(integer.into()),
        Err(_) => text.parse::<f64>().ok().and_then(Number::from_f64),
    }
}

fn parse_list(declared: &plan::Input, text: &str) -> Result<Value, InputProblem> {
    let trimmed = text.trim();
    if trimmed.starts_with('[') {
        return serde_json::from_str(trimmed).map_err(|error| wrong(format!("this is not a JSON list: {error}"), None));
    }
    if trimmed.is_empty() {
        return Ok(Value::Array(Vec::new()));
    }
    let kind = declared.schema.pointer("/items/type").and_then(Value::as_str).unwrap_or_default();
    let items: Result<Vec<Value>, InputProblem> =
        trimmed.split(',').map(|item| parse_item(kind, item.trim())).collect();
    items.map(Value::Array)
}

fn parse_item(kind: &str, text: &str) -> Result<Value, InputProblem> {
    match kind {
        "integer" | "number" | "boolean" => parse_scalar(kind, text),
        "array" | "object" => {
            Err(wrong(format!("a list of {kind}s cannot be written with commas"), Some("write it as JSON: `[..]`")))
        }
        _ => Ok(Value::String(text.to_owned())),
    }
}

fn parse_object(text: &str) -> Result<Value, InputProblem> {
    match serde_json::from_str(text) {
        Ok(value @ Value::Object(_)) => Ok(value),
        Ok(other) => Err(wrong(format!("{} is not an object", shown(&other)), Some("write JSON: `{\"key\": 1}`"))),
        Err(error) => Err(wrong(format!("this is not JSON: {error}"), Some("write JSON: `{\"key\": 1}`"))),
    }
}

/// Without a type, or for a choice: an option that reads like the text, else JSON, else the text.
fn parse_open(schema: &Value, text: &str) -> Value {
    let options = schema.get("enum").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let parsed = serde_json::from_str(text).ok();
    let reads_like = |option: &&Value| option.as_str() == Some(text) || Some(*option) == parsed.as_ref();
    match options.iter().find(reads_like) {
        Some(option) => option.clone(),
        None => parsed.unwrap_or_else(|| Value::String(text.to_owned())),
    }
}
