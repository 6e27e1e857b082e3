//! What decides whether a step that did its work has succeeded: its named outputs, `success_criteria` and
//! `output_schema`, in this order. The first that does not fit is the step's failure; outputs are kept.

use serde_json::Value;
use skep_model::Map;
use skep_model::error::{Failure, Kind as FailureKind};
use skep_model::limits;

use crate::codes;
use crate::decide::Deciding;
use crate::rejection::Rejection;
use crate::scope::Trouble;
use crate::state::InstanceId;

/// A result that is none, with the outputs that there are all the same.
pub(crate) type Refused = (Failure, Map<Value>);

/// The outputs of a step whose work gave `raw`.
pub(crate) fn checked(
    turn: &Deciding<'_>,
    id: InstanceId,
    raw: &Map<Value>,
) -> Result<Result<Map<Value>, Refused>, Rejection> {
    let outputs = match named(turn, id, raw)? {
        Ok(outputs) => outputs,
        Err(failure) => return Ok(Err((failure, raw.clone()))),
    };
    let failure = match criterion(turn, id, raw)? {
        Some(failure) => Some(failure),
        None => misfit(turn, id, &outputs),
    };
    Ok(match failure {
        Some(failure) => Err((failure, outputs)),
        None => Ok(outputs),
    })
}

/// The outputs that the definition names, or the raw ones.
pub(crate) fn named(
    turn: &Deciding<'_>,
    id: InstanceId,
    raw: &Map<Value>,
) -> Result<Result<Map<Value>, Failure>, Rejection> {
    let instance = turn.state.instance(id);
    let Some(templates) = &turn.program.step_program(instance.step).outputs else { return Ok(Ok(raw.clone())) };
    let mut place = turn.place(instance.frame);
    place.own = Some(raw);
    let mut outputs = Map::new();
    for (name, template) in templates {
        match place.evaluate(template, &format_args!("output `{name}` of step `{}`", instance.path)) {
            Ok(value) => outputs.insert(name.clone(), value),
            Err(Trouble::Wrong(failure)) => return Ok(Err(*failure)),
            Err(Trouble::Needs(reference)) => return Err(Rejection::NeedsBlob(reference)),
        };
    }
    Ok(Ok(outputs))
}

/// The first criterion that does not hold.
fn criterion(turn: &Deciding<'_>, id: InstanceId, raw: &Map<Value>) -> Result<Option<Failure>, Rejection> {
    let instance = turn.state.instance(id);
    let criteria = &turn.program.step_program(instance.step).criteria;
    if criteria.is_empty() {
        return Ok(None);
    }
    let mut place = turn.place(instance.frame);
    place.own = Some(raw);
    for (text, template) in criteria {
        let what = format!("`success_criteria` of step `{}`", instance.path);
        let said = match place.evaluate(template, &what) {
            Ok(Value::Bool(true)) => continue,
            Ok(_) => format!("step `{}` did its work, but `{}` does not hold", instance.path, cut(text)),
            Err(Trouble::Wrong(failure)) => cut(&failure.message),
            Err(Trouble::Needs(reference)) => return Err(Rejection::NeedsBlob(reference)),
        };
        let failure = Failure::new(FailureKind::Criterion, codes::CRITERION.id, said);
        return Ok(Some(
            failure.with_hint("`skep status` shows the step's outputs; `retry: {on: [criterion]}` repeats it"),
        ));
    }
    Ok(None)
}

/// Where the outputs do not fit the schema.
fn misfit(turn: &Deciding<'_>, id: InstanceId, outputs: &Map<Value>) -> Option<Failure> {
    let instance = turn.state.instance(id);
    let schema = turn.program.step_program(instance.step).schema.as_ref()?;
    let value = Value::Object(outputs.iter().map(|(name, value)| (name.clone(), value.clone())).collect());
    let error = schema.iter_errors(&value).next()?;
    let (said, hint) = skep_definition::inputs::readable(&error);
    let at = error.instance_path().to_string();
    let place = if at.is_empty() { "the outputs".to_owned() } else { format!("`{}`", cut(&at)) };
    let message =
        format!("the outputs of step `{}` do not fit its `output_schema`: {place}: {}", instance.path, cut(&said));
    let failure = Failure::new(FailureKind::OutputSchema, codes::OUTPUT_SCHEMA.id, message);
    Some(match hint {
        Some(hint) => failure.with_hint(cut(&hint)),
        None => failure,
    })
}

/// Outputs may be long, and so may what quotes them.
fn cut(text: &str) -> String {
    match text.char_indices().nth(limits::COMPLAINT_CHARACTERS_MAX) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}
