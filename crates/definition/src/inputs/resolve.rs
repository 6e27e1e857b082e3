//! What a caller gave, checked against what is declared: defaults filled in, all problems at once.

use serde_json::Value;
use skep_model::{Map, plan};

use super::readable::readable;
use super::schema;
use crate::check::codes;
use crate::suggest;

/// One input (or form field) that cannot be taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InputProblem {
    /// Name of the input.
    pub name: String,
    /// `SKEP-C050` missing, `SKEP-C051` unknown, `SKEP-C052` wrong value.
    pub code: &'static str,
    /// One sentence that names the input.
    pub message: String,
    /// How to mend it.
    pub hint: Option<String>,
}

/// Checks `given` and fills in defaults. The answer holds every declared input in declared order; those
/// that were neither given nor have a default are null. `null` counts as not given unless the type
/// allows it.
pub fn resolve(declared: &Map<plan::Input>, given: &Map<Value>) -> Result<Map<Value>, Vec<InputProblem>> {
    let mut problems: Vec<InputProblem> =
        given.keys().filter(|name| !declared.contains_key(*name)).map(|name| unknown(name, declared)).collect();
    let mut resolved = Map::with_capacity(declared.len());
    for (name, input) in declared {
        match resolve_one(name, input, given.get(name)) {
            Ok(value) => {
                resolved.insert(name.clone(), value);
            }
            Err(mut found) => problems.append(&mut found),
        }
    }
    if problems.is_empty() { Ok(resolved) } else { Err(problems) }
}

fn resolve_one(name: &str, input: &plan::Input, given: Option<&Value>) -> Result<Value, Vec<InputProblem>> {
    match given {
        Some(value) if !value.is_null() => check_value(name, input, value).map(|()| value.clone()),
        Some(value) if check_value(name, input, value).is_ok() => Ok(Value::Null),
        Some(_) | None => match &input.default {
            Some(default) => Ok(default.clone()),
            None if input.required => Err(vec![missing(name, input)]),
            None => Ok(Value::Null),
        },
    }
}

fn missing(name: &str, input: &plan::Input) -> InputProblem {
    let meaning = [&input.description, &input.label].into_iter().find(|text| !text.is_empty());
    InputProblem {
        name: name.to_owned(),
        code: codes::INPUT_MISSING.id,
        message: format!("the input `{name}` is required and was not given"),
        hint: Some(match meaning {
            Some(meaning) => format!("give it with `-i {name}=VALUE` ({meaning})"),
            None => format!("give it with `-i {name}=VALUE`"),
        }),
    }
}

fn unknown(name: &str, declared: &Map<plan::Input>) -> InputProblem {
    InputProblem {
        name: name.to_owned(),
        code: codes::INPUT_NOT_DECLARED.id,
        message: format!("there is no input `{name}`"),
        hint: suggest::meant_or_known(name, "the inputs", declared.keys().map(String::as_str))
            .or_else(|| Some("the workflow declares no inputs".to_owned())),
    }
}

/// Every way in which `value` does not match the schema of `input`.
pub(crate) fn check_value(name: &str, input: &plan::Input, value: &Value) -> Result<(), Vec<InputProblem>> {
    let wrong = |message: String, hint: Option<String>| InputProblem {
        name: name.to_owned(),
        code: codes::INPUT_VALUE.id,
        message,
        hint,
    };
    let validator = schema::compile(&input.schema)
        .map_err(|error| vec![wrong(format!("the schema of the input `{name}` is not valid: {error}"), None)])?;
    let problems: Vec<InputProblem> = validator
        .iter_errors(value)
        .map(|error| {
            let (message, hint) = readable(&error);
            let at = error.instance_path().to_string();
            let subject = if at.is_empty() { format!("`{name}`") } else { format!("`{name}` at `{at}`") };
            wrong(format!("the input {subject}: {message}"), hint)
        })
        .collect();
    if problems.is_empty() {
        return Ok(());
    }
    // What a person must keep to themselves is not repeated in a message.
    if input.kind == "secret" {
        return Err(vec![wrong(format!("the input `{name}` does not match its declaration"), None)]);
    }
    Err(problems)
}
