//! The key of a start: given by the caller, or made by the workflow's template over the inputs.

use serde_json::{Value, json};
use skep_definition::expr::{Names, Reference, Scope, ScopeError, StatusFlags, Template};
use skep_model::Map;
use skep_model::ids::Hash;
use skep_model::limits::SHARED_NAME_BYTES_MAX;
use skep_model::plan::Plan;

use crate::driver::StartKey;
use crate::error::Error;

/// The key of this start, if it has one.
///
/// # Errors
/// A template that cannot be evaluated, a key that is empty or too long.
pub(super) fn of_start(
    given: Option<String>,
    plan: &Plan,
    definition_hash: Hash,
    inputs: &Map<Value>,
) -> Result<Option<StartKey>, Error> {
    let key = match (given, &plan.idempotency_key) {
        (Some(given), _) => given,
        (None, Some(template)) => evaluate(template, plan, inputs)?,
        (None, None) => return Ok(None),
    };
    if key.is_empty() || key.len() > SHARED_NAME_BYTES_MAX {
        let hint = format!("a key has 1 to {SHARED_NAME_BYTES_MAX} bytes");
        return Err(Error::BadRequest { message: "the idempotency key is empty or too long".to_owned(), hint });
    }
    let digest = Hash::of(format!("{definition_hash}{}", sorted(inputs)).as_bytes());
    Ok(Some(StartKey { key, digest }))
}

/// Inputs as one text that does not depend on the order in which they were given.
fn sorted(inputs: &Map<Value>) -> Value {
    let mut inputs = json!(inputs);
    inputs.sort_all_objects();
    inputs
}

fn evaluate(template: &str, plan: &Plan, inputs: &Map<Value>) -> Result<String, Error> {
    let wrong = |problem: String| Error::InvalidInputs { problems: vec![format!("the idempotency key: {problem}")] };
    let compiled = Template::compile_text(template, &Names::of_plan(plan)).map_err(|errors| {
        wrong(errors.first().map_or_else(|| "it does not compile".to_owned(), |error| error.message.clone()))
    })?;
    match compiled.evaluate(&mut Inputs(inputs)) {
        Ok(Value::String(text)) => Ok(text),
        Ok(other) => Ok(other.to_string()),
        Err(error) => Err(wrong(error.message)),
    }
}

/// Inputs are all that there is before a start.
struct Inputs<'a>(&'a Map<Value>);

impl Scope for Inputs<'_> {
    fn resolve(&mut self, reference: &Reference) -> Result<Value, ScopeError> {
        let path: Vec<&str> = reference.path.iter().map(String::as_str).collect();
        let found = match path.as_slice() {
            ["inputs"] => Some(json!(self.0)),
            ["inputs", name] => self.0.get(*name).cloned(),
            _ => None,
        };
        let message = || format!("`{}` is not known before the start", path.join("."));
        found.ok_or_else(|| ScopeError::Unknown { message: message(), hint: Some("use `inputs`".to_owned()) })
    }

    fn status(&self) -> StatusFlags {
        StatusFlags::default()
    }
}
